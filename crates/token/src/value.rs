//! JSON values that keep numbers exact.
//!
//! A bound on money must never pass through a binary float, so numbers are read from their decimal text and
//! kept as digits and a power of ten.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    fmt::{self, Write as _},
};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, SeqAccess, Visitor},
    ser::Error as _,
};
use serde_json::value::RawValue;

use crate::escape::{quote, visible};

mod list;
mod number;
pub mod toml;

pub use list::{List, ListError, Listed};
pub use number::{Micros, Number, NumberError};

/// Maximum nesting of containers in a call's arguments, counting the arguments object itself.
pub const MAX_DEPTH: usize = 8;

/// A JSON value (RFC 8259) with exact numbers and without duplicate members.
///
/// `Display` writes the canonical text of the profile: members sorted by code point, no white
/// space, numbers in their shortest exact form (see [`Number`]).
///
/// ```
/// use bailiwick_token::value::Value;
///
/// let value = Value::parse(r#"{"b": 1.50, "a": [true, null]}"#)?;
/// assert_eq!(value.to_string(), r#"{"a":[true,null],"b":1.5}"#);
/// assert!(Value::parse(r#"{"a": 1, "a": 2}"#).is_err());
/// # Ok::<(), bailiwick_token::value::ValueError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// The value `null`.
    Null,
    /// The value `true` or `false`.
    Bool(bool),
    /// An exact number.
    Number(Number),
    /// A string.
    String(String),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(BTreeMap<String, Value>),
}

/// The reason why a text cannot be read as a [`Value`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ValueError {
    /// The text is not JSON.
    #[error("not valid JSON: {0}")]
    Syntax(String),
    /// An object has two members with the same name.
    #[error("the member `{0}` occurs twice in one object")]
    Duplicate(String),
    /// Containers nest deeper than allowed.
    #[error("containers nest more than {0} deep")]
    TooDeep(usize),
    /// A number cannot be read exactly.
    #[error("the number `{text}` is out of range")]
    Number {
        /// The beginning of the number's text.
        text: String,
    },
}

impl Value {
    /// Reads a JSON text whose containers nest at most [`MAX_DEPTH`] deep.
    ///
    /// # Errors
    /// [`ValueError`] if the text is not JSON, repeats a member, nests too deeply, or holds a number whose
    /// exponent is out of range.
    pub fn parse(text: &str) -> Result<Value, ValueError> {
        Value::parse_within(text, MAX_DEPTH)
    }

    /// Reads a JSON text whose containers nest at most `depth` deep.
    ///
    /// # Errors
    /// As for [`Value::parse`].
    pub fn parse_within(text: &str, depth: usize) -> Result<Value, ValueError> {
        let raw: &RawValue = serde_json::from_str(text).map_err(syntax)?;
        read(raw.get(), depth, depth)
    }

    /// Nesting depth of containers in this value: 0 for a scalar, 1 for a container of scalars.
    #[must_use]
    pub fn depth(&self) -> usize {
        let inner = match self {
            Value::Array(items) => items.iter().map(Value::depth).max(),
            Value::Object(members) => members.values().map(Value::depth).max(),
            _ => return 0,
        };
        inner.unwrap_or(0).saturating_add(1)
    }

    /// Converts the value to a Datalog scalar if it is a string, a boolean, null, or an integer within `i64`.
    #[must_use]
    pub fn as_scalar(&self) -> Option<Scalar> {
        match self {
            Value::Null => Some(Scalar::Null),
            Value::Bool(value) => Some(Scalar::Bool(*value)),
            Value::Number(number) => number.integer().map(Scalar::Integer),
            Value::String(text) => Some(Scalar::String(text.clone())),
            Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// The elements of an array that contains only Datalog scalars; `None` for any other value.
    #[must_use]
    pub fn as_scalars(&self) -> Option<Vec<Scalar>> {
        match self {
            Value::Array(items) => items.iter().map(Value::as_scalar).collect(),
            _ => None,
        }
    }

    /// The canonical text, escaped for people: the same JSON with unprintable characters escaped.
    #[must_use]
    pub fn to_visible(&self) -> String {
        self.shown().to_string()
    }

    /// Like [`Value::to_visible`], but written piece by piece, so that a writer with a limit can stop early.
    pub fn shown(&self) -> impl fmt::Display {
        struct Visible<'a, 'f>(&'a mut fmt::Formatter<'f>);

        impl fmt::Write for Visible<'_, '_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.write_str(&visible(text))
            }
        }
        fmt::from_fn(move |f| write!(Visible(f), "{self}"))
    }

