//! `bailiwick keyset export` and `keyset key`: what verifiers are given.

use bailiwick_token::{key::PublicKey, keyset::Keyset, timestamp::Timestamp};
use clap::Args;
use reqwest::Method;
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, Failure, Outcome},
    issuer::{unlocking, with},
    out::{self, Out},
    passphrase::PassphraseArg,
    settings::Global,
};

/// Options of `keyset export`.
#[derive(Debug, Args)]
#[command(after_help = "\
The keyset is signed again where it is over an hour old; run this hourly.

Example:
  bailiwick keyset export --out /srv/www/.well-known/bailiwick/keyset")]
pub(crate) struct ExportArgs {
    #[command(flatten)]
    out: Out,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Exported<'a> {
    keyset_version: u64,
    issued_at: Timestamp,
    expires: Timestamp,
    #[serde(skip_serializing_if = "Option::is_none")]
    envelope: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
}

impl ExportArgs {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let (version, issued_at, expires, envelope) = match global.server()? {
            Some(server) => {
                let path = "/.well-known/bailiwick/keyset";
                let envelope = server.text(Method::GET, path).await?;
                let keyset = Keyset::open(envelope.as_bytes(), &global.keyset_key()?)
                    .map_err(|error| Failure::new(Exit::Remote, error))?;
                (keyset.version, keyset.issued_at, keyset.expires, envelope)
            }
            None => {
                let now = clock::now()?;
                let keyset = with(global, async |issuer| {
                    let sign = async || issuer.keyset(now).await;
                    unlocking(issuer, &self.passphrase, global, sign).await
                });
                let keyset = keyset.await?;
                (
                    keyset.version,
                    keyset.issued_at,
                    keyset.expires,
                    keyset.envelope,
                )
            }
        };
        let exported = Exported {
            keyset_version: version,
            issued_at,
            expires,
            envelope: self.out.path().is_none().then_some(envelope.as_str()),
            out: self.out.text(),
        };
        out::signed(
            &self.out,
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
It is public, and the one thing that a verifier is configured with.

Example:
  bailiwick keyset key")]
pub(crate) struct KeyArgs {}

#[derive(Serialize)]
struct Key {
    keyset_key: PublicKey,
}

impl KeyArgs {
    pub(super) async fn run(self, global: &Global) -> Outcome {
        let keyset_key = with(global, async |issuer| Ok(*issuer.keyset_key())).await?;
        global
            .format()
            .print(&Key { keyset_key }, format_args!("{keyset_key}\n"))?;
        Ok(Exit::Done)
    }
}
