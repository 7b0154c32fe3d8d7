//! The audit log: its rows, queries for them, and the result of verifying its hash chain.

use std::fmt;

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use serde_json::{Value, value::RawValue};

/// A query for rows. Each member that is set is a filter, and the answer holds the latest rows that match all
/// of them. If `after` is set, the answer is instead the page that follows that row, and the other filters are
/// ignored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AuditQuery {
    /// Only rows of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Only rows on this principal's authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Only rows about the token with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Only rows of events with this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event: Option<String>,
    /// Only rows at or after this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Timestamp>,
    /// Only rows before this time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
    /// Only rows with a `seq` below this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// The `seq` after which the page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// Maximum number of rows in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// One row of the audit log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditRecord {
    /// Position of the row, counted from 1 without gaps.
    pub seq: u64,
    /// Time of the event; for a mint, the time at which its request arrived, which may be before the time of the previous
    /// row.
    pub time: Timestamp,
    /// The party that acted: over HTTP the authenticated caller, at the home the name that the program gave.
    pub actor: String,
    /// The name of the event.
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
    /// Further details: the text of a JSON object, which is embedded as an object, byte for byte.
    #[serde(serialize_with = "as_json", deserialize_with = "from_json")]
    pub detail: String,
    /// The hash of the previous row.
    #[serde(with = "hash_as_hex")]
    pub prev: [u8; 32],
    /// The hash of this row.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

/// A request to verify the whole chain.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct VerifyAuditRequest {
    /// Signed checkpoints that the caller kept elsewhere.
    #[serde(default)]
    pub checkpoints: Vec<Value>,
}

/// The result of verifying the whole chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditVerification {
    /// Number of rows that were verified.
    pub rows: u64,
    /// The position where the chain should end. It is stored apart from the chain.
    pub head: ChainEnd,
    /// The last row that a signed checkpoint covers; 0 if there is none.
    pub checkpoint: u64,
    /// The first row that was tampered with.
    pub finding: Option<ChainBreak>,
}

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainEnd {
    /// The `seq` of the last row; 0 if there is none.
    pub seq: u64,
    /// The hash of the last row.
    #[serde(with = "hash_as_hex")]
    pub hash: [u8; 32],
}

/// The first row at which the chain is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChainBreak {
    /// The `seq` of the row.
    pub seq: u64,
    /// The fault of the row.
    pub tampering: ChainFault,
}

/// The fault of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ChainFault {
    /// The row's hash does not match its content: it was edited, or replaced by another row.
    Edited,
    /// The row's hash matches its content, but not the next row or a signed checkpoint.
    Rewritten,
    /// The row is missing.
    Removed,
    /// The row follows the end of the chain.
    Added,
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let fault = match self.tampering {
            ChainFault::Edited => "was edited or moved",
            ChainFault::Rewritten => "was replaced together with its hash",
            ChainFault::Removed => "was removed",
            ChainFault::Added => "was added without this program",
        };
        write!(f, "row {} {fault}", self.seq)
    }
}

mod hash_as_hex {
    use super::{Deserialize, Deserializer, Serializer, de};

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
    match RawValue::from_string(detail.to_owned()) {
        Ok(value) => value.serialize(serializer),
        Err(_) => serializer.serialize_str(detail),
    }
}

fn from_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let value = Box::<RawValue>::deserialize(deserializer)?;
    Ok(value.get().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash covers the detail byte for byte, so its members are neither sorted nor spaced differently.
    #[test]
    fn details_keep_their_bytes() {
        let row = |detail: &str| {
            let zero = "0".repeat(64);
            format!(
                r#"{{"seq":1,"time":"2026-11-23T12:00:00Z","actor":"local","event":"init","detail":{detail},"prev":"{zero}","hash":"{zero}"}}"#
            )
        };
        for detail in [r#"{"b":1, "a":1.50}"#, r#""no object""#] {
            let read: AuditRecord = serde_json::from_str(&row(detail)).unwrap();
            assert_eq!(read.detail, detail);
            assert_eq!(serde_json::to_string(&read).unwrap(), row(detail));
        }
        let mut tampered: AuditRecord = serde_json::from_str(&row("{}")).unwrap();
        tampered.detail = "{".to_owned();
        assert_eq!(serde_json::to_string(&tampered).unwrap(), row("\"{\""));
    }
}
