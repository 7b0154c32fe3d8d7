//! The normal form of resources.
//!
//! A verifier compares the text of a resource, but the service behind it may act on another resource: services
//! decode text, cut path parameters, normalize Unicode, trim, and resolve dots. A resource is in normal form if
//! none of these steps turns it into another resource.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization;

use super::Pattern;

/// Characters that some readers decode or treat as separators.
const FORBIDDEN: [char; 5] = ['/', '\\', '%', '?', '#'];

/// Returns true if a resource is in the normal form that the profile requires.
///
/// Its segments, separated by `/`, are checked after NFKC normalization. No segment may contain `/`, `\`, `%`,
/// `?`, `#` or a control character. Up to its first `;`, no segment may be empty or consist of only dots, white
/// space and invisible characters. The resource itself is used unchanged.
#[must_use]
pub fn is_normal_resource(resource: &str) -> bool {
    resource.split('/').all(|segment| {
        let segment = normalized(segment);
        is_clean(&segment) && names_something(&segment)
    })
}

/// Returns true if a text is one segment of a resource that no reader folds into another segment. If a service
/// treated two names as the same, each would have the grants of both.
///
/// Such a segment is in normal form and in NFKC, contains no `;` and no invisible character, and does not
/// begin or end with white space.
#[must_use]
pub fn is_plain_segment(text: &str) -> bool {
    let folded = |c: char| matches!(c, '/' | ';') || (is_trimmed(c) && c != ' ');
    is_normal_resource(text)
        && normalized(text) == text
        && !text.contains(folded)
        && text.trim_matches(' ') == text
}

/// Returns true if any resource in normal form could match a pattern. A pattern that matches no resource is a
/// mistake. The text after the last `/` of a prefix need not be a whole segment.
pub(super) fn could_match(pattern: &Pattern) -> bool {
    let (whole, begun) = match pattern {
        Pattern::Exact(text) => return is_normal_resource(text),
        Pattern::Prefix(text) => match text.rsplit_once('/') {
            Some((whole, begun)) => (Some(whole), begun),
            None => (None, text.as_str()),
        },
    };
    let begun = normalized(begun);
    whole.is_none_or(is_normal_resource)
        && is_clean(&begun)
        && (!begun.contains(';') || names_something(&begun))
}

fn normalized(segment: &str) -> Cow<'_, str> {
    // ASCII text is in NFKC already.
    match segment.is_ascii() {
        true => Cow::Borrowed(segment),
        false => Cow::Owned(segment.nfkc().collect()),
    }
}

fn is_clean(segment: &str) -> bool {
    !segment.contains(|c: char| FORBIDDEN.contains(&c) || c.is_control())
}

/// Returns true if a segment, without its parameters, contains more than dots and trimmed characters.
fn names_something(segment: &str) -> bool {
    // A service that cuts parameters would read `..;x` as `..`.
    let name = segment.split(';').next().unwrap_or_default();
    name.contains(|c: char| c != '.' && !is_trimmed(c))
}

/// Returns true for white space, and for characters without width. Libraries trim or ignore both.
fn is_trimmed(c: char) -> bool {
    c.is_whitespace()
        || matches!(c, '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn normal_resources() {
        for resource in [
            "a",
            "eu/1",
            "a b/c;v=1",
            "..a/b..",
            "\u{ff21}/\u{e9}",
            "a/ b",
            "a.b/.c",
        ] {
            assert!(is_normal_resource(resource), "{resource:?}");
        }
        for resource in [
            "",
            "/",
            "a/",
            "/a",
            "a//b",
            ".",
            "..",
            "...",
            "a/./b",
            "a\\b",
            "a%62",
            "a?",
            "a#",
            "a\nb",
            "a/..;/b",
            "a/;x",
            "a/ /b",
            "a/. ./b",
            "a/\u{ff0e}.",
            "a/\u{2025}",
            "a\u{ff0f}b",
            "a/\u{200b}/b",
            "a/..\u{feff}",
            "a\u{ff05}",
            "a;%2f",
            "a\u{85}b",
        ] {
            assert!(!is_normal_resource(resource), "{resource:?}");
        }
    }

    #[test]
    fn plain_segments() {
        for segment in ["eu", "a b", "..a", "\u{e9}", "a-1"] {
            assert!(is_plain_segment(segment), "{segment:?}");
        }
        for segment in [
            "",
            "..",
            "a/b",
            "a;b",
            " a",
            "a ",
            "a\u{a0}b",
            "\u{ff21}",
            "e\u{301}",
            "a\u{200b}b",
            "a\u{feff}",
        ] {
            assert!(!is_plain_segment(segment), "{segment:?}");
        }
    }

    #[test]
    fn patterns_that_match_nothing() {
        for (pattern, could) in [
            ("*", true),
            ("eu/*", true),
            ("eu/inv*", true),
            ("eu/..*", true),
            ("eu/a;*", true),
            ("eu/a;v=1", true),
            ("eu/\u{ff21}*", true),
            ("eu/..;*", false),
            ("eu/;*", false),
            ("eu/../*", false),
            ("eu/ /*", false),
            ("eu/..;x", false),
            ("eu/\u{2025}/*", false),
            ("eu/a%*", false),
            ("eu/\u{ff0f}*", false),
            ("/*", false),
        ] {
            assert_eq!(could_match(&Pattern::from(pattern)), could, "{pattern}");
        }
    }
}
