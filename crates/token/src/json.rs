//! JSON from outside, in which a structure is always an object.
//!
//! What serde derives for a structure also accepts an array of its members' values, by their order in the source code.
//! So a document would have a second form, which readers in other languages refuse or read differently. Everything that
//! arrives from outside is read by these functions, which accept objects only, however deep a structure lies.
//!
//! The members of an untagged or internally tagged enumeration are out of reach: serde buffers them first.

mod objects;

use serde::{Deserialize, Deserializer};

use self::objects::Objects;

/// Reads a JSON document.
///
/// # Errors
/// [`serde_json::Error`].
///
/// ```
/// use bailiwick_token::json;
///
/// #[derive(serde::Deserialize)]
/// struct Point {
///     x: i64,
///     y: i64,
/// }
///
/// let point: Point = json::from_slice(br#"{"x": 1, "y": 2}"#)?;
/// assert_eq!((point.x, point.y), (1, 2));
/// assert!(json::from_slice::<Point>(b"[1, 2]").is_err());
/// # Ok::<(), serde_json::Error>(())
/// ```
pub fn from_slice<'de, T: Deserialize<'de>>(json: &'de [u8]) -> Result<T, serde_json::Error> {
    serde_json::from_slice(json).map(|Strict(value)| value)
}

/// Reads a JSON document from text.
///
/// # Errors
/// [`serde_json::Error`].
pub fn from_str<'de, T: Deserialize<'de>>(json: &'de str) -> Result<T, serde_json::Error> {
    serde_json::from_str(json).map(|Strict(value)| value)
}

/// A value that is read in this way, for a caller that brings a deserializer of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Strict<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Strict<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Strict<T>, D::Error> {
        T::deserialize(Objects(deserializer)).map(Strict)
    }
}

#[cfg(test)]
mod tests;
