//! The loop of a refresher: its start, and polls whenever they are due.

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until};

use super::{
    directory::StateDirectory,
    error::RefreshError,
    keyset,
    options::Options,
    pace::Pace,
    refresher::{Polled, Refresher, TrustPart},
    status::{SharedStatus, Status},
    task::{after, blocking, caught},
    transport::{Transport, is_admissible},
};
use crate::{clock::Clock, verifier::Verifier};

/// Minimum interval between two fetches of the head.
const SHORTEST_POLL: Duration = Duration::from_millis(10);

/// Time in which tokens with unknown root keys cause at most one fetch of the keyset.
const EXTRA: Duration = Duration::from_secs(30);

impl<T: Transport> Refresher<T> {
    /// Loads the state kept on disk, or else fetches the keyset and the feed. A keyset is needed to start.
    /// Revocations may arrive later; until then, no token is admitted if the keyset names a feed.
    ///
    /// # Errors
    /// [`RefreshError`] if no keyset is available, or the options cannot be used.
    pub(super) async fn start(
        options: Options,
        transport: T,
        clock: Clock,
    ) -> Result<Refresher<T>, RefreshError> {
        if !is_admissible::<T>(&options.issuer) {
            return Err(RefreshError::Address(options.issuer));
        }
        let store = match options.directory.clone() {
            None => None,
            Some(directory) => Some(blocking(move || StateDirectory::open(&directory)).await??),
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
        let trust = keyset::require_feed(trust);
        let hint = keyset::hint(&trust);
        let mut refresher = Refresher {
            status: SharedStatus::new(Status::new(&trust)),
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
            refresher.settle(TrustPart::Keyset, Ok(()));
        }
        if refresher.has_feed() && refresher.trust.position().is_none() {
            let outcome = refresher.refresh_feed(None).await;
            refresher.settle(TrustPart::Feed, outcome);
        }
        Ok(refresher)
    }

    /// Keeps the verifier's trust fresh until this future is dropped.
    pub(super) async fn run(mut self, verifier: Arc<Verifier>) {
        loop {
            self.poll_due(&verifier).await;
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

    /// Polls the keyset and the feed if they are due. A panic, for example in a transport or in the log, counts
    /// as a failed poll.
    pub(super) async fn poll_due(&mut self, verifier: &Arc<Verifier>) {
        if caught(self.poll(verifier)).await.is_ok() {
            return;
        }
        for pace in [&mut self.keyset.pace, &mut self.head.pace] {
            if pace.is_due() {
                pace.failed();
            }
        }
        // It is unknown how much was written to disk.
        self.kept = None;
        self.status.panicked(&self.clock);
    }

    async fn poll(&mut self, verifier: &Arc<Verifier>) {
        self.poll_keyset(verifier).await;
        if self.has_feed() && self.head.pace.is_due() {
            let outcome = self.refresh_feed(Some(verifier)).await;
            self.settle(TrustPart::Feed, outcome);
            // The head may have announced a newer keyset.
            self.poll_keyset(verifier).await;
        }
    }

    async fn poll_keyset(&mut self, verifier: &Arc<Verifier>) {
        if self.keyset.pace.is_due() {
            let outcome = self.refresh_keyset(verifier).await;
            self.settle(TrustPart::Keyset, outcome);
        }
    }

    /// Time of the next poll.
    fn next(&self) -> Instant {
        let keyset = self.keyset.pace.next();
        match self.has_feed() {
            true => keyset.min(self.head.pace.next()),
            false => keyset,
        }
    }
}
