//! Conditions that the verifier decides itself, because plain Datalog cannot express them: tests of a call's arguments
//! (`meets`) and windows of time (`during`).
//!
//! [`NativeTable`] holds those of a token and of the service's policy, each once. [`CallAnswers`] evaluates them for one
//! call, each when it is first needed, for typed conditions and for the engine alike. A text that this version does not
//! know is in no table, so no body that asks for it ever matches.

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
