//! The feed of revocations: a signed head every few seconds, the changes that lead to it, and a signed
//! snapshot of the live revocations.
//!
//! The head is stored, so that several issuers serve the same one. Lines of changes are served exactly as
//! written and never altered. Snapshots are made on request.

use std::collections::HashSet;

use bailiwick_token::{
    revocation::{
        Epoch, Head, MAX_PAGE, Position, Snapshot, SnapshotBase, SnapshotError, SnapshotHeader,
    },
    timestamp::{SKEW, Timestamp},
};
use rand::{RngCore, rngs::OsRng};
use serde::Serialize;

use crate::{
    issuer::Issuer,
    signer::{SignError, from_sources},
    store::{StoreError, StoredHead, Tx, target_name},
};

/// Age in seconds at which an unchanged head is signed again, because verifiers rely on the age of the head.
pub const HEAD_RESIGN: u64 = 5;

/// Life of heads and snapshots, in seconds. Verifiers may require fresher ones.
pub const FEED_LIFE: u64 = 86_400;

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedHead {
    /// Number of the last change.
    pub seq: u64,
    /// Version of the current keyset at the time of signing.
    pub keyset_version: u64,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which the head is stale.
    pub expires: Timestamp,
    /// The DSSE envelope that verifiers receive, byte for byte.
    pub envelope: String,
}

/// A signed snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRevocations {
    /// Position in the history that the snapshot reflects.
    pub position: Position,
    /// Version of the current keyset at the time of signing.
    pub keyset_version: u64,
    /// Time of signing.
    pub issued_at: Timestamp,
    /// Time from which the snapshot is stale.
    pub expires: Timestamp,
    /// Number of entries.
    pub entries: u64,
    /// The file that verifiers receive, byte for byte.
    pub file: String,
}

impl Issuer {
    /// Returns the head of the feed, signed again if something changed, or after [`HEAD_RESIGN`]. Only signing
    /// needs the private keys.
    ///
    /// Readers refuse a head with an earlier signing time than the one that they have. So the signing time
    /// never goes back when the clocks of two issuers differ slightly, or when a clock is corrected slightly.
    ///
    /// # Errors
    /// [`SignError`].
    pub async fn head(&self, now: Timestamp) -> Result<PublishedHead, SignError> {
        let fresh = |head: &StoredHead, position: &Position, keyset: u64| {
            (head.seq, head.keyset_version) == (position.seq, keyset)
                && is_near(head.issued_at, now)
                && now.since(head.issued_at) < HEAD_RESIGN
        };
        let signer = {
            let mut tx = self.store.read().await?;
            let position = tx.position().await?;
            let keyset = tx.keyset().await?.map_or(0, |keyset| keyset.version);
            let head = tx.head().await?;
            if let Some(head) = head.filter(|head| fresh(head, &position, keyset)) {
                return Ok(head.into());
            }
            self.keyset_signer(&mut tx).await?
        };
        let mut tx = self.write(now).await?;
        let position = tx.position().await?;
        let keyset_version = tx.keyset().await?.map_or(0, |keyset| keyset.version);
        let last = tx.head().await?;
        // Another caller or issuer may have signed it in between.
        if let Some(head) = &last
            && fresh(head, &position, keyset_version)
        {
            return Ok(head.clone().into());
        }
        let last = last.map(|head| head.issued_at);
        let now = last
            .filter(|last| is_near(*last, now))
            .map_or(now, |last| last.max(now));
        let head = Head {
            issuer: self.settings.issuer.clone(),
            epoch: position.epoch,
            seq: position.seq,
            keyset_version,
            issued_at: now,
            expires: now.plus(FEED_LIFE),
            digest: position.digest,
        };
        let stored = StoredHead {
            seq: head.seq,
            keyset_version,
            issued_at: now,
            expires: head.expires,
            envelope: head.sign(&signer).to_json(),
        };
        tx.replace_head(&stored).await?;
        tx.commit().await?;
        Ok(stored.into())
    }

