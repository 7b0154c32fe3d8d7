//! The constraint on one argument of a call.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    escape::quote,
    timestamp::Timestamp,
    value::{Micros, Number, Scalar, Value, separated},
};

/// The conditions on one argument, which must meet all conditions that are set.
///
/// If none is set, any value is allowed, and the argument may be absent. Otherwise it must be present. A value
/// of the wrong type for a condition does not meet that condition.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraint {
    /// Exactly this value. Numbers compare by value, everything else by type and value.
    pub exact: Option<Value>,
    /// One of these values.
    pub one_of: Option<List>,
    /// A value of the same type as these, but none of them.
    pub not_one_of: Option<List>,
    /// The inclusive lower bound.
    pub min: Option<Bound>,
    /// The inclusive upper bound.
    pub max: Option<Bound>,
    /// A prefix of the string. On a path or URL, a prefix is not a containment check.
    pub prefix: Option<String>,
    /// A suffix of the string.
    pub suffix: Option<String>,
    /// A substring of the string.
    pub contains: Option<String>,
    /// An array whose elements are all among these. The empty array also meets the condition.
    pub all_of_in: Option<BTreeSet<Scalar>>,
    /// Maximum length: of a string in bytes, or of an array in elements.
    pub max_len: Option<u32>,
}

impl Constraint {
    /// Makes a constraint without conditions, which allows any value, and the absence of the argument.
    #[must_use]
    pub fn any() -> Constraint {
        Constraint::default()
    }

    /// Requires exactly this value.
    #[must_use]
    pub fn exact(value: impl Into<Value>) -> Constraint {
        Constraint {
            exact: Some(value.into()),
            ..Constraint::default()
        }
    }

    /// Requires one of these values, all of one type.
    #[must_use]
    pub fn one_of(list: impl Into<List>) -> Constraint {
        Constraint {
            one_of: Some(list.into()),
            ..Constraint::default()
        }
    }

    /// Requires a value of the same type as these, but none of them.
    #[must_use]
    pub fn not_one_of(list: impl Into<List>) -> Constraint {
        Constraint {
            not_one_of: Some(list.into()),
            ..Constraint::default()
        }
    }

    /// Requires a string with this prefix. On a path or URL, a prefix is not a containment check.
    #[must_use]
    pub fn prefix(text: &str) -> Constraint {
        Constraint {
            prefix: Some(text.to_owned()),
            ..Constraint::default()
        }
    }

    /// Also requires at least `bound`.
    #[must_use]
    pub fn min(mut self, bound: Bound) -> Constraint {
        self.min = Some(bound);
        self
    }

    /// Also requires at most `bound`.
    #[must_use]
    pub fn max(mut self, bound: Bound) -> Constraint {
        self.max = Some(bound);
        self
    }

    /// Also limits the length: of a string in bytes, or of an array in elements.
    #[must_use]
    pub fn max_len(mut self, length: u32) -> Constraint {
        self.max_len = Some(length);
        self
    }

    /// Returns true if no condition is set, so that the argument may be absent.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Constraint::default()
    }
}

/// A bound for `min` or `max`: a number or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// An exact decimal.
    Number(Micros),
    /// A date-time.
    Date(Timestamp),
}

/// The error of a text that is neither a decimal with at most six decimal places nor an RFC 3339 date-time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a bound; write a decimal such as `\"0.01\"`, with at most six decimal places and at most 9223372036854.775807, or a date-time such as `\"2026-11-23T12:00:00Z\"`"
)]
pub struct BoundError;

impl FromStr for Bound {
    type Err = BoundError;

    fn from_str(text: &str) -> Result<Bound, BoundError> {
        if let Ok(date) = text.parse() {
            return Ok(Bound::Date(date));
        }
        let number: Number = text.parse().map_err(|_| BoundError)?;
        number.micros().map(Bound::Number).ok_or(BoundError)
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Bound::Number(micros) => micros.fmt(f),
            Bound::Date(date) => date.fmt(f),
        }
    }
}

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
    "the list does not hold values of one type that can be compared; write strings, booleans or numbers with at most six decimal places, or use `exact`"
)]
pub struct ListError;

impl List {
    /// Reads a list of values, all of one type.
    ///
    /// # Errors
    /// [`ListError`] if the types differ, or a value is not a string, a number (see [`Number::micros`]) or a
    /// boolean.
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

impl fmt::Display for Constraint {
    /// Writes the constraint in words, such as `` at least 0.01 and at most 10000 ``, piece by piece, so that a
    /// writer with a limit can stop early.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut part = |words: fmt::Arguments<'_>| {
            f.write_str(std::mem::replace(&mut separator, " and "))?;
            f.write_fmt(words)
        };
        if let Some(value) = &self.exact {
            part(format_args!("exactly {}", value.shown()))?;
        }
        if let Some(list) = &self.one_of {
            part(format_args!("one of {list}"))?;
        }
        if let Some(list) = &self.not_one_of {
            part(format_args!("none of {list}"))?;
        }
        if let Some(bound) = self.min {
            part(format_args!("at least {bound}"))?;
        }
        if let Some(bound) = self.max {
            part(format_args!("at most {bound}"))?;
        }
        if let Some(text) = &self.prefix {
            part(format_args!("begins with {}", quote(text)))?;
        }
        if let Some(text) = &self.suffix {
            part(format_args!("ends with {}", quote(text)))?;
        }
        if let Some(text) = &self.contains {
            part(format_args!("contains {}", quote(text)))?;
        }
        if let Some(set) = &self.all_of_in {
            part(format_args!("each element one of {}", Listed(set)))?;
        }
        if let Some(length) = self.max_len {
            part(format_args!("length at most {length}"))?;
        }
        if self.is_any() {
            return f.write_str("any value");
        }
        Ok(())
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
