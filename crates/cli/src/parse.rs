//! Parsers of argument values. Each limits the length of its input.

use bailiwick_token::{
    claims::{MAX_NAME, MAX_TEXT, is_name},
    duration,
    timestamp::Timestamp,
};

/// Parses a duration such as `15m` into seconds.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    duration::parse(text).map_err(|error| error.to_string())
}

/// A time as an argument states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    /// A number of seconds before now.
    Ago(u64),
    /// A fixed time.
    At(Timestamp),
}

impl Moment {
    /// Returns the time that this value stands for at the time `now`.
    pub(crate) fn time(self, now: Timestamp) -> Timestamp {
        match self {
            Moment::Ago(seconds) => now.minus(seconds),
            Moment::At(time) => time,
        }
    }
}

/// Parses a duration before now, a date (its first second in UTC), or a date-time of RFC 3339.
pub(crate) fn moment(text: &str) -> Result<Moment, String> {
    if let Ok(seconds) = duration::parse(text) {
        return Ok(Moment::Ago(seconds));
    }
    let is_date = text.len() == "2026-11-01".len();
    let time = match is_date {
        true => format!("{text}T00:00:00Z").parse(),
        false => text.parse(),
    };
    time.map(Moment::At).map_err(|_| {
        "write a duration before now such as `1h`, a date such as `2026-11-01`, or a date-time such as \
         `2026-11-01T12:00:00Z`"
            .to_owned()
    })
}

/// Parses a name or a description: text that is not empty and has no control characters.
pub(crate) fn text(text: &str) -> Result<String, String> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(format!(
            "not a valid text; write 1 to {MAX_TEXT} bytes without control characters"
        ));
    }
    Ok(text.to_owned())
}

/// Parses the name of an agent, a principal or a tenant.
pub(crate) fn name(text: &str) -> Result<String, String> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "not a valid text; write 1 to {MAX_NAME} bytes without control characters"
        )),
    }
}

/// Parses a claim of the form `name=value`.
pub(crate) fn claim(argument: &str) -> Result<(String, String), String> {
    match argument.split_once('=') {
        Some((name, value)) => Ok((text(name)?, text(value)?)),
        None => Err("not a claim; write it as `name=value`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_end_at_512_bytes() {
        assert!(name(&"n".repeat(512)).is_ok());
        for bad in [&"n".repeat(513), "a\nb", ""] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn moments_are_durations_dates_and_times() {
        let at = |seconds| Timestamp::from_unix(seconds).unwrap();
        let now = at(1_800_000_000);
        for (text, seconds) in [
            ("1h", 1_799_996_400),
            ("1d12h", 1_799_870_400),
            ("3650d", 1_484_640_000),
            ("2026-11-01", 1_793_491_200),
            ("2026-11-01T00:00:00Z", 1_793_491_200),
            ("2026-11-01T01:00:00+01:00", 1_793_491_200),
        ] {
            let moment = moment(text).map(|moment| moment.time(now));
            assert_eq!(moment, Ok(at(seconds)), "{text}");
        }
        for bad in [
            "",
            "now",
            "1",
            "2026-11",
            "2026-13-01",
            "2026-11-01 ",
            "01.11.2026",
            "-1h",
            "0s",
        ] {
            assert!(moment(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn claims_have_a_name_and_a_value() {
        assert_eq!(claim("team=a=b"), Ok(("team".to_owned(), "a=b".to_owned())));
        for bad in ["team", "=a", "team=", "te\nam=a", ""] {
            assert!(claim(bad).is_err(), "{bad:?}");
        }
    }
}
