//! The database of a new home.

use bailiwick_issuer::PostgresUrl;
use clap::Args;

use crate::{
    exit::{Exit, Failure},
    input::{Input, variable, warn_if_open},
};

/// The environment variable with the URL of a PostgreSQL database.
const STORE: &str = "BAILIWICK_STORE";

/// Maximum length of the URL of a database, in bytes.
const MAX_STORE: usize = 4096;

/// Options of commands that make a home.
#[derive(Debug, Args)]
pub(crate) struct StoreArg {
    /// The file with the URL of a PostgreSQL database, for several issuers [default: BAILIWICK_STORE, else
    /// SQLite in the home]
    #[arg(long, value_name = "FILE|-")]
    store_file: Option<Input>,
}

impl StoreArg {
    /// Reads the URL from the file or the environment. The URL may contain a password, so it is not an
    /// argument.
    pub(crate) fn store(&self) -> Result<Option<PostgresUrl>, Failure> {
        let text = match &self.store_file {
            Some(file) => {
                warn_if_open("database's URL", file);
                file.read_text(MAX_STORE)?
            }
            None => match variable(STORE)?.filter(|url| !url.is_empty()) {
                Some(url) => url,
                None => return Ok(None),
            },
        };
        let url = text.trim().parse();
        url.map(Some)
            .map_err(|error| Failure::new(Exit::Local, error))
    }
}
