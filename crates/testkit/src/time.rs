//! The time in tests: a fixed time, and clocks that a test sets.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::{SystemTime, UNIX_EPOCH},
};

use bailiwick_token::timestamp::Timestamp;

/// The time at which tests decide calls, well within the lifetime of their tokens.
pub fn now() -> Timestamp {
    at("2026-11-23T12:00:00Z")
}

pub fn at(text: &str) -> Timestamp {
    text.parse().expect("a date-time")
}

/// A clock. Clones show the same time.
#[derive(Clone)]
pub struct Time {
    /// The time at which the clock stands still; `None` if it follows the system's clock.
    still: Option<Timestamp>,
    /// Seconds by which the clock is set forward or back.
    offset: Arc<AtomicI64>,
}

/// A clock in the form that the service and followers take.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

impl Time {
    /// A clock that stands still until [`Time::pass`].
    pub fn still(at: Timestamp) -> Time {
        Time {
            still: Some(at),
            offset: Arc::default(),
        }
    }

    /// The system's clock.
    pub fn running() -> Time {
        Time {
            still: None,
            offset: Arc::default(),
        }
    }

    pub fn pass(&self, seconds: u64) {
        let seconds = i64::try_from(seconds).expect("a short while");
        self.offset.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the clock this many seconds ahead of its own time, or behind it if negative.
    pub fn set(&self, seconds: i64) {
        self.offset.store(seconds, Ordering::SeqCst);
    }

    pub fn now(&self) -> Timestamp {
        let now = self.still.unwrap_or_else(system);
        let seconds = self.offset.load(Ordering::SeqCst);
        match u64::try_from(seconds) {
            Ok(forward) => now.plus(forward),
            Err(_) => now.minus(seconds.unsigned_abs()),
        }
    }

    pub fn clock(&self) -> Clock {
        let time = self.clone();
        Arc::new(move || time.now())
    }
}

fn system() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    Timestamp::from_unix(since.expect("after 1970").as_secs()).expect("before the year 10000")
}
