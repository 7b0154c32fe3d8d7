//! The result of a comparison, borrowed from the token and the call.

use bailiwick_token::grant::Pattern;

use super::{
    alternative::{Argument, Requirement},
    requirement::Fault,
};
use crate::{
    call::Stated,
    native::{Answer, Native},
};

/// The result of comparing a call with an alternative.
#[derive(Clone, Copy)]
pub(crate) enum Verdict<'a> {
    /// The call meets all conditions of the alternative.
    Met,
    /// The alternative does not cover this service or action.
    Elsewhere,
    /// The first condition that the call does not meet.
    Unmet(Unmet<'a>),
}

/// A condition that a call does not meet.
#[derive(Clone, Copy)]
pub(crate) enum Unmet<'a> {
    Resource {
        found: Option<&'a str>,
        needed: &'a Pattern,
    },
    /// This argument is missing.
    Missing(&'a Argument),
    /// The call has an argument that the grant does not allow.
    Extra(&'a str),
    Argument {
        argument: &'a Argument,
        stated: &'a Stated<'a>,
        requirement: &'a Requirement,
        fault: Fault,
    },
    /// A native condition does not hold: a test of this argument, or a window of time.
    Native {
        argument: Option<&'a Argument>,
        native: &'a Native,
        answer: Answer<'a>,
    },
}
