//! The settings of a home: `config.toml`.

use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::{
    exit::{Exit, Failure},
    input::{self, Input},
};

/// Maximum length of a `config.toml`, in bytes.
const MAX_CONFIG: usize = 64 * 1024;

/// Defaults for flags that are set neither on the command line nor in the environment.
/// Relative paths are relative to the home.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HomeConfig {
    /// Default of `--passphrase-file`.
    pub(crate) passphrase_file: Option<PathBuf>,
    /// Default of `--keyset` of `token verify`.
    pub(crate) keyset: Option<PathBuf>,
    /// Default of `--keyset-key` of `token verify`.
    pub(crate) keyset_key: Option<String>,
    /// Default of `--revocations` of `token verify`.
    pub(crate) revocations: Option<PathBuf>,
    /// Default of `--service` of `token verify`.
    pub(crate) service: Option<String>,
    /// Default of `--policy` of `token verify`.
    pub(crate) policy: Option<PathBuf>,
    /// Default of `--ttl` of `token mint`.
    pub(crate) ttl: Option<String>,
    /// Default of `--server`.
    pub(crate) server: Option<String>,
    /// Default of `--operator-token-file`.
    pub(crate) operator_token_file: Option<PathBuf>,
    /// Default of `--ca`.
    pub(crate) ca: Option<PathBuf>,
}

impl HomeConfig {
    /// Reads a `config.toml`, or returns the defaults if it is missing.
    pub(crate) fn read(path: &Path) -> Result<HomeConfig, Failure> {
        if is_missing(path)? {
            return Ok(HomeConfig::default());
        }
        tracing::debug!(path = %path.display(), "reading the settings");
        let text = Input::File(path.to_owned()).read_text(MAX_CONFIG)?;
        let mut config: HomeConfig = toml::from_str(&text).map_err(|error| {
            Failure::plain(
                Exit::Local,
                format!("{}: {}", input::shown(path), error.message()),
            )
            .hint("correct that line, or remove it")
        })?;
        let home = path.parent().unwrap_or(Path::new("."));
        for file in [
            &mut config.passphrase_file,
            &mut config.keyset,
            &mut config.revocations,
            &mut config.policy,
            &mut config.operator_token_file,
            &mut config.ca,
        ] {
            *file = file.take().map(|file| home.join(file));
        }
        Ok(config)
    }
}

/// Returns true if the home lacks a file. A file that cannot be accessed is an error rather than missing: the
/// command would otherwise run without the file's settings.
pub(crate) fn is_missing(file: &Path) -> Result<bool, Failure> {
    let there = file.try_exists();
    there
        .map(|there| !there)
        .map_err(|error| Input::File(file.to_owned()).unreadable(&error))
}
