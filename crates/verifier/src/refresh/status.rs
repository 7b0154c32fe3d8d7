//! The status of a refresher.

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, PoisonError},
};

use bailiwick_token::{revocation::Position, timestamp::Timestamp};

use super::error::RefreshError;
use crate::{clock::Clock, trust::Trust};

/// The status of a verifier's refresh, for metrics and alerts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Status {
    /// Version of the keyset in use.
    pub keyset_version: u64,
    /// Time at which that keyset was signed.
    pub keyset_issued_at: Timestamp,
    /// Time at which that keyset expires.
    pub keyset_expires: Timestamp,
    /// True if the keyset names a feed of revocations.
    pub has_feed: bool,
    /// The position up to which the revocations were read.
    pub position: Option<Position>,
    /// Time at which the head in use was signed.
    pub head_issued_at: Option<Timestamp>,
    /// Time at which the head in use expires.
    pub head_expires: Option<Timestamp>,
    /// Number of revocations.
    pub revocations: usize,
    /// Number of further revocations kept from an earlier history. The issuer lost them when it was restored
    /// from a backup. They stay in force here until this verifier restarts.
    pub carried_revocations: usize,
    /// Time of the last successful check of the issuer's keyset.
    pub keyset_checked_at: Option<Timestamp>,
    /// Time of the last successful check of the issuer's head.
    pub head_checked_at: Option<Timestamp>,
    /// Number of failed refreshes.
    pub failures: u64,
    /// Number of times that the fetched state was older than the state in use, or belonged to another history.
    pub rollbacks: u64,
    /// Number of refreshes that panicked. Each also counts as a failure.
    pub panics: u64,
    /// Time and message of the last failure. They stay until the next failure.
    pub last_error: Option<(Timestamp, String)>,
}

impl Status {
    /// The status before the first refresh of a trust.
    pub(super) fn new(trust: &Trust) -> Status {
        let keyset = trust.keyset();
        let mut status = Status {
            keyset_version: keyset.version,
            keyset_issued_at: keyset.issued_at,
            keyset_expires: keyset.expires,
            has_feed: false,
            position: None,
            head_issued_at: None,
            head_expires: None,
            revocations: 0,
            carried_revocations: 0,
            keyset_checked_at: None,
            head_checked_at: None,
            failures: 0,
            rollbacks: 0,
            panics: 0,
            last_error: None,
        };
        status.update(trust);
        status
    }

    pub(super) fn update(&mut self, trust: &Trust) {
        let keyset = trust.keyset();
        self.keyset_version = keyset.version;
        self.keyset_issued_at = keyset.issued_at;
        self.keyset_expires = keyset.expires;
        self.has_feed = keyset.revocation_url.is_some();
        self.position = trust.position();
        self.head_issued_at = trust.revocations_issued_at();
        self.head_expires = trust.revocations_expire();
        self.revocations = trust.revocation_count();
        self.carried_revocations = trust.carried_revocations();
    }

    pub(super) fn failed(&mut self, error: &RefreshError, now: Timestamp) {
        self.failures = self.failures.saturating_add(1);
        if error.is_rollback() {
            self.rollbacks = self.rollbacks.saturating_add(1);
        }
        self.last_error = Some((now, error.to_string()));
    }

    /// Counts a panic. `now` is `None` if the clock itself panicked.
    fn panicked(&mut self, now: Option<Timestamp>) {
        self.failures = self.failures.saturating_add(1);
        self.panics = self.panics.saturating_add(1);
        if let Some(now) = now {
            self.last_error = Some((now, "the refresh panicked".to_owned()));
        }
    }

    /// Age of the keyset in seconds.
    #[must_use]
    pub fn keyset_age(&self, now: Timestamp) -> u64 {
        now.since(self.keyset_issued_at)
    }

    /// Age of the head in seconds, if any.
    #[must_use]
    pub fn head_age(&self, now: Timestamp) -> Option<u64> {
        self.head_issued_at.map(|signed| now.since(signed))
    }
}

/// A status shared between a refresher and its monitors.
#[derive(Debug, Clone)]
pub(super) struct SharedStatus(Arc<Mutex<Status>>);

impl SharedStatus {
    pub(super) fn new(status: Status) -> SharedStatus {
        SharedStatus(Arc::new(Mutex::new(status)))
    }

    pub(super) fn get(&self) -> Status {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Counts and logs a refresh that panicked. The cause may be the clock or the log.
    pub(super) fn panicked(&self, clock: &Clock) {
        let now = catch_unwind(AssertUnwindSafe(|| clock())).ok();
        self.change(|status| status.panicked(now));
        let _ = catch_unwind(|| tracing::error!("a refresh panicked and is tried again"));
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut Status)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}
