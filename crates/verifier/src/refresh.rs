//! Keyset and revocations, kept fresh in the background.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//!
//! use bailiwick_token::{key::PublicKey, report::Report};
//! use bailiwick_verifier::{Verifier, refresh::{Http, Options, Refresher, system_clock}};
//!
//! # async fn example(keyset_key: PublicKey) -> Result<(), Box<dyn std::error::Error>> {
//! let mut options = Options::new("https://issuer.example", keyset_key);
//! options.directory = Some("/var/lib/erp/bailiwick".into());
//! options.report = Some(Report::new("erp-1", "erp")?);
//! let refresher = Refresher::start(options, Http::new()?, system_clock()).await?;
//! let monitor = refresher.monitor();
//! let verifier = Arc::new(Verifier::new("erp", refresher.trust())?);
//! tokio::spawn(refresher.run(Arc::clone(&verifier)));
//! # Ok(())
//! # }
//! ```
//!
//! # What it does
//!
//! It fetches the keyset from `{issuer}/.well-known/bailiwick/keyset` as often as that asks for, at
//! once when a head tells of a newer one, and once more, at most every 30 seconds, when a token names
//! a root key that is not in it. Where the keyset names a `revocation_url` it fetches the head from
//! there every few seconds, and the changes that lead to it from `{revocation_url}/{epoch}/{after}-{to}`,
//! at most 10 000 at once. Where there are too many, or the issuer no longer has them, or has begun
//! another epoch, it takes `{revocation_url}/snapshot`.
//!
//! One request is made at a time; each has a time-out and a limit on its body. What fails is tried
//! again, ever more seldom, up to half a minute, or as seldom as it is fetched anyway. Plain `http` is
//! taken from loopback addresses only.
//!
//! # What holds when something fails
//!
//! A failed refresh changes nothing: the last good keyset and revocations stay in use until they end,
//! or are too old for the verifier ([`Staleness`](crate::Staleness)); then every call is denied as
//! `stale_keyset`. So it is where heads tell of a newer keyset that does not come for longer than two
//! refresh hints and that bound. A verifier whose keyset names a feed admits nothing before it has read
//! it. What is older than what is in use, or of another history, is refused, logged as an error and
//! counted ([`Status::rollbacks`]). What an issuer that was restored does not know any more stays revoked
//! ([`Status::carried_revocations`]).
//!
//! A refresh that panics, such as in a [`Transport`] or in a subscriber of the log, has failed: it is
//! counted ([`Status::panics`]) and tried again.
//!
//! With a directory, what is in use is kept there, and a verifier that starts while its issuer is down
//! goes on from it. The directory belongs to one refresher, and its verifier's trust to the refresher:
//! nobody else should replace it.
//!
//! # What the issuer sees
//!
//! With [`Options::report`] each request says in its header `Bailiwick-Verifier` who asks and what it
//! goes by; the grammar stands at [`bailiwick_token::report`].

mod feed;
mod http;
mod keyset;
mod pace;
mod status;
mod store;
#[cfg(test)]
mod tests;
mod transport;

use std::{
    future::poll_fn,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    path::PathBuf,
    pin::pin,
    sync::Arc,
    task::Poll,
    time::Duration,
};

use bailiwick_token::{key::PublicKey, report::Report, revocation::SnapshotError};
use tokio::time::{Instant, sleep_until, timeout};

pub use self::{
    http::{Http, HttpError, is_admissible},
    status::{Monitor, Status},
    transport::{Answer, FetchError, Get, Transport},
};
use self::{
    pace::Pace,
    store::{Kept, Store},
};
pub use crate::clock::{Clock, system_clock};
use crate::{
    trust::{FeedError, RollbackError, Trust, TrustError},
    verifier::Verifier,
};

/// How long a request for anything but a snapshot may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The head is not fetched more often than that.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// How often a token with an unknown root key may make the keyset be fetched.
const EXTRA: Duration = Duration::from_secs(30);

