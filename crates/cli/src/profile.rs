//! `bailiwick profile`: the grants that callers may receive.
//!
//! No verb needs a key. Profiles are read from files, or with `--server` from a service.

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
    /// Show what a caller would get, or why not
    Test(test::TestArgs),
}

impl ProfileCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            ProfileCommand::Check(args) => args.run(global).await,
            ProfileCommand::List(args) => args.run(global).await,
            ProfileCommand::Test(args) => args.run(global).await,
        }
    }
}