    /// Returns the current position of the history of revocations.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn position(&self) -> Result<Position, StoreError> {
        self.store.read().await?.position().await
    }

    /// Returns the last signed head, however old it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn published_head(&self) -> Result<Option<PublishedHead>, StoreError> {
        let head = self.store.read().await?.head().await?;
        Ok(head.map(PublishedHead::from))
    }

    /// Returns the changes after `after`, up to and including `to`, one per line; `None` if there are no such
    /// changes or more than [`MAX_PAGE`]. The lines never change, so they can be cached forever.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn delta(
        &self,
        epoch: &str,
        after: u64,
        to: u64,
    ) -> Result<Option<String>, StoreError> {
        let Some(wanted) = to.checked_sub(after).filter(|wanted| *wanted <= MAX_PAGE) else {
            return Ok(None);
        };
        let mut tx = self.store.read().await?;
        let position = tx.position().await?;
        if position.epoch.to_string() != epoch || to > position.seq {
            return Ok(None);
        }
        let mut lines = tx.lines(after, to).await?;
        if lines.len() as u64 != wanted {
            return Err(StoreError::Damaged("revocation"));
        }
        for line in &mut lines {
            line.push('\n');
        }
        Ok(Some(lines.concat()))
    }

    /// Returns a signed snapshot of all live revocations.
    ///
    /// # Errors
    /// [`SnapshotFailure`].
    pub async fn snapshot(&self, now: Timestamp) -> Result<PublishedRevocations, SnapshotFailure> {
        self.snapshot_from(None::<String>, now).await
    }

    /// Like [`Issuer::snapshot`], for callers that have the last snapshot of this issuer. The entries of that
    /// snapshot are not read from the database again, which saves most of the work when there are a million
    /// revocations.
    ///
    /// # Errors
    /// [`SnapshotFailure`].
    pub async fn snapshot_after(
        &self,
        last: impl AsRef<[u8]> + Send + 'static,
        now: Timestamp,
    ) -> Result<PublishedRevocations, SnapshotFailure> {
        match self.snapshot_from(Some(last), now).await {
            // The last snapshot is damaged.
            Err(SnapshotFailure::Snapshot(_)) => self.snapshot(now).await,
            made => made,
        }
    }

    async fn snapshot_from(
        &self,
        last: Option<impl AsRef<[u8]> + Send + 'static>,
        now: Timestamp,
    ) -> Result<PublishedRevocations, SnapshotFailure> {
        let mut tx = self.store.read().await?;
        let signer = self.keyset_signer(&mut tx).await?;
        let position = tx.position().await?;
        let keyset_version = tx.keyset().await?.map_or(0, |keyset| keyset.version);
        let key = self.settings.keyset_key;
        let (mut begun, mut after) = (None, 0);
        if let Some(last) = last
            && let Ok((header, _)) = SnapshotHeader::open(last.as_ref(), &key)
            // A snapshot with a future time may lack entries that are still alive.
            && header.issued_at <= now
            && leads_to(&mut tx, header.position(), &position).await?
        {
            (begun, after) = (Some(last), header.seq);
        }
        let mut newer = Vec::new();
        loop {
            let page = tx.revocations(after, now).await?;
            let Some(last) = page.last() else { break };
            after = last.seq;
            newer.extend(page.into_iter().map(|entry| entry.revocation));
        }
        drop(tx);
        let base = SnapshotBase {
            issuer: self.settings.issuer.clone(),
            position,
            issued_at: now,
            expires: now.plus(FEED_LIFE),
            keyset_version,
        };
        // A million lines take a second, which must not block the other tasks of the runtime.
        let written = tokio::task::spawn_blocking(move || {
            let mut entries = Vec::new();
            if let Some(last) = &begun {
                let superseded: HashSet<_> = newer
                    .iter()
                    .map(|entry| target_name(&entry.target))
                    .collect();
                for entry in Snapshot::open(last.as_ref(), &key)?.entries() {
                    let entry = entry?;
                    if !superseded.contains(&target_name(&entry.target)) {
                        entries.push(entry);
                    }
                }
            }
            entries.extend(newer);
            let file = base.write(entries, &signer)?;
            let (header, _) = SnapshotHeader::open(file.as_bytes(), &key)?;
            Ok::<_, SnapshotError>((file, header))
        });
        // A missing outcome means that the task panicked, which is in the log, or that the runtime is shutting down.
        let (file, header) = written.await.map_err(|_| StoreError::Unreachable)??;
        Ok(PublishedRevocations {
            position: header.position(),
            keyset_version: header.keyset_version,
            issued_at: header.issued_at,
            expires: header.expires,
            entries: header.entries,
            file,
        })
    }
}

/// Makes a random name for a new history of revocations.
pub(crate) fn new_epoch() -> Epoch {
    Epoch::from_bytes(OsRng.next_u64().to_be_bytes())
}

/// Returns true if the stored history leads from one position to the other. After a restore it may not. Returns
/// false without checking if more than [`MAX_PAGE`] changes lie between them.
async fn leads_to(tx: &mut Tx, from: Position, to: &Position) -> Result<bool, StoreError> {
    let between = to.seq.checked_sub(from.seq);
    if from.epoch != to.epoch || between.is_none_or(|between| between > MAX_PAGE) {
        return Ok(false);
    }
    let mut end = Some(from);
    for line in tx.lines(from.seq, to.seq).await? {
        end = end.and_then(|at| at.then(line.as_bytes()));
    }
    Ok(end.as_ref() == Some(to))
}

/// Returns true if `signed` is at most [`SKEW`] in the future, so that a correct clock may have shown it.
fn is_near(signed: Timestamp, now: Timestamp) -> bool {
    signed <= now.plus(SKEW)
}

impl From<StoredHead> for PublishedHead {
    fn from(stored: StoredHead) -> PublishedHead {
        let StoredHead {
            seq,
            keyset_version,
            issued_at,
            expires,
            envelope,
        } = stored;
        PublishedHead {
            seq,
            keyset_version,
            issued_at,
            expires,
            envelope,
        }
    }
}

/// The error of a snapshot that cannot be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotFailure {
    /// There are too many revocations for one file, or the last snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The snapshot cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(SnapshotFailure);
