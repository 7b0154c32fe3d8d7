//! Revocations as a signed file: the tokens and blocks that are refused before their end.
//!
//! The keyset key signs it. An entry vanishes once what it names has expired on its own.

use std::fmt;

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de, ser::SerializeStruct};

use crate::{
    claims::TokenId,
    dsse::{self, Envelope, EnvelopeError},
    key::PublicKey,
    timestamp::Timestamp,
};

/// The `payloadType` of a signed revocation list.
pub const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.revocations.v1+json";

/// The largest signed list that is read, in bytes: room for a million tokens.
pub const MAX_LIST: usize = 256 << 20;

/// What an issuer has revoked, at one time. Members that a reader does not know are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationList {
    /// The issuer whose tokens these are.
    pub issuer: String,
    /// Rises with each list; the same number means the same bytes.
    pub seq: u64,
    /// When the list was signed.
    pub issued_at: Timestamp,
    /// From then on the list is stale.
    pub expires: Timestamp,
    /// What is revoked.
    pub entries: Vec<Revocation>,
}

/// One revoked token or block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// What is revoked.
    pub target: Target,
    /// Since when.
    pub revoked_at: Timestamp,
    /// When the entry vanishes, because what it names is dead by then; never, where it is absent.
    pub expires: Option<Timestamp>,
    /// Why, for people.
    pub reason: String,
}

/// What a revocation names.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Target {
    /// A token and everything that was derived from it.
    Token(TokenId),
    /// The block with this signature (64 bytes), and everything that was derived from it.
    Block(Vec<u8>),
}

/// The bytes of an Ed25519 signature.
const SIGNATURE: usize = 64;

impl RevocationList {
    /// Signs this list with the keyset key.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        Envelope::sign(PAYLOAD_TYPE, dsse::to_json(self), key)
    }

    /// Reads a signed list of at most [`MAX_LIST`] bytes. Whether it has expired is for the
    /// caller, who knows the time.
    ///
    /// # Errors
    /// [`RevocationListError`], and then nothing of the file may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<RevocationList, RevocationListError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_LIST)?;
        let list: RevocationList = serde_json::from_slice(envelope.open(PAYLOAD_TYPE, key)?)
            .map_err(|error| RevocationListError::Malformed(error.to_string()))?;
        if list.issuer.is_empty() {
            return Err(RevocationListError::NoIssuer);
        }
        if list.expires <= list.issued_at {
            return Err(RevocationListError::NoLife);
        }
        Ok(list)
    }
}

/// Why a revocation list was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RevocationListError {
    /// Not a signed file, or not signed by the key that is trusted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, and not the JSON of a list that this version understands.
    #[error(
        "the revocation list cannot be read ({0}): a newer issuer may have written it, so upgrade this program first"
    )]
    Malformed(String),
    /// No issuer.
    #[error("the revocation list names no issuer: have its issuer make it again")]
    NoIssuer,
    /// It expires before it was issued.
    #[error(
        "the revocation list expires before it begins: check the issuer's clock and have it made again"
    )]
    NoLife,
}

impl fmt::Display for Target {
    /// `token:` or `block:` and lower-case hex.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Target::Token(id) => write!(f, "token:{id}"),
            Target::Block(signature) => write!(f, "block:{}", hex::encode(signature)),
        }
    }
}

impl fmt::Debug for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// An entry as JSON: the target is one member, named by its kind.
#[derive(Deserialize)]
struct Entry {
    token: Option<TokenId>,
    #[serde(default, deserialize_with = "block")]
    block: Option<Vec<u8>>,
    revoked_at: Timestamp,
    expires: Option<Timestamp>,
    #[serde(default)]
    reason: String,
}

fn block<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<u8>>, D::Error> {
    let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
    let signature = hex::decode(text.as_ref()).map_err(de::Error::custom)?;
    if signature.len() != SIGNATURE {
        return Err(de::Error::custom(
            "a block is named by the 128 hex digits of its signature",
        ));
    }
    Ok(Some(signature))
}

impl<'de> Deserialize<'de> for Revocation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let entry = Entry::deserialize(deserializer)?;
        // An entry that names nothing is of a kind that this version cannot honour.
        let target = match (entry.token, entry.block) {
            (Some(id), None) => Target::Token(id),
            (None, Some(signature)) => Target::Block(signature),
            _ => {
                return Err(de::Error::custom(
                    "an entry names either a `token` or a `block`",
                ));
            }
        };
        Ok(Revocation {
            target,
            revoked_at: entry.revoked_at,
            expires: entry.expires,
            reason: entry.reason,
        })
    }
}