    /// The name of the value's JSON type, for messages.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "a string",
            Value::Array(_) => "an array",
            Value::Object(_) => "an object",
        }
    }
}

/// A value that fits a single term of Datalog 3.3.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// The value `null`.
    Null,
    /// A boolean.
    Bool(bool),
    /// An integer.
    Integer(i64),
    /// A string.
    String(String),
}

impl fmt::Display for Scalar {
    /// Writes the value for people, as [`Value::shown`] does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Scalar::Null => f.write_str("null"),
            Scalar::Bool(value) => value.fmt(f),
            Scalar::Integer(value) => value.fmt(f),
            Scalar::String(text) => quote(text).fmt(f),
        }
    }
}

impl From<Scalar> for Value {
    fn from(scalar: Scalar) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Bool(value) => Value::Bool(value),
            Scalar::Integer(value) => Value::Number(value.into()),
            Scalar::String(text) => Value::String(text),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Value {
        Value::String(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Value {
        Value::String(text)
    }
}

impl From<bool> for Value {
    fn from(value: bool) -> Value {
        Value::Bool(value)
    }
}

impl From<i64> for Value {
    fn from(value: i64) -> Value {
        Value::Number(value.into())
    }
}

impl From<Number> for Value {
    fn from(number: Number) -> Value {
        Value::Number(number)
    }
}

impl<T: Into<Value>> From<Vec<T>> for Value {
    fn from(items: Vec<T>) -> Value {
        Value::Array(items.into_iter().map(Into::into).collect())
    }
}

/// Writes the canonical text piece by piece, so that a writer with a limit can stop early.
impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Value::Null => f.write_str("null"),
            Value::Bool(value) => value.fmt(f),
            Value::Number(number) => number.fmt(f),
            Value::String(text) => Quoted(text).fmt(f),
            Value::Array(items) => {
                f.write_char('[')?;
                separated(f, ",", items, |f, item| item.fmt(f))?;
                f.write_char(']')
            }
            Value::Object(members) => {
                f.write_char('{')?;
                separated(f, ",", members, |f, (name, value)| {
                    write!(f, "{}:{value}", Quoted(name))
                })?;
                f.write_char('}')
            }
        }
    }
}

/// Writes the items with `separator` between them.
///
/// # Errors
/// The first error of `write`.
pub fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    separator: &str,
    items: impl IntoIterator<Item = T>,
    mut write: impl FnMut(&mut fmt::Formatter<'_>, T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        write(f, item)?;
    }
    Ok(())
}

/// A text that `Display` writes as a JSON string literal (RFC 8259, section 7), piece by piece.
struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Number of bytes to scan before any of them is written.
        const PIECE: usize = 256;
        let is_escaped = |c: char| matches!(c, '"' | '\\' | '\0'..='\x1f');
        f.write_char('"')?;
        let mut rest = self.0;
        while let Some((piece, after)) = rest.split_at_checked(rest.floor_char_boundary(PIECE)) {
            if piece.is_empty() {
                break;
            }
            rest = after;
            for part in piece.split_inclusive(is_escaped) {
                let plain = part.trim_end_matches(is_escaped);
                f.write_str(plain)?;
                match part.chars().next_back() {
                    Some('"') => f.write_str("\\\"")?,
                    Some('\\') => f.write_str("\\\\")?,
                    Some('\n') => f.write_str("\\n")?,
                    Some('\r') => f.write_str("\\r")?,
                    Some('\t') => f.write_str("\\t")?,
                    Some('\x08') => f.write_str("\\b")?,
                    Some('\x0c') => f.write_str("\\f")?,
                    Some(c) if is_escaped(c) => write!(f, "\\u{:04x}", u32::from(c))?,
                    _ => {}
                }
            }
        }
        f.write_char('"')
    }
}

impl Serialize for Value {
    /// Serializes as canonical JSON text. Only `serde_json` serializers are supported.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Value::Null => serializer.serialize_unit(),
            Value::Bool(value) => serializer.serialize_bool(*value),
            // Written as text, because Rust's number types cannot hold every exact number.
            Value::Number(number) => RawValue::from_string(number.to_string())
                .map_err(S::Error::custom)?
                .serialize(serializer),
            Value::String(text) => serializer.serialize_str(text),
            Value::Array(items) => serializer.collect_seq(items),
            Value::Object(members) => serializer.collect_map(members),
        }
    }
}

