//! Group commit: the records of many concurrent callers become durable with one write to the disk. A caller
//! gets its answer only once its row is on the disk.

use std::sync::Arc;

use async_trait::async_trait;
use bailiwick_token::timestamp::Timestamp;

use crate::{
    audit::Entry,
    batch::{Answers, Work},
    standing::{Clients, Standing},
    store::{Store, StoreError, Tx},
};

/// A record to be written to the audit log.
#[derive(Debug)]
pub(crate) struct Record {
    pub(crate) entry: Entry,
    pub(crate) actor: Arc<str>,
    pub(crate) time: Timestamp,
    /// The standing of the caller that requested a token, checked again in the transaction that records the
    /// mint.
    pub(crate) standing: Arc<Standing>,
}

/// An error of recording. The entry is not acknowledged; a refusal may be recorded in its place.
#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum RecordError {
    /// The key that signed the token is no longer the active one, so the token must be signed again.
    #[error("another key signs now")]
    Superseded,
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The work that records a batch in one transaction. If a caller goes away, its record is still written.
pub(crate) struct Commit(pub(crate) Store);

#[async_trait]
impl Work for Commit {
    type Job = Record;
    /// Number of the audit row, which is durable.
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
        // Nobody gets a token before the commit, so no holder has one that the audit lacks.
        let mut row = match entries.len() as u64 {
            0 => 0,
            all => {
                let last = tx.record_all(entries).await?;
                tx.commit().await?;
                // Rows are numbered without gaps in the order of the entries, so counting up from here
                // gives each caller its own.
                last.saturating_sub(all)
            }
        };
        // A refusal that was recorded in place of a mint took a row too, though its caller gets an error.
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
    /// The record is written unchanged.
    Recorded,
    /// The record is not written, for this reason. A refusal may be recorded in its place.
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

/// Checks the standing behind each mint against the state that the transaction sees.
async fn fates(tx: &mut Tx, records: &[Record]) -> Result<Vec<Fate>, StoreError> {
    let mints = || {
        records
            .iter()
            .filter(|record| record.entry.minted.is_some())
    };
    // Read once for the whole batch: this transaction is the only writer, so neither the key nor a
    // client can change before the commit.
    let active = match mints().next() {
        Some(_) => tx.active_key().await?.map(|key| key.id),
        None => None,
    };
    let clients = Clients::read(tx, mints().map(|record| &*record.standing)).await?;
    let mut fates = Vec::with_capacity(records.len());
    for record in records {
        let Some(token) = &record.entry.minted else {
            // A refusal gives nothing to anybody, so no standing is checked.
            fates.push(Fate::Recorded);
            continue;
        };
        let standing = &record.standing;
        let withdrawn = standing.withdrawn_among(tx, &clients, record.time).await?;
        // A withdrawn standing is reported before a superseded key, because signing again cannot restore a standing.
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
