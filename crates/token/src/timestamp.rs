//! Points in time, in whole seconds since the Unix epoch, as in Datalog dates.

use std::{
    fmt,
    ops::Add,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

/// A point in time, in whole seconds since 1970-01-01T00:00:00Z.
///
/// Its text form is an RFC 3339 date-time with `T`. Years 1970 to 9999 are representable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(u64);

/// Assumed maximum difference between two clocks, in seconds.
pub const SKEW: u64 = 60;

/// 9999-12-31T23:59:59Z, the last second that RFC 3339 can write.
const LAST: u64 = 253_402_300_799;

impl Timestamp {
    /// The last representable second.
    pub const MAX: Timestamp = Timestamp(LAST);

    /// Makes a time from seconds since the Unix epoch; `None` after the year 9999.
    #[must_use]
    pub fn from_unix(seconds: u64) -> Option<Timestamp> {
        (seconds <= LAST).then_some(Timestamp(seconds))
    }

    /// Seconds since the Unix epoch.
    #[must_use]
    pub fn unix(self) -> u64 {
        self.0
    }

    /// The time `seconds` later, capped at the last representable second.
    #[must_use]
    pub fn plus(self, seconds: u64) -> Timestamp {
        Timestamp(self.0.saturating_add(seconds).min(LAST))
    }

    /// The time `seconds` earlier, but not before the epoch.
    #[must_use]
    pub fn minus(self, seconds: u64) -> Timestamp {
        Timestamp(self.0.saturating_sub(seconds))
    }

    /// Seconds from `earlier` to this time; zero if `earlier` is later.
    #[must_use]
    pub fn since(self, earlier: Timestamp) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// ```
/// use std::time::{Duration, SystemTime};
///
/// use bailiwick_token::timestamp::Timestamp;
///
/// let now = Timestamp::try_from(SystemTime::now())?;
/// assert_eq!((now + Duration::from_mins(5)).since(now), 300);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl TryFrom<SystemTime> for Timestamp {
    type Error = ClockError;

    /// Rounds a clock's time down to the second.
    fn try_from(time: SystemTime) -> Result<Timestamp, ClockError> {
        let elapsed = time.duration_since(UNIX_EPOCH).map_err(|_| ClockError)?;
        Timestamp::from_unix(elapsed.as_secs()).ok_or(ClockError)
    }
}

/// Adds like [`Timestamp::plus`], ignoring fractions of a second.
impl Add<Duration> for Timestamp {
    type Output = Timestamp;

    fn add(self, duration: Duration) -> Timestamp {
        self.plus(duration.as_secs())
    }
}

/// The error of a time outside the years 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the time is not within the years 1970 to 9999; set the clock of this machine")]
pub struct ClockError;

/// The error of a text that is not an RFC 3339 date-time of whole seconds between 1970 and 9999.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a date-time of RFC 3339; write one such as `2026-11-23T12:00:00Z`, in whole seconds and with an offset"
)]
pub struct TimestampError;

impl FromStr for Timestamp {
    type Err = TimestampError;

    /// Reads an RFC 3339 date-time (section 5.6) separated by `T`. A nonzero fraction, a leap second and a date
    /// before 1970 are refused, because Datalog dates cannot represent them.
    fn from_str(text: &str) -> Result<Self, TimestampError> {
        // The `time` crate accepts more: a space for `T`, and leap seconds, which it silently changes.
        let bytes = text.as_bytes();
        let separated = matches!(bytes.get(10), Some(b'T' | b't'));
        let leap = bytes.get(17..19) == Some(b"60".as_slice());
        if !separated || leap || text.len() > 64 {
            return Err(TimestampError);
        }
        let parsed = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| TimestampError)?;
        // The parser cuts off fractions finer than a nanosecond, so the fraction is checked as text.
        let fraction_is_zero = match text.split_once('.') {
            None => true,
            Some((_, rest)) => rest
                .bytes()
                .take_while(u8::is_ascii_digit)
                .all(|digit| digit == b'0'),
        };
        let seconds = u64::try_from(parsed.unix_timestamp()).map_err(|_| TimestampError)?;
        if !fraction_is_zero {
            return Err(TimestampError);
        }
        Timestamp::from_unix(seconds).ok_or(TimestampError)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = i64::try_from(self.0)
            .ok()
            .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
            .and_then(|time| time.format(&Rfc3339).ok());
        f.write_str(text.as_deref().unwrap_or("9999-12-31T23:59:59Z"))
    }
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Serializes a time as a JSON number, for `#[serde(with)]` in large files.
pub(crate) mod unix {
    use super::*;

