//! The text form of durations: `30s`, `15m`, `1h30m`, `7d`.

/// The longest duration: ten years, in seconds.
const MAX_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The units, largest first, in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// The reason why a text is not a duration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DurationError {
    /// The text does not have the form of a duration.
    #[error("not a duration; write one such as `30s`, `15m`, `1h30m` or `7d`")]
    Form,
    /// The duration is zero.
    #[error("a duration of zero; write at least `1s`")]
    Nothing,
    /// The duration is longer than ten years.
    #[error("longer than ten years; write a shorter duration")]
    TooLong,
}

/// Reads a duration and returns it in seconds. Each unit may occur once, larger ones first.
///
/// # Errors
/// [`DurationError`] for any other text, for zero, and for more than ten years.
pub fn parse(text: &str) -> Result<u64, DurationError> {
    let form = || DurationError::Form;
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(form)?;
        let (digits, unit) = rest.split_at_checked(end).ok_or_else(form)?;
        let unit_name = unit.chars().next().ok_or_else(form)?;
        // The iterator continues after the unit that was found, so no unit can occur twice.
        let (_, seconds) = units
            .find(|(name, _)| *name == unit_name)
            .ok_or_else(form)?;
        let count: u64 = digits.parse().map_err(|_| DurationError::Form)?;
        sum = sum.saturating_add(count.saturating_mul(*seconds));
        rest = unit.get(1..).ok_or_else(form)?;
    }
    match sum {
        0 if text.is_empty() => Err(DurationError::Form),
        0 => Err(DurationError::Nothing),
        1..=MAX_SECONDS => Ok(sum),
        _ => Err(DurationError::TooLong),
    }
}

/// Writes a duration in the form that [`parse`] reads.
#[must_use]
pub fn show(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (name, unit) in UNITS {
        let count = rest.checked_div(unit).unwrap_or(0);
        rest = rest.checked_rem(unit).unwrap_or(0);
        if count > 0 {
            text.push_str(&format!("{count}{name}"));
        }
    }
    if text.is_empty() {
        "0s".to_owned()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_strictly() {
        for (text, seconds) in [
            ("30s", 30),
            ("15m", 900),
            ("1h30m", 5400),
            ("7d", 604_800),
            ("1d1h1m1s", 90_061),
            ("3650d", MAX_SECONDS),
        ] {
            assert_eq!(parse(text), Ok(seconds), "{text}");
        }
        for text in [
            "",
            "15",
            "m",
            "0s",
            "-5m",
            "+5m",
            "1.5h",
            "5 m",
            "30m1h",
            "5m5m",
            "1w",
            "5M",
            "3651d",
            "1é",
            "99999999999999999999d",
            "18446744073709551615d",
            " 5m",
            "5m ",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["30s", "15m", "1h30m", "7d", "1d1h1m1s"] {
            assert_eq!(parse(text).map(show).as_deref(), Ok(text));
        }
        assert_eq!(show(0), "0s");
    }
}
