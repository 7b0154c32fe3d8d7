//! Failures of the demonstration itself.

use crate::exit::{Exit, Failure};

/// The failure of a step that should never fail on a machine with free disk space and a loopback interface.
pub(super) fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::plain(Exit::Local, format!("the demonstration failed ({error})")).hint(
        "make sure that there is space for temporary files and that the loopback network works",
    )
}
