//! The path where a service behind the verifier would look for a resource, after any sequence of normalizations
//! that such services apply. This module shares no code with the verifier.

use unicode_normalization::UnicodeNormalization;

/// A normalization that a service may apply to a path before using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fold {
    Nfkc,
    Percent,
    Backslash,
    Parameters,
    Trim,
}

pub const FOLDS: [Fold; 5] = [
    Fold::Nfkc,
    Fold::Percent,
    Fold::Backslash,
    Fold::Parameters,
    Fold::Trim,
];

impl Fold {
    fn apply(self, path: &str) -> String {
        let segments = |change: fn(&str) -> String| {
            let segments: Vec<String> = path.split('/').map(change).collect();
            segments.join("/")
        };
        match self {
            Fold::Nfkc => path.nfkc().collect(),
            Fold::Percent => percent(path),
            Fold::Backslash => path.replace('\\', "/"),
            Fold::Parameters => {
                segments(|segment| segment.split(';').next().unwrap_or_default().to_owned())
            }
            Fold::Trim => segments(|segment| {
                let ignored = |c: char| c.is_whitespace() || matches!(c, '\u{200b}' | '\u{feff}');
                segment.trim_matches(ignored).to_owned()
            }),
        }
    }
}

/// The segments that remain; `None` if the path leads out of its root.
pub fn folded(path: &str, folds: &[Fold]) -> Option<Vec<String>> {
    let path = folds
        .iter()
        .fold(path.to_owned(), |path, fold| fold.apply(&path));
    let mut left: Vec<String> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(left.pop()?),
            segment => left.push(segment.to_owned()),
        }
    }
    Some(left)
}

fn percent(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, after @ ..] = rest {
        let digits = after
            .get(..2)
            .and_then(|digits| std::str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match (first, decoded) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = &after[2..];
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}
