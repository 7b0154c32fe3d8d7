//! The head of the feed: how far the history of revocations goes.

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

/// The largest head that is read, in bytes. One of an issuer with a name of 64 bytes has at most
/// 512.
pub const MAX_HEAD: usize = 4096;

/// How far the history of revocations goes, at one time. Members that a reader does not know are
/// ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The issuer whose history it is.
    pub issuer: String,
    /// Which history.
    pub epoch: Epoch,
    /// The number of the last change; 0 before the first.
    pub seq: u64,
    /// The newest keyset, so that whoever reads heads knows of it at once.
    pub keyset_version: u64,
    /// When it was signed.
    #[serde(with = "unix")]
    pub issued_at: Timestamp,
    /// From then on it tells nothing any more, whatever a verifier's own patience is.
    #[serde(with = "unix")]
    pub expires: Timestamp,
    /// The [`chain`](super::chain) of all lines up to that change.
    pub digest: Digest,
}

impl Head {
    /// Signs this head with the keyset key. The envelope bears no key id: it is fetched every few
    /// seconds, and the hint would be a sixth of it.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        let mut envelope = Envelope::sign(HEAD_TYPE, dsse::to_json(self), key);
        for signature in &mut envelope.signatures {
            signature.keyid.clear();
        }
        envelope
    }

    /// Reads a signed head of at most [`MAX_HEAD`] bytes. Whether it is too old is for the caller,
    /// who knows the time.
    ///
    /// # Errors
    /// [`HeadError`], and then nothing of it may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Head, HeadError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_HEAD)?;
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

    /// Where a reader is who has read it all.
    #[must_use]
    pub fn position(&self) -> Position {
        Position {
            epoch: self.epoch,
            seq: self.seq,
            digest: self.digest,
        }
    }
}

/// Why a head was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// Not a signed file, or not signed by the key that is trusted.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, and not the JSON of a head that this version understands.
    #[error(
        "the head of the revocations cannot be read ({0}): a newer issuer may have written it, so upgrade this program first"
    )]
    Malformed(String),
    /// No issuer.
    #[error("the head of the revocations names no issuer: have its issuer make it again")]
    NoIssuer,
    /// It expires before it was issued.
    #[error("the head of the revocations expires before it begins: check the issuer's clock")]
    NoLife,
    /// No changes, and the digest of some.
    #[error(
        "the head of the revocations has the digest of changes and none of them: have its issuer make it again"
    )]
    Start,
}
