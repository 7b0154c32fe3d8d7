//! `bailiwick profile list`: lists profiles.

use std::path::PathBuf;

use bailiwick_api::ProfileSummary;
use bailiwick_issuer::profile::{Profile, ProfileLimits};
use bailiwick_service::wire::IntoWire;
use bailiwick_token::{
    duration,
    escape::{name, phrase},
};
use clap::Args;
use serde::Serialize;

use super::files::Files;
use crate::{
    exit::{Exit, ExitResult},
    operations::with,
    settings::Global,
    table::{Cell, Column, Table},
};

/// Options of `profile list`.
#[derive(Debug, Args)]
#[command(after_help = "\
AGENT and PRINCIPAL are where callers come from: `client`, or the name of an identity provider. LIFETIME \
is that of a token by default. --json has the limits and the parameters as well.

Examples:
  bailiwick profile list
  bailiwick profile list profiles.toml --json")]
pub(crate) struct ProfileListArgs {
    /// Profile files, or directories of them [default: those in the home, or of --server]
    #[arg(value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
}

#[derive(Serialize)]
struct ProfileList {
    profiles: Vec<ProfileSummary>,
}

impl ProfileListArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let profiles = match self.files.is_empty() {
            true => with(global, None, async |issuer| issuer.profiles().await).await?,
            false => {
                let profiles = Files::read(&self.files, global)?.parse(&ProfileLimits::default())?;
                let summaries = profiles.iter().map(Profile::summary);
                summaries.map(IntoWire::into_wire).collect()
            }
        };
        let listed = ProfileList { profiles };
        let table = Table::new(COLUMNS, listed.profiles.iter().map(row));
        table.print(global.format(), &listed, "there are no profiles")?;
        Ok(Exit::Done)
    }
}

const COLUMNS: [Column; 6] = [
    Column::names("PROFILE"),
    Column::names("AGENT"),
    Column::names("PRINCIPAL"),
    Column::whole("LIFETIME"),
    Column::text("SERVICES"),
    Column::text("DESCRIPTION"),
];

fn row(profile: &ProfileSummary) -> [Cell; 6] {
    let services: Vec<String> = (profile.services.iter())
        .map(|service| name(service).to_string())
        .collect();
    [
        Cell::new(name(&profile.name)),
        Cell::new(name(&profile.agent)),
        Cell::optional(profile.principal.as_deref().map(name)),
        Cell::new(duration::show(profile.ttl.default)),
        Cell::new(services.join(", ")),
        Cell::optional(profile.description.as_deref().map(phrase)),
    ]
}
