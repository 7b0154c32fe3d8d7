//! The command line: commands are a noun, then a verb.

use std::env;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use crate::{
    audit, backup, biscuit, check, client, demo, exit::ExitResult, generate, grants, init, key,
    keyset, profile, restore, revocations, runtime::wait, serve, settings::Global, status, token,
    verifier,
};

/// Maximum width of help, in columns. Longer lines are hard to read.
const WIDEST: usize = 100;

const AFTER_HELP: &str = "\
Data goes to stdout, everything else to stderr. Tokens and secrets come from a file, from \
standard input (`-`) or from the environment, never from an argument. A flag overrides its environment variable, which overrides `config.toml` in the home.

Exit codes: 0 done or allowed, 1 local error, 2 usage, 3 denied, 4 a guard refused, 5 not found, \
6 remote error; of `status` and `check` also 7 warnings found, 8 errors found.

`bailiwick completions bash` prints completions for a shell; `bailiwick man DIR` writes manual pages.

Example, from nothing to a decision:
  export BAILIWICK_PASSPHRASE_FILE=passphrase.txt
  bailiwick init --issuer https://issuer.example
  bailiwick keyset export --out keyset.json
  bailiwick token mint --agent agent:buyer --principal team:procurement \\
      --ttl 15m --grants grants.toml --out token
  bailiwick token verify token --keyset keyset.json \\
      --keyset-key \"$(bailiwick keyset key)\" \\
      --service erp --action purchase_order:read";

/// Authority for AI agents that only ever narrows: issue, narrow, verify, revoke, audit
#[derive(Debug, Parser)]
#[command(name = "bailiwick", version, after_help = AFTER_HELP, max_term_width = WIDEST)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make an issuer: its keys and its store
    Init(init::InitArgs),
    /// Root keys and their states
    #[command(subcommand)]
    Key(key::KeyCommand),
    /// The signed keyset, which verifiers trust
    #[command(subcommand)]
    Keyset(keyset::KeysetCommand),
    /// Mint, narrow, seal, inspect, verify and revoke tokens
    #[command(subcommand)]
    Token(token::TokenCommand),
    /// Revocations, and their signed snapshot
    #[command(subcommand)]
    Revocations(revocations::RevocationsCommand),
    /// Agents that authenticate with a secret or a key
    #[command(subcommand)]
    Client(client::ClientCommand),
    /// The keysets and revocations that verifiers report
    #[command(subcommand)]
    Verifier(verifier::VerifierCommand),
    /// The audit log of all mints, revocations and key changes
    #[command(subcommand)]
    Audit(audit::AuditCommand),
    /// Write the whole issuer into one signed file
    Backup(backup::BackupArgs),
    /// Restore an issuer from a backup, and adopt later changes
    Restore(restore::RestoreArgs),
    /// Biscuits of other issuers: inspect them, and decide with Datalog
    #[command(subcommand)]
    Biscuit(biscuit::BiscuitCommand),
    /// Check, show, compare and try grants before a token carries them
    #[command(subcommand)]
    Grants(grants::GrantsCommand),
    /// Check, list and try profiles: the grants that callers may receive
    #[command(subcommand)]
    Profile(profile::ProfileCommand),
    /// Show the state of the issuer: due work, failures, and next steps
    Status(status::StatusArgs),
    /// Check all settings and profiles of a home together, without opening its store
    Check(check::CheckArgs),
    /// Serve callers, verifiers and operators over HTTP
    Serve(serve::ServeArgs),
    /// Run a short demonstration on this machine
    Demo(demo::DemoArgs),
    /// Print a shell's completions
    Completions(generate::CompletionsArgs),
    /// Write the manual pages into a directory
    Man(generate::ManArgs),
}

impl Cli {
    /// Parses the arguments of this process. Help is wrapped to `terminal` columns.
    pub(crate) fn parse_for(terminal: Option<u16>) -> Result<Cli, clap::Error> {
        let mut command = fitted(terminal);
        let matches = command.try_get_matches_from_mut(env::args_os())?;
        Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }

    /// Runs the chosen command.
    pub(crate) fn run(self) -> ExitResult {
        let global = &self.global;
        match self.command {
            Command::Token(command) => command.run(global),
            Command::Biscuit(command) => command.run(global),
            Command::Grants(command) => command.run(global),
            Command::Completions(args) => args.run(Cli::command()),
            Command::Man(args) => args.run(Cli::command(), global),
            Command::Keyset(command) => command.run(global),
            Command::Init(args) => wait(args.run(global)),
            Command::Key(command) => wait(command.run(global)),
            Command::Profile(command) => wait(command.run(global)),
            Command::Revocations(command) => wait(command.run(global)),
            Command::Client(command) => wait(command.run(global)),
            Command::Verifier(command) => wait(command.run(global)),
            Command::Audit(command) => wait(command.run(global)),
            Command::Backup(args) => wait(args.run(global)),
            Command::Restore(args) => wait(args.run(global)),
            Command::Status(args) => wait(args.run(global)),
            Command::Check(args) => wait(args.run(global)),
            Command::Serve(args) => wait(args.run(global)),
            Command::Demo(args) => wait(demo::run(args, global)),
        }
    }
}

/// The command line, whose help fits a terminal of this width. Clap measures the terminal too, but ignores a terminal
/// that reports columns and no rows.
fn fitted(terminal: Option<u16>) -> clap::Command {
    let command = Cli::command();
    match terminal {
        Some(width) => command.term_width(usize::from(width).min(WIDEST)),
        None => command,
    }
}

#[cfg(test)]
mod tests;
