//! Outcomes of evaluations.

use super::{error::Error, fuel::Stop, origin::Place};

/// The outcome of an evaluation: the same on every run with the same input.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// This allow policy matched, and every check held.
    Allow {
        /// Its place among the policies.
        policy: usize,
    },
    /// Nothing allowed it, or a check failed.
    Deny {
        /// The policy that matched, where one did.
        policy: Option<Matched>,
        /// The checks that failed, in the order in which they were looked at.
        failed: Vec<FailedCheck>,
    },
    /// An operation failed, and with it everything.
    Error(Error),
    /// It takes more fuel than given.
    OutOfFuel,
    /// It holds more memory than given.
    OutOfMemory,
}

/// The policy that matched first, by its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// `allow if`
    Allow(usize),
    /// `deny if`
    Deny(usize),
}

/// A check that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedCheck {
    /// The place of its owner.
    pub place: Place,
    /// Its place among the checks of its block.
    pub check: usize,
}

impl From<Stop> for Outcome {
    fn from(stop: Stop) -> Outcome {
        match stop {
            Stop::OutOfFuel => Outcome::OutOfFuel,
            Stop::OutOfMemory => Outcome::OutOfMemory,
            Stop::Error(error) => Outcome::Error(*error),
        }
    }
}
