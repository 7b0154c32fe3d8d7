//! Group commit: what many callers record at the same time becomes durable with one write to the
//! disk. A caller is answered once its row is on the disk, and not before.

use std::sync::Arc;

use async_trait::async_trait;
use bailiwick_token::timestamp::Timestamp;

use crate::{
    audit::Entry,
    batch::{Answers, Work},
    standing::{Clients, Standing},
    store::{Store, StoreError, Tx},
};

/// What is to be recorded.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) actor: Arc<str>,
    pub(crate) time: Timestamp,
    /// The grounds on which a token was asked for: compared in the transaction that records its mint.
    pub(crate) standing: Arc<Standing>,
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
        let fates = fates(&mut tx, records).await?;
        let entries: Vec<_> = records
            .iter()
            .zip(&fates)
            .filter_map(|(record, fate)| {
                let entry = fate.entry(record)?.clone();
                Some((entry, &*record.actor, record.time))
            })
            .collect();
        let mut row = match entries.len() as u64 {
            0 => 0,
            all => {
                let last = tx.record_all(entries).await?;
                tx.commit().await?;
                last.saturating_sub(all)
            }
        };
        let answer = |(record, fate): (&Record, Fate)| {
            if fate.entry(record).is_some() {
                row = row.saturating_add(1);
            }
            match fate {
                Fate::Recorded => Ok(row),
                Fate::Refused(error, _) => Err(error),
            }
        };
        Ok(records.iter().zip(fates).map(answer).collect())
    }
}

/// The outcome of one record in the transaction of its batch.
enum Fate {
    /// It is recorded as it came.
    Recorded,
    /// It is not, for this reason, and a refusal may be recorded in its place.
    Refused(RecordError, Option<Entry>),
}

impl Fate {
    fn entry<'a>(&'a self, record: &'a Record) -> Option<&'a Entry> {
        match self {
            Fate::Recorded => Some(&record.entry),
            Fate::Refused(_, refusal) => refusal.as_ref(),
        }
    }
}

/// Compares what each mint depends on with the state that the transaction sees. A refusal depends on
/// nothing.
async fn fates(tx: &mut Tx, records: &[Record]) -> Result<Vec<Fate>, StoreError> {
    let mints = || {
        records
            .iter()
            .filter(|record| record.entry.minted.is_some())
    };
    let active = match mints().next() {
        Some(_) => tx.active_key().await?.map(|key| key.id),
        None => None,
    };
    let clients = Clients::read(tx, mints().map(|record| &*record.standing)).await?;
    let mut fates = Vec::with_capacity(records.len());
    for record in records {
        let Some(token) = &record.entry.minted else {
            fates.push(Fate::Recorded);
            continue;
        };
        let standing = &record.standing;
        let withdrawn = standing.withdrawn_among(tx, &clients, record.time).await?;
        fates.push(match withdrawn {
            Some(withdrawn) => {
                let error = StoreError::from(withdrawn).into();
                Fate::Refused(error, standing.refusal(withdrawn))
            }
            None if Some(token.key) != active => Fate::Refused(RecordError::Superseded, None),
            None => Fate::Recorded,
        });
    }
    Ok(fates)
}