/// What a refresher is told.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Options {
    /// Where the issuer is: what stands before `/.well-known/bailiwick/keyset`.
    pub issuer: String,
    /// The key that signs keysets, heads and snapshots.
    pub keyset_key: PublicKey,
    /// Where to keep what is in use; nowhere, where it is absent.
    pub directory: Option<PathBuf>,
    /// How often the head is fetched.
    pub poll: Duration,
    /// What to tell the issuer; nothing, where it is absent. The refresher adds what is in use.
    pub report: Option<Report>,
}

impl Options {
    /// Nothing is kept on disk or reported, and the head is fetched every 5 seconds.
    #[must_use]
    pub fn new(issuer: &str, keyset_key: PublicKey) -> Options {
        Options {
            issuer: issuer.trim_end_matches('/').to_owned(),
            keyset_key,
            directory: None,
            poll: Duration::from_secs(5),
            report: None,
        }
    }
}

/// Keeps the trust of one verifier fresh.
pub struct Refresher<T> {
    options: Options,
    transport: T,
    clock: Clock,
    store: Option<Store>,
    /// What was read last.
    trust: Trust,
    /// The feed as it is on disk; `None` where that cannot be gone on with.
    kept: Option<Kept>,
    /// When the head was last written.
    saved: Option<Instant>,
    keyset: Polled,
    head: Polled,
    /// The newest keyset that a head has told of.
    announced: u64,
    /// From when on an unknown key makes the keyset be fetched.
    extra: Instant,
    /// From when on another snapshot may be fetched.
    snapshot: Instant,
    /// And one that is not needed.
    rest: Instant,
    monitor: Monitor,
}

/// Something that is fetched again and again.
struct Polled {
    pace: Pace,
    /// Of what was fetched and found good.
    etag: Option<String>,
}

/// Which of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Keyset,
    Feed,
}

impl<T: Transport> Refresher<T> {
    /// Reads what was kept; where nothing was, fetches it. A keyset is needed to start; revocations
    /// may come later, and until then nothing is admitted where the keyset names a feed.
    ///
    /// # Errors
    /// When there is no keyset, or the options cannot be used.
    pub async fn start(
        options: Options,
        transport: T,
        clock: Clock,
    ) -> Result<Refresher<T>, RefreshError> {
        if !is_admissible(&options.issuer) {
            return Err(RefreshError::Address(options.issuer));
        }
        let store = match options.directory.clone() {
            None => None,
            Some(directory) => Some(blocking(move || Store::open(&directory)).await??),
        };
        let key = options.keyset_key;
        let loaded = match store.clone() {
            None => None,
            Some(store) => blocking(move || store.load(&key)).await?,
        };
        let found = loaded.is_some();
        let (trust, etag, kept) = match loaded {
            Some((trust, kept)) => (trust, None, kept),
            None => {
                let fetched = keyset::first(&options, &transport, &clock, store.clone()).await?;
                (fetched.0, fetched.1, None)
            }
        };
        let trust = keyset::needing(trust);
        let hint = keyset::hint(&trust);
        let mut refresher = Refresher {
            monitor: Monitor::new(Status::new(&trust)),
            keyset: Polled {
                pace: Pace::new(hint),
                etag,
            },
            head: Polled {
                pace: Pace::new(options.poll.max(SHORTEST_POLL)),
                etag: None,
            },
            announced: trust.keyset().version,
            extra: Instant::now(),
            snapshot: Instant::now(),
            rest: Instant::now(),
            saved: None,
            kept,
            trust,
            store,
            clock,
            transport,
            options,
        };
        if !found {
            refresher.settle(Part::Keyset, Ok(()));
        }
        if refresher.has_feed() && refresher.trust.position().is_none() {
            let outcome = refresher.refresh_feed(None).await;
            refresher.settle(Part::Feed, outcome);
        }
        Ok(refresher)
    }

    /// What was read, for the verifier to be made with.
    #[must_use]
    pub fn trust(&self) -> Trust {
        self.trust.clone()
    }

    /// How it fares.
    #[must_use]
    pub fn status(&self) -> Status {
        self.monitor.status()
    }

    /// Tells how it fares while it runs.
    #[must_use]
    pub fn monitor(&self) -> Monitor {
        self.monitor.clone()
    }