impl Serialize for Revocation {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut entry = serializer.serialize_struct("Revocation", 4)?;
        match &self.target {
            Target::Token(id) => entry.serialize_field("token", id)?,
            Target::Block(signature) => entry.serialize_field("block", &hex::encode(signature))?,
        }
        entry.serialize_field("revoked_at", &self.revoked_at)?;
        match self.expires {
            Some(expires) => entry.serialize_field("expires", &expires)?,
            None => entry.skip_field("expires")?,
        }
        entry.serialize_field("reason", &self.reason)?;
        entry.end()
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn list() -> RevocationList {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        RevocationList {
            issuer: "https://issuer.example".to_owned(),
            seq: 4,
            issued_at: at(1_000),
            expires: at(2_000),
            entries: vec![
                Revocation {
                    target: Target::Token(TokenId::from_bytes([0xab; 16])),
                    revoked_at: at(900),
                    expires: Some(at(4_000)),
                    reason: "leaked".to_owned(),
                },
                Revocation {
                    target: Target::Block(vec![0xcd; 64]),
                    revoked_at: at(950),
                    expires: None,
                    reason: String::new(),
                },
            ],
        }
    }

    fn reopen(payload: &[u8]) -> Result<RevocationList, RevocationListError> {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = key.verifying_key().try_into().unwrap();
        let envelope = Envelope::sign(PAYLOAD_TYPE, payload.to_vec(), &key);
        RevocationList::open(envelope.to_json().as_bytes(), &public)
    }

    #[test]
    fn a_signed_list_is_read_as_it_was_written() {
        let key = SigningKey::from_bytes(&[9; 32]);
        let public = key.verifying_key().try_into().unwrap();
        let text = list().sign(&key).to_json();
        assert_eq!(RevocationList::open(text.as_bytes(), &public), Ok(list()));
        let other = SigningKey::from_bytes(&[8; 32])
            .verifying_key()
            .try_into()
            .unwrap();
        assert!(RevocationList::open(text.as_bytes(), &other).is_err());
    }

    #[test]
    fn the_target_is_one_member_of_the_entry() {
        let json: serde_json::Value = serde_json::to_value(list()).unwrap();
        let first = json.pointer("/entries/0").unwrap();
        assert_eq!(
            first,
            &serde_json::json!({
                "token": "ab".repeat(16), "revoked_at": "1970-01-01T00:15:00Z",
                "expires": "1970-01-01T01:06:40Z", "reason": "leaked",
            })
        );
        assert_eq!(json.pointer("/entries/1/block").unwrap(), &"cd".repeat(64));
        assert_eq!(json.pointer("/entries/1/expires"), None);
    }

    #[test]
    fn an_entry_that_cannot_be_honoured_refuses_the_list() {
        let token = "ab".repeat(16);
        let block = "cd".repeat(64);
        let read = |entry: String| {
            let list = format!(
                r#"{{"issuer":"i","seq":1,"issued_at":"2026-11-23T00:00:00Z","expires":"2026-11-24T00:00:00Z",
                "entries":[{{{entry},"revoked_at":"2026-11-23T00:00:00Z"}}]}}"#
            );
            reopen(list.as_bytes())
        };
        assert!(read(format!(r#""token":"{token}","later":1"#)).is_ok());
        assert!(read(format!(r#""block":"{block}""#)).is_ok());
        for bad in [
            r#""agent":"a""#.to_owned(),
            format!(r#""token":"{token}","block":"{block}""#),
            format!(r#""block":"{token}""#),
            format!(r#""token":"{}""#, token.to_uppercase()),
        ] {
            assert!(matches!(read(bad), Err(RevocationListError::Malformed(_))));
        }
    }

    #[test]
    fn a_list_has_an_issuer_and_a_life() {
        let nobody = RevocationList {
            issuer: String::new(),
            ..list()
        };
        assert_eq!(
            reopen(&dsse::to_json(&nobody)),
            Err(RevocationListError::NoIssuer)
        );
        let dead = RevocationList {
            expires: list().issued_at,
            ..list()
        };
        assert_eq!(
            reopen(&dsse::to_json(&dead)),
            Err(RevocationListError::NoLife)
        );
    }
}