/// Reads a value from its raw text. Of at most `depth` levels of containers, `left` remain.
fn read(text: &str, left: usize, depth: usize) -> Result<Value, ValueError> {
    // The first byte decides, because `serde_json` has checked that the whole text is JSON. Each level
    // reads its text again; `left` bounds that as well as the recursion.
    match text.as_bytes().first() {
        Some(b'{') => {
            let left = left.checked_sub(1).ok_or(ValueError::TooDeep(depth))?;
            let Members(raw) = serde_json::from_str(text).map_err(syntax)?;
            let mut members = BTreeMap::new();
            for (name, value) in raw {
                let value = read(value.get(), left, depth)?;
                // Readers of JSON differ in which of two members of the same name they keep.
                if members.insert(name.clone(), value).is_some() {
                    return Err(ValueError::Duplicate(name));
                }
            }
            Ok(Value::Object(members))
        }
        Some(b'[') => {
            let left = left.checked_sub(1).ok_or(ValueError::TooDeep(depth))?;
            let Items(raw) = serde_json::from_str(text).map_err(syntax)?;
            let items = raw.into_iter().map(|item| read(item.get(), left, depth));
            Ok(Value::Array(items.collect::<Result<_, _>>()?))
        }
        Some(b'"') => Ok(Value::String(serde_json::from_str(text).map_err(syntax)?)),
        Some(b't') => Ok(Value::Bool(true)),
        Some(b'f') => Ok(Value::Bool(false)),
        Some(b'n') => Ok(Value::Null),
        _ => match text.parse() {
            Ok(number) => Ok(Value::Number(number)),
            Err(NumberError) => Err(ValueError::Number {
                text: text.chars().take(32).collect(),
            }),
        },
    }
}

fn syntax(error: serde_json::Error) -> ValueError {
    ValueError::Syntax(error.to_string())
}

/// The members of an object in the order of the text, including repeated ones.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some((name, value)) = map.next_entry::<Cow<'de, str>, &'de RawValue>()? {
                    members.push((name.into_owned(), value));
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

/// The raw elements of an array.
struct Items<'a>(Vec<&'a RawValue>);

impl<'de> Deserialize<'de> for Items<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Items<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an array")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = seq.next_element::<&'de RawValue>()? {
                    items.push(item);
                }
                Ok(Items(items))
            }
        }
        deserializer.deserialize_seq(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_text_sorts_members_and_shortens_numbers() {
        let value = Value::parse(r#" { "b" : [1.0, 98.70, -0, 1e3], "a": {"é": "\u0041\n"} } "#);
        let text = value.map(|value| value.to_string());
        assert_eq!(
            text.as_deref(),
            Ok(r#"{"a":{"é":"A\n"},"b":[1,98.7,0,1000]}"#)
        );
    }

    #[test]
    fn refuses_what_two_readers_could_read_differently() {
        assert_eq!(
            Value::parse(r#"{"a":1,"\u0061":2}"#),
            Err(ValueError::Duplicate("a".into()))
        );
        for text in [
            "",
            "{",
            "[1,]",
            "01",
            "NaN",
            "1 2",
            r#""\ud800""#,
            "{'a':1}",
            "1e99999999999999999999",
        ] {
            assert!(Value::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn display_is_what_serde_writes() {
        let text: String = ('\0'..='\u{2100}').chain(['\u{10ffff}']).collect();
        let value = Value::Object(BTreeMap::from([
            (text.clone(), Value::from(vec![text, String::new()])),
            ("empty".to_owned(), Value::Array(Vec::new())),
            (
                "null".to_owned(),
                Value::Array(vec![Value::Null, Value::Bool(true)]),
            ),
            ("number".to_owned(), Value::from(-12)),
        ]));
        let written = serde_json::to_string(&value).ok();
        assert_eq!(Some(value.to_string()), written);
    }

    /// If the writer stops after a hundred bytes, `Display` writes little more, even of a long value.
    #[test]
    fn display_stops_with_its_writer() {
        struct Hundred(usize);
        impl fmt::Write for Hundred {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0 += text.len();
                if self.0 > 100 {
                    Err(fmt::Error)
                } else {
                    Ok(())
                }
            }
        }
        for value in [
            Value::from("x".repeat(60_000)),
            Value::from("\u{1}".repeat(60_000)),
            Value::from(vec![1; 30_000]),
            Value::from(vec!["x"; 30_000]),
        ] {
            let mut writer = Hundred(0);
            assert!(write!(writer, "{value}").is_err());
            assert!(writer.0 < 400, "{} bytes offered", writer.0);
        }
    }

    #[test]
    fn nesting_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert_eq!(Value::parse(&nested(8)).map(|value| value.depth()), Ok(8));
        assert_eq!(Value::parse(&nested(9)), Err(ValueError::TooDeep(8)));
        assert!(Value::parse(&nested(30_000)).is_err());
    }
}
