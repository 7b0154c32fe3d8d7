//! Rules for texts that people, files and URLs hand in.

use crate::grant::is_normal_resource;

/// A token, a JWT or a secret without the white space around it. A file that holds one ends with a
/// newline, and none of them holds white space of its own.
///
/// ```
/// assert_eq!(bailiwick_token::text::credential("secret\r\n"), "secret");
/// ```
#[must_use]
pub fn credential(text: &str) -> &str {
    text.trim_ascii()
}

/// Whether a name can stand as one segment of a URL's path, as it is or percent-encoded.
///
/// Clients of HTTP, proxies and servers resolve `.` and `..`, in any of their encodings, and part a path
/// at `/`. Such a name could not be reached over the network, or would lead somewhere else.
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
