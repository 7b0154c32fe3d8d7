//! `bailiwick client`: agents that authenticate with a secret or a key.

mod keys;
mod list;
mod report;

use bailiwick_api::{RegisterClientRequest, RegisteredClient};
use bailiwick_token::escape::{code, name, shell};
use clap::{Args, Subcommand};
use serde::Serialize;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use self::{
    keys::{ClientKeyCommand, KeyFiles},
    list::ClientListArgs,
    report::{credentials, former_secrets, line},
};
use crate::{
    confirm::Confirm,
    exit::{Exit, ExitResult, Failure},
    input::shown,
    operations::{Operations, with},
    out::{self, Out, Readers},
    output::{self, Format},
    parse,
    settings::Global,
};

/// The verbs of `client`.
#[derive(Debug, Subcommand)]
pub(crate) enum ClientCommand {
    /// Register a client with its public keys, or with a secret that is printed only once
    Add(ClientAddArgs),
    /// List all clients
    List(ClientListArgs),
    /// Make a new secret for a client; the old one stays valid for a while
    Rotate(ClientRotateArgs),
    /// Add and remove public keys of a client
    #[command(subcommand)]
    Key(ClientKeyCommand),
    /// Disable a client permanently, and destroy its secrets
    Disable(DisableArgs),
}

impl ClientCommand {
    /// Runs the chosen command.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        match self {
            ClientCommand::Add(args) => args.run(global).await,
            ClientCommand::List(args) => args.run(global).await,
            ClientCommand::Rotate(args) => args.run(global).await,
            ClientCommand::Key(command) => command.run(global).await,
            ClientCommand::Disable(args) => args.run(global).await,
        }
    }
}

/// Options of `client add`.
#[derive(Debug, Args)]
#[command(after_help = "\
The secret is the only thing on stdout. The issuer keeps only its hash, so a lost secret has to be replaced. \
A client with keys signs its own assertions (private_key_jwt) and gets no secret.

Examples:
  bailiwick client add orchestrator --principal team:procurement \\
      --profile buyer --out secret
  bailiwick client add robot --principal team:platform \\
      --profile worker --key robot.pub.pem")]
pub(crate) struct ClientAddArgs {
    /// The client's name, which is its `client_id`
    name: String,
    /// The principal on whose authority the client acts
    #[arg(long, value_parser = parse::name)]
    principal: String,
    /// A profile that the client may use; may be given several times
    #[arg(long = "profile", value_name = "NAME", required = true, value_parser = parse::text)]
    profiles: Vec<String>,
    /// A further claim for profiles to match; may be given several times
    #[arg(long = "claim", value_name = "NAME=VALUE", value_parser = parse::claim)]
    claims: Vec<(String, String)>,
    #[command(flatten)]
    keys: KeyFiles,
    #[command(flatten)]
    out: Out,
}

/// Options of `client rotate`.
#[derive(Debug, Args)]
#[command(after_help = "\
Both secrets are valid during the overlap, so no request is refused. The expiry of the old secret is printed. \
--at-once asks for confirmation.

Examples:
  bailiwick client rotate orchestrator --out secret
  bailiwick client rotate orchestrator --at-once --yes --out secret")]
pub(crate) struct ClientRotateArgs {
    /// The client's name
    name: String,
    /// Time for which the client's present secrets stay valid
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse::duration)]
    overlap: u64,
    /// Invalidate the client's present secrets at once, as after a leak
    #[arg(long, conflicts_with = "overlap")]
    at_once: bool,
    #[command(flatten)]
    confirm: Confirm,
    #[command(flatten)]
    out: Out,
}

/// Options of `client disable`.
#[derive(Debug, Args)]
#[command(after_help = "\
Tokens that the client already has stay valid: revoke them with `bailiwick revocations add --client NAME`.

Example:
  bailiwick client disable orchestrator --yes")]
pub(crate) struct DisableArgs {
    /// The client's name
    name: String,
    #[command(flatten)]
    confirm: Confirm,
}

#[derive(Serialize)]
struct DeliveredSecret<'a> {
    client: &'a RegisteredClient,
    #[serde(skip_serializing_if = "Option::is_none")]
    secret: Option<&'a str>,
}

impl ClientAddArgs {
    async fn run(self, global: &Global) -> ExitResult {
        let mut claims = Map::new();
        for (name, value) in self.claims {
            if claims.insert(name.clone(), Value::String(value)).is_some() {
                let twice = format!("the claim {} is given twice", code(&name));
                return Err(Failure::plain(Exit::Usage, twice).hint("give each claim one value"));
            }
        }
        let client = RegisterClientRequest {
            name: self.name,
            principal: self.principal,
            profiles: self.profiles,
            claims,
            keys: self.keys.read()?,
        };
        let register = async |issuer: &dyn Operations| issuer.register_client(client).await;
        let made = with(global, None, register).await?;
        match &made.secret {
            Some(secret) => {
                let again = format!(
                    "give the client another secret with `bailiwick client rotate {}`",
                    shell(&made.client.name)
                );
                deliver(global, &self.out, &made.client, secret, &again)
            }
            None => {
                let client = &made.client;
                let secret = None;
                let document = DeliveredSecret { client, secret };
                global.format().print(&document, line(client))?;
                Ok(Exit::Done)
            }
        }
    }
}

impl ClientRotateArgs {
    async fn run(self, global: &Global) -> ExitResult {
        if self.at_once {
            let what = "invalidate all secrets of the client";
            self.confirm.ask(what, &self.name)?;
        }
        let overlap = if self.at_once { 0 } else { self.overlap };
        let rotate =
            async |issuer: &dyn Operations| issuer.rotate_client(&self.name, overlap).await;
        let made = with(global, None, rotate).await?;
        deliver(
            global,
            &self.out,
            &made.client,
            &made.secret,
            "rotate the secret again",
        )?;
        output::note(former_secrets(&made.client));
        Ok(Exit::Done)
    }
}

impl DisableArgs {
    async fn run(self, global: &Global) -> ExitResult {
        self.confirm.ask("disable the client", &self.name)?;
        let disable = async |issuer: &dyn Operations| issuer.disable_client(&self.name).await;
        let client = with(global, None, disable).await?;
        global.format().print(&client, line(&client))?;
        Ok(Exit::Done)
    }
}

/// Writes the secret to stdout, alone on its line, or to a file that only its owner can read. If that fails, the hint
/// `again` tells the user how to get another secret.
fn deliver(
    global: &Global,
    out: &Out,
    client: &RegisteredClient,
    secret: &Zeroizing<String>,
    again: &str,
) -> ExitResult {
    let line = Zeroizing::new(format!("{}\n", secret.as_str()));
    let lost = |failure: Failure| {
        failure.hint(format!(
            "this secret is lost, so {again}, and name a file that can be written"
        ))
    };
    match (out.path(), global.format()) {
        (Some(path), format) => {
            out::write(path, &line, Readers::Owner).map_err(lost)?;
            if format == Format::Json {
                format.print(
                    &DeliveredSecret {
                        client,
                        secret: None,
                    },
                    "",
                )?;
            }
            output::note(format_args!("written to {}", shown(path)));
        }
        (None, format) => {
            let secret = Some(secret.as_str());
            let document = DeliveredSecret { client, secret };
            format.print(&document, &*line).map_err(lost)?;
        }
    }
    output::note(format_args!(
        "client {} for {}, with {}",
        name(&client.name),
        name(&client.principal),
        credentials(client)
    ));
    Ok(Exit::Done)
}
