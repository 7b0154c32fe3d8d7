//! The clock. No other code of this program reads it.

use std::time::SystemTime;

use bailiwick_token::timestamp::Timestamp;

use crate::exit::{Exit, Failure};

/// Returns the current time, in whole seconds.
pub(crate) fn now() -> Result<Timestamp, Failure> {
    let since_epoch = SystemTime::now()
        .duration_since(SystemTime::UNIX_EPOCH)
        .ok();
    since_epoch
        .and_then(|time| Timestamp::from_unix(time.as_secs()))
        .ok_or_else(|| {
            Failure::plain(
                Exit::Local,
                "the clock of this machine is not within the years 1970 to 9999",
            )
            .hint("set the clock")
        })
}
