//! `bailiwick key list`: the root keys and their states.

use bailiwick_api::{RootKeyState, RootKeyStatus};
use bailiwick_token::escape::phrase;
use clap::Args;
use serde::Serialize;

use crate::{
    exit::{Exit, ExitResult},
    operations::with,
    settings::Global,
    table::{Cell, Column, Table, Tone},
};

/// Options of `key list`.
#[derive(Debug, Args)]
#[command(after_help = "\
SINCE is the time at which the key entered its state. NEXT STEP FROM is the time from which the guards allow a staged key to \
be activated, or a retiring key to be retired. --json has all dates and the public keys.

Examples:
  bailiwick key list
  bailiwick key list --state staged | tail -n +2 | cut -f 1")]
pub(crate) struct KeyListArgs {
    /// Only keys in this state
    #[arg(long, value_name = "STATE", value_parser = ["staged", "active", "retiring", "retired", "revoked"])]
    state: Option<String>,
}

#[derive(Serialize)]
struct KeyList<'a> {
    keys: &'a [RootKeyStatus],
}

impl KeyListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let mut keys = with(global, None, async |issuer| issuer.keys().await).await?;
        if let Some(state) = &self.state {
            keys.retain(|key| key.state.as_str() == state);
        }
        let table = Table::new(COLUMNS, keys.iter().map(row));
        let listed = KeyList { keys: &keys };
        table.print(global.format(), &listed, "no root key is in this state")?;
        Ok(Exit::Done)
    }
}

const COLUMNS: [Column; 5] = [
    Column::whole("KEY"),
    Column::whole("STATE"),
    Column::whole("SINCE"),
    Column::whole("NEXT STEP FROM"),
    Column::text("REASON"),
];

fn row(key: &RootKeyStatus) -> [Cell; 5] {
    let (since, tone) = match key.state {
        RootKeyState::Staged => (Some(key.staged_at), Tone::Waiting),
        RootKeyState::Active => (key.activated_at, Tone::Good),
        RootKeyState::Retiring => (key.retiring_at, Tone::Waiting),
        RootKeyState::Retired => (key.retired_at, Tone::Past),
        RootKeyState::Revoked => (key.revoked_at, Tone::Bad),
    };
    [
        Cell::new(key.id),
        Cell::new(key.state.as_str()).toned(tone),
        Cell::optional(since),
        Cell::optional(key.next_at),
        Cell::optional(key.reason.as_deref().map(phrase)),
    ]
}
