//! The head of the revocation feed: the newest state of the history of revocations.

use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::{Digest, Epoch, Position};
use crate::{
    dsse::{self, Envelope, EnvelopeError},
    json,
    key::PublicKey,
    timestamp::{Timestamp, unix},
};

/// The `payloadType` of a head.
pub const HEAD_TYPE: &str = "application/vnd.bailiwick.head.v1+json";

/// Maximum size of a head, in bytes. A head with an issuer's name of 64 bytes has at most 512.
pub const MAX_HEAD: usize = 4096;

/// The state of the history of revocations at one time. Unknown members are ignored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Head {
    /// The issuer of the history.
    pub issuer: String,
    /// The name of the history.
    pub epoch: Epoch,
    /// Number of the last change; 0 before the first.
    pub seq: u64,
    /// Version of the newest keyset, so that a verifier that polls heads learns of a new keyset at once.
    pub keyset_version: u64,
    /// Time of signing.
    #[serde(with = "unix")]
    pub issued_at: Timestamp,
    /// Time from which the head is stale, regardless of the age that a verifier would still accept.
    #[serde(with = "unix")]
    pub expires: Timestamp,
    /// The digest of the [`chain`](super::chain) of all lines up to that change.
    pub digest: Digest,
}

impl Head {
    /// Signs this head with the keyset key. The envelope carries no key id: heads are fetched every few
    /// seconds, and the hint would take a sixth of their size.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Envelope {
        let mut envelope = Envelope::sign(HEAD_TYPE, dsse::to_json(self), key);
        // Safe to remove: the hint is not signed.
        for signature in &mut envelope.signatures {
            signature.keyid.clear();
        }
        envelope
    }

    /// Reads a signed head of at most [`MAX_HEAD`] bytes. The head's age is not checked, because only the
    /// caller knows the time.
    ///
    /// # Errors
    /// [`HeadError`]; in that case, no member of the head may be used.
    pub fn open(envelope: &[u8], key: &PublicKey) -> Result<Head, HeadError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_HEAD)?;
        // Verified first, so that an attacker's bytes never reach the parser of heads.
        let head: Head = json::from_slice(envelope.open(HEAD_TYPE, key)?)
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

/// The reason for refusing a head.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HeadError {
    /// The file is not a signed file, or the trusted key did not sign it.
    #[error("{}", .0.of("head of the revocations"))]
    Envelope(#[from] EnvelopeError),
    /// The signed payload is not the JSON of a head that this version understands.
    #[error(
        "the head of the revocations cannot be read ({0}); upgrade this program, since a newer issuer may have written it"
    )]
    Malformed(String),
    /// The head names no issuer.
    #[error("the head of the revocations names no issuer; fetch a new head from the issuer")]
    NoIssuer,
    /// The head expires at or before the time of its signing.
    #[error(
        "the head of the revocations expires at or before the time of its signing; check the clock of the issuer"
    )]
    NoLife,
    /// The number of the last change is 0, but the digest is not that of an empty history.
    #[error(
        "the head of the revocations states that there are no changes, but its digest covers some; fetch a new head from the issuer"
    )]
    Start,
}
