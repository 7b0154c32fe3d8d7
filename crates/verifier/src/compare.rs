//! Comparison of a call with the typed conditions of a grant, without Datalog.
//!
//! Comparisons decide tokens whose grants and scopes are, term for term, the Datalog that Bailiwick writes for
//! them. They also explain the denials of all tokens. The engine is the reference: a property test and a fuzz
//! target require the same answer from both (decision 16).
//!
//! Every step is charged to [`Steps`], because a call of 64 KiB may come with a token that has the maximum number of
//! alternatives.

mod alternative;
mod comparison;
mod explainer;
mod missed;
mod requirement;
mod steps;
#[cfg(test)]
mod tests;
mod unmet;

pub(crate) use alternative::Alternative;
pub(crate) use comparison::Comparison;
pub(crate) use explainer::{ExplainedVerdict, Explainer};
pub(crate) use missed::unknown;
pub(crate) use steps::{Spent, Steps};
