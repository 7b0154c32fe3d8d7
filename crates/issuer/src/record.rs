//! Group commit: what many callers record at the same time becomes durable with one write to the
//! disk. A caller is answered once its row is on the disk, and not before.

use std::sync::Arc;

use async_trait::async_trait;
use bailiwick_token::{key::KeyId, timestamp::Timestamp};

use crate::{
    audit::Entry,
    batch::{Answers, Work},
    store::{Store, StoreError},
};

/// What is to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) actor: Arc<str>,
    pub(crate) time: Timestamp,
    /// The key that signed the token that it is about: it counts only while that one is active.
    pub(crate) signed_by: Option<KeyId>,
}

/// Why nothing was recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RecordError {
    /// The key that signed the token is not the active one any more: sign with that one.
    #[error("another key signs now")]
    Superseded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Records, with one transaction. A caller that goes away takes nothing back: its record stands.
pub(crate) struct Commit(pub(crate) Store);

#[async_trait]
impl Work for Commit {
    type Job = Record;
    /// The row of the audit. It is durable.
    type Done = u64;
    type Error = RecordError;

    async fn all(&self, records: &[Record]) -> Result<Answers<Commit>, StoreError> {
        let mut tx = self.0.write().await?;
        let active = match records.iter().any(|record| record.signed_by.is_some()) {
            true => tx.active_key().await?.map(|key| key.id),
            false => None,
        };
        let counts = |record: &Record| record.signed_by.is_none() || record.signed_by == active;
        let counted: Vec<&Record> = records.iter().filter(|record| counts(record)).collect();
        let entries = counted
            .iter()
            .map(|record| (record.entry.clone(), &*record.actor, record.time));
        let mut row = match counted.len() as u64 {
            0 => 0,
            all => {
                let last = tx.record_all(entries).await?;
                tx.commit().await?;
                last.saturating_sub(all)
            }
        };
        let answer = |record: &Record| {
            if !counts(record) {
                return Err(RecordError::Superseded);
            }
            row = row.saturating_add(1);
            Ok(row)
        };
        Ok(records.iter().map(answer).collect())
    }
}
