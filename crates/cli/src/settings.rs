//! Where the home is, and what its `config.toml` says.

use std::{
    env,
    path::{Path, PathBuf},
};

use bailiwick_token::key::PublicKey;
use clap::Args;
use serde::Deserialize;

use crate::{
    exit::{Exit, Failure},
    input::{self, Source},
    output::Format,
    server::{Server, ServerArgs},
};

/// The environment variable that names the home.
const HOME: &str = "BAILIWICK_HOME";

/// The environment variable that holds the keyset key.
const KEYSET_KEY: &str = "BAILIWICK_KEYSET_KEY";

/// The most bytes of a `config.toml`.
const MAX_CONFIG: usize = 64 * 1024;

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Global {
    /// The issuer's home [env: BAILIWICK_HOME] [default: `bailiwick` in the user's data directory]
    #[arg(long, global = true, value_name = "DIR")]
    home: Option<PathBuf>,
    /// Print data as JSON
    #[arg(long, global = true)]
    json: bool,
    /// Say on stderr what is done (BAILIWICK_LOG filters more finely)
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Global {
    /// How data is printed.
    pub(crate) fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }

    /// The key that an issuer elsewhere is held to: from the environment, or `config.toml`.
    pub(crate) fn keyset_key(&self) -> Result<PublicKey, Failure> {
        let environment = input::variable(KEYSET_KEY)?.filter(|key| !key.is_empty());
        let text = match environment {
            Some(text) => Some(text.to_string()),
            None => self.config()?.keyset_key,
        };
        let text = text.ok_or_else(|| {
            Failure::plain(Exit::Usage, "what an issuer elsewhere signed is checked by its keyset key")
                .hint("set BAILIWICK_KEYSET_KEY, or `keyset_key` in `config.toml`; `keyset key` prints it at the issuer")
        })?;
        text.parse()
            .map_err(|error| Failure::new(Exit::Usage, error))
    }

    /// The issuer elsewhere, where one is named.
    pub(crate) fn server(&self) -> Result<Option<Server>, Failure> {
        self.server.open(&self.config()?)
    }

    /// Refuses to go on where an issuer elsewhere is named: what is done belongs to a home.
    pub(crate) fn only_here(&self, what: &str) -> Result<(), Failure> {
        match self.server()? {
            None => Ok(()),
            Some(_) => Err(Failure::plain(
                Exit::Usage,
                format!("`{what}` works on the issuer's own home, and not over the network"),
            )
            .hint("run it on the issuer's machine, without --server, BAILIWICK_SERVER, and `server` in `config.toml`")),
        }
    }

    /// The home's directory, which need not exist.
    pub(crate) fn home(&self) -> Result<PathBuf, Failure> {
        self.home_if_any().ok_or_else(|| {
            Failure::plain(Exit::Local, "this user has no data directory")
                .hint("name a home with --home or BAILIWICK_HOME")
        })
    }

    /// What `config.toml` in the home says; nothing, where there is none.
    pub(crate) fn config(&self) -> Result<Config, Failure> {
        match self.home_if_any() {
            Some(home) => Config::read(&home.join("config.toml")),
            None => Ok(Config::default()),
        }
    }

    // Clap could read the environment too, but then repeats the flag in every usage error.
    fn home_if_any(&self) -> Option<PathBuf> {
        let environment = || env::var_os(HOME).filter(|home| !home.is_empty());
        let data_directory = || directories::ProjectDirs::from("", "", "bailiwick");
        self.home
            .clone()
            .or_else(|| environment().map(PathBuf::from))
            .or_else(|| data_directory().map(|dirs| dirs.data_dir().to_owned()))
    }
}

/// Defaults for flags that were given neither on the command line nor in the environment.
/// Relative paths are relative to the home.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// `--passphrase-file`
    pub(crate) passphrase_file: Option<PathBuf>,
    /// `--keyset` of `token verify`
    pub(crate) keyset: Option<PathBuf>,
    /// `--keyset-key` of `token verify`
    pub(crate) keyset_key: Option<String>,
    /// `--revocations` of `token verify`
    pub(crate) revocations: Option<PathBuf>,
    /// `--service` of `token verify`
    pub(crate) service: Option<String>,
    /// `--policy` of `token verify`
    pub(crate) policy: Option<PathBuf>,
    /// `--ttl` of `token mint`
    pub(crate) ttl: Option<String>,
    /// `--server`
    pub(crate) server: Option<String>,
    /// `--operator-token-file`
    pub(crate) operator_token_file: Option<PathBuf>,
    /// `--ca`
    pub(crate) ca: Option<PathBuf>,
}

impl Config {
    fn read(path: &Path) -> Result<Config, Failure> {
        if is_missing(path)? {
            return Ok(Config::default());
        }
        tracing::debug!(path = %path.display(), "reading the settings");
        let text = Source::File(path.to_owned()).read_text(MAX_CONFIG)?;
        let mut config: Config = toml::from_str(&text).map_err(|error| {
            Failure::plain(
                Exit::Local,
                format!("{}: {}", input::shown(path), error.message()),
            )
            .hint("correct that line, or take it out")
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

/// Returns whether the home lacks a file. A file that cannot be looked at is an error and not
/// missing: the command would otherwise run without the settings in it.
pub(crate) fn is_missing(file: &Path) -> Result<bool, Failure> {
    let there = file.try_exists();
    there
        .map(|there| !there)
        .map_err(|error| Source::File(file.to_owned()).unreadable(&error))
}
