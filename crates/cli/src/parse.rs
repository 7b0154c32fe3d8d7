//! Parsers of argument values. Each limits the length of its input.

use bailiwick_token::{
    claims::{MAX_NAME, MAX_TEXT, is_name},
    duration,
};

/// Parses a duration such as `15m` into seconds.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    duration::parse(text).map_err(|error| error.to_string())
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
    fn claims_have_a_name_and_a_value() {
        assert_eq!(claim("team=a=b"), Ok(("team".to_owned(), "a=b".to_owned())));
        for bad in ["team", "=a", "team=", "te\nam=a", ""] {
            assert!(claim(bad).is_err(), "{bad:?}");
        }
    }
}
