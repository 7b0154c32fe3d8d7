//! The audit log: one row for each mint, refusal, revocation and key change, chained to the previous row.
//!
//! The hash of a row covers every column and the hash of the previous row, so an edited, removed or reordered
//! row breaks the chain there. The end of the chain is stored separately and is signed from time to time, as a
//! [`Checkpoint`]. An attacker who can rewrite the whole database can make a new chain and delete the
//! checkpoints. To detect that, keep a checkpoint somewhere else.

mod checkpoint;
mod coverage;
mod export;
mod verbs;

pub use checkpoint::{Checkpoint, CheckpointError, MAX_CHECKPOINT};
pub use coverage::AuditCoverage;
pub use export::{ExportError, verify_export};

use std::{collections::BTreeMap, fmt, str::FromStr};

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::mint::token_info::TokenInfo;

/// Prefix of the encoding of a row, so that a row's hash cannot equal the hash of anything else.
const LABEL: &[u8] = b"bailiwick/audit/1";

/// The value of [`AuditRow::prev`] in the first row.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident $name:literal,)*) => {
        /// The kind of event that a row records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AuditEvent {
            $($(#[$doc])* $event,)*
        }

        impl AuditEvent {
            /// All kinds of events.
            pub const ALL: &[AuditEvent] = &[$(AuditEvent::$event,)*];

            /// Returns the event's name, as rows contain it.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(AuditEvent::$event => $name,)*
                }
            }
        }
    };
}

events! {
    /// The issuer was created.
    Init "init",
    /// The issuer was restored from a backup.
    Restore "restore",
    /// A root key was created or imported, and published.
    KeyStage "key.stage",
    /// A root key began to sign.
    KeyActivate "key.activate",
    /// A root key stopped signing.
    KeySupersede "key.supersede",
    /// A root key left the keyset, and its private half was destroyed.
    KeyRetire "key.retire",
    /// A root key was revoked, and its private half was destroyed.
    KeyRevoke "key.revoke",
    /// The URL of the revocations in the keyset was set.
    KeysetSet "keyset.set",
    /// A token was minted.
    Mint "mint",
    /// A request for a token was refused.
    MintRefused "mint.refused",
    /// A token, a block, or all earlier tokens of a party were revoked.
    Revoke "revoke",
    /// A client was registered.
    ClientAdd "client.add",
    /// A new secret was created for a client.
    ClientRotate "client.rotate",
    /// Public keys were added to a client.
    ClientKeyAdd "client.key.add",
    /// A public key of a client was removed.
    ClientKeyRemove "client.key.remove",
    /// A client was disabled, and its secrets were destroyed.
    ClientDisable "client.disable",
    /// A verifier that no longer exists was forgotten, so that no activation waits for it.
    VerifierForget "verifier.forget",
    /// An operator requested an action that its token does not allow.
    OperatorRefused "operator.refused",
}

impl fmt::Display for AuditEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for AuditEvent {
    type Err = AuditEventError;

    fn from_str(text: &str) -> Result<AuditEvent, AuditEventError> {
        AuditEvent::ALL
            .iter()
            .copied()
            .find(|event| event.as_str() == text)
            .ok_or(AuditEventError)
    }
}

/// The error of a text that is not the name of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEventError;

impl fmt::Display for AuditEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = AuditEvent::ALL.iter().map(|event| event.as_str()).collect();
        write!(f, "not an event; use one of {}", names.join(", "))
    }
}

impl std::error::Error for AuditEventError {}

/// An entry to be recorded. The store adds its position in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) event: AuditEvent,
    pub(crate) agent: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) key: Option<String>,
    /// A JSON object as text.
    pub(crate) detail: String,
    /// The token, if the row records its mint.
    pub(crate) minted: Option<Box<TokenInfo>>,
}

impl Entry {
    /// Creates an entry. `detail` displays as the text of a JSON object.
    pub(crate) fn new(event: AuditEvent, detail: impl fmt::Display) -> Entry {
        Entry {
            event,
            agent: None,
            principal: None,
            token: None,
            key: None,
            detail: detail.to_string(),
            minted: None,
        }
    }

    /// Creates the entry of a mint, which also provides the token's own row.
    pub(crate) fn mint(token: TokenInfo, detail: String) -> Entry {
        Entry {
            agent: Some(token.agent.clone()),
            principal: Some(token.principal.clone()),
            token: Some(token.token_id.to_string()),
            key: Some(token.key.to_string()),
            minted: Some(Box::new(token)),
            ..Entry::new(AuditEvent::Mint, detail)
        }
    }
}

