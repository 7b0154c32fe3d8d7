//! `bailiwick profile list`: lists profiles.

use std::{fmt::Write, path::PathBuf};

use bailiwick_api::ProfileSummary;
use bailiwick_issuer::profile::{Profile, ProfileLimits};
use bailiwick_service::wire::IntoWire;
use bailiwick_token::{
    duration,
    escape::{self, phrase},
};
use clap::Args;
use serde::Serialize;

use super::files::Files;
use crate::{
    exit::{Exit, ExitResult},
    operations::with,
    settings::Global,
};

/// Options of `profile list`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick profile list --json")]
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
        global.format().print(&listed, words(&listed.profiles))?;
        Ok(Exit::Done)
    }
}

fn words(profiles: &[ProfileSummary]) -> String {
    let widths = profiles.iter().map(|profile| profile.name.len());
    let width = widths.max().unwrap_or(0);
    profiles.iter().fold(String::new(), |mut lines, profile| {
        let ProfileSummary {
            name, agent, ttl, ..
        } = profile;
        let services: Vec<String> = (profile.services.iter())
            .map(|service| escape::name(service).to_string())
            .collect();
        let principal = match &profile.principal {
            Some(source) => format!(" for {source}"),
            None => String::new(),
        };
        let description = match &profile.description {
            Some(words) => format!(": {}", phrase(words)),
            None => String::new(),
        };
        let (services, life) = (services.join(", "), duration::show(ttl.default));
        // Writing to a string cannot fail.
        let _ = writeln!(
            lines,
            "{name:width$}  {agent}{principal}, {life}, at {services}{description}"
        );
        lines
    })
}
