//! `bailiwick key`: root keys and their states.

mod report;

use bailiwick_issuer::{ImportedKey, KeyInfo, Rotation};
use bailiwick_token::key::KeyId;
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::json;

pub(crate) use self::report::change;
use self::report::{Changed, line, told};
use crate::{
    clock,
    confirm::Confirm,
    exit::{Exit, Failure, Outcome},
    input::Source,
    issuer::{unlocking, with},
    output, parse,
    passphrase::PassphraseArg,
    settings::Global,
};

/// The most bytes of a private key's file.
const MAX_KEY: usize = 4096;

/// The verbs of `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List all root keys, also retired and revoked ones
    List(ListArgs),
    /// Make a new key and publish it; it does not sign yet
    Stage(StageArgs),
    /// Publish an existing Ed25519 key; it does not sign yet
    Import(ImportArgs),
    /// Let a staged key sign; the active one begins to retire
    Activate(ActivateArgs),
    /// Destroy a retiring key's private half, and take it out of the keyset
    Retire(RetireArgs),
    /// Revoke a key at once: every token that it signed is dead
    Revoke(RevokeArgs),
    /// Do what is due: stage, activate, retire; safe to run from cron
    Rotate(RotateArgs),
}

impl KeyCommand {
    /// Runs the verb.
    pub(crate) async fn run(self, global: &Global) -> Outcome {
        match self {
            KeyCommand::List(args) => args.run(global).await,
            KeyCommand::Stage(args) => args.run(global).await,
            KeyCommand::Import(args) => args.run(global).await,
            KeyCommand::Activate(args) => args.run(global).await,
            KeyCommand::Retire(args) => args.run(global).await,
            KeyCommand::Revoke(args) => args.run(global).await,
            KeyCommand::Rotate(args) => args.run(global).await,
        }
    }
}

/// Options of `key list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick key list --state staged")]
pub(crate) struct ListArgs {
    /// Only keys in this state
    #[arg(long, value_name = "STATE", value_parser = ["staged", "active", "retiring", "retired", "revoked"])]
    state: Option<String>,
}

