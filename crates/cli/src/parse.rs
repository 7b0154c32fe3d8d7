//! Parsers of argument values. Each bounds its input.

use bailiwick_token::{
    claims::{MAX_NAME, MAX_TEXT, is_name},
    duration,
};

use crate::exit::{Exit, Failure};

/// A duration such as `15m`, as seconds.
pub(crate) fn duration(text: &str) -> Result<u64, String> {
    duration::parse(text).map_err(|error| error.to_string())
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

/// The name of an agent, a principal or a tenant.
pub(crate) fn name(text: &str) -> Result<String, String> {
    match is_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!(
            "write 1 to {MAX_NAME} bytes of text without control characters"
        )),
    }
}

/// A name as one segment of a URL's path. Names of dots alone are refused, since clients and proxies
/// fold them even where they are encoded; older homes can still hold such names.
pub(crate) fn path_segment(name: &str) -> Result<String, Failure> {
    if name.bytes().all(|byte| byte == b'.') {
        let text = format!("no URL can hold the name `{name}`");
        return Err(Failure::plain(Exit::Usage, text).hint("do it at the issuer's home"));
    }
    Ok(segment(name))
}

/// A value as a part of a URL.
pub(crate) fn segment(name: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~');
    name.bytes()
        .map(|byte| match plain(byte) {
            true => char::from(byte).to_string(),
            // Dots are encoded, too: a URL reads `..` as the folder above.
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
    fn dots_stand_in_no_url() {
        assert_eq!(path_segment("a.b/c").unwrap(), "a%2Eb%2Fc");
        for bad in ["", ".", "..", "..."] {
            assert!(path_segment(bad).is_err(), "{bad:?}");
        }
    }

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
