//! The schedule of fetches.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use tokio::time::Instant;

/// Maximum wait after failures, unless the regular interval is longer.
const LONGEST: Duration = Duration::from_secs(30);

/// Minimum wait after a failure.
const SHORTEST: Duration = Duration::from_secs(1);

/// The schedule of a regular fetch. Waits grow after failures. Each wait is shortened at random by up to a
/// fifth, so that verifiers do not all poll at the same moment.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    failures: u32,
    next: Instant,
}

impl Pace {
    /// A schedule that is due immediately.
    pub(super) fn new(every: Duration) -> Pace {
        Pace {
            every,
            failures: 0,
            next: Instant::now(),
        }
    }

    pub(super) fn is_due(&self) -> bool {
        self.next <= Instant::now()
    }

    pub(super) fn next(&self) -> Instant {
        self.next
    }

    /// Makes the next fetch due immediately, unless the last one failed: then the wait does not change.
    pub(super) fn hurry(&mut self) {
        if self.failures == 0 {
            self.next = Instant::now();
        }
    }

    /// Sets the regular interval, from the next wait on.
    pub(super) fn set(&mut self, every: Duration) {
        self.every = every;
    }

    pub(super) fn succeeded(&mut self) {
        self.failures = 0;
        self.wait(self.every);
    }

    pub(super) fn failed(&mut self) {
        self.again(self.every.max(LONGEST));
    }

    /// Schedules another attempt soon, even if the regular interval is long, because the answer was older than
    /// announced.
    pub(super) fn lagged(&mut self) {
        let sixtieth = self.every.checked_div(60).unwrap_or_default();
        self.again(LONGEST.max(sixtieth));
    }

    fn again(&mut self, longest: Duration) {
        let first = self.every.clamp(SHORTEST, Duration::from_secs(5));
        let wait = first.saturating_mul(2_u32.saturating_pow(self.failures));
        self.failures = self.failures.saturating_add(1);
        self.wait(wait.min(longest));
    }

    fn wait(&mut self, wait: Duration) {
        let shorter = wait.mul_f64(0.2 * random());
        let now = Instant::now();
        self.next = now.checked_add(wait.saturating_sub(shorter)).unwrap_or(now);
    }
}

/// Returns a random number from 0 up to, but not including, 1. It comes from the random seeds of the standard
/// library's hashers, so it must not be used for secrets.
pub(super) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
