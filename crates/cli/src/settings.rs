//! The options that all commands have.

use std::{env, path::PathBuf};

use bailiwick_token::key::PublicKey;
use clap::Args;

use crate::{
    config::HomeConfig,
    exit::{Exit, Failure},
    input,
    output::Format,
    server::{ServerArgs, ServiceClient},
};

/// The environment variable with the path of the home.
const HOME: &str = "BAILIWICK_HOME";

/// The environment variable with the keyset key.
const KEYSET_KEY: &str = "BAILIWICK_KEYSET_KEY";

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
    /// Log to stderr (BAILIWICK_LOG filters more finely)
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
    #[command(flatten)]
    server: ServerArgs,
}

impl Global {
    /// The format of data.
    pub(crate) fn format(&self) -> Format {
        if self.json {
            Format::Json
        } else {
            Format::Text
        }
    }

    /// Returns the keyset key of a remote issuer, from the environment or `config.toml`.
    pub(crate) fn keyset_key(&self) -> Result<PublicKey, Failure> {
        let environment = input::variable(KEYSET_KEY)?.filter(|key| !key.is_empty());
        let text = match environment {
            Some(text) => Some(text.to_string()),
            None => self.config()?.keyset_key,
        };
        let text = text.ok_or_else(|| {
            Failure::plain(Exit::Usage, "the issuer's keyset key is not known, so what its server signed cannot be verified")
                .hint("set BAILIWICK_KEYSET_KEY, or `keyset_key` in `config.toml`, to what `bailiwick keyset key` prints at the issuer")
        })?;
        text.parse()
            .map_err(|error| Failure::new(Exit::Usage, error))
    }

    /// Returns true if the environment or `config.toml` names a keyset key, even one that cannot be used.
    pub(crate) fn has_keyset_key(&self) -> Result<bool, Failure> {
        let environment = input::variable(KEYSET_KEY)?.filter(|key| !key.is_empty());
        Ok(environment.is_some() || self.config()?.keyset_key.is_some())
    }

    /// Returns the remote issuer, if one is named.
    pub(crate) fn server(&self) -> Result<Option<ServiceClient>, Failure> {
        self.server.open(&self.config()?)
    }

    /// Fails if a remote issuer is named, for commands that work only on a home.
    pub(crate) fn only_here(&self, what: &str) -> Result<(), Failure> {
        match self.server()? {
            None => Ok(()),
            Some(_) => Err(elsewhere(what)),
        }
    }

    /// Like [`Global::only_here`], but without reading `config.toml`.
    pub(crate) fn not_elsewhere(&self, what: &str) -> Result<(), Failure> {
        match self.server.is_named()? {
            false => Ok(()),
            true => Err(elsewhere(what)),
        }
    }

    /// Returns the path of the home, which need not exist.
    pub(crate) fn home(&self) -> Result<PathBuf, Failure> {
        self.home_if_any().ok_or_else(|| {
            Failure::plain(
                Exit::Local,
                "no home is named, and this user has no data directory for one",
            )
            .hint("name a home with --home or BAILIWICK_HOME")
        })
    }

    /// Reads `config.toml` in the home, or returns the defaults if there is no home.
    pub(crate) fn config(&self) -> Result<HomeConfig, Failure> {
        match self.home_if_any() {
            Some(home) => HomeConfig::read(&home.join("config.toml")),
            None => Ok(HomeConfig::default()),
        }
    }

    // Clap could read the environment too, but would then repeat the flag in every usage error.
    fn home_if_any(&self) -> Option<PathBuf> {
        let environment = || env::var_os(HOME).filter(|home| !home.is_empty());
        let data_directory = || directories::ProjectDirs::from("", "", "bailiwick");
        self.home
            .clone()
            .or_else(|| environment().map(PathBuf::from))
            .or_else(|| data_directory().map(|dirs| dirs.data_dir().to_owned()))
    }
}

/// The failure of a command that works only on a home.
fn elsewhere(what: &str) -> Failure {
    Failure::plain(
        Exit::Usage,
        format!("`bailiwick {what}` works only at the issuer's home, but a server is named"),
    )
    .hint("run it on the machine of the issuer, without --server, BAILIWICK_SERVER and `server` in `config.toml`")
}
