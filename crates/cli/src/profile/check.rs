//! `bailiwick profile check`: checks that an issuer would accept profiles.

use std::{collections::BTreeSet, path::PathBuf};

use bailiwick_issuer::profile::{ClaimSource, Profile, ProfileLimits, Profiles};
use bailiwick_token::{escape::code, text::counted};
use clap::Args;
use serde::Serialize;

use super::files::{Files, LimitArgs};
use crate::{
    exit::{Exit, ExitResult},
    output,
    settings::Global,
};

/// Options of `profile check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks everything that needs no caller: grants, parameters and their types, times, names. Limits that \
are not given here are taken from the issuer in the home and its `service.toml`, if there is one; otherwise a note says \
what was not checked.

Example:
  bailiwick profile check profiles.toml --max-ttl 1h --provider corp")]
pub(crate) struct ProfileCheckArgs {
    /// Profile files, or directories of them [default: those in the home]
    #[arg(value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    #[command(flatten)]
    limits: LimitArgs,
}

#[derive(Serialize)]
struct CheckedProfiles<'a> {
    files: usize,
    profiles: Vec<&'a str>,
}

impl ProfileCheckArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let files = Files::read(&self.files, global)?;
        let limits = self.limits.limits(global).await?;
        let profiles = files.parse(&limits)?;
        let checked = CheckedProfiles {
            files: files.len(),
            profiles: profiles.iter().map(Profile::name).collect(),
        };
        let text = format!(
            "{} in {}: {}\n",
            counted(checked.profiles.len(), "profile"),
            counted(checked.files, "file"),
            checked.profiles.join(", ")
        );
        global.format().print(&checked, text)?;
        for unchecked in unchecked(&profiles, &limits) {
            output::note(unchecked);
        }
        Ok(Exit::Done)
    }
}

/// The statements of the profiles that no limit was there to compare with.
fn unchecked(profiles: &Profiles, limits: &ProfileLimits) -> Vec<String> {
    let mut unchecked = Vec::new();
    let providers: BTreeSet<String> = profiles
        .iter()
        .map(Profile::summary)
        .flat_map(|profile| [Some(profile.agent), profile.principal])
        .flatten()
        .filter_map(|source| match source {
            ClaimSource::Client => None,
            ClaimSource::Provider(name) => Some(code(&name).to_string()),
        })
        .collect();
    if limits.providers.is_none() && !providers.is_empty() {
        let providers: Vec<String> = providers.into_iter().collect();
        unchecked.push(format!(
            "not checked: whether the issuer has the providers {}; name its providers with --provider",
            providers.join(", ")
        ));
    }
    if limits.max_token_ttl.is_none() {
        unchecked.push(
            "not checked: whether the issuer allows these lifetimes; name its maximum with --max-ttl"
                .to_owned(),
        );
    }
    unchecked
}
