//! The clock that edges read. Everywhere else, the time is a parameter.

use std::{sync::Arc, time::SystemTime};

use bailiwick_token::timestamp::Timestamp;

/// A function that returns the current time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock. Only the edges of the crate read it.
///
/// A clock outside the years 1970 to 9999 counts as the last representable second, at which every keyset and
/// every token has expired.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| Timestamp::try_from(SystemTime::now()).unwrap_or(Timestamp::MAX))
}
