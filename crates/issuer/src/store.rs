//! The store: SQLite, one file, one writer at a time. All SQL is in this folder.
//!
//! A write is one `BEGIN IMMEDIATE` transaction that holds the change and its audit row; what was
//! committed survives a crash (`synchronous=FULL`). Readers see one state and block nobody (WAL).

mod audit;
mod keys;
mod revocations;
mod row;
mod signed;
mod tokens;

pub(crate) use revocations::Saved;
pub(crate) use row::NotStored;
pub(crate) use signed::{StoredKeyset, StoredList};

use std::{path::Path, time::Duration};

use sqlx::{
    ConnectOptions, Sqlite, SqlitePool, Transaction,
    migrate::MigrateError,
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!();

/// How long a writer waits for another process.
const BUSY: Duration = Duration::from_secs(10);

/// The database of one issuer.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    /// One connection: writers in this process queue here, and not at SQLite's lock.
    writer: SqlitePool,
    reader: SqlitePool,
}

/// A transaction. Dropped before [`Tx::commit`], it leaves nothing.
pub(crate) struct Tx(Transaction<'static, Sqlite>);

impl Store {
    /// Opens an existing file, and brings an older schema up to date.
    pub(crate) async fn open(path: &Path) -> Result<Store, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            // What is deleted is overwritten: private keys are.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(4)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(Store { writer, reader })
    }

    /// Begins to write: no other writer, in this process or another, until it ends.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.writer.begin_with("BEGIN IMMEDIATE").await?))
    }

    /// Begins to read one state of the database.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.reader.begin().await?))
    }

    /// Empties the write-ahead log, which still holds the pages that destroyed keys stood on.
    /// A reader that is under way defers that to the next checkpoint; the keys are encrypted.
    pub(crate) async fn scrub(&self) {
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await;
        if let Err(error) = emptied {
            tracing::warn!(%error, "the write-ahead log was not emptied; it will be later");
        }
    }

    /// Ends all connections, which leaves a single file.
    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    #[cfg(test)]
    pub(crate) fn raw(&self) -> &SqlitePool {
        &self.writer
    }
}

impl Tx {
    pub(crate) async fn commit(self) -> Result<(), StoreError> {
        Ok(self.0.commit().await?)
    }
}

/// Why the database refused.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("another process is writing to the issuer's database: try again")]
    Busy,
    /// No space.
    #[error("the disk is full, and nothing was changed: free space and try again")]
    Full,
    /// Written by a later version.
    #[error("the database has schema {0}, which a newer version of this program wrote: upgrade it")]
    NewerSchema(i64),
    /// A migration in the database is not the one in the program.
    #[error("migration {0} of the database is not the one of this program: use a released version")]
    OtherSchema(i64),
    /// It holds what was not written here.
    #[error("the database holds a damaged {0}: restore the home from a backup")]
    Damaged(&'static str),
    /// Anything else.
    #[error("the issuer's database cannot be used ({0}): check the home's disk and permissions")]
    Database(#[source] sqlx::Error),
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        // SQLite's result codes; the low byte is the primary one.
        let code = error
            .as_database_error()
            .and_then(|database| database.code())
            .and_then(|code| code.parse::<u32>().ok());
        match code.map(|code| code & 0xff) {
            Some(5 | 6) => StoreError::Busy,
            Some(13) => StoreError::Full,
            Some(11 | 26) => StoreError::Damaged("file"),
            _ => StoreError::Database(error),
        }
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> StoreError {
        match error {
            MigrateError::VersionMissing(version) => StoreError::NewerSchema(version),
            MigrateError::VersionMismatch(version) => StoreError::OtherSchema(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => StoreError::Database(sqlx::Error::Migrate(Box::new(other))),
        }
    }
}

impl From<NotStored> for StoreError {
    fn from(NotStored(what): NotStored) -> StoreError {
        StoreError::Damaged(what)
    }
}
