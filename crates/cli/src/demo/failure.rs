//! Failures of the demonstration itself.

use crate::exit::{Exit, Failure};

/// The failure of a step that should never fail on a machine with free disk space and a loopback interface.
pub(super) fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::plain(
        Exit::Local,
        format!("the demonstration broke off ({error})"),
    )
    .hint("it needs room for temporary files, and the loopback network")
}
