//! Verifiers, as far as they say of themselves what they use. Nobody vouches for it: who makes up a
//! report can delay a planned activation, or hide a verifier that lags, for which the time since the
//! keyset was published is waited for in any case. An emergency waits for no report.

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};

use serde_json::json;

use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
    store::StoreError,
};

/// What a verifier last said of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierInfo {
    /// Its name.
    pub name: String,
    /// The service that it decides for.
    pub service: String,
    /// The keyset that it uses; 0 for none.
    pub keyset_version: u64,
    /// The history of revocations that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_epoch: Option<String>,
    /// How far it has come in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feed_seq: Option<u64>,
    /// When it said so.
    pub seen_at: Timestamp,
}

/// All verifiers, beside what they could have.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VerifierReport {
    /// The newest keyset.
    pub keyset_version: u64,
    /// The history of revocations.
    pub feed_epoch: String,
    /// The last change in it.
    pub feed_seq: u64,
    /// What each said last, by name.
    pub verifiers: Vec<VerifierInfo>,
}

impl Issuer {
    /// Notes what verifiers said. It is gathered by the caller: this is a write.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn note_verifiers(&self, reports: &[VerifierInfo]) -> Result<(), StoreError> {
        let mut tx = self.store.write().await?;
        tx.save_reports(reports).await?;
        tx.commit().await
    }

    /// What verifiers said, and what they could have.
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

    /// Forgets a verifier that is no more, so that no activation waits for it. Tells whether it was
    /// known.
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
