//! Signed checkpoints: that the audit had this row at its end.
//!
//! A chain shows an edited row; only a statement that is kept elsewhere shows that its tail was cut
//! off, or that all of it was written anew. A checkpoint is one: the keyset key signs it, and whoever
//! can write to the database and does not have that key cannot make another.

use bailiwick_token::{
    dsse::{Envelope, EnvelopeError},
    key::PublicKey,
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::AuditHead;

/// The `payloadType` of a checkpoint.
const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.checkpoint.v1+json";

/// The longest checkpoint that is read, in bytes.
pub const MAX_CHECKPOINT: usize = 8_192;

/// What a checkpoint says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// Whose audit it is.
    pub issuer: String,
    /// When it was signed.
    pub time: Timestamp,
    /// The row at the end, and its hash.
    #[serde(flatten)]
    pub head: AuditHead,
}

impl Checkpoint {
    pub(crate) fn sign(&self, key: &SigningKey) -> String {
        let payload = serde_json::to_vec(self).unwrap_or_default();
        Envelope::sign(PAYLOAD_TYPE, payload, key).to_json()
    }

    /// Reads a signed checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`], also where it is of another issuer.
    pub fn open(
        envelope: &[u8],
        key: &PublicKey,
        issuer: &str,
    ) -> Result<Checkpoint, CheckpointError> {
        let checkpoint = Checkpoint::read(envelope, key)?;
        if checkpoint.issuer != issuer {
            return Err(CheckpointError::Issuer(checkpoint.issuer));
        }
        Ok(checkpoint)
    }

    /// Reads a signed checkpoint of whichever issuer has this keyset key.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn read(envelope: &[u8], key: &PublicKey) -> Result<Checkpoint, CheckpointError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_CHECKPOINT)?;
        serde_json::from_slice(envelope.open(PAYLOAD_TYPE, key)?)
            .map_err(|error| CheckpointError::Malformed(error.to_string()))
    }
}

/// Why a checkpoint was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Not signed by this issuer's keyset key.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// Signed, and not a checkpoint that this version understands.
    #[error("the checkpoint cannot be read ({0}): upgrade this program first")]
    Malformed(String),
    /// Another issuer's.
    #[error("the checkpoint is of the issuer `{0}`: name that one's home")]
    Issuer(String),
}