/// A filter for audit rows. A row must match every field that is set.
///
/// ```
/// use bailiwick_issuer::{AuditEvent, AuditFilter, Issuer, StoreError};
/// use bailiwick_token::timestamp::Timestamp;
///
/// /// The number of tokens that an agent got since a time, up to 100.
/// async fn mints(issuer: &Issuer, agent: &str, since: Timestamp) -> Result<usize, StoreError> {
///     let filter = AuditFilter {
///         agent: Some(agent.to_owned()),
///         event: Some(AuditEvent::Mint),
///         since: Some(since),
///         limit: Some(100),
///         ..AuditFilter::default()
///     };
///     Ok(issuer.audit_list(&filter).await?.len())
/// }
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Rows about this agent.
    pub agent: Option<String>,
    /// Rows about this principal.
    pub principal: Option<String>,
    /// Rows about the token with this id.
    pub token: Option<String>,
    /// Rows of this event.
    pub event: Option<AuditEvent>,
    /// Rows of this time or later.
    pub since: Option<Timestamp>,
    /// Rows of a time before this.
    pub until: Option<Timestamp>,
    /// Rows with a lower number: the page that precedes this row.
    pub before: Option<u64>,
    /// Maximum number of rows. The latest ones are returned.
    pub limit: Option<u32>,
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Number of the row, counted from 1 without gaps.
    pub seq: u64,
    /// Time of the event. For a mint, this is the time at which the request arrived, so it may be earlier than the
    /// time of the previous row.
    pub time: Timestamp,
    /// The party that acted. Over HTTP, this is the authenticated caller; at the home, it is the name that the
    /// program gave.
    pub actor: String,
    /// The name of an [`AuditEvent`].
    pub event: String,
    /// The agent that the event concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The principal that the event concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The id of the token that the event concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The id of the root key that the event concerns.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// Further details, as the text of a JSON object. When the row is written as JSON, they appear as that
    /// object, byte for byte.
    #[serde(serialize_with = "as_json", deserialize_with = "from_json")]
    pub detail: String,
    /// The hash of the previous row.
    #[serde(with = "hash_as_hex")]
    pub prev: [u8; 32],
    /// The hash of this row.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

impl AuditRow {
    /// Computes the value that [`AuditRow::hash`] must have. Each part has a fixed length or is preceded by its
    /// length, and an absent part differs from an empty one, so different rows never have the same encoding.
    pub(crate) fn digest(&self) -> [u8; 32] {
        let mut hash = Sha256::new_with_prefix(LABEL);
        hash.update(self.seq.to_be_bytes());
        hash.update(self.time.unix().to_be_bytes());
        let (actor, event, detail) = (Some(&self.actor), Some(&self.event), Some(&self.detail));
        let (agent, principal) = (self.agent.as_ref(), self.principal.as_ref());
        let (token, key) = (self.token.as_ref(), self.key.as_ref());
        for part in [actor, event, agent, principal, token, key, detail] {
            hash.update([u8::from(part.is_some())]);
            let text = part.map_or("", String::as_str);
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        }
        hash.update(self.prev);
        hash.finalize().into()
    }
}

/// A position in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// Number of the last row; 0 if there is none.
    pub seq: u64,
    /// The hash of the last row.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

/// The result of verifying the whole chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Number of rows that were found intact.
    pub rows: u64,
    /// The position where the chain should end, which is stored separately.
    pub head: AuditHead,
    /// Number of the last row that a signed checkpoint covers; 0 if there is none.
    pub checkpoint: u64,
    /// The first row that was tampered with.
    pub finding: Option<AuditFinding>,
}

/// The first row at which the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// Number of the row.
    pub seq: u64,
    /// The way in which the row was tampered with.
    pub tampering: Tampering,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.tampering {
            Tampering::Edited => "was edited or moved",
            Tampering::Rewritten => "was replaced together with its hash",
            Tampering::Removed => "was removed",
            Tampering::Added => "was added without this program",
        };
        write!(f, "row {} {what}", self.seq)
    }
}

/// The ways in which a row can be tampered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tampering {
    /// The row's hash does not match its content: it was edited, or replaced by another row.
    Edited,
    /// The row's hash matches its content, but not the next row or a signed checkpoint.
    Rewritten,
    /// The row is missing.
    Removed,
    /// The row follows the stored end of the chain.
    Added,
}

