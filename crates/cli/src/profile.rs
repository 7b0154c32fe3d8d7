//! `bailiwick profile`: which caller may receive which grants.
//!
//! Files only: no verb needs the database or a key.

mod check;
mod files;
mod list;
mod test;

use clap::Subcommand;

use crate::{exit::Outcome, settings::Global};

/// The verbs of `profile`.
#[derive(Debug, Subcommand)]
pub(crate) enum ProfileCommand {
    /// Check that profiles are well formed, as the issuer reads them
    Check(check::CheckArgs),
    /// List profiles
    List(list::ListArgs),
    /// Show what a caller would get, or why not
    Test(test::TestArgs),
}

impl ProfileCommand {
    /// Runs the verb.
    pub(crate) fn run(self, global: &Global) -> Outcome {
        match self {
            ProfileCommand::Check(args) => args.run(global),
            ProfileCommand::List(args) => args.run(global),
            ProfileCommand::Test(args) => args.run(global),
        }
    }
}
