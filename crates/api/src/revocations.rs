//! Revocations, and the request to revoke.

use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Target, Watermark, WatermarkError},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A revocation. Exactly one of `token`, `block`, `agent`, `principal` and `tenant` is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedEntry {
    /// All tokens of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The block with this signature, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// Time at which the target expires on its own, in seconds since 1970; absent if it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// For a party: tokens issued before this time are revoked, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<u64>,
    /// All tokens on this principal's authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The reason, for people. Verifiers are not told.
    pub reason: String,
    /// Time from which it is revoked.
    pub revoked_at: Timestamp,
    /// Its number in the history of revocations.
    pub seq: u64,
    /// All tokens in this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// This token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// The page of revocations that follows an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationsQuery {
    /// The `seq` of the last entry of the page before.
    #[serde(default)]
    pub after: u64,
}

/// A request to revoke targets of any kinds, all or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Tokens, by their ids.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenId>,
    /// Blocks, by their signatures in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// Agents, to revoke all their tokens.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// Principals, to revoke all tokens on their authority.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
    /// Tenants, to revoke all tokens in them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// For parties: tokens issued before this time are revoked. By default, those issued until now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<Timestamp>,
    /// Time at which tokens and blocks that were not minted here expire.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The reason, on one line.
    pub reason: String,
}

impl RevokeRequest {
    /// Returns the targets, in the order tokens, blocks, agents, principals, tenants.
    ///
    /// # Errors
    /// [`TargetsError`].
    pub fn targets(&self, now: Timestamp) -> Result<Vec<Target>, TargetsError> {
        let mut targets: Vec<Target> = self.tokens.iter().copied().map(Target::Token).collect();
        for block in &self.blocks {
            let mut signature = [0; 64];
            hex::decode_to_slice(block, &mut signature).map_err(|_| TargetsError::Block)?;
            targets.push(Target::Block(signature));
        }
        // Times have whole seconds, and tokens of the current one are revoked, too.
        let before = self.issued_before.unwrap_or(now.plus(1));
        for (party, names) in [
            (Party::Agent, &self.agents),
            (Party::Principal, &self.principals),
            (Party::Tenant, &self.tenants),
        ] {
            for name in names {
                targets.push(Target::Watermark(Watermark::new(party, name, before)?));
            }
        }
        match targets.is_empty() {
            true => Err(TargetsError::None),
            false => Ok(targets),
        }
    }
}

/// The error of a [`RevokeRequest`] that names no targets, or wrong ones.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetsError {
    /// A block's signature is malformed.
    #[error("a block is named by its signature: 128 hexadecimal digits")]
    Block,
    /// A party has a name that no token can carry.
    #[error(transparent)]
    Party(#[from] WatermarkError),
    /// The request names nothing.
    #[error("name at least one token, block, agent, principal or tenant")]
    None,
}

/// The result of revoking one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeResult {
    /// The target, as text.
    pub target: String,
    /// The outcome.
    pub outcome: RevokedOutcome,
    /// Time from which it is revoked.
    pub revoked_at: Timestamp,
    /// Time at which the entry is removed; absent if it never is.
    pub expires: Option<Timestamp>,
    /// True if the token, or a token of the agent or principal, was minted here. If not, the target may be a
    /// typing error. Blocks are never known to the issuer, and tenants are assumed to be correct.
    pub minted_here: bool,
}

/// The outcome of revoking one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedOutcome {
    /// It is revoked now.
    Revoked,
    /// It was revoked before, and now is for longer or for more tokens.
    Extended,
    /// It was revoked before, and nothing changed.
    AlreadyRevoked,
    /// The target expired days ago, and nothing changed.
    AlreadyExpired,
}
