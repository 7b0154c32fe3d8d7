//! `bailiwick keyset`: what verifiers trust.

mod show;

use clap::Subcommand;

use crate::{exit::Outcome, settings::Global};

/// The verbs of `keyset`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// Show a keyset file
    Show(show::ShowArgs),
}

impl KeysetCommand {
    /// Runs the verb.
    pub(crate) fn run(self, global: &Global) -> Outcome {
        match self {
            KeysetCommand::Show(args) => args.run(global),
        }
    }
}
