//! The meaning of grants without Datalog: a call compared with the typed conditions of an alternative.
//!
//! This decides tokens whose grants and scopes are, term for term, the Datalog that Bailiwick writes for
//! them, and explains the denials of all tokens. The engine is the reference: a property test and a fuzz
//! target require both to give the same answer (decision 16).
//!
//! Every step is charged to [`Steps`], since a call of 64 KiB may meet a token with as many
//! alternatives as it can have.

mod alternative;
mod comparison;
mod explainer;
mod requirement;
mod steps;
#[cfg(test)]
mod tests;
mod unmet;

pub(crate) use alternative::Alternative;
pub(crate) use comparison::Comparison;
pub(crate) use explainer::{ExplainedVerdict, Explainer};
pub(crate) use steps::{Spent, Steps};
