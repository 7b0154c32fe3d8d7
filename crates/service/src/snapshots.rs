//! Snapshots of the revocations, each made once for all readers.

use std::sync::Arc;

use axum::body::Bytes;
use bailiwick_issuer::{Issuer, PublishedHead, SnapshotFailure, StoreError};
use bailiwick_token::{
    revocation::{MAX_PAGE, Position},
    timestamp::Timestamp,
};
use bailiwick_verifier::layer::Clock;
use tokio::sync::Mutex;

/// Time for which a snapshot is reused if nothing has been revoked since, in seconds.
const KEPT: u64 = 300;

/// Time for which a snapshot is reused even if something has been revoked since, in seconds. Readers that add
/// the changes up to the head accept this. Making a snapshot takes a while, and anyone can request one. Caches
/// may keep a snapshot for the same time.
pub(crate) const SPARED: u64 = 5;

/// A source of snapshots, which caches the last one.
#[derive(Clone)]
pub(crate) struct Snapshots(Arc<Cache>);

struct Cache {
    issuer: Issuer,
    clock: Clock,
    /// The last snapshot. It is locked while the next one is made, so that waiting readers share one.
    made: Mutex<Option<MadeSnapshot>>,
}

/// A snapshot, with its position in the history of revocations.
struct MadeSnapshot {
    position: Position,
    keyset_version: u64,
    at: Timestamp,
    file: Bytes,
}

impl Snapshots {
    /// Makes a source of snapshots of this issuer.
    pub(crate) fn new(issuer: Issuer, clock: Clock) -> Snapshots {
        Snapshots(Arc::new(Cache {
            issuer,
            clock,
            made: Mutex::default(),
        }))
    }

    /// Returns a snapshot with at least the revocations up to this head, and with the head's keyset version or a
    /// later one. (A restore begins another history and raises the version of the keyset.) If `recent` is true, the
    /// snapshot may be older than the head by at most one page of changes. A snapshot is completed even if the caller
    /// goes away. So if making it exceeds the time limit of a request, the next request finds it finished.
    pub(crate) async fn of(
        &self,
        head: PublishedHead,
        recent: bool,
    ) -> Result<Bytes, SnapshotFailure> {
        let shared = Arc::clone(&self.0);
        let made = tokio::spawn(async move { shared.of(&head, recent).await });
        // The task is never cancelled, except when the runtime ends.
        made.await
            .unwrap_or(Err(SnapshotFailure::from(StoreError::Unreachable)))
    }
}

impl Cache {
    async fn of(&self, head: &PublishedHead, recent: bool) -> Result<Bytes, SnapshotFailure> {
        let mut made = self.made.lock().await;
        let (now, position) = ((self.clock)(), self.issuer.position().await?);
        let holds = |made: &MadeSnapshot, seconds| {
            made.keyset_version >= head.keyset_version
                && made.at <= now
                && now.since(made.at) < seconds
        };
        let leads = |made: &MadeSnapshot| {
            made.position.epoch == position.epoch
                && position
                    .seq
                    .checked_sub(made.position.seq)
                    .is_some_and(|between| between <= MAX_PAGE)
        };
        let snapshot = match &*made {
            Some(made) if made.position == position && holds(made, KEPT) => {
                return Ok(made.file.clone());
            }
            Some(made) if recent && leads(made) && holds(made, SPARED) => {
                return Ok(made.file.clone());
            }
            Some(made) => self.issuer.snapshot_after(made.file.clone(), now).await?,
            None => self.issuer.snapshot(now).await?,
        };
        let file = Bytes::from(snapshot.file);
        *made = Some(MadeSnapshot {
            position: snapshot.position,
            keyset_version: snapshot.keyset_version,
            // The clock is read again, because making the snapshot took a while.
            at: (self.clock)(),
            file: file.clone(),
        });
        Ok(file)
    }
}
