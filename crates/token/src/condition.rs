//! Conditions on the arguments of a call that plain Datalog cannot express.
//!
//! A token carries each condition as `meets(path, text)`. The verifier evaluates the condition natively and states this
//! fact if the condition holds, so that a condition means the same in every token, whoever wrote it. The text is
//! canonical and complete: it names every default, so a default that changes later changes no token.

mod arg_path;
mod both;
mod check;
mod cost;
mod day;
mod decimal;
mod domain;
mod during;
mod email;
mod evaluate;
mod implies;
mod ip;
mod line;
mod merge;
mod path;
mod pattern;
mod text;
mod url;
mod words;

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests;

use std::collections::BTreeSet;

pub use arg_path::{ArgPath, ArgPathError, Blocked, BlockedKind};
pub use check::Malformed;
pub use day::{Day, Instant};
pub use decimal::Range;
pub use domain::{Domains, is_listed_domain, is_listed_host};
pub use during::{Days, DaysError, During, DuringError, TimeOfDay, TimeOfDayError};
pub use email::Email;
pub use evaluate::Miss;
pub use ip::Ip;
pub use line::ONE_LINE_LENGTH;
pub use path::{PathChars, PathUnder};
pub use pattern::{MAX_COMPILED, MAX_PATTERNS, PatternError, TextPattern};
pub use text::UnknownCondition;
pub use url::{Scheme, UrlAt};

pub(crate) use arg_path::{above, split_last, steps_above};
pub(crate) use merge::{Merged, merge, merge_values};
pub(crate) use text::MAX_TEXT;

use both::Both;

use crate::{
    timestamp::Timestamp,
    value::{List, Micros, Scalar, Value},
};

/// The conditions of one argument, if plain Datalog cannot express them all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Meets {
    /// True if the argument may be absent.
    pub optional: bool,
    /// The conditions, at least one unless the argument is optional. In a list of grants they are sorted, each kind
    /// once.
    pub conditions: Vec<Condition>,
}

/// A condition on the values at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Test {
    /// The path.
    pub path: ArgPath,
    /// The condition.
    pub condition: Condition,
    /// For each part of the path, true if it may be absent.
    pub optional: Vec<bool>,
}

/// A condition on one value, complete with all defaults.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Condition {
    /// A value that is present and, unless `empty`, not null, `""`, `[]` or `{}`.
    Present {
        /// True if an empty value meets the condition too.
        empty: bool,
    },
    /// Exactly this value.
    Exact(Value),
    /// One of these values.
    OneOf {
        /// The values.
        values: List,
        /// True if ASCII letters are compared without regard to case.
        ignore_case: bool,
    },
    /// A value of the same type as these, but none of them.
    NotOneOf(List),
    /// A string with this prefix.
    Prefix(String),
    /// A string with this suffix.
    Suffix(String),
    /// A string that contains this text.
    Contains(String),
    /// An array whose elements are all among these.
    AllOfIn(BTreeSet<Scalar>),
    /// A string of at most this many bytes, or an array of at most this many elements.
    MaxLen(u32),
    /// An RFC 3339 date-time of whole seconds within these bounds, both included.
    Date {
        /// At this time or later.
        min: Option<Timestamp>,
        /// At this time or earlier.
        max: Option<Timestamp>,
    },
    /// A JSON number in this range that every receiver reads alike; see
    /// [`Number::is_read_alike`](crate::value::Number::is_read_alike).
    Number(Range),
    /// A decimal in a string, in this range.
    Decimal(Range),
    /// A day within these bounds, both included.
    Day {
        /// This day or a later one.
        min: Option<Day>,
        /// This day or an earlier one.
        max: Option<Day>,
    },
    /// A point in time.
    Instant {
        /// At this time or later.
        after: Option<Instant>,
        /// Before this time.
        before: Option<Instant>,
    },
    /// A string that a pattern matches as a whole.
    Matches(TextPattern),
    /// A string on one line, of at most this many bytes.
    OneLine(u32),
    /// A string without links, or with links to certain places only.
    Links(Option<UrlAt>),
    /// An e-mail address.
    Email(Email),
    /// A URL.
    Url(UrlAt),
    /// A path of a file.
    Path(PathUnder),
    /// An IP address.
    Ip(Ip),
    /// An array with a number of elements within these bounds, both included.
    Count {
        /// At least this many.
        min: Option<u32>,
        /// At most this many.
        max: Option<u32>,
    },
    /// Numbers whose sum is within these bounds, both included.
    Sum {
        /// At least this.
        min: Option<Micros>,
        /// At most this.
        max: Option<Micros>,
        /// True if a summand may be below zero.
        negative: bool,
    },
    /// A number that equals the sum of the numbers at another path, none of them below zero unless `negative`.
    EqualsSum {
        /// The path of the summands.
        of: ArgPath,
        /// True if a summand may be below zero.
        negative: bool,
    },
    /// The same value as that of another argument.
    EqualsArg(ArgPath),
    /// A value that differs from that of another argument, even for a receiver that folds texts or rounds numbers.
    DiffersFromArg(ArgPath),
    /// An object with no members but these.
    Members(BTreeSet<String>),
}