    pub(crate) fn serialize<S: Serializer>(
        time: &Timestamp,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(time.unix())
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Timestamp, D::Error> {
        let seconds = u64::deserialize(deserializer)?;
        let beyond = || serde::de::Error::custom("a time after the year 9999");
        Timestamp::from_unix(seconds).ok_or_else(beyond)
    }

    /// Serializes an optional time as a JSON number.
    pub(crate) mod optional {
        use super::*;

        pub(crate) fn serialize<S: Serializer>(
            time: &Option<Timestamp>,
            serializer: S,
        ) -> Result<S::Ok, S::Error> {
            time.map(Timestamp::unix).serialize(serializer)
        }

        pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
            deserializer: D,
        ) -> Result<Option<Timestamp>, D::Error> {
            let seconds = Option::<u64>::deserialize(deserializer)?;
            let beyond = || serde::de::Error::custom("a time after the year 9999");
            let time = |seconds| Timestamp::from_unix(seconds).ok_or_else(beyond);
            seconds.map(time).transpose()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clocks_within_range() {
        let at = |seconds| UNIX_EPOCH.checked_add(Duration::from_secs(seconds));
        for (clock, second) in [
            (at(0), Some(0)),
            (
                UNIX_EPOCH.checked_add(Duration::from_millis(1_999)),
                Some(1),
            ),
            (at(LAST), Some(LAST)),
            (at(LAST + 1), None),
            (UNIX_EPOCH.checked_sub(Duration::from_millis(1)), None),
        ] {
            let read = Timestamp::try_from(clock.unwrap());
            assert_eq!(read.ok().map(Timestamp::unix), second);
        }
        let last = Timestamp::MAX + Duration::MAX;
        assert_eq!(last, Timestamp::MAX);
        let second = Timestamp(7) + Duration::from_millis(1_999);
        assert_eq!(second, Timestamp(8));
    }

    #[test]
    fn reads_what_rfc_3339_writes() {
        for (text, unix) in [
            ("1970-01-01T00:00:00Z", 0),
            ("1970-01-01T01:00:00+01:00", 0),
            ("2026-11-22T12:00:00.000Z", 1_795_348_800),
            ("2026-11-22t12:00:00z", 1_795_348_800),
            ("9999-12-31T23:59:59Z", LAST),
        ] {
            assert_eq!(
                text.parse::<Timestamp>().map(Timestamp::unix),
                Ok(unix),
                "{text}"
            );
        }
    }

    #[test]
    fn refuses_what_a_datalog_date_cannot_hold() {
        for text in [
            "",
            "2026-11-22",
            "2026-11-22 12:00:00Z",
            "2026-11-22T12:00:00",
            "2026-11-22T12:00:60Z",
            "2026-11-22T12:00:00.5Z",
            "2026-11-22T12:00:00.0000000000000000001Z",
            "1969-12-31T23:59:59Z",
            "2026-02-30T00:00:00Z",
            "9999-12-31T23:59:59-01:00",
            "+2026-11-22T12:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T12:00:00+24:00",
            " 2026-11-22T12:00:00Z",
            "2026-11-22T12:00:00Z ",
        ] {
            assert_eq!(text.parse::<Timestamp>(), Err(TimestampError), "{text}");
        }
    }
}
