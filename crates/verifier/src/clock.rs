//! The clock of the edges, which is handed in everywhere else.

use std::{
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use bailiwick_token::timestamp::Timestamp;

/// Tells the time.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// The system's clock: the edges are the only parts of the crate that may read it.
///
/// A clock outside of the years 1970 to 9999 tells the last second there is, at which no keyset and
/// no token holds any more.
#[must_use]
pub fn system_clock() -> Clock {
    Arc::new(|| {
        let elapsed = SystemTime::now().duration_since(UNIX_EPOCH).ok();
        elapsed
            .and_then(|elapsed| Timestamp::from_unix(elapsed.as_secs()))
            .unwrap_or(Timestamp::MAX)
    })
}