/// A verification of the chain, row by row in order.
pub(crate) struct Walk {
    rows: u64,
    last: AuditHead,
    /// The signed hashes, by row. A row can have two different hashes if the issuer was restored to an earlier
    /// state and continued from there. Both are valid.
    checkpoints: BTreeMap<u64, Vec<[u8; 32]>>,
    finding: Option<AuditFinding>,
}

impl Walk {
    /// Returns the number of intact rows so far.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// Starts before the first row. The signatures of `checkpoints` must have been verified.
    pub(crate) fn new(checkpoints: impl IntoIterator<Item = AuditHead>) -> Walk {
        let start = AuditHead {
            seq: 0,
            hash: GENESIS,
        };
        Walk::after(start, checkpoints)
    }

    /// Starts after the row `last`, which the caller has verified.
    pub(crate) fn after(last: AuditHead, checkpoints: impl IntoIterator<Item = AuditHead>) -> Walk {
        let mut signed: BTreeMap<u64, Vec<[u8; 32]>> = BTreeMap::new();
        for head in checkpoints {
            signed.entry(head.seq).or_default().push(head.hash);
        }
        Walk {
            rows: 0,
            last,
            checkpoints: signed,
            finding: None,
        }
    }

    /// Returns true if no tampering has been found so far.
    pub(crate) fn goes_on(&self) -> bool {
        self.finding.is_none()
    }

    /// Checks the next row. `None` stands for a row that cannot be read.
    pub(crate) fn step(&mut self, seq: u64, row: Option<&AuditRow>) {
        let expected = self.last.seq.saturating_add(1);
        let finding = |seq, tampering| Some(AuditFinding { seq, tampering });
        self.finding = match row {
            _ if self.finding.is_some() => self.finding,
            _ if seq > expected => finding(expected, Tampering::Removed),
            Some(row) if seq == expected && row.digest() == row.hash => {
                let mut signed = self.checkpoints.get(&seq).into_iter().flatten();
                if signed.any(|signed| *signed != row.hash) {
                    finding(seq, Tampering::Rewritten)
                } else if row.prev == self.last.hash {
                    self.rows = self.rows.saturating_add(1);
                    self.last = AuditHead {
                        seq,
                        hash: row.hash,
                    };
                    None
                } else {
                    // This row is intact, so the previous row was replaced after this row had been chained to it.
                    finding(self.last.seq.max(1), Tampering::Rewritten)
                }
            }
            _ => finding(seq, Tampering::Edited),
        };
    }

    /// Returns the last intact row.
    pub(crate) fn last(&self) -> AuditHead {
        self.last
    }

    /// Compares the last row with the position where the chain should end.
    pub(crate) fn finish(self, head: AuditHead) -> AuditReport {
        let last = self.last;
        let signed = self.checkpoints.last_key_value().map_or(0, |(seq, _)| *seq);
        let at_the_end = if last.seq < head.seq.max(signed) {
            Some((last.seq.saturating_add(1), Tampering::Removed))
        } else if last.seq > head.seq {
            Some((head.seq.saturating_add(1), Tampering::Added))
        } else if last.hash != head.hash {
            Some((last.seq, Tampering::Rewritten))
        } else {
            None
        };
        let at_the_end = at_the_end.map(|(seq, tampering)| AuditFinding { seq, tampering });
        AuditReport {
            rows: self.rows,
            head,
            checkpoint: signed,
            finding: self.finding.or(at_the_end),
        }
    }
}

mod hash_as_hex {
    use super::*;

    pub(super) fn serialize<S: Serializer>(bytes: &[u8; 32], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&hex::encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<[u8; 32], D::Error> {
        let text = String::deserialize(from)?;
        let mut hash = [0; 32];
        hex::decode_to_slice(text, &mut hash).map_err(de::Error::custom)?;
        Ok(hash)
    }
}

/// Serializes the detail as the JSON that it contains, or as a string if tampering left it invalid.
fn as_json<S: Serializer>(detail: &str, serializer: S) -> Result<S::Ok, S::Error> {
    match serde_json::value::RawValue::from_string(detail.to_owned()) {
        Ok(value) => value.serialize(serializer),
        Err(_) => serializer.serialize_str(detail),
    }
}

fn from_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Box::<serde_json::value::RawValue>::deserialize(deserializer)?;
    Ok(value.get().to_owned())
}
