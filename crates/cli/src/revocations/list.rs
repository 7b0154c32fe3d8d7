//! `bailiwick revocations list`: the revocations that are in force.

use bailiwick_api::RevokedEntry;
use bailiwick_token::{
    escape::{name, phrase},
    timestamp::Timestamp,
};
use clap::Args;

use super::RevocationList;
use crate::{
    clock,
    exit::{Exit, ExitResult},
    operations::with,
    settings::Global,
    table::{Cell, Column, Table, Tone},
};

/// Options of `revocations list`.
#[derive(Debug, Args)]
#[command(after_help = "\
ENDS is the time at which the last token that the entry revokes expires; the entry is then removed. A \
block is identified by its signature; a terminal shows only the beginning of it.

Examples:
  bailiwick revocations list
  bailiwick revocations list --json")]
pub(crate) struct RevocationsListArgs {}

impl RevocationsListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let entries = with(global, None, async |issuer| issuer.revocations().await).await?;
        let now = clock::now()?;
        let table = Table::new(COLUMNS, entries.iter().map(|entry| row(entry, now)));
        let listed = RevocationList {
            revocations: &entries,
        };
        table.print(global.format(), &listed, "nothing is revoked")?;
        Ok(Exit::Done)
    }
}

const COLUMNS: [Column; 4] = [
    Column::whole("REVOKED AT"),
    Column::text("REVOKED"),
    Column::whole("ENDS"),
    Column::text("REASON"),
];

fn row(entry: &RevokedEntry, now: Timestamp) -> [Cell; 4] {
    let end = entry.expires.and_then(Timestamp::from_unix);
    let ends = match end {
        Some(end) if end <= now => Cell::new(end).toned(Tone::Past),
        Some(end) => Cell::new(end),
        None => Cell::new("never").toned(Tone::Waiting),
    };
    [
        Cell::new(entry.revoked_at),
        Cell::new(target(entry)),
        ends,
        Cell::new(phrase(&entry.reason)),
    ]
}

/// The token, the block or the party that an entry is about.
fn target(entry: &RevokedEntry) -> String {
    if let Some(id) = entry.token {
        return format!("token {id}");
    }
    if let Some(signature) = &entry.block {
        return format!("block {}", name(signature));
    }
    let parties = [
        ("agent", &entry.agent),
        ("principal", &entry.principal),
        ("tenant", &entry.tenant),
    ];
    let party = parties
        .into_iter()
        .find_map(|(party, value)| Some(format!("{party} {}", name(value.as_ref()?))));
    let before = entry.issued_before.and_then(Timestamp::from_unix);
    match (party, before) {
        (Some(party), Some(before)) => format!("{party}, issued before {before}"),
        (party, _) => party.unwrap_or_default(),
    }
}
