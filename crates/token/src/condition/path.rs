//! Paths below a directory.

use unicode_normalization::UnicodeNormalization;

use bailiwick_biscuit::escape::is_printable;

/// An absolute path below a directory. Its text does not show symbolic links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathUnder {
    /// The directory, an absolute path without a final `/`.
    pub under: String,
    /// The characters that segments may have.
    pub chars: PathChars,
}

/// The characters that the segments of a path may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathChars {
    /// Letters, digits, marks, spaces inside, and `._-+@=,()`.
    Plain,
    /// All but `/` and control characters.
    Any,
}

/// Maximum length of a path in bytes, as on Linux.
const MAX_PATH: usize = 4096;

/// Names that Windows reserves for devices, whatever their extension.
const DEVICES: [&str; 6] = ["con", "prn", "aux", "nul", "conin$", "conout$"];

impl PathUnder {
    /// Makes a condition for paths of plain segments below this directory.
    #[must_use]
    pub fn new(under: &str) -> PathUnder {
        PathUnder {
            under: under.to_owned(),
            chars: PathChars::Plain,
        }
    }

    /// Returns true if `text` is a path below the directory. The directory itself is not below it.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let below = text.strip_prefix(self.under.as_str());
        let below = below.and_then(|rest| rest.strip_prefix('/'));
        text.len() <= MAX_PATH
            && below.is_some_and(|rest| rest.split('/').all(|segment| self.chars.admit(segment)))
    }

    /// Returns true if `text` is a directory that paths can lie below: absolute, not the root, and of plain segments.
    #[must_use]
    pub fn is_directory(text: &str) -> bool {
        let segments = text.strip_prefix('/').filter(|rest| !rest.is_empty());
        segments.is_some_and(|rest| {
            rest.split('/')
                .all(|segment| PathChars::Plain.admit(segment))
        })
    }
}

impl PathChars {
    fn admit(self, segment: &str) -> bool {
        let somewhere_else = segment.is_empty() || matches!(segment, "." | "..");
        if somewhere_else || segment.chars().any(char::is_control) {
            return false;
        }
        match self {
            PathChars::Any => true,
            PathChars::Plain => is_plain(segment),
        }
    }
}

/// Returns true if no shell, option parser or file system takes the segment for something else.
fn is_plain(segment: &str) -> bool {
    let allowed = |c: char| {
        (c.is_alphanumeric()
            || is_mark(c)
            || matches!(c, ' ' | '.' | '_' | '-' | '+' | '@' | '=' | ',' | '(' | ')'))
            && is_printable(c)
    };
    // Windows drops final dots and spaces, so that two names would be one file.
    let ends = !segment.starts_with(['-', '~', ' ']) && !segment.ends_with([' ', '.']);
    let compatible: String = segment.nfkc().collect();
    let folds = compatible.chars().any(|c| matches!(c, '/' | '\\' | '%'))
        || compatible.matches('.').count() != segment.matches('.').count();
    ends && segment.chars().all(allowed)
        && unicode_normalization::is_nfc(segment)
        && !folds
        && !is_device(&compatible)
}

fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

fn is_device(segment: &str) -> bool {
    let stem = segment.split('.').next().unwrap_or_default();
    let stem = stem.trim_end_matches(' ').to_ascii_lowercase();
    let numbered = |prefix: &str| {
        let number = stem.strip_prefix(prefix);
        number.is_some_and(|number| {
            matches!(
                number,
                "1" | "2" | "3" | "4" | "5" | "6" | "7" | "8" | "9" | "0"
            )
        })
    };
    DEVICES.contains(&stem.as_str()) || numbered("com") || numbered("lpt")
}
