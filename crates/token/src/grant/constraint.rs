//! What one argument may be.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    escape::quote,
    timestamp::Timestamp,
    value::{Micros, Number, Scalar, Value, separated},
};

/// What an argument may be: all that is set here holds at once.
///
/// Where nothing is set any value will do, and the argument may be absent; otherwise it must be
/// present. A value of another type than a condition speaks of does not meet it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Constraint {
    /// this value; numbers by value, all else by type and value
    pub exact: Option<Value>,
    /// one of these values
    pub one_of: Option<List>,
    /// a value of the type of these, but none of them
    pub not_one_of: Option<List>,
    /// at least this
    pub min: Option<Bound>,
    /// at most this
    pub max: Option<Bound>,
    /// a string that begins so; not a check of paths or URLs
    pub prefix: Option<String>,
    /// a string that ends so
    pub suffix: Option<String>,
    /// a string in which this stands
    pub contains: Option<String>,
    /// an array of which each element is one of these; holds for the empty array
    pub all_of_in: Option<BTreeSet<Scalar>>,
    /// a string of at most so many bytes, or an array of at most so many elements
    pub max_len: Option<u32>,
}

impl Constraint {
    /// Any value, and none at all.
    #[must_use]
    pub fn any() -> Constraint {
        Constraint::default()
    }

    /// Exactly this value.
    #[must_use]
    pub fn exact(value: impl Into<Value>) -> Constraint {
        Constraint {
            exact: Some(value.into()),
            ..Constraint::default()
        }
    }

    /// One of these values, which are of one type.
    #[must_use]
    pub fn one_of(list: impl Into<List>) -> Constraint {
        Constraint {
            one_of: Some(list.into()),
            ..Constraint::default()
        }
    }

    /// None of these values, but of their type.
    #[must_use]
    pub fn not_one_of(list: impl Into<List>) -> Constraint {
        Constraint {
            not_one_of: Some(list.into()),
            ..Constraint::default()
        }
    }

    /// A string with this prefix. A plain prefix on a path or URL is no containment check.
    #[must_use]
    pub fn prefix(text: &str) -> Constraint {
        Constraint {
            prefix: Some(text.to_owned()),
            ..Constraint::default()
        }
    }

    /// And at least `bound`.
    #[must_use]
    pub fn min(mut self, bound: Bound) -> Constraint {
        self.min = Some(bound);
        self
    }

    /// And at most `bound`.
    #[must_use]
    pub fn max(mut self, bound: Bound) -> Constraint {
        self.max = Some(bound);
        self
    }

    /// And at most `length` bytes of a string or elements of an array.
    #[must_use]
    pub fn max_len(mut self, length: u32) -> Constraint {
        self.max_len = Some(length);
        self
    }

    /// Whether nothing is asked of the argument, so that it may be absent.
    #[must_use]
    pub fn is_any(&self) -> bool {
        *self == Constraint::default()
    }
}

/// A bound of `min` or `max`: a number, or a date.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Bound {
    /// an exact decimal
    Number(Micros),
    /// a date-time
    Date(Timestamp),
}

/// The text is neither a decimal of whole millionths nor an RFC 3339 date-time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a bound is a decimal such as `\"0.01\"`, of whole millionths and at most 9223372036854.775807, or a date-time such as `\"2026-11-23T12:00:00Z\"`"
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
    /// strings, compared byte for byte
    Strings(BTreeSet<String>),
    /// numbers, compared by value
    Numbers(BTreeSet<Micros>),
    /// booleans
    Bools(BTreeSet<bool>),
}

/// A list mixes types, or holds something that a list cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "a list holds strings, or numbers of whole millionths, or booleans, of one type throughout; for other values write `exact`"
)]
pub struct ListError;

impl List {
    /// Reads a list of values, all of one type.
    ///
    /// # Errors
    /// When the types differ, or a value is neither string, number (see [`Number::micros`]) nor boolean.
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

    /// How many values there are.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            List::Strings(set) => set.len(),
            List::Numbers(set) => set.len(),
            List::Bools(set) => set.len(),
        }
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `value` is of the type that this list holds.
    #[must_use]
    pub fn has_type_of(&self, value: &Value) -> bool {
        match (self, value) {
            (List::Strings(_), Value::String(_)) | (List::Bools(_), Value::Bool(_)) => true,
            (List::Numbers(_), Value::Number(number)) => number.micros().is_some(),
            _ => false,
        }
    }

    /// Whether `value` is one of the list.
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

/// `1, 2, 3`
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
    /// In words: `` at least 0.01 and at most 10000 ``. They are written piece by piece, so that a
    /// writer which takes no more ends the work.
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

/// Scalars that `Display` writes as [`List`] does.
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
