//! `bailiwick status`: what is due, what fails, and what to do next.

mod summary;
mod text;

use bailiwick_api::{Health, IssuerStatus};
use clap::Args;

use crate::{
    exit::{Exit, ExitResult},
    operations::{Operations, with},
    output,
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `bailiwick status`.
#[derive(Debug, Args)]
#[command(after_help = "\
The passphrase is tested if it is in a file or the environment; there is no prompt. Identity providers \
in `service.toml` are asked for their keys, for 15 seconds at most. With --server, the service reports \
on itself; the operator's token needs the action `status:read`.

Exit codes: 0 all is well, 7 there are warnings, 8 there are errors; another code if the state could not be determined.

Examples:
  bailiwick status
  bailiwick status --quiet
  bailiwick status --json --server https://issuer.example")]
pub(crate) struct StatusArgs {
    /// Print only findings, and nothing if there are none
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

impl StatusArgs {
    /// Prints the report. The exit code states the worst finding.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        let report = async |issuer: &dyn Operations| issuer.status().await;
        let status: IssuerStatus = with(global, Some(&self.passphrase), report).await?;
        if !(self.quiet && status.state == Health::Ok) {
            let text = text::report(&status, self.quiet, output::terminal_columns());
            global.format().print(&status, text)?;
        }
        Ok(Exit::from(status.state))
    }
}
