//! The asynchronous runtime of a command.

use crate::exit::{Exit, ExitResult, Failure};

/// Runs an asynchronous command to its end.
pub(crate) fn wait(work: impl Future<Output = ExitResult>) -> ExitResult {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::plain(Exit::Local, format!("cannot start ({error})"))
                .hint("free memory or threads, and try again")
        })?;
    runtime.block_on(work)
}
