//! Group commit: what many callers record at the same time becomes durable with one write to the
//! disk.
//!
//! While one transaction is under way, what comes in queues up and shares the next one. A caller is
//! answered once its row is on the disk, and not before.

use std::{collections::VecDeque, sync::OnceLock};

use bailiwick_token::{key::KeyId, timestamp::Timestamp};
use tokio::sync::{mpsc, oneshot};

use crate::{
    audit::Entry,
    store::{NewToken, Store, StoreError},
};

/// The most that waits. Beyond it callers are turned away, so that those who wait are served.
const QUEUE: usize = 1024;

/// The most that shares a transaction. Not all that can wait: while one part is written, the requests of
/// the next are worked on.
const BATCH: usize = 64;

/// What is to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) actor: std::sync::Arc<str>,
    pub(crate) time: Timestamp,
    /// The token that it is about. It counts only while the key that signed it is the active one.
    pub(crate) token: Option<NewToken>,
}

/// Why nothing was recorded.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RecordError {
    /// The key that signed the token is not the active one any more: sign with that one.
    #[error("another key signs now")]
    Superseded,
    /// Too much waits already.
    #[error("too much is under way")]
    Overloaded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

struct Job {
    record: Record,
    /// The row of the audit.
    done: oneshot::Sender<Result<u64, RecordError>>,
}

/// Writes records, many at a time.
pub(crate) struct Writer {
    store: Store,
    /// Begins with the first record.
    queue: OnceLock<mpsc::Sender<Job>>,
}

impl Writer {
    pub(crate) fn new(store: Store) -> Writer {
        Writer {
            store,
            queue: OnceLock::new(),
        }
    }

    /// Records, and tells the row of the audit once it is durable.
    ///
    /// A caller that goes away meanwhile takes nothing back: its record stands.
    pub(crate) async fn record(&self, record: Record) -> Result<u64, RecordError> {
        let queue = self.queue.get_or_init(|| {
            let (sender, receiver) = mpsc::channel(QUEUE);
            tokio::spawn(run(self.store.clone(), receiver));
            sender
        });
        let (done, answer) = oneshot::channel();
        queue
            .try_send(Job { record, done })
            .map_err(|_| RecordError::Overloaded)?;
        // The task ends with the runtime only.
        answer
            .await
            .unwrap_or(Err(RecordError::Store(StoreError::Unreachable)))
    }
}

/// Ends when the issuer that it belongs to is dropped.
async fn run(store: Store, mut queue: mpsc::Receiver<Job>) {
    let mut jobs = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut jobs, BATCH).await > 0 {
        let (records, answers): (Vec<Record>, Vec<_>) =
            jobs.drain(..).map(|job| (job.record, job.done)).unzip();
        for (answer, done) in answers.into_iter().zip(settle(&store, records).await) {
            // Nobody may be waiting any more.
            let _ = answer.send(done);
        }
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
                let one = commit(store, std::slice::from_ref(record)).await;
                let one = one.map_err(RecordError::from);
                settled.push(
                    one.and_then(|mut one| one.pop().unwrap_or(Err(RecordError::Overloaded))),
                );
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
    let active = match records.iter().any(|record| record.token.is_some()) {
        true => tx.active_key().await?.map(|key| key.id),
        false => None,
    };
    let counts = |record: &Record| record.token.is_none_or(|token| signs(active, token));
    let counted: Vec<&Record> = records.iter().filter(|record| counts(record)).collect();
    if counted.is_empty() {
        return Ok(records
            .iter()
            .map(|_| Err(RecordError::Superseded))
            .collect());
    }
    tx.insert_tokens(counted.iter().filter_map(|record| record.token))
        .await?;
    let entries = counted
        .iter()
        .map(|record| (record.entry.clone(), &*record.actor, record.time));
    let last = tx.record_all(entries).await?;
    tx.commit().await?;
    let first = last.saturating_sub(counted.len() as u64);
    let mut rows: VecDeque<u64> = (first.saturating_add(1)..=last).collect();
    let answer = |record: &Record| match counts(record) {
        true => rows.pop_front().ok_or(RecordError::Superseded),
        false => Err(RecordError::Superseded),
    };
    Ok(records.iter().map(answer).collect())
}

fn signs(active: Option<KeyId>, token: NewToken) -> bool {
    active == Some(token.key)
}
