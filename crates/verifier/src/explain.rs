//! Explanations of denials: typed conditions, in words for people and in fields for programs.
//!
//! An explanation is bounded for every token and call: it repeats only excerpts of them, its sentences
//! together are not longer than [`MAX_EXPLANATION`], and finding them takes a limited number of steps
//! ([`Limits::explain`](crate::Limits::explain)). If it ends before its last condition, it says so
//! ([`Deny::cut_off`](crate::Deny::cut_off)).

use bailiwick_token::{grant::Bound, timestamp::Timestamp};

pub use crate::excerpt::Excerpt;

mod words;

pub(crate) use words::Shown;

/// Maximum total length of the sentences of an explanation as JSON, in bytes.
pub const MAX_EXPLANATION: usize = 12 * 1024;

/// The last sentence of an explanation that ends before its last condition.
pub const CUT_OFF: &str =
    "the explanation is cut off here: further conditions of the token are not explained";

/// Visibility of the values of arguments. They may be secret, so the caller of the verifier chooses. Bounds
/// and listed values come from the token and are always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// shown
    Shown,
    /// left out
    Hidden,
}

/// One condition that a call does not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// Number of the block that states the condition; 0 is the authority block.
    pub block: usize,
    /// Name of the delegate that received the token with that block, cut off if long.
    pub delegate: Option<String>,
    /// Position of the grant, or of the alternative in the block's scope, counted from 0.
    pub alternative: Option<usize>,
    /// The condition.
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
        /// The number of further ones.
        further: usize,
    },
    /// The grant is for other resources.
    Resource {
        /// The call's resource.
        found: Option<String>,
        /// The grant's pattern.
        needed: String,
    },
    /// A constrained argument is missing.
    Missing {
        /// Its name or path.
        argument: String,
        /// Its constraint.
        needed: String,
    },
    /// The call has an argument that the grant does not name.
    Extra {
        /// Its name.
        argument: String,
    },
    /// An argument is of another type.
    Type {
        /// Its name or path.
        argument: String,
        /// Its type.
        found: &'static str,
        /// The type needed.
        needed: &'static str,
    },
    /// A number that cannot be compared exactly.
    Unrepresentable {
        /// Its name or path.
        argument: String,
        /// The number.
        found: Excerpt,
    },
    /// An argument has another value.
    Value {
        /// Its name or path.
        argument: String,
        /// Its value.
        found: Excerpt,
        /// The value needed.
        needed: Wanted,
    },
    /// The block is not yet valid.
    NotBefore {
        /// The time from which it is valid.
        needed: Timestamp,
        /// The verifier's clock.
        found: Timestamp,
    },
    /// The block is no longer valid.
    Expires {
        /// The time at which it ended.
        needed: Timestamp,
        /// The verifier's clock.
        found: Timestamp,
    },
    /// More blocks are appended than the issuer allows.
    Depth {
        /// The number of appended blocks.
        found: usize,
        /// The maximum allowed.
        needed: u32,
    },
    /// A check that does not correspond to a condition of the profile.
    Datalog {
        /// Its Datalog; `None` if that is too long to show.
        text: Option<String>,
    },
}

/// The value that an argument must have.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Wanted {
    /// This value.
    Exactly(Excerpt),
    /// One of these.
    OneOf(Excerpt),
    /// None of these.
    NotOneOf(Excerpt),
    /// At least this.
    Min(Bound),
    /// At most this.
    Max(Bound),
    /// A string with this prefix.
    Prefix(Excerpt),
    /// A string with this suffix.
    Suffix(Excerpt),
    /// A string that contains this one.
    Contains(Excerpt),
    /// An array of these only.
    AllOfIn(Excerpt),
    /// A string or an array that is not longer.
    MaxLen {
        /// Its length.
        found: usize,
        /// The length allowed.
        limit: u32,
    },
}

impl Refusal {
    /// Length in bytes of its sentence as JSON and of the names of its fields.
    pub(crate) fn size(&self) -> usize {
        /// Counted too, because otherwise many short refusals would take more as JSON than few long ones.
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
