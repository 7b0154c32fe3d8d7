//! A description of the database, for operators.

use std::{fs, io, path::PathBuf};

use crate::{
    home::HomeError,
    issuer::{Issuer, OpenError},
    store::Location,
};

/// A description of an issuer's database. It contains no password.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreInfo {
    /// Kind and location of the database.
    pub place: StorePlace,
    /// Number of the last migration of the schema.
    pub schema: u64,
    /// Rights that the role in the URL of a PostgreSQL database lacks, such as `INSERT on audit`.
    pub missing_rights: Vec<String>,
}

/// Kind and location of a database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StorePlace {
    /// A file in the home.
    Sqlite {
        /// Path of the file.
        path: PathBuf,
        /// Size in bytes, including the write-ahead log.
        bytes: u64,
    },
    /// A PostgreSQL database.
    Postgres {
        /// The host and its port, or the directory of its socket.
        host: String,
        /// Name of the database, if the URL contains one.
        database: Option<String>,
    },
}

impl Issuer {
    /// Returns the description of the database.
    ///
    /// # Errors
    /// [`OpenError`] if the home or the database cannot be read.
    pub async fn store_info(&self) -> Result<StoreInfo, OpenError> {
        let place = match self.location()? {
            Location::Sqlite(path) => {
                let mut log = path.clone().into_os_string();
                log.push("-wal");
                let bytes = size(path.clone())?.saturating_add(size(log.into())?);
                StorePlace::Sqlite { path, bytes }
            }
            Location::Postgres(url) => StorePlace::Postgres {
                host: url.host(),
                database: url.database(),
            },
        };
        let schema = self.store.read_one().await?.schema_version().await?;
        let missing_rights = match place {
            StorePlace::Sqlite { .. } => Vec::new(),
            StorePlace::Postgres { .. } => self.store.read_one().await?.missing_rights().await?,
        };
        Ok(StoreInfo {
            place,
            schema,
            missing_rights,
        })
    }
}

/// Returns the size of a file; 0 if it does not exist.
fn size(path: PathBuf) -> Result<u64, HomeError> {
    match fs::metadata(&path) {
        Ok(metadata) => Ok(metadata.len()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(0),
        Err(error) => Err(HomeError::Io { path, error }),
    }
}