    /// Keeps the verifier's trust fresh, until it is dropped.
    pub async fn run(mut self, verifier: Arc<Verifier>) {
        loop {
            self.guarded_turn(&verifier).await;
            let (next, extra) = (self.next(), self.extra);
            let unknown_key = async {
                sleep_until(extra).await;
                verifier.unknown_key.notified().await;
            };
            tokio::select! {
                () = sleep_until(next) => {}
                () = unknown_key => {
                    self.extra = after(EXTRA);
                    self.keyset.pace.hurry();
                }
            }
        }
    }

    /// Does what is due. A panic, as of a transport or of the log, is a failure like any other.
    async fn guarded_turn(&mut self, verifier: &Arc<Verifier>) {
        if caught(self.turn(verifier)).await.is_ok() {
            return;
        }
        for pace in [&mut self.keyset.pace, &mut self.head.pace] {
            if pace.is_due() {
                pace.failed();
            }
        }
        // How far the disk was written is not known.
        self.kept = None;
        let now = catch_unwind(AssertUnwindSafe(|| (self.clock)())).ok();
        self.monitor.change(|status| status.panicked(now));
        let issuer = &self.options.issuer;
        let _ = catch_unwind(AssertUnwindSafe(|| {
            tracing::error!(issuer, "a refresh panicked; it is tried again");
        }));
    }

    /// Does what is due.
    async fn turn(&mut self, verifier: &Arc<Verifier>) {
        self.turn_keyset(verifier).await;
        if self.has_feed() && self.head.pace.is_due() {
            let outcome = self.refresh_feed(Some(verifier)).await;
            self.settle(Part::Feed, outcome);
            // The head may have told of a newer keyset.
            self.turn_keyset(verifier).await;
        }
    }

    async fn turn_keyset(&mut self, verifier: &Arc<Verifier>) {
        if self.keyset.pace.is_due() {
            let outcome = self.refresh_keyset(verifier).await;
            self.settle(Part::Keyset, outcome);
        }
    }

    /// When something is due again.
    fn next(&self) -> Instant {
        let keyset = self.keyset.pace.next();
        match self.has_feed() {
            true => keyset.min(self.head.pace.next()),
            false => keyset,
        }
    }

    fn has_feed(&self) -> bool {
        self.trust.keyset().revocation_url.is_some()
    }

    /// Puts newer trust in place.
    async fn put(
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

    /// Writes down how something went, and when it is due again.
    fn settle(&mut self, part: Part, outcome: Result<(), RefreshError>) {
        let now = (self.clock)();
        let needed = self.trust.newer_keyset().is_some();
        let polled = match part {
            Part::Keyset => &mut self.keyset,
            Part::Feed => &mut self.head,
        };
        match &outcome {
            Ok(()) => polled.pace.succeeded(),
            Err(_) if part == Part::Keyset && needed => polled.pace.lagged(),
            Err(_) => polled.pace.failed(),
        }
        self.monitor.change(|status| {
            status.update(&self.trust);
            match (&outcome, part) {
                (Ok(()), Part::Keyset) => status.keyset_checked_at = Some(now),
                (Ok(()), Part::Feed) => status.head_checked_at = Some(now),
                (Err(error), _) => status.failed(error, now),
            }
        });
        match outcome {
            Err(error) if error.is_rollback() => tracing::error!(
                issuer = self.options.issuer, ?part, %error,
                "what was fetched would undo what is in use, which stays"
            ),
            Err(error) => tracing::warn!(
                issuer = self.options.issuer, ?part, %error,
                "trust was not refreshed, and what is in use stays"
            ),
            Ok(()) => {}
        }
    }

    /// Fetches.
    async fn get(
        &self,
        url: &str,
        etag: Option<&str>,
        limit: usize,
        within: Duration,
    ) -> Result<Answer, RefreshError> {
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

    /// Fetches, and reports what is in use.
    async fn fetch(&self, get: Get<'_>) -> Result<Answer, RefreshError> {
        let report = self.options.report.clone().map(|mut report| {
            report.keyset = Some(self.trust.keyset().version);
            report.feed = self.trust.position().map(|at| (at.epoch, at.seq));
            report.to_string()
        });
        let report = report.as_deref();
        fetch(&self.transport, Get { report, ..get }).await
    }

    /// Writes to disk, where there is a place. A failure is told and changes nothing else.
    async fn save<R: Send + 'static>(
        &self,
        write: impl FnOnce(&Store) -> io::Result<R> + Send + 'static,
    ) -> Option<R> {
        let store = self.store.clone()?;
        let written = blocking(move || write(&store)).await;
        match written.and_then(|written| written.map_err(RefreshError::Disk)) {
            Ok(written) => Some(written),
            Err(error) => {
                let now = (self.clock)();
                self.monitor.change(|status| status.failed(&error, now));
                tracing::warn!(%error, "what is in use could not be kept");
                None
            }
        }
    }
}

/// Fetches, within the bounds, whatever the transport does.
async fn fetch<T: Transport>(transport: &T, get: Get<'_>) -> Result<Answer, RefreshError> {
    let (url, limit) = (get.url, get.limit);
    let failed = |error| RefreshError::Fetch {
        url: url.to_owned(),
        error,
    };
    let answer = timeout(get.timeout, transport.get(get)).await;
    let late = |_| failed(FetchError::TimedOut(get.timeout.as_secs()));
    match answer.map_err(late)?.map_err(failed)? {
        Answer::Found { body, .. } if body.len() > limit => {
            Err(failed(FetchError::TooLarge(limit)))
        }
        // Nothing was at hand that could still be it.
        Answer::NotModified if get.etag.is_none() => Err(failed(FetchError::Status(304))),
        answer => Ok(answer),
    }
}

/// Work that would hold up others: files, and lists of a million.
async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, RefreshError> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(|_| RefreshError::Interrupted)
}

