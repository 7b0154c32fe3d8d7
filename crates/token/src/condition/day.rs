//! Days and instants in text.

use jiff::{Timestamp, civil::Date};

/// A day of the Gregorian calendar, 1970 to 9999.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(Date);

impl Day {
    /// Reads `YYYY-MM-DD`; `None` for any other form and for a day that does not exist.
    #[must_use]
    pub fn parse(text: &str) -> Option<Day> {
        let shape = |(place, c): (usize, u8)| match place {
            4 | 7 => c == b'-',
            _ => c.is_ascii_digit(),
        };
        if text.len() != 10 || !text.bytes().enumerate().all(shape) {
            return None;
        }
        let date: Date = text.parse().ok()?;
        (1970..=9999).contains(&date.year()).then_some(Day(date))
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// A point in time, to the microsecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(Timestamp);

/// Maximum offset from UTC, in minutes.
const MAX_OFFSET: u32 = 14 * 60;

impl Instant {
    /// Reads an RFC 3339 date-time with an upper-case `T`, up to six decimals, and either `Z` or an offset of at most
    /// 14 hours. `None` for any other form, for a leap second, and for the offset `-00:00`, which states that the
    /// offset is unknown (RFC 3339, section 4.3).
    #[must_use]
    pub fn parse(text: &str) -> Option<Instant> {
        let (date, time) = text.split_once('T')?;
        Day::parse(date)?;
        let offset = time.find(['Z', '+', '-'])?;
        let (clock, offset) = (time.get(..offset)?, time.get(offset..)?);
        if !is_clock(clock) || !is_offset(offset) {
            return None;
        }
        let instant: Timestamp = text.parse().ok()?;
        Some(Instant(instant))
    }
}

/// Writes the instant in UTC, with as many decimals as it needs: `2026-11-30T17:00:00Z`.
impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns true for `HH:MM:SS`, with one to six decimals or none. A leap second is refused, because receivers treat it
/// differently.
fn is_clock(text: &str) -> bool {
    let (whole, decimals) = match text.split_once('.') {
        None => (text, None),
        Some((whole, decimals)) => (whole, Some(decimals)),
    };
    let mut parts = whole.split(':');
    let mut below = |limit| {
        parts
            .next()
            .and_then(two_digits)
            .is_some_and(|number| number < limit)
    };
    let decimals_fit = decimals.is_none_or(|decimals| {
        (1..=6).contains(&decimals.len()) && decimals.bytes().all(|c| c.is_ascii_digit())
    });
    below(24) && below(60) && below(60) && parts.next().is_none() && decimals_fit
}

/// Returns true for `Z`, and for `+HH:MM` or `-HH:MM` within [`MAX_OFFSET`] other than `-00:00`.
fn is_offset(text: &str) -> bool {
    if text == "Z" {
        return true;
    }
    let Some((hours, minutes)) = text.get(1..).and_then(|rest| rest.split_once(':')) else {
        return false;
    };
    match (two_digits(hours), two_digits(minutes)) {
        (Some(hours), Some(minutes)) if minutes < 60 => {
            let total = hours.saturating_mul(60).saturating_add(minutes);
            total <= MAX_OFFSET && !(text.starts_with('-') && total == 0) && !text.starts_with('Z')
        }
        _ => false,
    }
}

fn two_digits(text: &str) -> Option<u32> {
    let digits = text.len() == 2 && text.bytes().all(|c| c.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
