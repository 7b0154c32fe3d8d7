//! When something is fetched next.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hasher},
    time::Duration,
};

use tokio::time::Instant;

/// The longest that is waited after failures, unless things are fetched more seldom anyway.
const LONGEST: Duration = Duration::from_secs(30);

/// The shortest that is waited after a failure.
const SHORTEST: Duration = Duration::from_secs(1);

/// How often something is fetched: regularly, and after failures ever more seldom. Each wait is up
/// to a fifth shorter, at random, so that many verifiers do not come at once.
#[derive(Debug)]
pub(super) struct Pace {
    every: Duration,
    failures: u32,
    next: Instant,
}

impl Pace {
    /// Due at once.
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

    /// Due at once, unless it failed of late: then it is waited for as before.
    pub(super) fn hurry(&mut self) {
        if self.failures == 0 {
            self.next = Instant::now();
        }
    }

    /// From the next time on this often.
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

    /// It was not yet what is waited for, and is needed soon, however seldom it is fetched otherwise.
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

/// At least 0, less than 1. The standard library's hashes are seeded anew each time; nothing secret
/// rests on it.
pub(super) fn random() -> f64 {
    let bits = RandomState::new().build_hasher().finish() >> 11;
    bits as f64 / (1_u64 << 53) as f64
}
