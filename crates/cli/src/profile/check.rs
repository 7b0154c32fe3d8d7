//! `bailiwick profile check`: checks that an issuer would accept profiles.

use std::path::PathBuf;

use bailiwick_issuer::profile::{Profile, ProfileLimits};
use bailiwick_token::text::counted;
use clap::Args;
use serde::Serialize;

use super::files::{Files, limits};
use crate::{
    exit::{Exit, ExitResult},
    parse,
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
    /// The maximum lifetime of the issuer's tokens
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    max_ttl: Option<u64>,
    /// A configured identity provider; may be given several times
    #[arg(long = "provider", value_name = "NAME", value_parser = parse::text)]
    providers: Vec<String>,
}

#[derive(Serialize)]
struct CheckedProfiles<'a> {
    files: usize,
    profiles: Vec<&'a str>,
}

impl ProfileCheckArgs {
    pub(super) async fn run(self, global: &Global) -> ExitResult {
        let files = Files::read(&self.files, global)?;
        let known = match self.max_ttl.is_some() && !self.providers.is_empty() {
            true => ProfileLimits::default(),
            false => limits(global).await?,
        };
        let providers = (!self.providers.is_empty()).then(|| self.providers.into_iter().collect());
        let profiles = files.parse(&ProfileLimits {
            max_token_ttl: self.max_ttl.or(known.max_token_ttl),
            providers: providers.or(known.providers),
        })?;
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
