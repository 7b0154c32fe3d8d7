//! The meaning of grants without Datalog: a call beside the typed conditions of an alternative.
//!
//! This decides a token whose grants and scopes are, term for term, what Bailiwick writes for them, and
//! explains the denials of all. The engine is the reference: a property and a fuzz target hold both to
//! the same answer (decision 16).
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
