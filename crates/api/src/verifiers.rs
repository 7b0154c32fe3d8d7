//! Verifiers' reports of the keysets and revocations that they use.

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A verifier's last report about itself. It is not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierStatus {
    /// Name of the verifier.
    pub name: String,
    /// The service for which the verifier decides.
    pub service: String,
    /// Version of the keyset that the verifier uses; 0 for none.
    pub keyset_version: u64,
    /// The epoch of the revocation feed that the verifier follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_epoch: Option<String>,
    /// Number of the last change that the verifier knows in that epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_seq: Option<u64>,
    /// Time of the report.
    pub seen_at: Timestamp,
}

/// The reports of all verifiers, with the newest keyset and revocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiersInUse {
    /// Version of the newest keyset.
    pub keyset_version: u64,
    /// The current epoch of the revocation feed.
    pub feed_epoch: String,
    /// Number of the last change in that epoch.
    pub feed_seq: u64,
    /// The last report of each verifier, sorted by name.
    pub verifiers: Vec<VerifierStatus>,
}
