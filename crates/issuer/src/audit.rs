//! The audit: one row per mint, refusal, revocation and key change, each chained to the one before.
//!
//! A row's hash covers every column and the hash of the row before, so an edited, removed or
//! reordered row breaks the chain there. Where the chain ends is stored apart from it, and signed now
//! and then: a [`Checkpoint`]. Someone who can rewrite all of the database can make a new chain and
//! throw the checkpoints away; to notice that, keep one somewhere else.

mod checkpoint;
mod export;
mod verbs;

pub use checkpoint::{Checkpoint, CheckpointError, MAX_CHECKPOINT};
pub use export::{ExportError, verify_export};

use std::{collections::BTreeMap, fmt, str::FromStr};

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use sha2::{Digest, Sha256};

use crate::mint::token_info::TokenInfo;

/// Opens the encoding of a row: no hash of anything else can be taken for it.
const LABEL: &[u8] = b"bailiwick/audit/1";

/// The hash that the first row is chained to.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

macro_rules! events {
    ($($(#[$doc:meta])* $event:ident $name:literal,)*) => {
        /// What a row records.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum AuditEvent {
            $($(#[$doc])* $event,)*
        }

        impl AuditEvent {
            /// All events.
            pub const ALL: &[AuditEvent] = &[$(AuditEvent::$event,)*];

            /// The name, as rows hold it.
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
    /// The issuer was made.
    Init "init",
    /// The issuer was restored from a backup.
    Restore "restore",
    /// A root key was made, or imported, and published.
    KeyStage "key.stage",
    /// A root key began to sign.
    KeyActivate "key.activate",
    /// A root key ceased to sign.
    KeySupersede "key.supersede",
    /// A root key left the keyset, its private half was destroyed.
    KeyRetire "key.retire",
    /// A root key was revoked, its private half was destroyed.
    KeyRevoke "key.revoke",
    /// A token was minted.
    Mint "mint",
    /// A token was refused.
    MintRefused "mint.refused",
    /// A token, a block, or all that a party was given, was revoked.
    Revoke "revoke",
    /// A client was registered.
    ClientAdd "client.add",
    /// A client was given another secret.
    ClientRotate "client.rotate",
    /// A client was disabled, its secrets were destroyed.
    ClientDisable "client.disable",
    /// A verifier that is no more was forgotten: no activation waits for it.
    VerifierForget "verifier.forget",
    /// An operator asked for what its token does not let it do.
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

/// The text names no event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEventError;

impl fmt::Display for AuditEventError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&str> = AuditEvent::ALL.iter().map(|event| event.as_str()).collect();
        write!(f, "not an event: use one of {}", names.join(", "))
    }
}

impl std::error::Error for AuditEventError {}

/// What is to be recorded; the store adds its place in the chain.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) event: AuditEvent,
    pub(crate) agent: Option<String>,
    pub(crate) principal: Option<String>,
    pub(crate) token: Option<String>,
    pub(crate) key: Option<String>,
    /// An object, as JSON text.
    pub(crate) detail: String,
    /// The token, where the row is its mint.
    pub(crate) minted: Option<Box<TokenInfo>>,
}

impl Entry {
    /// `detail` is an object, and displays as its JSON text.
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

    /// The row of a mint, and of the token itself.
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

/// Which rows to list. Each field that is set narrows the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Of this agent.
    pub agent: Option<String>,
    /// On this principal's authority.
    pub principal: Option<String>,
    /// About this token, by its id.
    pub token: Option<String>,
    /// Of this kind.
    pub event: Option<AuditEvent>,
    /// Not before.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// With a number below this one: the page before the one that begins with it.
    pub before: Option<u64>,
    /// At most so many, the latest ones.
    pub limit: Option<u32>,
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRow {
    /// Its place, from 1 and without gaps.
    pub seq: u64,
    /// When it was written.
    pub time: Timestamp,
    /// Who did it, as the caller stated.
    pub actor: String,
    /// The name of an [`AuditEvent`].
    pub event: String,
    /// The agent it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The principal it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The id of the token it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The id of the root key it is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The rest: a JSON object as text, and in JSON as an object, byte for byte.
    #[serde(serialize_with = "as_json", deserialize_with = "from_json")]
    pub detail: String,
    /// The hash of the row before.
    #[serde(with = "hash_as_hex")]
    pub prev: [u8; 32],
    /// The hash of this row.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

impl AuditRow {
    /// What [`AuditRow::hash`] has to be. Each part is preceded by its length or has a fixed one,
    /// and what is absent differs from what is empty, so no two rows have one encoding.
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

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The last row; 0 where there is none.
    pub seq: u64,
    /// Its hash.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

/// The outcome of checking the whole chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// How many rows were found good.
    pub rows: u64,
    /// Where the chain should end, as stored apart from it.
    pub head: AuditHead,
    /// The last row that a signed checkpoint vouches for; 0 for none.
    pub checkpoint: u64,
    /// The first row that is not as it was written.
    pub finding: Option<AuditFinding>,
}

/// A break in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFinding {
    /// The row.
    pub seq: u64,
    /// What happened to it.
    pub tampering: Tampering,
}

impl fmt::Display for AuditFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let what = match self.tampering {
            Tampering::Edited => "was edited or moved",
            Tampering::Rewritten => "was replaced, with a hash made for the replacement",
            Tampering::Removed => "was removed",
            Tampering::Added => "was added from outside",
        };
        write!(f, "row {} {what}", self.seq)
    }
}

/// What happened to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tampering {
    /// Its hash does not fit its content: edited, or another row in its place.
    Edited,
    /// Its hash fits, and is not the one that the chain goes on with, or that was signed.
    Rewritten,
    /// It is not there.
    Removed,
    /// The chain ends before it.
    Added,
}

/// A walk along the chain from its start, row by row in their order.
pub(crate) struct Walk {
    rows: u64,
    last: AuditHead,
    /// What was signed, by row: two that differ are signed where a record was put back, and both count.
    checkpoints: BTreeMap<u64, Vec<[u8; 32]>>,
    finding: Option<AuditFinding>,
}

impl Walk {
    /// How many rows were as they were written.
    pub(crate) fn rows(&self) -> u64 {
        self.rows
    }

    /// From the first row on; `checkpoints` have been opened.
    pub(crate) fn new(checkpoints: impl IntoIterator<Item = AuditHead>) -> Walk {
        let start = AuditHead {
            seq: 0,
            hash: GENESIS,
        };
        Walk::after(start, checkpoints)
    }

    /// From the row after `last` on, which the caller vouches for.
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

    /// Whether there is no finding yet.
    pub(crate) fn goes_on(&self) -> bool {
        self.finding.is_none()
    }

    /// Takes the next row; `None` where it holds what no row was ever written with.
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
                    // This row is whole, so the one before is not what it was chained to.
                    finding(self.last.seq.max(1), Tampering::Rewritten)
                }
            }
            _ => finding(seq, Tampering::Edited),
        };
    }

    /// The last row that is good.
    pub(crate) fn last(&self) -> AuditHead {
        self.last
    }

    /// Compares the end with where the chain should end.
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

/// As the JSON that it is, or as text where it was tampered with.
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
