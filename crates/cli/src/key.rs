//! `bailiwick key`: root keys and their states.

mod active;
mod list;
mod report;

use bailiwick_issuer::ImportedKey;
use bailiwick_service::wire::IntoWire;
use bailiwick_token::key::KeyId;
use clap::{ArgGroup, Args, Subcommand};

pub(crate) use self::report::change;
use self::{
    active::active,
    list::KeyListArgs,
    report::{Changed, print_outcome, waits},
};
use crate::{
    clock,
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    input::Input,
    issuer,
    operations::{Operations, with},
    output, parse,
    passphrase::PassphraseArg,
    settings::Global,
};

/// Maximum length of a private key's file, in bytes.
const MAX_KEY: usize = 4096;

/// The verbs of `key`.
#[derive(Debug, Subcommand)]
pub(crate) enum KeyCommand {
    /// List all root keys, including retired and revoked ones
    List(KeyListArgs),
    /// Make a new key and publish it; it does not sign yet
    Stage(StageArgs),
    /// Publish an existing Ed25519 key; it does not sign yet
    Import(ImportArgs),
    /// Activate a staged key; the previously active key begins to retire
    Activate(ActivateArgs),
    /// Destroy a retiring key's private half, and remove the key from the keyset
    Retire(RetireArgs),
    /// Revoke a key at once, and with it every token that it signed
    Revoke(KeyRevokeArgs),
    /// Stage, activate and retire keys that are due; safe to run from cron
    Rotate(KeyRotateArgs),
}

impl KeyCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
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
PKCS#8 in PEM, as `openssl genpkey -algorithm ed25519` writes it, or 64 hexadecimal digits, as \
`biscuit keypair` writes them. Destroy the file afterwards: the key is in the home.

Example:
  bailiwick key import key.pem")]
pub(crate) struct ImportArgs {
    /// The private key
    #[arg(value_name = "FILE|-")]
    key: Input,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key activate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Refused (exit code 4) until the key has been published for 4 times the refresh hint: a verifier that \
does not know the key yet would deny the tokens that it signs.

Example:
  bailiwick key activate 0a1b2c3d")]
pub(crate) struct ActivateArgs {
    /// The staged key
    id: KeyId,
    /// Override the guard, even if valid tokens are then denied
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key retire`.
#[derive(Debug, Args)]
#[command(after_help = "\
Refused (exit code 4) while tokens that it signed may still be valid.

Example:
  bailiwick key retire 0a1b2c3d --yes")]
pub(crate) struct RetireArgs {
    /// The retiring key
    id: KeyId,
    /// Override the guard, even if valid tokens are then denied
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

/// Options of `key revoke`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("key").required(true).args(["id", "active"])),
    after_help = "\
If the key is active, a spare takes over in the same step, and a new spare is staged. Refused \
(exit code 4) without a reason. Verifiers learn of it from the next keyset. For an hour after that, \
--active is refused (exit code 4), so that a repeated command does not revoke the spare as well.

Examples:
  bailiwick key revoke 0a1b2c3d --reason 'laptop stolen' --yes
  bailiwick key revoke --active --reason 'found in a backup' --yes"
)]
pub(crate) struct KeyRevokeArgs {
    /// The key, in any state
    #[arg(conflicts_with = "active")]
    id: Option<KeyId>,
    /// Revoke the key that signs now
    #[arg(long)]
    active: bool,
    /// The reason, for people; it is published to verifiers
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
Each run makes the transitions that are due, and overrides no guard. With a wrong passphrase, it fails \
even if nothing is due.

Examples:
  bailiwick key rotate
  bailiwick key rotate --quiet")]
pub(crate) struct KeyRotateArgs {
    /// Print nothing if nothing was due
    #[arg(short, long)]
    quiet: bool,
    #[command(flatten)]
    passphrase: PassphraseArg,
}

impl StageArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let stage = async |issuer: &dyn Operations| issuer.stage_key().await;
        print_outcome(global, &with(global, Some(&self.passphrase), stage).await?)
    }
}

impl ImportArgs {
    async fn run(self, global: &Global) -> ExitResult {
        global.only_here("key import")?;
        let text = self.key.read_text(MAX_KEY)?;
        let key = ImportedKey::parse(&text).map_err(|error| Failure::new(Exit::Local, error))?;
        let now = clock::now()?;
        let report = issuer::with(global, "key import", async |issuer| {
            issuer.unlock(&self.passphrase.passphrase(global)?)?;
            Ok(issuer.import(key, now).await?)
        });
        print_outcome(global, &report.await?.into_wire())
    }
}

impl ActivateArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let activate =
            async |issuer: &dyn Operations| issuer.activate_key(self.id, self.force).await;
        print_outcome(
            global,
            &with(global, Some(&self.passphrase), activate).await?,
        )
    }
}

impl RetireArgs {
    async fn run(self, global: &Global) -> ExitResult {
        self.confirm.ask("retire the key", &self.id)?;
        let retire = async |issuer: &dyn Operations| issuer.retire_key(self.id, self.force).await;
        print_outcome(global, &with(global, Some(&self.passphrase), retire).await?)
    }
}

impl KeyRevokeArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let reason = match &self.reason {
            Some(reason) => reason.as_str(),
            None if self.force => "none given",
            None => {
                return Err(
                    Failure::plain(Exit::Guarded, "a key is not revoked without a reason")
                        .hint("give --reason, or use --force to revoke it without one"),
                );
            }
        };
        let revoke = async |issuer: &dyn Operations| {
            let id = match self.id {
                Some(id) if !self.active => id,
                _ => active(issuer).await?,
            };
            self.confirm.ask("revoke the key", &id)?;
            issuer.revoke_key(id, reason).await
        };
        print_outcome(global, &with(global, Some(&self.passphrase), revoke).await?)
    }
}

impl KeyRotateArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let rotate = async |issuer: &dyn Operations| issuer.rotate_keys().await;
        let rotation = with(global, Some(&self.passphrase), rotate).await?;
        let changed = Changed {
            changes: &rotation.changes,
            keyset_version: rotation.keyset_version,
            waiting: Some(&rotation.waiting),
        };
        if self.quiet && rotation.changes.is_empty() {
            return Ok(Exit::Done);
        }
        changed.print(global)?;
        for guard in &rotation.waiting {
            output::note(format_args!(
                "key `{}` {} until {}",
                guard.id,
                waits(guard.wait),
                guard.until
            ));
        }
        Ok(Exit::Done)
    }
}
