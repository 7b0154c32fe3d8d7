//! `bailiwick profile`: the grants that callers may receive.
//!
//! These commands need no key. They read profiles from files, or from a service with `--server`.

mod check;
pub(crate) mod files;
mod list;
mod test;

use clap::Subcommand;

use crate::{exit::ExitResult, settings::Global};

/// The verbs of `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Check that profiles are well formed, as the issuer reads them
    Check(check::ProfileCheckArgs),
    /// List profiles
    List(list::ProfileListArgs),
    /// Show the token that a caller would get, or the reason for a refusal
    Test(test::TestArgs),
}

impl ProfileCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            ProfileCommand::Check(args) => args.run(global).await,
            ProfileCommand::List(args) => args.run(global).await,
            ProfileCommand::Test(args) => args.run(global).await,
        }
    }
}
