//! Reports of verifiers on the keysets and revocations that they use.

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

/// A verifier's last report of itself. It is not authenticated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierStatus {
    /// Its name.
    pub name: String,
    /// The service that it decides for.
    pub service: String,
    /// The keyset that it uses; 0 for none.
    pub keyset_version: u64,
    /// The history of revocations that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_epoch: Option<String>,
    /// The last change in it that it knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_seq: Option<u64>,
    /// Time of the report.
    pub seen_at: Timestamp,
}

/// The reports of all verifiers, with the newest keyset and revocations.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifiersInUse {
    /// The newest keyset.
    pub keyset_version: u64,
    /// The history of revocations.
    pub feed_epoch: String,
    /// The last change in it.
    pub feed_seq: u64,
    /// The last report of each, by name.
    pub verifiers: Vec<VerifierStatus>,
}
