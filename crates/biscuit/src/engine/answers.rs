//! Facts that the host decides when a body asks for them.
//!
//! A host may know more facts than it could state, such as the outcome of a test for any parameters. It names the
//! predicates of such facts ([`Base::new`](super::Base::new)). A body must write out all terms of such a predicate, so
//! the compiler knows every question beforehand, and an evaluation asks only those questions that it reaches.

use std::fmt;

/// The host's answers in one evaluation.
pub trait Answers: fmt::Debug {
    /// Returns true if the fact holds that a question asks for. `question` is its number in
    /// [`Program::questions`](super::Program::questions). An evaluation may ask a question many times, and must get the
    /// same answer each time.
    ///
    /// The cost of the answer is deducted from `units`, the remaining fuel. `None` means that they do not suffice.
    fn holds(&self, question: usize, units: &mut u64) -> Option<bool>;
}

/// A fact that a body asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question<'p> {
    /// Position of the predicate in the list of answered predicates.
    pub predicate: usize,
    /// The terms, all of them strings.
    pub terms: Vec<&'p str>,
}

/// The answers of a host that answers no questions.
#[derive(Debug)]
pub(super) struct NoAnswers;

pub(super) static NONE: NoAnswers = NoAnswers;

impl Answers for NoAnswers {
    fn holds(&self, _: usize, _: &mut u64) -> Option<bool> {
        Some(false)
    }
}
