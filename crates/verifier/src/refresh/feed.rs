//! The poll of the feed: fetching the head, the changes and snapshots.

use std::{sync::Arc, time::Duration};

use bailiwick_token::revocation::{
    Head, MAX_HEAD, MAX_PAGE, MAX_SNAPSHOT, Position, SnapshotHeader, page_bytes,
};
use tokio::time::{Instant, sleep, timeout};

use super::{
    error::RefreshError,
    refresher::{Refresher, TIMEOUT},
    task::{after, blocking},
    transport::{FetchError, Fetched, Transport, is_admissible},
};
use crate::{trust::Trust, verifier::Verifier};

/// Time-out of fetching a snapshot.
const SNAPSHOT_TIMEOUT: Duration = Duration::from_secs(120);

/// Minimum interval between two snapshots that only shorten the files on disk, and their time-out. The time-out is
/// short because no head is read during the fetch.
const REST: Duration = Duration::from_secs(600);
const REST_TIMEOUT: Duration = Duration::from_secs(30);

/// Minimum interval between two snapshots.
const SNAPSHOT_PAUSE: Duration = Duration::from_secs(30);

/// Number of changes beyond which the snapshot is fetched instead.
const MAX_CHANGES: u64 = 50_000;

/// Bytes of changes beyond which the snapshot is fetched instead.
const MAX_CHANGES_BYTES: usize = 32 << 20;

/// Number of attempts, a second apart, to fetch a head that is not behind its snapshot.
const ATTEMPTS: usize = 6;

/// Interval between two writes of the head to disk while there are no changes.
const SAVE: Duration = Duration::from_secs(60);

/// A new trust, and the parts of the feed that made it.
pub(super) struct Fed {
    trust: Trust,
    head: Vec<u8>,
    etag: Option<String>,
    snapshot: Option<Vec<u8>>,
    /// The changes up to the head: those after the snapshot if there is one, and otherwise those after the
    /// position in use.
    lines: Vec<u8>,
    count: u64,
    keyset_version: u64,
}

/// A head, both as fetched and as read.
struct FetchedHead {
    bytes: Vec<u8>,
    etag: Option<String>,
    head: Head,
}

