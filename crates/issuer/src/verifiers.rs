//! Verifiers' reports of the keyset and the revocations that they use.
//!
//! Reports are not authenticated. A forged report can delay a planned activation, or hide a verifier that lags
//! behind. A planned activation always waits for a minimum time after publication. Emergency revocations wait
//! for no report.

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    store::StoreError,
};

/// The last report of a verifier.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierInfo {
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

/// The last reports of all verifiers, and the newest state available to them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierReport {
    /// Version of the newest keyset.
    pub keyset_version: u64,
    /// The current epoch of the revocation feed.
    pub feed_epoch: String,
    /// Number of the last change in that epoch.
    pub feed_seq: u64,
    /// The last report of each verifier, sorted by name.
    pub verifiers: Vec<VerifierInfo>,
}

impl Issuer {
    /// Records reports of verifiers. Each call is a write, so callers should gather several reports first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_verifiers(&self, reports: &[VerifierInfo]) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.save_reports(reports).await?;
        tx.commit().await
    }

    /// Returns the last reports of all verifiers, and the newest state available to them.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn verifiers(&self) -> Result<VerifierReport, StoreError> {
        let mut tx = self.store.read().await?;
        let position = tx.position().await?;
        Ok(VerifierReport {
            keyset_version: tx.keyset().await?.map_or(0, |keyset| keyset.version),
            feed_epoch: position.epoch.to_string(),
            feed_seq: position.seq,
            verifiers: tx.verifiers().await?,
        })
    }

    /// Forgets a verifier that no longer exists, so that no activation waits for it. Returns true if the
    /// verifier was known.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn forget_verifier(&self, name: &str, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.write(now).await?;
        let known = tx.forget_verifier(name).await?;
        if known {
            let entry = Entry::new(AuditEvent::VerifierForget, json!({ "verifier": name }));
            tx.record(entry, &self.actor, now).await?;
            tx.commit().await?;
        }
        Ok(known)
    }
}
