//! `bailiwick keyset`: the keyset that verifiers trust.

mod export;
mod set;
mod show;

use clap::Subcommand;

pub(crate) use self::set::{PUBLISH, warn_of_other_path};
use crate::{exit::ExitResult, runtime::wait, settings::Global};

/// The verbs of `keyset`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeysetCommand {
    /// Print the signed keyset, or write it to a file
    Export(export::KeysetExportArgs),
    /// Show a keyset file
    Show(show::KeysetShowArgs),
    /// Set the URL at which verifiers find the revocations; the keyset's version rises
    Set(set::KeysetSetArgs),
    /// Print the public key that verifiers are configured with
    Key(export::KeyArgs),
}

impl KeysetCommand {
    /// Runs the chosen command.
    pub(crate) fn run(self, global: &Global) -> ExitResult {
        match self {
            KeysetCommand::Show(args) => args.run(global),
            KeysetCommand::Export(args) => wait(args.run(global)),
            KeysetCommand::Set(args) => wait(args.run(global)),
            KeysetCommand::Key(args) => wait(args.run(global)),
        }
    }
}
