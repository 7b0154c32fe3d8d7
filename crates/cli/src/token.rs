//! `bailiwick token`: the commands for tokens.

mod attenuate;
mod deliver;
mod inspect;
mod list;
mod mint;
mod revoke;
mod seal;
mod verify;

use bailiwick_token::attenuate::AttenuateError;
use clap::Subcommand;

use crate::{
    exit::{Exit, ExitResult, Failure},
    runtime::wait,
    settings::Global,
};

pub(crate) use list::pages as listed;
pub(crate) use revoke::{EXPORT, is_new, text as revoked};

/// The verbs of `token`.
#[derive(Debug, Subcommand)]
pub(crate) enum TokenCommand {
    /// Mint a token for an agent, and print it
    Mint(mint::MintArgs),
    /// Narrow a token offline, for a sub-agent; nobody can widen it again
    Attenuate(attenuate::AttenuateArgs),
    /// Seal a token, so that it cannot be narrowed further
    Seal(seal::SealArgs),
    /// List tokens that were minted, by agent, principal, tenant or client
    List(list::TokenListArgs),
    /// Show the content of a token, without verifying it
    Inspect(inspect::TokenInspectArgs),
    /// Decide one call, as a service would
    Verify(Box<verify::TokenVerifyArgs>),
    /// Revoke a token, or one of its blocks, before it expires
    Revoke(revoke::TokenRevokeArgs),
}

impl TokenCommand {
    /// Runs the chosen command.
    pub(crate) fn run(self, global: &Global) -> ExitResult {
        match self {
            TokenCommand::Attenuate(args) => args.run(global),
            TokenCommand::Seal(args) => args.run(global),
            TokenCommand::Inspect(args) => args.run(global),
            TokenCommand::Verify(args) => args.run(global),
            TokenCommand::Mint(args) => wait(args.run(global)),
            TokenCommand::List(args) => wait(args.run(global)),
            TokenCommand::Revoke(args) => wait(args.run(global)),
        }
    }
}

/// The failure of a token that could not be narrowed or sealed.
fn refused(error: AttenuateError) -> Failure {
    match error {
        AttenuateError::Sealed => Failure::plain(
            Exit::Local,
            "the token is sealed, and cannot be narrowed or sealed again",
        )
        .hint("ask whoever sealed it for a narrower one"),
        error => Failure::new(Exit::Local, error).or_hint("check the token and the options"),
    }
}
