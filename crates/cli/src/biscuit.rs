//! `bailiwick biscuit`: Biscuits from any issuer, inside or outside Bailiwick's profile.

mod authorize;
mod inspect;

use bailiwick_biscuit::authorize::{Error, ErrorKind};
use bailiwick_token::escape::visible;
use clap::{Args, Subcommand};
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    settings::Global,
};

/// The verbs of `biscuit`.
#[derive(Debug, Subcommand)]
pub(crate) enum BiscuitCommand {
    /// Show the content of a Biscuit, without verifying it
    Inspect(inspect::BiscuitInspectArgs),
    /// Verify a Biscuit under a root key, and decide with a service's Datalog
    Authorize(Box<authorize::AuthorizeArgs>),
}

impl BiscuitCommand {
    /// Runs the chosen command.
    pub(crate) fn run(self, global: &Global) -> ExitResult {
        match self {
            BiscuitCommand::Inspect(args) => args.run(global),
            BiscuitCommand::Authorize(args) => args.run(global),
        }
    }
}

/// Options that name a Biscuit. A Biscuit is a secret, so it is never an argument itself.
#[derive(Debug, Args)]
struct BiscuitArg {
    /// The Biscuit's file, in binary or as base64url, or `-` for standard input
    #[arg(value_name = "FILE|-")]
    biscuit: Input,
}

impl BiscuitArg {
    /// Reads the bytes without checking them.
    fn bytes(&self) -> Result<Zeroizing<Vec<u8>>, Failure> {
        input::token_bytes(&self.biscuit)
    }
}

/// The failure of a Biscuit for which no decision was made, with a hint. Names in the message may come from the
/// token.
fn failure(error: &Error) -> Failure {
    let hint = match error.kind {
        ErrorKind::Format => {
            "give a Biscuit as its issuer wrote it, in binary or as base64url text"
        }
        ErrorKind::Signature => {
            "check that --root-key is the key of the token's issuer; if it is, the token was modified, so get it again"
        }
        ErrorKind::Rule => "correct the statement; `authorizer` is the file of --authorizer",
        ErrorKind::Execution => {
            "`bailiwick biscuit inspect` shows the token's checks; the rest is the file of --authorizer"
        }
        ErrorKind::Fuel => {
            "simplify the policies, or allow more fuel with --fuel if it was fuel that ran out"
        }
        _ => "look at the token with `bailiwick biscuit inspect`",
    };
    Failure::plain(
        Exit::Local,
        format!("{}: {}", error.kind, visible(&error.message)),
    )
    .hint(hint)
}
