//! The snapshot of the revocations, made once for all who ask.

use std::sync::Arc;

use axum::body::Bytes;
use bailiwick_issuer::{Issuer, PublishedHead, SnapshotFailure, StoreError};
use bailiwick_token::{
    revocation::{MAX_PAGE, Position},
    timestamp::Timestamp,
};
use bailiwick_verifier::layer::Clock;
use tokio::sync::Mutex;

/// For so many seconds a snapshot is handed out again where nothing changed.
const KEPT: u64 = 300;

/// For so many seconds it is handed out where something did, to readers that join it to the head by the changes
/// since: to make one takes a while, and anyone can ask. A cache may keep it for as long.
pub(crate) const SPARED: u64 = 5;

/// Makes snapshots, and keeps the last one.
#[derive(Clone)]
pub(crate) struct Snapshots(Arc<Cache>);

struct Cache {
    issuer: Issuer,
    clock: Clock,
    /// Whoever holds this makes one; others wait for it.
    made: Mutex<Option<MadeSnapshot>>,
}

/// A snapshot that was made, and its place in the history.
struct MadeSnapshot {
    position: Position,
    keyset_version: u64,
    at: Timestamp,
    file: Bytes,
}

impl Snapshots {
    /// Snapshots of this issuer.
    pub(crate) fn new(issuer: Issuer, clock: Clock) -> Snapshots {
        Snapshots(Arc::new(Cache {
            issuer,
            clock,
            made: Mutex::default(),
        }))
    }

    /// A snapshot of the revocations up to this head, or of more, which speaks of its keyset, or of a
    /// later one; a restore, which begins another history, raises that. Where it may be `recent`, it is
    /// one that the changes of a page lead from to the head. It is made to its end though the caller is
    /// gone by then: where it takes longer than a request may, the next one finds it.
    pub(crate) async fn of(
        &self,
        head: PublishedHead,
        recent: bool,
    ) -> Result<Bytes, SnapshotFailure> {
        let shared = Arc::clone(&self.0);
        let made = tokio::spawn(async move { shared.of(&head, recent).await });
        // The task ends with the runtime only.
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
            // Its making took a while, too.
            at: (self.clock)(),
            file: file.clone(),
        });
        Ok(file)
    }
}
