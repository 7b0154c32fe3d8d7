//! `bailiwick profile check`: checks that an issuer would accept profiles.

use std::path::PathBuf;

use bailiwick_issuer::profile::Profile;
use bailiwick_token::text::counted;
use clap::Args;
use serde::Serialize;

use super::files::{Files, LimitArgs};
use crate::{
    exit::{Exit, ExitResult},
    settings::Global,
};

/// Options of `profile check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Checks everything that needs no caller: grants, parameters and their types, times, names. Limits that \
are not given here are taken from the issuer in the home and its `service.toml`, if there is one.

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
        let profiles = files.parse_within(self.limits, global).await?;
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
        Ok(Exit::Done)
    }
}
