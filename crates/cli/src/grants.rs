//! `bailiwick grants`: check, show, compare and try grants before a token carries them.

mod calls;
mod check;
mod diff;
mod show;
mod simulate;
mod throwaway;

use clap::Subcommand;

use crate::{exit::ExitResult, settings::Global};

/// The verbs of `grants`.
#[derive(Debug, Subcommand)]
pub(crate) enum GrantsCommand {
    /// Check that grants are well formed and fit a token, and warn about likely mistakes
    Check(check::GrantsCheckArgs),
    /// Show grants in words, as TOML or as Datalog
    Show(show::GrantsShowArgs),
    /// Compare two files: what one allows and the other does not, with an example call for each
    Diff(diff::DiffArgs),
    /// Decide recorded calls under grants, with the real verifier and throw-away keys
    Simulate(simulate::SimulateArgs),
}

impl GrantsCommand {
    /// Runs the chosen command.
    pub(crate) fn run(self, global: &Global) -> ExitResult {
        match self {
            GrantsCommand::Check(args) => args.run(global),
            GrantsCommand::Show(args) => args.run(global),
            GrantsCommand::Diff(args) => args.run(global),
            GrantsCommand::Simulate(args) => args.run(global),
        }
    }
}
