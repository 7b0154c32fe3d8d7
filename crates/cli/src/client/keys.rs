//! `bailiwick client key`: public keys for the assertions that a client signs itself.

use bailiwick_api::{AddClientKeysRequest, RegisteredClient};
use bailiwick_service::client_keys::{ClientKeyError, MAX_KEY_FILE, new_keys, read_file};
use bailiwick_token::escape::code;
use clap::{ArgGroup, Args, Subcommand};
use serde_json::{Map, Value};

use super::report::line;
use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    input::Input,
    operations::{Operations, with},
    settings::Global,
};

/// The verbs of `client key`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientKeyCommand {
    /// Add public keys to a client, in addition to those that it has
    Add(ClientKeyAddArgs),
    /// Remove a public key of a client; assertions signed with it are refused from then on
    Remove(ClientKeyRemoveArgs),
}

impl ClientKeyCommand {
    /// Runs the chosen command.
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        match self {
            ClientKeyCommand::Add(args) => args.run(global).await,
            ClientKeyCommand::Remove(args) => args.run(global).await,
        }
    }
}

/// Files with public keys.
#[derive(Debug, Args)]
pub(super) struct KeyFiles {
    /// A public key of the client, in PEM or as a JSON Web Key; may be given several times
    #[arg(long = "key", value_name = "FILE|-", conflicts_with = "out")]
    keys: Vec<Input>,
    /// A JSON Web Key Set with public keys of the client
    #[arg(long, value_name = "FILE|-", conflicts_with = "out")]
    jwks: Option<Input>,
}

/// Options of `client key add`.
#[derive(Debug, Args)]
#[command(
    group(ArgGroup::new("given").required(true).multiple(true).args(["keys", "jwks"])),
    after_help = "\
To rotate: add the new key, let the client sign with it, and remove the old one.

Examples:
  bailiwick client key add robot --key next.pub.pem
  bailiwick client key add robot --jwks jwks.json"
)]
pub(crate) struct ClientKeyAddArgs {
    /// The client's name
    name: String,
    /// A public key of the client, in PEM or as a JSON Web Key; may be given several times
    #[arg(long = "key", value_name = "FILE|-")]
    keys: Vec<Input>,
    /// A JSON Web Key Set with public keys of the client
    #[arg(long, value_name = "FILE|-")]
    jwks: Option<Input>,
}

/// Options of `client key remove`.
#[derive(Debug, Args)]
#[command(after_help = "\
Tokens that the client already has stay valid: revoke them with `bailiwick revocations add --client NAME`.

Example:
  bailiwick client key remove robot 3736cbb1787cb830 --yes")]
pub(crate) struct ClientKeyRemoveArgs {
    /// The client's name
    name: String,
    /// The id of the key, as `client list` shows it
    id: String,
    #[command(flatten)]
    confirm: Confirm,
}

impl KeyFiles {
    /// Reads the keys in all files.
    pub(super) fn read(&self) -> Result<Vec<Map<String, Value>>, Failure> {
        let mut keys = Vec::new();
        for input in self.keys.iter().chain(&self.jwks) {
            let unusable =
                |error: ClientKeyError| Failure::new(Exit::Local, format!("{input}: {error}"));
            let read = read_file(&input.read(MAX_KEY_FILE)?).map_err(unusable)?;
            // The keys are checked here as well, so that a private key is never sent to a remote issuer.
            let checked = new_keys(read).map_err(unusable)?;
            keys.extend(checked.iter().map(|key| key.jwk().clone()));
        }
        Ok(keys)
    }
}

impl ClientKeyAddArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let ClientKeyAddArgs { name, keys, jwks } = self;
        let keys = KeyFiles { keys, jwks }.read()?;
        let add = async |issuer: &dyn Operations| {
            let request = AddClientKeysRequest { keys };
            issuer.add_client_keys(&name, request).await
        };
        print(global, &with(global, None, add).await?)
    }
}

impl ClientKeyRemoveArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let what = format!("remove from the client {} the key", code(&self.name));
        self.confirm.ask(&what, &self.id)?;
        let remove =
            async |issuer: &dyn Operations| issuer.remove_client_key(&self.name, &self.id).await;
        print(global, &with(global, None, remove).await?)
    }
}

fn print(global: &Global, client: &RegisteredClient) -> ExitResult {
    global.format().print(client, line(client))?;
    Ok(Exit::Done)
}
