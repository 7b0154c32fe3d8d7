//! Parsers of argument values. Each bounds its input.

/// The longest text of an argument that becomes part of a token, in bytes.
const MAX_TEXT: usize = 1024;

/// The longest duration: ten years, in seconds.
const MAX_SECONDS: u64 = 10 * 365 * 24 * 60 * 60;

/// The units of a duration, largest first, in seconds.
const UNITS: [(char, u64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// A duration such as `15m`, `1h30m` or `7d`, as seconds. Each unit stands once, larger ones first.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    let wrong = || "write a duration such as `30s`, `15m`, `1h30m` or `7d`".to_owned();
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut sum: u64 = 0;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (digits, unit) = rest.split_at_checked(end).ok_or_else(wrong)?;
        let unit_name = unit.chars().next().ok_or_else(wrong)?;
        // The iterator goes on behind the unit that was found, so that none stands twice.
        let (_, seconds) = units
            .find(|(name, _)| *name == unit_name)
            .ok_or_else(wrong)?;
        let count: u64 = digits.parse().map_err(|_| wrong())?;
        sum = sum.saturating_add(count.saturating_mul(*seconds));
        rest = unit.get(1..).ok_or_else(wrong)?;
    }
    match sum {
        0 if text.is_empty() => Err(wrong()),
        0 => Err("a duration of nothing ends before it begins".to_owned()),
        1..=MAX_SECONDS => Ok(sum),
        _ => Err("a duration is at most ten years".to_owned()),
    }
}

/// A duration in the words that [`duration`] reads.
pub(crate) fn show_duration(seconds: u64) -> String {
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

/// A name or a description: some text, without control characters.
pub(crate) fn text(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(format!(
            "write 1 to {MAX_TEXT} bytes of text without control characters"
        ));
    }
    Ok(text.to_owned())
}

/// A name as one segment of a URL's path.
pub(crate) fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    name.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            // Dots, too: two of them are not a name to a URL.
            false => format!("%{byte:02X}"),
        })
        .collect()
}

/// A claim, `name=value`.
pub(crate) fn claim(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) => Ok((text(name)?, text(value)?)),
        None => Err("write a claim as `name=value`".to_owned()),
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
            assert_eq!(duration(text), Ok(seconds), "{text}");
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
            assert!(duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn durations_are_written_as_they_are_read() {
        for text in ["30s", "15m", "1h30m", "7d", "1d1h1m1s"] {
            assert_eq!(duration(text).map(show_duration).as_deref(), Ok(text));
        }
        assert_eq!(show_duration(0), "0s");
    }

    #[test]
    fn claims_have_a_name_and_a_value() {
        assert_eq!(claim("team=a=b"), Ok(("team".to_owned(), "a=b".to_owned())));
        for bad in ["team", "=a", "team=", "te\nam=a", ""] {
            assert!(claim(bad).is_err(), "{bad:?}");
        }
    }
}