impl<T: Transport> Refresher<T> {
    pub(super) async fn refresh_feed(
        &mut self,
        verifier: Option<&Arc<Verifier>>,
    ) -> Result<(), RefreshError> {
        if let Some(fed) = self.fed(&self.trust()).await? {
            self.put_fed(fed, verifier).await?;
        }
        if self.wants_snapshot() && self.rest.max(self.snapshot) <= Instant::now() {
            self.rest = after(REST);
            if let Err(error) = self.begin_anew(verifier).await {
                let now = (self.clock)();
                self.status.change(|status| status.failed(&error, now));
                match error.is_rollback() {
                    true => {
                        tracing::error!(%error, "the snapshot would undo revocations that are in use")
                    }
                    false => {
                        tracing::warn!(%error, "the revocations on disk could not be replaced")
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns true if the changes on disk are too many, or can no longer be extended.
    fn wants_snapshot(&self) -> bool {
        let entries = self.trust.revocation_count();
        self.store.is_some() && self.kept.is_none_or(|kept| kept.is_long(entries))
    }

    /// Replaces the files on disk with a new snapshot. Decisions do not wait for this.
    async fn begin_anew(&mut self, verifier: Option<&Arc<Verifier>>) -> Result<(), RefreshError> {
        let trust = self.trust();
        let url = feed_url::<T>(&trust)?;
        let taken = timeout(REST_TIMEOUT, self.with_snapshot(&url, &trust, REST_TIMEOUT));
        let late = |_| RefreshError::Fetch {
            url: url.clone(),
            error: FetchError::TimedOut(REST_TIMEOUT.as_secs()),
        };
        let fed = taken.await.map_err(late)??;
        self.put_fed(fed, verifier).await
    }

    /// Applies the feed to `trust`. Returns `None` if the head has not changed.
    pub(super) async fn fed(&mut self, trust: &Trust) -> Result<Option<Fed>, RefreshError> {
        let url = &feed_url::<T>(trust)?;
        let Some(fetched) = self
            .fetch_head(url, trust, self.head.etag.as_deref())
            .await?
        else {
            return Ok(None);
        };
        let head = &fetched.head;
        let known = trust.position().filter(|known| known.epoch == head.epoch);
        if let Some(known) = known
            && let Some(lines) = self.changes(url, &known, head).await?
        {
            let count = head.seq.saturating_sub(known.seq);
            match self.with_delta(trust, fetched, lines, count).await {
                Err(RefreshError::Feed(error)) if error.wants_snapshot() => {
                    self.doubted(&RefreshError::Feed(error));
                }
                done => return done.map(Some),
            }
        }
        let fed = self.with_snapshot(url, trust, SNAPSHOT_TIMEOUT).await?;
        Ok(Some(fed))
    }

    /// Puts the new trust into use, and saves its parts to disk.
    pub(super) async fn put_fed(
        &mut self,
        fed: Fed,
        verifier: Option<&Arc<Verifier>>,
    ) -> Result<(), RefreshError> {
        let Fed {
            trust,
            head,
            etag,
            snapshot,
            lines,
            count,
            keyset_version,
        } = fed;
        let anew = trust.position().map(|at| at.epoch) != self.trust.position().map(|at| at.epoch);
        self.put(trust, verifier).await?;
        self.head.etag = etag;
        let carried = self.trust.carried_revocations();
        if anew && carried > 0 {
            tracing::error!(
                issuer = self.options.issuer,
                carried,
                "the restored issuer lacks revocations that are in use here until this service restarts; revoke again at the issuer whatever was revoked before its restore"
            );
        }
        // Once per version, so that an issuer whose keyset lags behind its heads is not polled constantly.
        if keyset_version > self.trust.keyset().version && keyset_version > self.announced {
            self.announced = keyset_version;
            self.keyset.pace.hurry();
        }
        self.keep(head, snapshot, lines, count).await;
        Ok(())
    }

    /// Fetches the head. Returns `None` if it still has the entity tag `etag`.
    async fn fetch_head(
        &self,
        url: &str,
        trust: &Trust,
        etag: Option<&str>,
    ) -> Result<Option<FetchedHead>, RefreshError> {
        match self.get(url, etag, MAX_HEAD, TIMEOUT).await? {
            Fetched::Found { body, etag } => {
                let head = trust.head(&body, (self.clock)())?;
                Ok(Some(FetchedHead {
                    bytes: body,
                    etag,
                    head,
                }))
            }
            Fetched::NotModified => Ok(None),
            Fetched::Gone => Err(RefreshError::NotFound(url.to_owned())),
        }
    }

    /// Fetches the changes between two positions. Returns `None` if the snapshot is needed instead.
    async fn changes(
        &self,
        url: &str,
        from: &Position,
        to: &Head,
    ) -> Result<Option<Vec<u8>>, RefreshError> {
        let missing = to.seq.saturating_sub(from.seq);
        if from.epoch != to.epoch || missing > MAX_CHANGES {
            return Ok(None);
        }
        let (mut lines, mut after) = (Vec::new(), from.seq);
        while after < to.seq {
            let end = to.seq.min(after.saturating_add(MAX_PAGE));
            let page = format!("{url}/{}/{after}-{end}", to.epoch);
            let room = MAX_CHANGES_BYTES.saturating_sub(lines.len());
            let limit = page_bytes(end.saturating_sub(after)).min(room);
            match self.get(&page, None, limit, TIMEOUT).await {
                Ok(Fetched::Found { body, .. }) => lines.extend_from_slice(&body),
                Ok(Fetched::Gone)
                | Err(RefreshError::Fetch {
                    error: FetchError::TooLarge(_),
                    ..
                }) => return Ok(None),
                Ok(Fetched::NotModified) => return Err(RefreshError::NotFound(page)),
                Err(error) => return Err(error),
            }
            after = end;
        }
        Ok(Some(lines))
    }

    async fn with_delta(
        &self,
        trust: &Trust,
        fetched: FetchedHead,
        lines: Vec<u8>,
        count: u64,
    ) -> Result<Fed, RefreshError> {
        let (trust, now) = (trust.clone(), (self.clock)());
        let FetchedHead { bytes, etag, head } = fetched;
        blocking(move || {
            Ok(Fed {
                trust: trust.with_delta(&bytes, &lines, now)?,
                head: bytes,
                etag,
                snapshot: None,
                lines,
                count,
                keyset_version: head.keyset_version,
            })
        })
        .await?
    }

    async fn with_snapshot(
        &mut self,
        url: &str,
        trust: &Trust,
        within: Duration,
    ) -> Result<Fed, RefreshError> {
        if self.snapshot > Instant::now() {
            return Err(RefreshError::TooSoon);
        }
        self.snapshot = after(SNAPSHOT_PAUSE);
        let page = format!("{url}/snapshot");
        let answer = self.get(&page, None, MAX_SNAPSHOT, within).await?;
        let Fetched::Found { body: snapshot, .. } = answer else {
            return Err(RefreshError::NotFound(page));
        };
        let (from, _) = SnapshotHeader::open(&snapshot, &self.options.keyset_key)?;
        let fetched = self.head_after(url, trust, &from.position()).await?;
        let head = &fetched.head;
        let lines = self.changes(url, &from.position(), head).await?;
        let lines = lines.ok_or(RefreshError::Behind)?;
        let count = head.seq.saturating_sub(from.seq);
        let (trust, now) = (trust.clone(), (self.clock)());
        tracing::info!(epoch = %from.epoch, seq = from.seq, entries = from.entries, "fetching a snapshot");
        let FetchedHead { bytes, etag, head } = fetched;
        blocking(move || {
            Ok(Fed {
                trust: trust.with_snapshot(&snapshot, &bytes, &lines, now)?,
                head: bytes,
                etag,
                snapshot: Some(snapshot),
                lines,
                count,
                keyset_version: head.keyset_version,
            })
        })
        .await?
    }

    /// Fetches the head until it is not behind the snapshot. Either may come from a cache.
    async fn head_after(
        &self,
        url: &str,
        trust: &Trust,
        snapshot: &Position,
    ) -> Result<FetchedHead, RefreshError> {
        for _ in 0..ATTEMPTS {
            if let Some(fetched) = self.fetch_head(url, trust, None).await?
                && fetched.head.epoch == snapshot.epoch
                && fetched.head.seq >= snapshot.seq
            {
                return Ok(fetched);
            }
            sleep(Duration::from_secs(1)).await;
        }
        Err(RefreshError::Behind)
    }

    /// Records that the changes have a fault that a snapshot can repair.
    fn doubted(&self, error: &RefreshError) {
        let now = (self.clock)();
        self.status.change(|status| status.failed(error, now));
        match error.is_rollback() {
            true => {
                tracing::error!(%error, "the changes do not follow the revocations in use, so the snapshot is fetched")
            }
            false => {
                tracing::warn!(%error, "the changes do not follow the revocations in use, so the snapshot is fetched")
            }
        }
    }

    async fn keep(&mut self, head: Vec<u8>, snapshot: Option<Vec<u8>>, lines: Vec<u8>, count: u64) {
        let Some(Position { epoch, seq, .. }) = self.trust.position() else {
            return;
        };
        let changed = snapshot.is_some() || count > 0;
        let recent = self.saved.is_some_and(|at| at.elapsed() < SAVE);
        let begin = (epoch, seq.saturating_sub(count));
        let kept = match (snapshot, self.kept) {
            (Some(file), _) => {
                self.save(move |store| store.begin(begin, &file, (&lines, count), &head))
                    .await
            }
            (None, Some(kept)) if changed || !recent => {
                self.save(move |store| store.extend(kept, (&lines, count), &head))
                    .await
            }
            // Nothing new to write.
            (None, _) => return,
        };
        if kept.is_some() {
            self.saved = Some(Instant::now());
        }
        // Changes that are missing on disk make later ones useless, while a head that is missing does no
        // harm.
        if kept.is_some() || changed {
            self.kept = kept;
        }
    }
}

/// The address of the feed.
fn feed_url<T: Transport>(trust: &Trust) -> Result<String, RefreshError> {
    let url = trust.keyset().revocation_url.as_deref();
    let url = url.ok_or(RefreshError::NoFeed)?.trim_end_matches('/');
    match is_admissible::<T>(url) {
        true => Ok(url.to_owned()),
        false => Err(RefreshError::Address(url.to_owned())),
    }
}
