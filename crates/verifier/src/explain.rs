//! Explanations of denials: typed conditions, which become words for people and fields for programs.
//!
//! An explanation is bounded for every token and call: it repeats only excerpts of them, the total length of
//! its sentences is at most [`MAX_EXPLANATION`], and finding the conditions takes a limited number of steps
//! ([`Limits::explain`](crate::Limits::explain)). An explanation that ends before its last condition says so
//! ([`Deny::cut_off`](crate::Deny::cut_off)).

use bailiwick_token::{grant::Bound, timestamp::Timestamp, value::Micros};

pub use crate::excerpt::Excerpt;

mod fields;
mod words;

pub(crate) use fields::Shown;

/// Maximum total length of the sentences of an explanation as JSON, in bytes.
pub const MAX_EXPLANATION: usize = 12 * 1024;

/// The last sentence of an explanation that ends before its last condition.
pub const CUT_OFF: &str =
    "the explanation ends here, and further conditions of the token are left out";

/// Visibility of the values of arguments. Such values may be secret, so the caller of the verifier chooses.
/// Bounds and listed values come from the token and are always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// Values of arguments are shown.
    Shown,
    /// Values of arguments are left out.
    Hidden,
}

/// A condition that a call does not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Number of the block that states the condition; 0 is the authority block.
    pub block: usize,
    /// Name of the delegate that received the token with that block, cut off if long.
    pub delegate: Option<String>,
    /// Position of the grant, or of the alternative in the block's scope, counted from 0.
    pub alternative: Option<usize>,
    /// The condition, with the value found.
    pub condition: UnmetCondition,
}

/// A condition that is not met. Long names and texts are cut off.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum UnmetCondition {
    /// No grant or alternative of the block is for this service and action.
    NoAlternative {
        /// The first services and actions that the block allows.
        offered: Vec<String>,
        /// Number of services and actions not listed.
        further: usize,
    },
    /// The grant covers other resources.
    Resource {
        /// The resource of the call, if it has one.
        found: Option<String>,
        /// The grant's pattern.
        needed: String,
    },
    /// A constrained argument is missing.
    Missing {
        /// Name or path of the argument.
        argument: String,
        /// The constraint on the argument.
        needed: String,
    },
    /// The call has an argument that the grant does not name.
    Extra {
        /// Name of the argument.
        argument: String,
    },
    /// An argument has the wrong type.
    Type {
        /// Name or path of the argument.
        argument: String,
        /// The type found.
        found: &'static str,
        /// The type needed.
        needed: &'static str,
    },
    /// An argument is a number that cannot be compared exactly.
    Unrepresentable {
        /// Name or path of the argument.
        argument: String,
        /// The number found.
        found: Excerpt,
    },
    /// An argument has a value that is not allowed.
    Value {
        /// Name or path of the argument.
        argument: String,
        /// The value found.
        found: Excerpt,
        /// The values allowed.
        needed: Wanted,
    },
    /// The value at a part of a path is not the object or array that the rest of the path needs.
    Shape {
        /// Path up to this part.
        argument: String,
        /// The value needed there.
        needed: &'static str,
    },
    /// The sum of several values is not allowed.
    Sum {
        /// Path of the values.
        argument: String,
        /// The sum found.
        found: Micros,
        /// The sums allowed, in words.
        needed: String,
    },
    /// The values of an argument cannot be compared exactly, such as a sum beyond the range of numbers.
    Incomparable {
        /// Name or path of the argument.
        argument: String,
        /// The condition, in words.
        needed: String,
    },
    /// The call comes outside the window of time.
    During {
        /// Time on the verifier's clock.
        found: Timestamp,
        /// The window, in words.
        needed: String,
    },
    /// A condition that this verifier does not know. The token is newer than the verifier, or another writer made it.
    Unknown {
        /// Path of the argument, if the condition is about one.
        argument: Option<String>,
        /// The text of the condition.
        needed: String,
    },
    /// The block is not yet valid.
    NotBefore {
        /// Time from which the block is valid.
        needed: Timestamp,
        /// Time on the verifier's clock.
        found: Timestamp,
    },
    /// The block is no longer valid.
    Expires {
        /// Time at which the block expired.
        needed: Timestamp,
        /// Time on the verifier's clock.
        found: Timestamp,
    },
    /// More blocks are appended than the issuer allows.
    Depth {
        /// The number of appended blocks.
        found: usize,
        /// Maximum number of appended blocks.
        needed: u32,
    },
    /// A check that does not correspond to any condition of the profile is not met.
    Datalog {
        /// The check in Datalog; `None` if it is too long to show.
        text: Option<String>,
    },
}

/// The values that an argument may have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Wanted {
    /// Exactly this value.
    Exactly(Excerpt),
    /// One of these values.
    OneOf(Excerpt),
    /// None of these values.
    NotOneOf(Excerpt),
    /// At least this bound.
    Min(Bound),
    /// At most this bound.
    Max(Bound),
    /// A string with this prefix.
    Prefix(Excerpt),
    /// A string with this suffix.
    Suffix(Excerpt),
    /// A string that contains this one.
    Contains(Excerpt),
    /// An array of only these values.
    AllOfIn(Excerpt),
    /// A value that meets a condition.
    Condition {
        /// Name of the condition.
        kind: &'static str,
        /// The condition, in words.
        words: String,
    },
    /// A string or an array of limited length.
    MaxLen {
        /// Length found.
        found: usize,
        /// Maximum length.
        limit: u32,
    },
}

impl Refusal {
    /// Length of the refusal's sentence as JSON and of its field names, in bytes.
    pub(crate) fn size(&self) -> usize {
        /// Bytes counted for the names of the fields. Without them, many short refusals would take more JSON
        /// than a few long ones.
        const FIELDS: usize = 120;
        let sentence = self.sentence(Values::Shown);
        // A sentence has no control characters, so these are the only ones that JSON escapes.
        let escaped = sentence.bytes().filter(|byte| matches!(byte, b'"' | b'\\'));
        let escapes = escaped.count();
        sentence
            .len()
            .saturating_add(escapes)
            .saturating_add(FIELDS)
    }
}
