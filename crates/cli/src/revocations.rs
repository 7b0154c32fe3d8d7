//! `bailiwick revocations`: what is revoked, signed for verifiers.

use std::path::Path;

use bailiwick_token::timestamp::Timestamp;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, Outcome},
    issuer::{unlocking, with},
    out::{self, Out},
    passphrase::PassphraseArg,
    settings::Global,
};

/// The verbs of `revocations`.
#[derive(Debug, Subcommand)]
pub(crate) enum RevocationsCommand {
    /// Print the signed list, or write it to a file
    Export(ExportArgs),
}

impl RevocationsCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, global: &Global) -> Outcome {
        match self {
            RevocationsCommand::Export(args) => args.run(global).await,
        }
    }
}

/// Options of `revocations export`.
#[derive(Debug, Args)]
#[command(after_help = "\
The list is signed again where an entry is new, or where it is over an hour old.

Example:
  bailiwick revocations export --out revocations.json")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Exported<'a> {
    seq: u64,
    entries: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<&'a Path>,
}

impl ExportArgs {
    async fn run(self, global: &Global) -> Outcome {
        let now = clock::now()?;
        let list = with(global, async |issuer| {
            let sign = async || issuer.revocations(now).await;
            unlocking(issuer, &self.passphrase, global, sign).await
        });
        let list = list.await?;
        let out = self.out.out.as_deref();
        let exported = Exported {
            seq: list.seq,
            entries: list.entries,
            issued_at: list.issued_at,
            expires: list.expires,
            envelope: out.is_none().then_some(list.envelope.as_str()),
            out,
        };
        out::signed(
            &self.out,
            &list.envelope,
            global.format(),
            format_args!(
                "list {} with {} entries, until {}",
                list.seq, list.entries, list.expires
            ),
            &exported,
        )?;
        Ok(Exit::Done)
    }
}
