//! The feed of revocations: a signed head every few seconds, the changes that lead to it, and a signed
//! snapshot of the live revocations.
//!
//! The head is stored, so that several issuers serve the same one. Changes are served as they were
//! written and never change. A snapshot is made on request.

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

/// Age in seconds at which an unchanged head is signed again. Verifiers rely on the age of the head.
pub const HEAD_RESIGN: u64 = 5;

/// The life of heads and snapshots, in seconds, for verifiers that require nothing shorter.
pub const FEED_LIFE: u64 = 86_400;

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedHead {
    /// The number of the last change.
    pub seq: u64,
    /// The version of the current keyset at that time.
    pub keyset_version: u64,
    /// Time at which it was signed.
    pub issued_at: Timestamp,
    /// Time from which it is stale.
    pub expires: Timestamp,
    /// The DSSE envelope that verifiers are given, byte for byte.
    pub envelope: String,
}

/// A signed snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRevocations {
    /// The position of the history that it reflects.
    pub position: Position,
    /// The version of the current keyset at that time.
    pub keyset_version: u64,
    /// Time at which it was signed.
    pub issued_at: Timestamp,
    /// Time from which it is stale.
    pub expires: Timestamp,
    /// Number of entries.
    pub entries: u64,
    /// The file that verifiers are given, byte for byte.
    pub file: String,
}

impl Issuer {
    /// Returns the head of the feed. It is signed again if something changed, or after [`HEAD_RESIGN`].
    /// Only signing needs the private keys.
    ///
    /// Readers refuse a head that was signed before the one that they have. So its time does not go back if
    /// the clocks of two issuers differ a little, or if a clock is corrected a little.
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

    /// Returns the head that was signed last, however old it is.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn published_head(&self) -> Result<Option<PublishedHead>, StoreError> {
        let head = self.store.read().await?.head().await?;
        Ok(head.map(PublishedHead::from))
    }

    /// Returns the changes after `after`, up to and including `to`, one per line. The answer never changes,
    /// so it can be cached for ever. It is `None` if there are no such changes or more than [`MAX_PAGE`].
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

    /// Same as [`Issuer::snapshot`], for callers that have the last snapshot of this issuer. Its entries are
    /// not read from the database again, which with a million revocations is most of the work.
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
            // A snapshot with a future time has left out entries that are still alive.
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
        // No outcome means that it panicked, which is in the log, or that the runtime shuts down.
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

/// Returns a random name for a new history of revocations.
pub(crate) fn new_epoch() -> Epoch {
    Epoch::from_bytes(OsRng.next_u64().to_be_bytes())
}

/// Returns true if the history leads from one position to the other: a restored store may have taken
/// another course since. Returns false without a check if more than [`MAX_PAGE`] changes are in between.
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

/// Returns true if a correct clock, within [`SKEW`], can have shown that time of signing.
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

/// An error of making a snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotFailure {
    /// There are too many revocations for one file, or the last snapshot is damaged.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(SnapshotFailure);
