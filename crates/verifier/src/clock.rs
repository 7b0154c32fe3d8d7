//! The clock of the edges, which is handed in everywhere else.

use std::{sync::Arc, time::SystemTime};

use bailiwick_token::timestamp::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock: the edges are the only parts of the crate that may read it.
///
/// A clock outside of the years 1970 to 9999 tells the last second there is, at which no keyset and
/// no token holds any more.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX))
}
