//! `bailiwick revocations`: listing, adding and exporting revocations.

mod add;
mod list;

use bailiwick_token::{text::counted, timestamp::Timestamp};
use clap::{Args, Subcommand};
use serde::Serialize;

use self::{add::RevocationsAddArgs, list::RevocationsListArgs};
use crate::{
    exit::{Exit, ExitResult},
    operations::{Operations, SignedSnapshot, with},
    out::{self, Out, Quiet},
    passphrase::PassphraseArg,
    settings::Global,
};

/// The verbs of `revocations`.
#[derive(Debug, Subcommand)]
pub(crate) enum RevocationsCommand {
    /// List the revocations that have not expired
    List(RevocationsListArgs),
    /// Revoke all tokens that an agent, a principal or a tenant was given until now
    Add(RevocationsAddArgs),
    /// Print the signed snapshot, or write it to a file
    Export(RevocationsExportArgs),
}

impl RevocationsCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            RevocationsCommand::List(args) => args.run(global).await,
            RevocationsCommand::Add(args) => args.run(global).await,
            RevocationsCommand::Export(args) => args.run(global).await,
        }
    }
}

#[derive(Serialize)]
struct RevocationList<'a, T> {
    revocations: &'a [T],
}

/// Options of `revocations export`.
#[derive(Debug, Args)]
#[command(after_help = "\
Verifiers that fetch from a service need no file. Others read this file, which is valid for a day.

Examples:
  bailiwick revocations export --out revocations.ndjson
  bailiwick revocations export --quiet --out revocations.ndjson")]
pub(crate) struct RevocationsExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct ExportedRevocations<'a> {
    seq: u64,
    entries: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    snapshot: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

impl RevocationsExportArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let sign = async |issuer: &dyn Operations| issuer.snapshot().await;
        let snapshot = with(global, Some(&self.passphrase), sign).await?;
        let SignedSnapshot {
            seq,
            entries,
            issued_at,
            expires,
            file,
        } = snapshot;
        let exported = ExportedRevocations {
            seq,
            entries,
            issued_at,
            expires,
            snapshot: self.out.path().is_none().then_some(file.as_str()),
            out: self.out.text(),
        };
        out::signed(
            (&self.out, self.quiet),
            &file,
            global.format(),
            format_args!(
                "revocations {seq} with {}, until {expires}",
                counted(entries, "entry")
            ),
            &exported,
        )?;
        Ok(Exit::Done)
    }
}
