//! `bailiwick keyset export` and `keyset key`: the keyset, and the key that verifiers are configured with.

use bailiwick_token::{key::PublicKey, timestamp::Timestamp};
use clap::Args;
use serde::Serialize;

use crate::{
    exit::{Exit, ExitResult},
    issuer,
    operations::{Operations, SignedKeyset, with},
    out::{self, Out, Quiet},
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `keyset export`.
#[derive(Debug, Args)]
#[command(after_help = "\
The keyset is signed again if it is over an hour old; run this hourly.

Examples:
  bailiwick keyset export --out /srv/www/.well-known/bailiwick/keyset
  bailiwick keyset export --quiet --out keyset.json")]
pub(crate) struct KeysetExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    quiet: Quiet,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct ExportedKeyset<'a> {
    keyset_version: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

impl KeysetExportArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let sign = async |issuer: &dyn Operations| issuer.keyset().await;
        let keyset = with(global, Some(&self.passphrase), sign).await?;
        let SignedKeyset {
            version,
            issued_at,
            expires,
            envelope,
        } = keyset;
        let exported = ExportedKeyset {
            keyset_version: version,
            issued_at,
            expires,
            envelope: self.out.path().is_none().then_some(envelope.as_str()),
            out: self.out.text(),
        };
        out::signed(
            (&self.out, self.quiet),
            &envelope,
            global.format(),
            format_args!("keyset version {version}, until {expires}"),
            &exported,
        )?;
        Ok(Exit::Done)
    }
}

/// Options of `keyset key`.
#[derive(Debug, Args)]
#[command(after_help = "\
The key is public. It is the only key that a verifier is configured with.

Example:
  bailiwick keyset key")]
pub(crate) struct KeyArgs {}

#[derive(Serialize)]
struct KeysetKey {
    keyset_key: PublicKey,
}

impl KeyArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let keyset_key = issuer::with(
            global,
            "keyset key",
            async |issuer| Ok(*issuer.keyset_key()),
        )
        .await?;
        global
            .format()
            .print(&KeysetKey { keyset_key }, format_args!("{keyset_key}\n"))?;
        Ok(Exit::Done)
    }
}
