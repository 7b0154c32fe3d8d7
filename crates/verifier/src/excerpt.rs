//! Excerpts of texts and values of any length, for repeating parts of a call or a token in a denial or a
//! record.
//!
//! The cost of an excerpt depends on its own length, not on the length of its source, so excerpts can be made
//! of anything that `Display` writes piece by piece.

use std::{
    fmt::{self, Display, Write},
    sync::Arc,
};

use bailiwick_biscuit::excerpt::Beginning;
pub(crate) use bailiwick_biscuit::excerpt::{beginning, excerpt};
use bailiwick_token::{
    escape::{quote, visible},
    value::Value,
};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// Maximum length of a repeated name, such as an argument, an action or a delegate, in bytes.
pub(crate) const MAX_SHOWN_NAME: usize = 128;

/// Maximum length of a repeated value or list of values, in bytes.
pub(crate) const MAX_VALUE: usize = 200;

/// Writes names in one line of at most `limit` bytes before escaping, separated by commas. A name that is not
/// plain is quoted, so that it cannot look like two names.
pub(crate) fn names<'n>(names: impl Iterator<Item = &'n str> + Clone, limit: usize) -> String {
    excerpt(Names(names), limit)
}

struct Names<I>(I);

impl<'n, I: Iterator<Item = &'n str> + Clone> Display for Names<I> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
        for (index, name) in self.0.clone().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            // A name beyond this is cut in any case.
            let shown = name.get(..name.floor_char_boundary(MAX_SHOWN_NAME));
            let shown = shown.unwrap_or_default();
            match shown.is_empty() || !shown.chars().all(is_plain) {
                true => quote(shown).fmt(f)?,
                false => f.write_str(shown)?,
            }
            if shown.len() < name.len() {
                f.write_char('…')?;
            }
        }
        Ok(())
    }
}

/// A value as an explanation repeats it: canonical JSON text, cut off if long. Copies share the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Excerpt {
    text: Arc<str>,
    /// True if the text is JSON. A string that was cut off is still a JSON string, but the beginning of an
    /// array is not JSON.
    is_json: bool,
}

impl Excerpt {
    pub(crate) fn of(value: &Value) -> Excerpt {
        if let Value::String(text) = value {
            return Excerpt::string(text);
        }
        let text = Beginning::of(value, MAX_VALUE);
        let is_json = !text.is_cut();
        Excerpt {
            text: visible(&text.marked()).into(),
            is_json,
        }
    }

    pub(crate) fn string(text: &str) -> Excerpt {
        Excerpt {
            text: quote(&beginning(text, MAX_VALUE)).to_string().into(),
            is_json: true,
        }
    }

    /// Several values, as `list` displays them.
    pub(crate) fn list(list: impl Display) -> Excerpt {
        Excerpt {
            text: excerpt(list, MAX_VALUE).into(),
            is_json: false,
        }
    }

    /// The text, without control characters: at most 200 bytes, which escapes may multiply by six, and an ellipsis.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl Display for Excerpt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Excerpt {
    /// Serializes the value, or a JSON string of its beginning. Only `serde_json` serializers are supported.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.is_json {
            true => RawValue::from_string(self.text.to_string())
                .map_err(serde::ser::Error::custom)?
                .serialize(serializer),
            false => serializer.serialize_str(&self.text),
        }
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn long_values_keep_their_beginning() {
        let json = |value: Value| {
            let excerpt = Excerpt::of(&value);
            let json = serde_json::to_value(&excerpt).unwrap();
            (excerpt.to_string(), json)
        };
        let (text, found) = json(Value::from(vec![1, 2]));
        assert_eq!((text.as_str(), found), ("[1,2]", serde_json::json!([1, 2])));
        let (text, found) = json(Value::from(vec![1; 30_000]));
        assert!(text.starts_with("[1,1,") && text.ends_with('…'));
        assert_eq!((text.len(), found), (203, serde_json::json!(text)));
        let (text, found) = json(Value::from("x".repeat(60_000)));
        assert_eq!(found, serde_json::json!(format!("{}…", "x".repeat(200))));
        assert_eq!(text, format!("\"{}…\"", "x".repeat(200)));
        let (text, found) = json(Value::from("\u{1}\u{202e}\u{9b}"));
        assert_eq!(text, r#""\u0001\u202e\u009b""#);
        assert_eq!(found, serde_json::json!("\u{1}\u{202e}\u{9b}"));
        let (text, _) = json(Value::from("\u{1}".repeat(60_000)));
        assert!(text.len() < 6 * MAX_VALUE + 6, "{}", text.len());
    }

    #[test]
    fn names_cannot_pass_for_two() {
        let line = |list: &[&str]| names(list.iter().copied(), 100);
        assert_eq!(
            line(&["amount", "x,y", "", "\n", "a\" agent=\"x"]),
            r#"amount,"x,y","","\n","a\" agent=\"x""#
        );
        let long = "n".repeat(60_000);
        assert_eq!(line(&[&long, "b"]), format!("{}…", "n".repeat(100)));
        let most = names([long.as_str(), "b"].into_iter(), 1000);
        assert_eq!(most, format!("{}…,b", "n".repeat(128)));
    }
}
