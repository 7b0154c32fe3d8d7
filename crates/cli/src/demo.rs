//! Everything at work on one machine. (Placeholder: the command is not written yet.)

use clap::Args;

use crate::{
    exit::{Exit, Failure, Outcome},
    output,
};

/// Options of `bailiwick demo`.
#[derive(Debug, Args)]
pub(crate) struct DemoArgs {}

/// Runs the demonstration.
pub(crate) async fn run(args: DemoArgs) -> Outcome {
    let DemoArgs {} = args;
    output::note("nothing to show yet");
    Err(Failure::plain(
        Exit::Local,
        "the demonstration is not part of this build",
    ))
}
