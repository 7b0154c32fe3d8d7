//! Predicates, numbered once for each program.

use bailiwick_token::datalog::names;

/// The number of a predicate: its name together with how many terms it has.
pub(crate) type Relation = u16;

/// The predicates that the verifier states, whose numbers are the same in every program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub(crate) enum Known {
    Time,
    Service,
    Action,
    Resource,
    Args,
    Depth,
    Arg,
    Num,
    Date,
    Json,
    /// Outside the profile only.
    RevocationId,
}

impl Known {
    pub(crate) const ALL: [Known; 11] = [
        Known::Time,
        Known::Service,
        Known::Action,
        Known::Resource,
        Known::Args,
        Known::Depth,
        Known::Arg,
        Known::Num,
        Known::Date,
        Known::Json,
        Known::RevocationId,
    ];

    pub(crate) fn relation(self) -> Relation {
        self as Relation
    }

    /// Its name, and how many terms it has.
    pub(crate) fn name(self) -> (&'static str, u16) {
        match self {
            Known::Time => (names::TIME, 1),
            Known::Service => (names::SERVICE, 1),
            Known::Action => (names::ACTION, 1),
            Known::Resource => (names::RESOURCE, 1),
            Known::Args => (names::ARGS, 1),
            Known::Depth => (names::DEPTH, 1),
            Known::Arg => (names::ARG, 2),
            Known::Num => (names::NUM, 2),
            Known::Date => (names::DATE, 2),
            Known::Json => (names::JSON, 2),
            Known::RevocationId => ("revocation_id", 2),
        }
    }
}
