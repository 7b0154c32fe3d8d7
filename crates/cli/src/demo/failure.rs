//! Failures of the demonstration itself.

use crate::exit::{Exit, Failure};

/// The failure of a step that has no reason to fail, on a machine with room and a loopback.
pub(super) fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::plain(
        Exit::Local,
        format!("the demonstration broke off ({error})"),
    )
    .hint("it needs room for temporary files, and the loopback network")
}
