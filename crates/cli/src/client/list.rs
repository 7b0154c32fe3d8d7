//! `bailiwick client list`: the registered clients.

use bailiwick_api::{ClientKeyInfo, RegisteredClient};
use bailiwick_token::escape::name;
use clap::Args;
use serde::Serialize;
use serde_json::Value;

use crate::{
    exit::{Exit, ExitResult},
    operations::with,
    settings::Global,
    table::{Cell, Column, Table, Tone},
};

/// Options of `client list`.
#[derive(Debug, Args)]
#[command(after_help = "\
SECRETS is the number of valid secrets. KEYS are the ids of public keys, each with its `kid` \
if it has one. --json has claims and dates as well.

Examples:
  bailiwick client list
  bailiwick client list --json")]
pub(crate) struct ClientListArgs {}

#[derive(Serialize)]
struct ClientList<'a> {
    clients: &'a [RegisteredClient],
}

impl ClientListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let clients = with(global, None, async |issuer| issuer.clients().await).await?;
        let table = Table::new(COLUMNS, clients.iter().map(row));
        let listed = ClientList { clients: &clients };
        table.print(global.format(), &listed, "no client is registered")?;
        Ok(Exit::Done)
    }
}

const COLUMNS: [Column; 6] = [
    Column::whole("CLIENT"),
    Column::names("PRINCIPAL"),
    Column::whole("STATE"),
    Column::text("PROFILES"),
    Column::whole("SECRETS"),
    Column::text("KEYS"),
];

fn row(client: &RegisteredClient) -> [Cell; 6] {
    let state = match client.disabled_at {
        None => Cell::new("active").toned(Tone::Good),
        Some(_) => Cell::new("disabled").toned(Tone::Bad),
    };
    let profiles: Vec<String> = (client.profiles.iter())
        .map(|profile| name(profile).to_string())
        .collect();
    let keys: Vec<String> = client.keys.iter().map(key).collect();
    let keys = (!keys.is_empty()).then(|| keys.join(", "));
    [
        Cell::new(name(&client.name)),
        Cell::new(name(&client.principal)),
        state,
        Cell::new(profiles.join(", ")),
        Cell::new(client.secrets.len()),
        Cell::optional(keys),
    ]
}

/// The id of a key, and the `kid` by which assertions refer to it.
fn key(key: &ClientKeyInfo) -> String {
    match key.jwk.get("kid").and_then(Value::as_str) {
        None => name(&key.id).to_string(),
        Some(kid) => format!("{} ({})", name(&key.id), name(kid)),
    }
}
