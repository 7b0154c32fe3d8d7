//! Checkpoints: signed statements that the audit log ended with a certain row.
//!
//! The chain reveals an edited row. But only a statement that is kept elsewhere reveals that the end of the
//! chain was cut off, or that the whole chain was rewritten. A checkpoint is such a statement. The keyset key
//! signs it, so write access to the database is not enough to forge one.

use bailiwick_token::{
    dsse::{Envelope, EnvelopeError},
    json,
    key::PublicKey,
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;
use serde::{Deserialize, Serialize};

use super::AuditHead;

/// The `payloadType` of a checkpoint.
const PAYLOAD_TYPE: &str = "application/vnd.bailiwick.checkpoint.v1+json";

/// Maximum length of a checkpoint that is read, in bytes.
pub const MAX_CHECKPOINT: usize = 8_192;

/// The content of a checkpoint.
///
/// ```
/// use bailiwick_issuer::{Checkpoint, Issuer};
///
/// # async fn example(issuer: &Issuer) -> Result<(), Box<dyn std::error::Error>> {
/// let kept = std::fs::read("checkpoint.json")?; // from a place that the issuer cannot change
/// let checkpoint = Checkpoint::open(&kept, issuer.keyset_key(), &issuer.settings().issuer)?;
/// let report = issuer.audit_verify(&[checkpoint], |rows| println!("{rows} rows")).await?;
/// assert_eq!(report.finding, None);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Checkpoint {
    /// The issuer of the audit log.
    pub issuer: String,
    /// Time of signing.
    pub time: Timestamp,
    /// The last row and its hash.
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
    /// [`CheckpointError`], in particular if the checkpoint belongs to another issuer.
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

    /// Reads a signed checkpoint. Checks the signature, but not the issuer's name.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn read(envelope: &[u8], key: &PublicKey) -> Result<Checkpoint, CheckpointError> {
        let envelope = Envelope::parse_bounded(envelope, MAX_CHECKPOINT)?;
        json::from_slice(envelope.open(PAYLOAD_TYPE, key)?)
            .map_err(|error| CheckpointError::Malformed(error.to_string()))
    }
}

/// The reason for refusing a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// The checkpoint is not signed by this issuer's keyset key.
    #[error("{}", .0.of("checkpoint of the audit"))]
    Envelope(#[from] EnvelopeError),
    /// The checkpoint is signed, but this version does not understand it.
    #[error(
        "the checkpoint cannot be read ({0}); if a newer issuer wrote it, upgrade this program"
    )]
    Malformed(String),
    /// The checkpoint belongs to another issuer.
    #[error("the checkpoint belongs to the issuer `{0}`; use it with the home of that issuer")]
    Issuer(String),
}
