//! What is published of the revocations: a signed head every few seconds, the changes that lead to
//! it, and a signed snapshot of what still matters.
//!
//! The head is stored, so that several issuers hand out the same one. Changes are handed out as they
//! were written, and never change. A snapshot is made when it is asked for.

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

/// After so many seconds the head is signed again, though nothing changed: how fresh it is, is what
/// verifiers go by.
pub const HEAD_RESIGN: u64 = 5;

/// The life of what is signed here, in seconds, for verifiers that ask for nothing shorter.
pub const FEED_LIFE: u64 = 86_400;

/// A signed head.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PublishedHead {
    /// The number of the last change.
    pub seq: u64,
    /// The keyset that goes with it.
    pub keyset_version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From then on it is stale.
    pub expires: Timestamp,
    /// The DSSE envelope: what verifiers are given, byte for byte.
    pub envelope: String,
}

/// A signed snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedRevocations {
    /// How far the history goes in it.
    pub position: Position,
    /// The keyset that goes with it.
    pub keyset_version: u64,
    /// When it was signed.
    pub issued_at: Timestamp,
    /// From then on it is stale.
    pub expires: Timestamp,
    /// How many entries it has.
    pub entries: u64,
    /// What verifiers are given, byte for byte.
    pub file: String,
}

impl Issuer {
    /// The head of the feed, signed again where something changed, or after [`HEAD_RESIGN`]. Only
    /// that needs the private keys.
    ///
    /// Readers refuse a head that was signed before the one that they have. So its time does not go
    /// back where the clocks of two issuers lie a little apart, or one is corrected a little.
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
        // Another one may have signed it in between.
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

    /// How far the history of revocations goes.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn position(&self) -> Result<Position, StoreError> {
        self.store.read().await?.position().await
    }

    /// The head as it was signed last, however old.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn published_head(&self) -> Result<Option<PublishedHead>, StoreError> {
        let head = self.store.read().await?.head().await?;
        Ok(head.map(PublishedHead::from))
    }

    /// The changes after `after`, up to and including `to`, one a line. What was handed out once is
    /// the same for ever.
    ///
    /// # Errors
    /// [`StoreError`]; `None` where there are no such changes, or more than [`MAX_PAGE`].
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

    /// Everything that is revoked and not dead, signed.
    ///
    /// # Errors
    /// [`SnapshotFailure`].
    pub async fn snapshot(&self, now: Timestamp) -> Result<PublishedRevocations, SnapshotFailure> {
        self.snapshot_from(None::<String>, now).await
    }

    /// The same, where the last snapshot of this issuer is at hand: what that holds is not read from the
    /// database again, which is most of the work with a million revocations.
    ///
    /// # Errors
    /// [`SnapshotFailure`].
    pub async fn snapshot_after(
        &self,
        last: impl AsRef<[u8]> + Send + 'static,
        now: Timestamp,
    ) -> Result<PublishedRevocations, SnapshotFailure> {
        match self.snapshot_from(Some(last), now).await {
            // It was not whole.
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
            // One of a time to come has left out what is not dead yet.
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
        // A million lines take a second, for which others need not wait.
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
        // Without an outcome it panicked, which the log tells, or the runtime ends.
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

/// A name for a new history of revocations.
pub(crate) fn new_epoch() -> Epoch {
    Epoch::from_bytes(OsRng.next_u64().to_be_bytes())
}

/// Whether the history goes from one to the other: a store that was put back may have gone another way
/// since. Where there are many changes in between, nobody looks.
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

/// Whether a clock that is not wrong can have signed at that time.
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

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SnapshotFailure {
    /// Too much is revoked for one file.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// It cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
}

from_sources!(SnapshotFailure);
