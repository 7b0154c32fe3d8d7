//! `config.toml`, and the files that it names.

use std::path::Path;

use bailiwick_token::{duration, key::PublicKey};

use super::mistakes::Mistakes;
use crate::{
    config::HomeConfig,
    exit::{Exit, Failure},
    input::{Input, openness},
};

/// The file that the mistakes belong to.
const FILE: &str = "config.toml";

/// Checks `config.toml` in a home.
pub(super) fn check_settings(home: &Path, mistakes: &mut Mistakes) {
    let config = match HomeConfig::read(&home.join(FILE)) {
        Ok(config) => config,
        Err(failure) => return mistakes.error(FILE, &failure),
    };
    for (secret, path) in [
        ("passphrase", &config.passphrase_file),
        ("operator's token", &config.operator_token_file),
    ] {
        let Some(path) = path else { continue };
        exists(path, mistakes);
        for open in openness(secret, path) {
            mistakes.error(FILE, &Failure::new(Exit::Local, open));
        }
    }
    let public = [
        &config.keyset,
        &config.revocations,
        &config.policy,
        &config.ca,
    ];
    for path in public.into_iter().flatten() {
        exists(path, mistakes);
    }
    if let Some(key) = &config.keyset_key
        && let Err(error) = key.parse::<PublicKey>()
    {
        mistakes.error(FILE, &of("keyset_key", error));
    }
    if let Some(ttl) = &config.ttl
        && let Err(error) = duration::parse(ttl)
    {
        mistakes.error(FILE, &of("ttl", error));
    }
}

fn exists(path: &Path, mistakes: &mut Mistakes) {
    if let Err(error) = std::fs::File::open(path) {
        let failure = Input::File(path.to_owned()).unreadable(&error);
        mistakes.error(FILE, &failure);
    }
}

fn of(member: &str, error: impl std::fmt::Display) -> Failure {
    Failure::plain(Exit::Local, format!("`{member}` cannot be used ({error})"))
        .hint("correct the value, or remove it")
}
