//! Lists of values of one type.

use std::{collections::BTreeSet, fmt};

use super::{Micros, Scalar, Value, separated};
use crate::escape::quote;

/// A set of values of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum List {
    /// Strings, compared byte for byte.
    Strings(BTreeSet<String>),
    /// Numbers, compared by value.
    Numbers(BTreeSet<Micros>),
    /// Booleans.
    Bools(BTreeSet<bool>),
}

/// The error of a list that mixes types or contains an unsupported value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the list needs values of one type that can be compared; write strings, booleans or numbers with at most six decimal places, or use `exact`"
)]
pub struct ListError;

impl List {
    /// Reads a list of values, all of one type.
    ///
    /// # Errors
    /// [`ListError`] if the types differ, or a value is not a string, a boolean, or a number (see
    /// [`Number::micros`](super::Number::micros)).
    pub fn from_values(values: &[Value]) -> Result<List, ListError> {
        let strings = values.iter().map(|value| match value {
            Value::String(text) => Some(text.clone()),
            _ => None,
        });
        let numbers = values.iter().map(|value| match value {
            Value::Number(number) => number.micros(),
            _ => None,
        });
        let bools = values.iter().map(|value| match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        });
        (strings.collect::<Option<_>>().map(List::Strings))
            .or_else(|| numbers.collect::<Option<_>>().map(List::Numbers))
            .or_else(|| bools.collect::<Option<_>>().map(List::Bools))
            .ok_or(ListError)
    }

    /// The values, in order.
    #[must_use]
    pub fn values(&self) -> Vec<Value> {
        match self {
            List::Strings(set) => set.iter().map(|text| Value::from(text.as_str())).collect(),
            List::Numbers(set) => set
                .iter()
                .map(|micros| Value::Number((*micros).into()))
                .collect(),
            List::Bools(set) => set.iter().map(|value| Value::Bool(*value)).collect(),
        }
    }

    /// Number of values.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            List::Strings(set) => set.len(),
            List::Numbers(set) => set.len(),
            List::Bools(set) => set.len(),
        }
    }

    /// Returns true if there are no values.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns true if `value` has the type of this list's values.
    #[must_use]
    pub fn has_type_of(&self, value: &Value) -> bool {
        match (self, value) {
            (List::Strings(_), Value::String(_)) | (List::Bools(_), Value::Bool(_)) => true,
            (List::Numbers(_), Value::Number(number)) => number.micros().is_some(),
            _ => false,
        }
    }

    /// Returns true if `value` is in the list.
    #[must_use]
    pub fn holds(&self, value: &Value) -> bool {
        match (self, value) {
            (List::Strings(set), Value::String(text)) => set.contains(text),
            (List::Bools(set), Value::Bool(value)) => set.contains(value),
            (List::Numbers(set), Value::Number(number)) => {
                number.micros().is_some_and(|micros| set.contains(&micros))
            }
            _ => false,
        }
    }
}

impl<const N: usize> From<[&str; N]> for List {
    fn from(texts: [&str; N]) -> List {
        List::Strings(texts.iter().map(|&text| text.to_owned()).collect())
    }
}

/// Writes the values separated by commas: `1, 2, 3`.
impl fmt::Display for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            List::Strings(set) => separated(f, ", ", set, |f, text| quote(text).fmt(f)),
            List::Numbers(set) => separated(f, ", ", set, |f, micros| micros.fmt(f)),
            List::Bools(set) => separated(f, ", ", set, |f, value| value.fmt(f)),
        }
    }
}

/// Scalars that `Display` writes like a [`List`].
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a, S: ?Sized>(pub &'a S);

impl<'a, S: ?Sized> fmt::Display for Listed<'a, S>
where
    &'a S: IntoIterator<Item = &'a Scalar>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        separated(f, ", ", self.0, |f, scalar| scalar.fmt(f))
    }
}
