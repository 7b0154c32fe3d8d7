//! Group commit: what many callers record at the same time becomes durable with one write to the
//! disk. A caller is answered once its row is on the disk, and not before.

use bailiwick_token::{key::KeyId, timestamp::Timestamp};

use crate::{
    audit::Entry,
    batch::Batcher,
    store::{Store, StoreError},
};

/// What is to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) actor: std::sync::Arc<str>,
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

/// Writes records, many at a time.
pub(crate) struct Writer(Batcher<Record, Result<u64, RecordError>>);

impl Writer {
    pub(crate) fn new(store: Store) -> Writer {
        Writer(Batcher::new(move |records| {
            let store = store.clone();
            async move { settle(&store, records).await }
        }))
    }

    /// Records, and tells the row of the audit once it is durable.
    ///
    /// A caller that goes away meanwhile takes nothing back: its record stands.
    pub(crate) async fn record(&self, record: Record) -> Result<u64, RecordError> {
        self.0.submit(record).await?
    }
}

/// Records all; where that fails because of one of them, each on its own.
async fn settle(store: &Store, records: Vec<Record>) -> Vec<Result<u64, RecordError>> {
    let all = records.len();
    match commit(store, &records).await {
        Ok(settled) => settled,
        Err(error) if all == 1 || error.is_of_the_whole() => vec![Err(error.into()); all],
        Err(_) => {
            let mut settled = Vec::with_capacity(all);
            for record in &records {
                match commit(store, std::slice::from_ref(record)).await {
                    Ok(one) => settled.extend(one),
                    Err(error) => settled.push(Err(error.into())),
                }
            }
            settled
        }
    }
}

/// One transaction. The answers are in the order of the records.
async fn commit(
    store: &Store,
    records: &[Record],
) -> Result<Vec<Result<u64, RecordError>>, StoreError> {
    let mut tx = store.write().await?;
    let active = match records.iter().any(|record| record.signed_by.is_some()) {
        true => tx.active_key().await?.map(|key| key.id),
        false => None,
    };
    let counts = |record: &Record| record.signed_by.is_none() || record.signed_by == active;
    let counted: Vec<&Record> = records.iter().filter(|record| counts(record)).collect();
    if counted.is_empty() {
        return Ok(records
            .iter()
            .map(|_| Err(RecordError::Superseded))
            .collect());
    }
    let entries = counted
        .iter()
        .map(|record| (record.entry.clone(), &*record.actor, record.time));
    let last = tx.record_all(entries).await?;
    tx.commit().await?;
    let mut row = last.saturating_sub(counted.len() as u64);
    let answer = |record: &Record| {
        if !counts(record) {
            return Err(RecordError::Superseded);
        }
        row = row.saturating_add(1);
        Ok(row)
    };
    Ok(records.iter().map(answer).collect())
}
