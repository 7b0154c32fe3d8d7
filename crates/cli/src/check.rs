//! `bailiwick check`: finds all mistakes in the settings and profiles of a home at once.
//!
//! The check opens only files: no store, no private key and no network. So a home can be checked before it is put
//! into use, and by people who do not have the passphrase.

mod files;
mod mistakes;

use std::{fmt::Write, path::Path};

use bailiwick_api::Health;
use bailiwick_issuer::{HomeError, Issuer, profile::ProfileLimits};
use bailiwick_service::{Config, ConfigError, MAX_CONFIG, check_certificate};
use bailiwick_token::text::counted;
use clap::Args;
use serde::Serialize;

use self::{
    files::check_settings,
    mistakes::{Mistake, Mistakes},
};
use crate::{
    config::is_missing,
    exit::{Exit, ExitResult, Failure},
    hint::Hint,
    input::Input,
    output::{GREEN, RED, YELLOW},
    profile::files::Files,
    settings::Global,
};

/// Options of `bailiwick check`.
#[derive(Debug, Args)]
#[command(after_help = "\
Reads `service.toml`, `config.toml` and the profiles, and checks the files that they name. Reports the \
first mistake of each profile. Does not compare profiles with the issuer's `max_token_ttl`, which is \
in its store; `profile check` does.

Exit codes: 0 no mistake, 7 there are warnings, 8 there are mistakes; another code if the check itself failed.

Examples:
  bailiwick check
  bailiwick check --home new-home --json")]
pub(crate) struct CheckArgs {
    /// Print only mistakes, and nothing if there are none
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Serialize)]
struct Checked<'a> {
    state: Health,
    providers: usize,
    profiles: usize,
    mistakes: &'a [Mistake],
    /// Number of mistakes that are not listed.
    more: usize,
}

impl CheckArgs {
    /// Checks the home. The exit code states the worst mistake.
    pub(crate) async fn run(self, global: &Global) -> ExitResult {
        global.not_elsewhere("check")?;
        let home = global.home()?;
        let mut mistakes = Mistakes::default();
        for error in Issuer::check_home(&home) {
            match error {
                HomeError::Missing(_) => return Err(error.failure(Exit::Local)),
                fault => mistakes.error("home", &fault.failure(Exit::Local)),
            }
        }
        check_settings(&home, &mut mistakes);
        let service = home.join("service.toml");
        let config = match is_missing(&service) {
            Ok(true) => None,
            Ok(false) => read_config(&service, &mut mistakes),
            Err(failure) => {
                mistakes.error("service.toml", &failure);
                None
            }
        };
        if let Some(tls) = config.as_ref().and_then(|(config, _)| config.tls.as_ref()) {
            match check_certificate(&home, tls).await {
                Ok(false) => {}
                Ok(true) => mistakes.warning(
                    "service.toml",
                    "every user of this machine can read the TLS private key",
                    "run `chmod o=` on it",
                ),
                Err(error) => mistakes.error(
                    "service.toml",
                    &Failure::new(Exit::Local, error)
                        .hint("provide the certificate with its chain, and its private key"),
                ),
            }
        }
        let profiles = check_profiles(&home, config.as_ref(), &mut mistakes);
        let checked = Checked {
            state: mistakes.state(),
            providers: config.map_or(0, |(config, _)| config.providers.len()),
            profiles,
            mistakes: mistakes.listed(),
            more: mistakes.more(),
        };
        if !(self.quiet && checked.state == Health::Ok) {
            global.format().print(&checked, text(&checked))?;
        }
        Ok(Exit::from(checked.state))
    }
}

/// Reads `service.toml`. The second value is true if a part of it cannot be read.
fn read_config(path: &Path, mistakes: &mut Mistakes) -> Option<(Config, bool)> {
    let text = match Input::File(path.to_owned()).read_text(MAX_CONFIG) {
        Ok(text) => text,
        Err(failure) => {
            mistakes.error("service.toml", &failure);
            return None;
        }
    };
    let (config, faults) = Config::parse_all(&text);
    let is_partial = faults
        .iter()
        .any(|fault| matches!(fault, ConfigError::Malformed(_) | ConfigError::TooLarge));
    for fault in faults {
        let failure = match fault {
            // The parser's text itself contains line breaks and colons.
            ConfigError::Malformed(text) => Failure::plain(Exit::Local, text.trim_end())
                .hint("correct this part of the file, or remove it"),
            other => Failure::new(Exit::Local, other),
        };
        mistakes.error("service.toml", &failure);
    }
    Some((config, is_partial))
}

/// Checks the profiles, and returns the number of usable ones.
fn check_profiles(home: &Path, config: Option<&(Config, bool)>, mistakes: &mut Mistakes) -> usize {
    let files = match Files::of_home(home) {
        Ok(files) => files,
        Err(failure) if failure.code() == Exit::NotFound => {
            // A home without a service needs no profiles.
            if config.is_some() {
                mistakes.warning(
                    "profiles",
                    "there are no profiles, so no caller gets a token",
                    "write `profiles.toml` in the home, or files into `profiles.d`",
                );
            }
            return 0;
        }
        Err(failure) => {
            mistakes.error("profiles", &failure);
            return 0;
        }
    };
    let providers = match config {
        // A provider that cannot be read may be the one that a profile names.
        Some((_, true)) => None,
        Some((config, false)) => Some(config.provider_names()),
        None => Some(Config::default().provider_names()),
    };
    let limits = ProfileLimits {
        max_token_ttl: None,
        providers,
    };
    let (profiles, errors) = files.parse_all(&limits);
    for error in errors {
        mistakes.error("profiles", &Failure::new(Exit::Local, error));
    }
    profiles.len()
}

fn text(checked: &Checked<'_>) -> String {
    let mut text = String::new();
    for mistake in checked.mistakes {
        let style = match mistake.state {
            Health::Error => RED,
            _ => YELLOW,
        };
        let (state, file) = (mistake.state.as_str(), mistake.file);
        // Writing to a string cannot fail.
        let _ = writeln!(
            text,
            "{style}{state}{style:#}: {file}: {}",
            mistake.message.replace('\n', "\n  ")
        );
        if let Some(next) = &mistake.next {
            let _ = writeln!(text, "  next: {next}");
        }
    }
    if checked.more > 0 {
        let _ = writeln!(text, "and {} more", checked.more);
    }
    if checked.state == Health::Ok {
        let _ = writeln!(
            text,
            "{GREEN}ok{GREEN:#}: {} and {}, no mistake",
            counted(checked.providers, "provider"),
            counted(checked.profiles, "profile")
        );
    }
    text
}
