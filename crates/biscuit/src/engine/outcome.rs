//! Outcomes of evaluations.

use super::{error::Error, fuel::Stop, origin::Place};

/// The outcome of an evaluation. The same input always gives the same outcome.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// An allow policy matched first, and every check held.
    Allow {
        /// Position among the policies, counted from 0.
        policy: usize,
    },
    /// No policy allowed the token, or a check failed.
    Deny {
        /// The policy that matched first, if any did.
        policy: Option<Matched>,
        /// The checks that failed, in the order of evaluation.
        failed: Vec<FailedCheck>,
    },
    /// An operation failed, which ends the whole evaluation.
    Error(Error),
    /// The evaluation needs more fuel than its budget.
    OutOfFuel,
    /// The evaluation needs more memory than its budget.
    OutOfMemory,
}

/// The policy that matched first, by its position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Matched {
    /// An `allow if`, with its position.
    Allow(usize),
    /// A `deny if`, with its position.
    Deny(usize),
}

/// A check that did not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedCheck {
    /// The block that contains the check, or the host.
    pub place: Place,
    /// Position among the checks of its block, counted from 0.
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
