//! `bailiwick`: issue, narrow, verify, revoke and audit agents' tokens from the command line.
//!
//! Data goes to stdout and everything else to stderr. The exit code states the outcome (see [`exit`]). Only this
//! crate reads the terminal and the program's environment variables. The libraries get the time from it.

mod audit;
mod backup;
mod biscuit;
mod check;
mod cli;
mod client;
mod clock;
mod config;
mod confirm;
mod demo;
mod exit;
mod generate;
mod grants;
mod harden;
mod hint;
mod home_status;
mod init;
mod input;
mod issuer;
mod key;
mod keyset;
mod logging;
mod operations;
mod out;
mod output;
mod parse;
mod passphrase;
mod profile;
mod restore;
mod revocations;
mod runtime;
mod serve;
mod server;
mod settings;
mod status;
mod store;
mod table;
mod token;
mod usage;
mod verifier;
mod wrap;

use std::{io::Write, process::ExitCode};

use bailiwick_token::escape::visible;
use clap::error::ContextValue;

/// An allocator that wipes freed memory, because secrets pass through buffers of libraries that do not wipe
/// them.
#[global_allocator]
static WIPING: zeroizing_alloc::ZeroAlloc<std::alloc::System> =
    zeroizing_alloc::ZeroAlloc(std::alloc::System);

fn main() -> ExitCode {
    // This comes first, so that no secret that is read later can end up in a core file.
    if let Err(failure) = harden::process() {
        return report(failure);
    }
    let cli = match cli::Cli::parse_for(output::terminal_width()) {
        Ok(cli) => cli,
        Err(error) => return usage(error),
    };
    logging::start(cli.global.verbose);
    let code = match cli.run() {
        Ok(exit) => exit.into(),
        Err(failure) => report(failure),
    };
    logging::flush();
    code
}

/// Prints the reason for a failure, and returns the exit code.
fn report(failure: exit::Failure) -> ExitCode {
    output::error(&failure.indented(), failure.what_next());
    failure.code().into()
}

/// Prints help, or the error of a malformed command line. Clap repeats arguments unchanged, so they are escaped
/// here.
fn usage(mut error: clap::Error) -> ExitCode {
    if !error.use_stderr() {
        let help = error.render().ansi().to_string();
        // Like clap, this ignores errors, which mean that nobody reads the help.
        let _ = write!(anstream::stdout().lock(), "{}", fitted(&help));
        return exit::Exit::Done.into();
    }
    let arguments = error.context().filter_map(|(kind, value)| match value {
        ContextValue::String(text) => Some((kind, visible(text).into_owned())),
        _ => None,
    });
    for (kind, text) in arguments.collect::<Vec<_>>() {
        error.insert(kind, ContextValue::String(text));
    }
    let text = fitted(&error.render().to_string());
    let text = text.trim_end_matches('\n');
    output::error(text.strip_prefix("error: ").unwrap_or(text), None);
    exit::Exit::Usage.into()
}

/// Help that fits the terminal.
fn fitted(help: &str) -> String {
    usage::fitted(help, output::terminal_width())
}
