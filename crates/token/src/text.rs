//! Rules for text from people, files and URLs.

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

#[cfg(test)]
mod tests {
    use super::*;

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
