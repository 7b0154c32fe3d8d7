//! The result of a comparison, borrowed from the token and the call.

use bailiwick_token::grant::Pattern;

use super::{
    alternative::{Argument, Requirement},
    requirement::Fault,
};
use crate::call::Stated;

/// An alternative beside a call.
#[derive(Clone, Copy)]
pub(crate) enum Verdict<'a> {
    /// The call meets all of its conditions.
    Met,
    /// It is for another service or action.
    Elsewhere,
    /// The call does not meet this condition, the first of those that it does not meet.
    Unmet(Unmet<'a>),
}

/// A condition that a call does not meet.
#[derive(Clone, Copy)]
pub(crate) enum Unmet<'a> {
    Resource {
        found: Option<&'a str>,
        needed: &'a Pattern,
    },
    /// This argument is not there.
    Missing(&'a Argument),
    /// An argument of this name is there.
    Extra(&'a str),
    Argument {
        argument: &'a Argument,
        stated: &'a Stated<'a>,
        requirement: &'a Requirement,
        fault: Fault,
    },
}
