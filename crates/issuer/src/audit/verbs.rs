//! Operations on the audit log.

use bailiwick_token::timestamp::Timestamp;

use crate::{
    audit::{AuditCoverage, AuditFilter, AuditReport, AuditRow, Checkpoint},
    issuer::Issuer,
    signer::SignError,
    store::{StoreError, Tx},
};

impl Issuer {
    /// Returns the latest rows of the audit log that match `filter`, oldest first.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_list(&self, filter: &AuditFilter) -> Result<Vec<AuditRow>, StoreError> {
        self.store.read().await?.audit(filter).await
    }

    /// Returns a page of rows after `seq`, in order. The page is empty if there are no more.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_after(&self, seq: u64) -> Result<Vec<AuditRow>, StoreError> {
        self.store.read().await?.audit_after(seq).await
    }

    /// Verifies the whole chain: recomputes it, compares it with the stored checkpoints and with those `kept`
    /// elsewhere, and reports the first row that was tampered with. From time to time, `progress` is called with the
    /// number of rows so far.
    ///
    /// # Errors
    /// [`StoreError`]. Tampering is not an error but a finding.
    pub async fn audit_verify(
        &self,
        kept: &[Checkpoint],
        progress: impl FnMut(u64),
    ) -> Result<AuditReport, StoreError> {
        let mut tx = self.store.read().await?;
        let (key, issuer) = (&self.settings.keyset_key, &self.settings.issuer);
        let mut signed: Vec<_> = kept.iter().map(|checkpoint| checkpoint.head).collect();
        for envelope in tx.checkpoints(0).await? {
            // A checkpoint that is not signed proves nothing, and does not weaken the others.
            match Checkpoint::open(envelope.as_bytes(), key, issuer) {
                Ok(checkpoint) => signed.push(checkpoint.head),
                Err(error) => {
                    tracing::warn!(%error, "a stored checkpoint does not belong to this issuer, so it is not used")
                }
            }
        }
        tx.verify_audit(signed, progress).await
    }

    /// Signs the current end of the audit log, and stores and returns the checkpoint. Keep it elsewhere too.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn checkpoint(&self, now: Timestamp) -> Result<String, SignError> {
        let mut tx = self.write(now).await?;
        let envelope = self.sign_checkpoint(&mut tx, now).await?;
        tx.commit().await?;
        Ok(envelope)
    }

    /// Returns the number of rows that no checkpoint covers yet.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn unsigned_rows(&self) -> Result<u64, StoreError> {
        let mut tx = self.store.read().await?;
        let last = tx.last_checkpoint().await?;
        Ok(tx.audit_head().await?.seq.saturating_sub(last))
    }

    /// Returns the part of the audit log that checkpoints cover.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn audit_coverage(&self) -> Result<AuditCoverage, StoreError> {
        self.store.read().await?.audit_coverage().await
    }

    async fn sign_checkpoint(&self, tx: &mut Tx, now: Timestamp) -> Result<String, SignError> {
        let signer = self.keyset_signer(tx).await?;
        let checkpoint = Checkpoint {
            issuer: self.settings.issuer.clone(),
            time: now,
            head: tx.audit_head().await?,
        };
        let envelope = checkpoint.sign(&signer);
        tx.insert_checkpoint(checkpoint.head.seq, now, &envelope)
            .await?;
        Ok(envelope)
    }
}
