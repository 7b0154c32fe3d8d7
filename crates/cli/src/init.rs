//! `bailiwick init`: creating an issuer.

use std::path::PathBuf;

use bailiwick_issuer::{InitError, InitOptions, Issuer, State};
use bailiwick_service::usual_revocation_url;
use bailiwick_token::{
    escape::{name, phrase},
    key::{KeyId, PublicKey},
};
use clap::Args;
use serde::Serialize;

use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    issuer, keyset, output, parse,
    passphrase::PassphraseArg,
    settings::Global,
    store::StoreArg,
};

const NEXT: &str = "what to do next:
  1. keep the passphrase in a safe place, and backups in another: bailiwick backup --help
  2. give verifiers the keyset key above, once, and the keyset: bailiwick keyset export
  3. write grants, and mint a token: bailiwick token mint --help
  4. run every hour: bailiwick key rotate, then bailiwick keyset export";

/// Options of `bailiwick init`.
#[derive(Debug, Args)]
#[command(after_help = "\
The home must not exist yet, or be an empty directory. Its private keys are encrypted with the \
passphrase, and are lost without it.

Example:
  BAILIWICK_PASSPHRASE_FILE=passphrase.txt \\
      bailiwick init --issuer https://issuer.example")]
pub(crate) struct InitArgs {
    /// The issuer's name in tokens and in the keyset: a URL
    #[arg(long, value_name = "URL", value_parser = parse::text)]
    issuer: String,
    /// Maximum lifetime of a token [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    max_ttl: Option<u64>,
    /// Interval at which verifiers look for a newer keyset [default: 30s]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    refresh_hint: Option<u64>,
    /// The lifetime of a signed keyset [default: 1d]
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    keyset_life: Option<u64>,
    /// The URL at which verifiers find the revocations; `keyset set` can set it later
    #[arg(long, value_name = "URL", value_parser = parse::text)]
    revocation_url: Option<String>,
    #[command(flatten)]
    store: StoreArg,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Made {
    issuer: String,
    home: PathBuf,
    keyset_key: PublicKey,
    active: Option<KeyId>,
    spare: Option<KeyId>,
}

impl InitArgs {
    /// Creates the issuer, and prints the next steps.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        let home = global.home()?;
        // `init` checks this again. This earlier check comes before the user is asked for a passphrase.
        Issuer::check_vacant(&home).map_err(InitError::Home)?;
        global.only_here("init")?;
        let store = self.store.store()?;
        let passphrase = self.passphrase.new_passphrase(global)?;
        let options = InitOptions {
            store,
            ..self.options()?
        };
        let issuer = Issuer::init(&home, options, &passphrase, clock::now()?).await?;
        let keys = issuer.keys().await?;
        let in_state = |state| keys.iter().find(|key| key.state == state).map(|key| key.id);
        let made = Made {
            issuer: issuer.settings().issuer.clone(),
            home: issuer.home().to_owned(),
            keyset_key: *issuer.keyset_key(),
            active: in_state(State::Active),
            spare: in_state(State::Staged),
        };
        let url = issuer.revocation_url().await?;
        issuer.close().await;
        global.format().print(&made, made.text())?;
        if let Some(url) = url {
            let usual = usual_revocation_url(&made.issuer, &url);
            keyset::warn_of_other_path(&url, usual.as_deref());
        }
        output::hint(NEXT);
        Ok(Exit::Done)
    }

    fn options(self) -> Result<InitOptions, Failure> {
        let mut options = InitOptions::new(self.issuer);
        if let Some(seconds) = self.max_ttl {
            options.max_token_ttl = seconds;
        }
        if let Some(seconds) = self.refresh_hint {
            options.refresh_hint = seconds;
        }
        if let Some(seconds) = self.keyset_life {
            options.keyset_life = seconds;
        }
        options.actor = issuer::actor()?;
        options.revocation_url = self.revocation_url;
        Ok(options)
    }
}

impl Made {
    fn text(&self) -> String {
        let id = |id: Option<KeyId>| id.map_or("none".to_owned(), |id| id.to_string());
        format!(
            "issuer      {}\nhome        {}\nkeyset key  {}\nactive      {}\nspare       {}\n",
            name(&self.issuer),
            phrase(&self.home.display().to_string()),
            self.keyset_key,
            id(self.active),
            id(self.spare),
        )
    }
}
