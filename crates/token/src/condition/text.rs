//! The canonical text of conditions: JSON that names its kind and every default.
//!
//! A text is read leniently and written again, and counts as a condition only if both texts are the same. So a member,
//! a kind or a form that this version does not know makes the whole text unknown.

mod kind;
mod read;
mod write;

use self::read::read;
use super::{ArgPath, Test};
use crate::value::Value;

/// Maximum length of the text of a condition in bytes.
pub(crate) const MAX_TEXT: usize = 4 * 1024;

/// The error of a path and a text that are not a condition of this version.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "the condition is not known to this program, which may be older than the token; upgrade it"
)]
pub struct UnknownCondition;

impl Test {
    /// Reads a condition from the two terms of `meets`.
    ///
    /// # Errors
    /// [`UnknownCondition`] unless the text is exactly what [`Test::text`] writes.
    pub fn parse(path: &str, text: &str) -> Result<Test, UnknownCondition> {
        if text.len() > MAX_TEXT {
            return Err(UnknownCondition);
        }
        let path: ArgPath = path.parse().map_err(|_| UnknownCondition)?;
        let value = Value::parse(text).map_err(|_| UnknownCondition)?;
        let test = read(path, &value).ok_or(UnknownCondition)?;
        match test.check().is_ok() && test.text() == text {
            true => Ok(test),
            false => Err(UnknownCondition),
        }
    }

    /// The second term of `meets`.
    #[must_use]
    pub fn text(&self) -> String {
        self.condition.text(&self.optional)
    }
}
