//! The store: SQLite for one issuer, PostgreSQL for several. All SQL is in this folder.
//!
//! A write is one transaction, which also contains the audit row that records the change. There is one writer at a
//! time. A committed transaction survives a crash. Readers see one state and block nobody.

mod audit;
mod backup_tables;
mod clients;
mod database;
mod error;
mod keys;
mod postgres;
mod revocations;
mod rights;
mod row;
mod signed;
mod sqlite;
mod tokens;
mod transaction;
mod verifiers;

pub(crate) use backup_tables::{ColumnKind, PAGE, TABLES, Table};
pub(crate) use clients::{StoredClient, StoredSecret};
pub use error::StoreError;
pub use postgres::{PostgresUrl, PostgresUrlError};
pub(crate) use revocations::target_name;
pub(crate) use row::SqlValue;
pub(crate) use signed::{StoredHead, StoredKeyset};
pub(crate) use tokens::TokenPlace;
pub(crate) use transaction::Tx;

use std::{path::PathBuf, sync::Arc};

use self::{database::Database, postgres::PostgresDatabase, sqlite::SqliteDatabase};

/// The location of an issuer's database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file in the home.
    Sqlite(PathBuf),
    /// A server, which several homes may share.
    Postgres(PostgresUrl),
}

/// The database of one issuer.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<dyn Database>);

impl Store {
    /// Opens an existing database and migrates an older schema.
    pub(crate) async fn open(location: &Location) -> Result<Store, StoreError> {
        let store = Store(match location {
            Location::Sqlite(path) => Arc::new(SqliteDatabase::open(path).await?),
            Location::Postgres(url) => Arc::new(PostgresDatabase::open(url).await?),
        });
        store.fill_tokens().await?;
        Ok(store)
    }

    /// Fills in the tokens that an older version of this program minted.
    async fn fill_tokens(&self) -> Result<(), StoreError> {
        while self.read_one().await?.lacks_tokens().await? {
            // A page per transaction, so that other issuers on this database can write in between.
            let mut tx = self.write().await?;
            tx.fill_token_page().await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Begins a write transaction. Until it ends, there is no other writer, in this process or another.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.write().await?))
    }

    /// Begins a read transaction, which sees a single state of the database.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.read().await?))
    }

    /// Runs a single read statement outside a transaction. A single statement sees a single state anyway, and
    /// this saves the round trips that begin and end a transaction.
    pub(crate) async fn read_one(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.read_one().await?))
    }

    /// Wipes the remains of destroyed keys from the database files, as far as possible.
    pub(crate) async fn scrub(&self) {
        self.0.scrub().await;
    }

    /// Closes all connections. SQLite then leaves a single file.
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Runs statements unchanged, for tests that tamper with the database.
    #[cfg(test)]
    pub(crate) async fn tamper(&self, statements: &str) {
        #[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
        let mut tx = self.write().await.unwrap();
        for statement in statements.split(';').filter(|sql| !sql.trim().is_empty()) {
            #[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
            tx.execute(statement.to_owned(), vec![]).await.unwrap();
        }
        #[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
        tx.commit().await.unwrap();
    }
}