/// Options of `key stage`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick key stage")]
pub(crate) struct StageArgs {
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key import`.
#[derive(Debug, Args)]
#[command(after_help = "\
PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it, or 64 hexadecimal digits, as
`biscuit keypair` writes them. Destroy the file afterwards: the key is in the home.

Example:
  bailiwick key import key.pem")]
pub(crate) struct ImportArgs {
    /// The private key
    #[arg(value_name = "FILE|-")]
    key: Source,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key activate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Refused (exit code 4) until the key has been published for 4 times the refresh hint: a verifier
that does not know it yet would deny its tokens.

Example:
  bailiwick key activate 0a1b2c3d")]
pub(crate) struct ActivateArgs {
    /// The staged key
    id: KeyId,
    /// Override the guard, and accept denied tokens
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key retire`.
#[derive(Debug, Args)]
#[command(after_help = "\
Refused (exit code 4) while tokens that it signed can still be alive.

Example:
  bailiwick key retire 0a1b2c3d --yes")]
pub(crate) struct RetireArgs {
    /// The retiring key
    id: KeyId,
    /// Override the guard, and accept denied tokens
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key revoke`.
#[derive(Debug, Args)]
#[command(after_help = "\
Where the key was active, a spare takes over in the same step, and a new spare is staged. Refused
(exit code 4) without a reason. Verifiers learn of it from the next keyset.

Example:
  bailiwick key revoke 0a1b2c3d --reason 'laptop stolen' --yes")]
pub(crate) struct RevokeArgs {
    /// The key, in any state
    id: KeyId,
    /// Why, for people; verifiers see it
    #[arg(long, value_name = "TEXT", value_parser = parse::text)]
    reason: Option<String>,
    /// Revoke without a reason
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Each run does what is due and leaves the rest for a later one; nothing is forced.

Example:
  bailiwick key rotate")]
pub(crate) struct RotateArgs {
    #[command(flatten)]
    passphrase: PassphraseArg,
}

#[derive(Serialize)]
struct Listed<'a> {
    keys: &'a [KeyInfo],
}

impl ListArgs {
    async fn run(self, global: &Global) -> Outcome {
        let mut keys: Vec<KeyInfo> = match global.server()? {
            Some(server) => server.get("/v1/keys").await?,
            None => with(global, async |issuer| Ok(issuer.keys().await?)).await?,
        };
        if let Some(state) = &self.state {
            keys.retain(|key| key.state.as_str() == state);
        }
        let lines: String = keys.iter().map(line).collect();
        global.format().print(&Listed { keys: &keys }, lines)?;
        Ok(Exit::Done)
    }
}

impl StageArgs {
    async fn run(self, global: &Global) -> Outcome {
        if let Some(server) = global.server()? {
            return told(global, &server.post("/v1/keys", &json!({})).await?);
        }
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            unlocking(issuer, &self.passphrase, global, async || {
                issuer.stage(now).await
            })
            .await
        });
        told(global, &report.await?)
    }
}

impl ImportArgs {
    async fn run(self, global: &Global) -> Outcome {
        global.only_here("key import")?;
        let text = self.key.read_text(MAX_KEY)?;
        let key = ImportedKey::parse(&text).map_err(|error| Failure::new(Exit::Local, error))?;
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            issuer.unlock(&self.passphrase.passphrase(global)?)?;
            Ok(issuer.import(key, now).await?)
        });
        told(global, &report.await?)
    }
}

impl ActivateArgs {
    async fn run(self, global: &Global) -> Outcome {
        if let Some(server) = global.server()? {
            return told(
                global,
                &server
                    .post(
                        &format!("/v1/keys/{}/activate", self.id),
                        &json!({ "force": self.force }),
                    )
                    .await?,
            );
        }
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            let activate = async || issuer.activate(self.id, self.force, now).await;
            unlocking(issuer, &self.passphrase, global, activate).await
        });
        told(global, &report.await?)
    }
}

impl RetireArgs {
    async fn run(self, global: &Global) -> Outcome {
        self.confirm.ask("retire the key", &self.id)?;
        if let Some(server) = global.server()? {
            return told(
                global,
                &server
                    .post(
                        &format!("/v1/keys/{}/retire", self.id),
                        &json!({ "force": self.force }),
                    )
                    .await?,
            );
        }
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            let retire = async || issuer.retire(self.id, self.force, now).await;
            unlocking(issuer, &self.passphrase, global, retire).await
        });
        told(global, &report.await?)
    }
}

impl RevokeArgs {
    async fn run(self, global: &Global) -> Outcome {
        let reason = match &self.reason {
            Some(reason) => reason.as_str(),
            None if self.force => "none given",
            None => {
                return Err(
                    Failure::plain(Exit::Guarded, "a key is not revoked without a reason")
                        .hint("give --reason, or --force to go on without"),
                );
            }
        };
        self.confirm.ask("revoke the key", &self.id)?;
        if let Some(server) = global.server()? {
            return told(
                global,
                &server
                    .post(
                        &format!("/v1/keys/{}/revoke", self.id),
                        &json!({ "reason": reason }),
                    )
                    .await?,
            );
        }
        let now = clock::now()?;
        let report = with(global, async |issuer| {
            let revoke = async || issuer.revoke_key(self.id, reason, now).await;
            unlocking(issuer, &self.passphrase, global, revoke).await
        });
        told(global, &report.await?)
    }
}

impl RotateArgs {
    async fn run(self, global: &Global) -> Outcome {
        let rotation: Rotation = match global.server()? {
            Some(server) => server.post("/v1/keys/rotate", &json!({})).await?,
            None => {
                let now = clock::now()?;
                with(global, async |issuer| {
                    let rotate = async || issuer.rotate(now).await;
                    unlocking(issuer, &self.passphrase, global, rotate).await
                })
                .await?
            }
        };
        let changed = Changed {
            changes: &rotation.changes,
            keyset_version: rotation.keyset_version,
            waiting: Some(&rotation.waiting),
        };
        changed.print(global)?;
        for guard in &rotation.waiting {
            output::note(format_args!(
                "key `{}` {} until {}",
                guard.id, guard.wait, guard.until
            ));
        }
        Ok(Exit::Done)
    }
}
