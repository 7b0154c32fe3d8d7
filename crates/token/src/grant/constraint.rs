//! The constraint on one argument of a call.

use std::{collections::BTreeSet, fmt, str::FromStr};

use crate::{
    condition::{Condition, Meets},
    escape::quote,
    timestamp::Timestamp,
    value::{List, Listed, Micros, Number, Scalar, Value},
};

/// The conditions on one argument. The argument must meet all that are set.
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
    /// Conditions, at least one of which plain Datalog cannot express. In the normal form, they are all conditions of
    /// the argument, and the fields above are not set.
    pub meets: Option<Meets>,
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

    /// Also requires a condition that plain Datalog cannot express.
    ///
    /// ```
    /// use bailiwick_token::{condition::{Condition, Email}, grant::Constraint};
    ///
    /// let recipient = Constraint::from(Condition::Email(Email::at(["acme.example"])))
    ///     .also(Condition::OneLine(100))
    ///     .optional();
    /// assert_eq!(
    ///     recipient.to_string(),
    ///     "an e-mail address at \"acme.example\" and one line of at most 100 bytes, or absent",
    /// );
    /// ```
    #[must_use]
    pub fn also(mut self, condition: Condition) -> Constraint {
        self.meets
            .get_or_insert_default()
            .conditions
            .push(condition);
        self
    }

    /// Lets the argument be absent. The other conditions apply if it is present.
    #[must_use]
    pub fn optional(mut self) -> Constraint {
        self.meets.get_or_insert_default().optional = true;
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
        if let Some(meets) = &self.meets {
            part(format_args!("{meets}"))?;
        }
        if self.is_any() {
            return f.write_str("any value");
        }
        Ok(())
    }
}

impl From<Condition> for Constraint {
    fn from(condition: Condition) -> Constraint {
        Constraint::any().also(condition)
    }
}