/// Runs `work`, and takes a panic for its end.
async fn caught(work: impl Future<Output = ()>) -> Result<(), ()> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(_) => Poll::Ready(Err(())),
        }
    })
    .await
}

fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}

/// Why trust was not refreshed. What was in use stays.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// An address that nothing is fetched from.
    #[error(
        "`{0}` is no address to fetch from: `https`, or `http` with a loopback address such as 127.0.0.1, and no query"
    )]
    Address(String),
    /// No answer, or none that is of use.
    #[error("`{url}` was not fetched: {error}")]
    Fetch {
        /// From where.
        url: String,
        /// Why not.
        error: FetchError,
    },
    /// It is not there.
    #[error("there is nothing at `{0}`: check the issuer's address and version")]
    NotFound(String),
    /// The keyset cannot be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// It is good, and older than what heads tell of.
    #[error(
        "the keyset has version {version}, and heads tell of {told}: see that no cache keeps the old one"
    )]
    KeysetBehind {
        /// The version that was fetched.
        version: u64,
        /// The version that a head has told of.
        told: u64,
    },
    /// The keyset has ended, or is of a time to come.
    #[error(
        "the keyset is signed for another time than now: set the clock of this machine or of the issuer"
    )]
    Time,
    /// The feed cannot be trusted.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The snapshot cannot be trusted.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// What was fetched would undo what is in use.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// The snapshot is ahead of the head.
    #[error("the head stays behind the snapshot: see whether an old one is served from a cache")]
    Behind,
    /// A snapshot is needed, and the last one was fetched just now.
    #[error("a snapshot is needed again, and is not fetched more often than twice a minute")]
    TooSoon,
    /// The keyset no longer names a feed.
    #[error("the keyset names no `revocation_url`")]
    NoFeed,
    /// The disk.
    #[error("the directory of the refresher cannot be used ({0})")]
    Disk(#[from] io::Error),
    /// The runtime is being shut down.
    #[error("the work was interrupted: the runtime is shutting down")]
    Interrupted,
}

impl RefreshError {
    /// Whether what was fetched would undo what is in use, or is of a second history.
    #[must_use]
    pub fn is_rollback(&self) -> bool {
        match self {
            RefreshError::Rollback(_) => true,
            RefreshError::Feed(error) => error.is_rollback(),
            _ => false,
        }
    }
}

impl<T> std::fmt::Debug for Refresher<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Refresher")
            .field("issuer", &self.options.issuer)
            .field("status", &self.monitor.status())
            .finish_non_exhaustive()
    }
}
