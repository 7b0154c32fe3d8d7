//! One revocation as one line of JSON.
//!
//! ```json
//! {"token":"abababababababababababababababab","expires":1764040000}
//! {"block":"cdcd…","expires":1764040000}
//! {"agent":"agent:buyer","issued_before":1764030000,"expires":1764040000}
//! ```

use bailiwick_biscuit::key::is_lower_hex;
use serde::{Deserialize, Serialize};

use super::{Party, Revocation, Target, Watermark, WatermarkError};
use crate::{
    claims::TokenId,
    json,
    timestamp::{Timestamp, unix},
};

/// Maximum length of a line, in bytes. A name of [`MAX_NAME`](crate::claims::MAX_NAME) bytes fits, even if all
/// its characters are escaped.
pub const MAX_LINE: usize = 4096;

/// Length of an Ed25519 signature, in bytes.
const SIGNATURE: usize = 64;

impl Revocation {
    /// Writes the line without a line feed, as deltas and snapshots contain it and the chain hashes it.
    #[must_use]
    pub fn to_line(&self) -> String {
        let mut line = Line {
            expires: self.expires,
            ..Line::default()
        };
        match &self.target {
            Target::Token(id) => line.token = Some(*id),
            Target::Block(signature) => line.block = Some(hex::encode(signature)),
            Target::Watermark(watermark) => {
                *line.name(watermark.party) = Some(watermark.name.clone());
                line.issued_before = Some(watermark.issued_before);
            }
        }
        // JSON can write every name, digit and number. If it failed, readers would refuse the empty text.
        serde_json::to_string(&line).unwrap_or_default()
    }

    /// Reads a line without its line feed. Unknown members are ignored. A line that names no known target
    /// cannot be honoured, and is refused.
    ///
    /// # Errors
    /// [`LineError`].
    pub fn from_line(line: &[u8]) -> Result<Revocation, LineError> {
        if line.len() > MAX_LINE {
            return Err(LineError::TooLong);
        }
        let Line {
            token,
            block,
            agent,
            principal,
            tenant,
            issued_before,
            expires,
        } = json::from_slice(line).map_err(|error| LineError::Malformed(error.to_string()))?;
        let watermark = |party, name: String| -> Result<Target, LineError> {
            // Without a time, the watermark would also cover every token issued from now on.
            let issued_before = issued_before.ok_or(LineError::NoTime)?;
            Ok(Target::Watermark(Watermark::new(
                party,
                &name,
                issued_before,
            )?))
        };
        // Exactly one target: of two, readers could honour one each and disagree on what is revoked.
        let target = match (token, block, agent, principal, tenant) {
            (Some(id), None, None, None, None) => Target::Token(id),
            (None, Some(text), None, None, None) => Target::Block(signature(&text)?),
            (None, None, Some(name), None, None) => watermark(Party::Agent, name)?,
            (None, None, None, Some(name), None) => watermark(Party::Principal, name)?,
            (None, None, None, None, Some(name)) => watermark(Party::Tenant, name)?,
            _ => return Err(LineError::Target),
        };
        // A token or block with `issued_before` means something that this version does not know.
        if issued_before.is_some() && !matches!(target, Target::Watermark(_)) {
            return Err(LineError::Target);
        }
        Ok(Revocation { target, expires })
    }
}

/// The JSON form. Exactly one member names the target, and the member's name states the target's kind.
#[derive(Default, Serialize, Deserialize)]
struct Line {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    token: Option<TokenId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    block: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    principal: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    tenant: Option<String>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "unix::optional"
    )]
    issued_before: Option<Timestamp>,
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "unix::optional"
    )]
    expires: Option<Timestamp>,
}

impl Line {
    fn name(&mut self, party: Party) -> &mut Option<String> {
        match party {
            Party::Agent => &mut self.agent,
            Party::Principal => &mut self.principal,
            Party::Tenant => &mut self.tenant,
        }
    }
}

fn signature(text: &str) -> Result<[u8; SIGNATURE], LineError> {
    // `hex` accepts both cases, but a signature must have only one text form.
    if !is_lower_hex(text) {
        return Err(LineError::Block);
    }
    let mut signature = [0; SIGNATURE];
    hex::decode_to_slice(text, &mut signature).map_err(|_| LineError::Block)?;
    Ok(signature)
}

/// The reason for refusing a line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LineError {
    /// The line is longer than [`MAX_LINE`].
    #[error("it is longer than {MAX_LINE} bytes")]
    TooLong,
    /// The line is not a JSON object with members of the right types.
    #[error("it is not a revocation: {0}")]
    Malformed(String),
    /// The line does not name exactly one target of a kind that this version knows.
    #[error("it does not name exactly one `token`, `block`, `agent`, `principal` or `tenant`")]
    Target,
    /// The line names an agent, principal or tenant without a time, which would revoke all its tokens forever.
    #[error("it names a party without `issued_before`")]
    NoTime,
    /// The text that names a block is not a signature.
    #[error("its `block` is not the 128 lower-case hexadecimal digits of a signature")]
    Block,
    /// The line contains a name that no token can carry.
    #[error(transparent)]
    Name(#[from] WatermarkError),
}
