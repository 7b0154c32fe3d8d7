//! The head of the feed: the newest state of the history of revocations.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::{Digest, Epoch, Position};
use crate::{
    dsse::{self, Envelope, EnvelopeError},
    key::PublicKey,
    timestamp::{Timestamp, unix},
};

/// The `payloadType` of a head.
pub const HEAD_TYPE: &str = "application/vnd.bailiwick.head.v1+json";

/// Maximum size of a head, in bytes. If the issuer's name has 64 bytes, a head has at most 512.
pub const MAX_HEAD: usize = 4096;

/// The state of the history of revocations at one time. Members that a reader does not know are
/// ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The issuer whose history it is.
    pub issuer: String,
    /// The history.
    pub epoch: Epoch,
    /// Number of the last change; 0 before the first.
    pub seq: u64,
    /// Version of the newest keyset, so that a verifier that polls heads learns of it at once.
    pub keyset_version: u64,
    /// Time at which it was signed.
    #[serde(with = "unix")]
    pub issued_at: Timestamp,
    /// Time from which it is stale, whatever age a verifier would still accept.
    #[serde(with = "unix")]
    pub expires: Timestamp,
    /// The [`chain`](super::chain) of all lines up to that change.
    pub digest: Digest,
}

impl Head {
    /// Signs this head with the keyset key. The envelope carries no key id: it is fetched every few
    /// seconds, and the hint would be a sixth of it.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        let mut envelope = Envelope::sign(HEAD_TYPE, dsse::to_json(self), key);
        // Safe to remove: the hint is not signed.
        for signature in &mut envelope.signatures {
            signature.keyid.clear();
        }
        envelope
    }

    /// Reads a signed head of at most [`MAX_HEAD`] bytes. It does not check the head's age: the caller
    /// knows the time.
    ///
    /// # Errors
    /// [`HeadError`], and then no member of it may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Head, HeadError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_HEAD)?;
        // Verified first, so that an attacker's bytes never reach the parser of heads.
        let head: Head = serde_json::from_slice(envelope.open(HEAD_TYPE, key)?)
            .map_err(|error| HeadError::Malformed(error.to_string()))?;
        if head.issuer.is_empty() {
            return Err(HeadError::NoIssuer);
        }
        if head.expires <= head.issued_at {
            return Err(HeadError::NoLife);
        }
        if !head.position().is_sound() {
            return Err(HeadError::Start);
        }
        Ok(head)
    }

    /// The position of a reader that has read the whole history.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
            digest: self.digest,
        }
    }
}

/// A head was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Not a signed file, or not signed by the key that is trusted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, but not the JSON of a head that this version understands.
    #[error(
        "the head of the revocations cannot be read ({0}): a newer issuer may have written it, so upgrade this program first"
    )]
    Malformed(String),
    /// No issuer.
    #[error("the head of the revocations names no issuer: have its issuer make it again")]
    NoIssuer,
    /// It expires no later than it was issued.
    #[error("the head of the revocations expires before it begins: check the issuer's clock")]
    NoLife,
    /// Its number is 0, but its digest is not that of the beginning.
    #[error(
        "the head of the revocations has the digest of changes and none of them: have its issuer make it again"
    )]
    Start,
}
