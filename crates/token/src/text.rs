//! Rules for text from people, files and URLs, and for text that people read.

use std::fmt;

use crate::grant::is_normal_resource;

/// Returns a token, a JWT or a secret without surrounding white space. Files that contain one often end with a
/// newline, and no such credential contains white space.
///
/// ```
/// assert_eq!(bailiwick_token::text::credential("secret\r\n"), "secret");
/// ```
#[must_use]
pub fn credential(text: &str) -> &str {
    text.trim_ascii()
}

/// Returns the text without the byte order mark that some editors put at the start of a file.
#[must_use]
pub fn without_bom(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// Returns the only line of a file or variable, without a leading byte order mark or a line ending (`\n` or
/// `\r\n`); `None` if there is more than one line.
#[must_use]
pub fn single_line(text: &str) -> Option<&str> {
    let text = without_bom(text);
    let line = match text.strip_suffix('\n') {
        Some(line) => line.strip_suffix('\r').unwrap_or(line),
        None => text,
    };
    (!line.contains(['\n', '\r'])).then_some(line)
}

/// Returns true if a name can be one segment of a URL's path, unchanged or percent-encoded.
///
/// HTTP clients, proxies and servers resolve `.` and `..`, in any of their encodings, and split a path at
/// `/`. A URL with such a name would lead nowhere, or somewhere else.
///
/// ```
/// use bailiwick_token::text::is_path_segment;
///
/// assert!(is_path_segment("erp-1"));
/// assert!(!is_path_segment("..") && !is_path_segment("%2e%2e") && !is_path_segment("a/b"));
/// ```
#[must_use]
pub fn is_path_segment(name: &str) -> bool {
    !name.contains('/') && is_normal_resource(name)
}

/// Writes a number with its noun, such as `1 entry` or `2 entries`. The noun is given in the singular.
///
/// ```
/// use bailiwick_token::text::counted;
///
/// assert_eq!(counted(1, "entry").to_string(), "1 entry");
/// assert_eq!(counted(0, "key").to_string(), "0 keys");
/// ```
pub fn counted(number: impl TryInto<u64>, noun: &str) -> impl fmt::Display {
    // Only a number beyond 64 bits does not fit, and nothing has that many parts.
    let number = number.try_into().unwrap_or(u64::MAX);
    fmt::from_fn(move |f| match (number, noun.strip_suffix('y')) {
        (1, _) => write!(f, "1 {noun}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'o', 'u']) => write!(f, "{number} {stem}ies"),
        _ => write!(f, "{number} {noun}s"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nouns_follow_their_number() {
        for (number, noun, text) in [
            (0_u64, "secret", "0 secrets"),
            (1, "secret", "1 secret"),
            (1, "entry", "1 entry"),
            (2, "entry", "2 entries"),
            (2, "key", "2 keys"),
            (21, "appended block", "21 appended blocks"),
        ] {
            assert_eq!(counted(number, noun).to_string(), text);
        }
    }

    #[test]
    fn lines_lose_one_ending() {
        for (text, line) in [
            ("a", Some("a")),
            ("a\n", Some("a")),
            ("a\r\n", Some("a")),
            ("\u{feff}a\n", Some("a")),
            (" a ", Some(" a ")),
            ("", Some("")),
            ("a\n\n", None),
            ("a\r", None),
            ("a\nb", None),
        ] {
            assert_eq!(single_line(text), line, "{text:?}");
        }
    }

    #[test]
    fn path_segments_lead_where_they_say() {
        for good in [
            "a", "a.b", ".a", "a..", "a b", "a;b", "-", "a&b+c", "\u{e4}",
        ] {
            assert!(is_path_segment(good), "{good:?}");
        }
        for bad in [
            "", ".", "..", "...", " ", " ..", ".. ", "..;", "..;a", ";", "a/b", "/", "a\\b", "%2e",
            "%2e%2e", "a%2fb", "a?b", "a#b", "a\0b", "a\nb",
        ] {
            assert!(!is_path_segment(bad), "{bad:?}");
        }
    }
}
