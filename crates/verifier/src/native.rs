//! Conditions that the verifier decides itself, because plain Datalog cannot express them: tests of a call's arguments
//! (`meets`) and windows of time (`during`).
//!
//! [`NativeTable`] lists the conditions of a token and of the service's policy, without duplicates. [`CallAnswers`]
//! evaluates each at most once for a call, when typed conditions or the engine first need it. A condition that this
//! version does not know is in no table, so a body that asks for it never matches.

mod answers;
mod table;

use bailiwick_token::condition::{During, Test};

pub(crate) use answers::{Answer, CallAnswers};
pub(crate) use table::{ANSWERED, NativeTable, TableBuilder};

/// A condition that the verifier decides itself.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Native {
    /// `meets(path, text)`
    Test(Test),
    /// `during(text)`
    During(During),
}
