//! The refresher of one verifier: its state, and the fetches, one at a time.

use std::{fmt, io, sync::Arc, time::Duration};

use tokio::time::{Instant, timeout};

use super::{
    directory::{Kept, StateDirectory},
    error::RefreshError,
    options::Options,
    pace::Pace,
    status::SharedStatus,
    task::blocking,
    transport::{FetchError, Fetched, Get, Transport},
};
use crate::{clock::Clock, trust::Trust, verifier::Verifier};

/// Time-out of all requests except those for a snapshot.
pub(super) const TIMEOUT: Duration = Duration::from_secs(10);

/// Keeps the trust of one verifier fresh.
pub(super) struct Refresher<T> {
    pub(super) options: Options,
    pub(super) transport: T,
    pub(super) clock: Clock,
    pub(super) store: Option<StateDirectory>,
    /// The last trust that was read.
    pub(super) trust: Trust,
    /// The feed on disk; `None` if it cannot be extended.
    pub(super) kept: Option<Kept>,
    /// Time at which the head was last written.
    pub(super) saved: Option<Instant>,
    pub(super) keyset: Polled,
    pub(super) head: Polled,
    /// The newest keyset version for which a head has already triggered a fetch.
    pub(super) announced: u64,
    /// Earliest time at which an unknown key may trigger another fetch of the keyset.
    pub(super) extra: Instant,
    /// Earliest time of the next snapshot.
    pub(super) snapshot: Instant,
    /// Earliest time of the next snapshot that only shortens the files on disk.
    pub(super) rest: Instant,
    pub(super) status: SharedStatus,
}

/// The state of fetching a resource regularly.
pub(super) struct Polled {
    pub(super) pace: Pace,
    /// Entity tag of the last good answer.
    pub(super) etag: Option<String>,
}

/// The two parts of a trust.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrustPart {
    Keyset,
    Feed,
}

impl<T: Transport> Refresher<T> {
    /// Returns the last trust that was read.
    pub(super) fn trust(&self) -> Trust {
        self.trust.clone()
    }

    /// The status, shared with monitors.
    pub(super) fn status(&self) -> SharedStatus {
        self.status.clone()
    }

    pub(super) fn has_feed(&self) -> bool {
        self.trust.keyset().revocation_url.is_some()
    }

    /// Puts newer trust into use.
    pub(super) async fn put(
        &mut self,
        trust: Trust,
        verifier: Option<&Arc<Verifier>>,
    ) -> Result<(), RefreshError> {
        let offered = trust.clone();
        match verifier.cloned() {
            Some(verifier) => blocking(move || verifier.replace_trust(offered)).await??,
            None => offered.may_replace(&self.trust)?,
        }
        self.trust = trust;
        Ok(())
    }

    /// Records the outcome of a refresh, and schedules the next one.
    pub(super) fn settle(&mut self, part: TrustPart, outcome: Result<(), RefreshError>) {
        let now = (self.clock)();
        let needed = self.trust.newer_keyset().is_some();
        let polled = match part {
            TrustPart::Keyset => &mut self.keyset,
            TrustPart::Feed => &mut self.head,
        };
        match &outcome {
            Ok(()) => polled.pace.succeeded(),
            Err(_) if part == TrustPart::Keyset && needed => polled.pace.lagged(),
            Err(_) => polled.pace.failed(),
        }
        self.status.change(|status| {
            status.update(&self.trust);
            match (&outcome, part) {
                (Ok(()), TrustPart::Keyset) => status.keyset_checked_at = Some(now),
                (Ok(()), TrustPart::Feed) => status.head_checked_at = Some(now),
                (Err(error), _) => status.failed(error, now),
            }
        });
        match outcome {
            Err(error) if error.is_rollback() => tracing::error!(
                issuer = self.options.issuer, ?part, %error,
                "the fetched keyset or feed would roll back the one in use, so it is ignored"
            ),
            Err(error) => tracing::warn!(
                issuer = self.options.issuer, ?part, %error,
                "the keyset and the feed could not be refreshed, so the previous ones stay in use"
            ),
            Ok(()) => {}
        }
    }

    /// Fetches an address without asking caches to revalidate.
    pub(super) async fn get(
        &self,
        url: &str,
        etag: Option<&str>,
        limit: usize,
        within: Duration,
    ) -> Result<Fetched, RefreshError> {
        let get = Get {
            url,
            etag,
            report: None,
            limit,
            timeout: within,
            revalidate: false,
        };
        self.fetch(get).await
    }

    /// Fetches, and includes the report of the keyset and revocations in use.
    pub(super) async fn fetch(&self, get: Get<'_>) -> Result<Fetched, RefreshError> {
        let report = self.options.report.clone().map(|mut report| {
            report.keyset = Some(self.trust.keyset().version);
            report.feed = self.trust.position().map(|at| (at.epoch, at.seq));
            report.to_string()
        });
        let report = report.as_deref();
        fetch(&self.transport, Get { report, ..get }).await
    }

    /// Writes to disk, if there is a directory. A failure is logged and counted, and changes nothing else.
    pub(super) async fn save<R: Send + 'static>(
        &self,
        write: impl FnOnce(&StateDirectory) -> io::Result<R> + Send + 'static,
    ) -> Option<R> {
        let store = self.store.clone()?;
        let written = blocking(move || write(&store)).await;
        match written.and_then(|written| written.map_err(RefreshError::Disk)) {
            Ok(written) => Some(written),
            Err(error) => {
                let now = (self.clock)();
                self.status.change(|status| status.failed(&error, now));
                tracing::warn!(%error, "the keyset and the feed in use could not be saved");
                None
            }
        }
    }
}

/// Fetches through a transport, and enforces the time-out and size limit even if the transport does not.
pub(super) async fn fetch<T: Transport>(
    transport: &T,
    get: Get<'_>,
) -> Result<Fetched, RefreshError> {
    let (url, limit) = (get.url, get.limit);
    let failed = |error| RefreshError::Fetch {
        url: url.to_owned(),
        error,
    };
    let answer = timeout(get.timeout, transport.get(get)).await;
    let late = |_| failed(FetchError::TimedOut(get.timeout.as_secs()));
    match answer.map_err(late)?.map_err(failed)? {
        Fetched::Found { body, .. } if body.len() > limit => {
            Err(failed(FetchError::TooLarge(limit)))
        }
        // No tag was sent, so there is nothing that could be unmodified.
        Fetched::NotModified if get.etag.is_none() => Err(failed(FetchError::Status(304))),
        answer => Ok(answer),
    }
}

impl<T> fmt::Debug for Refresher<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Refresher")
            .field("issuer", &self.options.issuer)
            .field("status", &self.status.get())
            .finish_non_exhaustive()
    }
}
