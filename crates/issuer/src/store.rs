//! The store: SQLite for one issuer, PostgreSQL for several. All SQL is in this folder.
//!
//! A write is one transaction that holds the change and its audit row, and there is one writer at a
//! time; what was committed survives a crash. Readers see one state and block nobody.

mod audit;
mod backup_tables;
mod clients;
mod database;
mod error;
mod keys;
mod postgres;
mod revocations;
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
pub(crate) use transaction::Tx;

use std::{path::PathBuf, sync::Arc};

use self::{database::Database, postgres::PostgresDatabase, sqlite::SqliteDatabase};

/// Where an issuer's database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Location {
    /// A file in the home.
    Sqlite(PathBuf),
    /// A server, which several homes may name.
    Postgres(PostgresUrl),
}

/// The database of one issuer.
#[derive(Debug, Clone)]
pub(crate) struct Store(Arc<dyn Database>);

impl Store {
    /// Opens an existing database, and brings an older schema up to date.
    pub(crate) async fn open(location: &Location) -> Result<Store, StoreError> {
        let store = Store(match location {
            Location::Sqlite(path) => Arc::new(SqliteDatabase::open(path).await?),
            Location::Postgres(url) => Arc::new(PostgresDatabase::open(url).await?),
        });
        store.fill_tokens().await?;
        Ok(store)
    }

    /// Fills in the tokens that an older version minted, a page to a transaction, so that other issuers
    /// have their turns in between.
    async fn fill_tokens(&self) -> Result<(), StoreError> {
        while self.glance().await?.lacks_tokens().await? {
            let mut tx = self.write().await?;
            tx.fill_token_page().await?;
            tx.commit().await?;
        }
        Ok(())
    }

    /// Begins to write: no other writer, in this process or another, until it ends.
    pub(crate) async fn write(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.write().await?))
    }

    /// Begins to read one state of the database.
    pub(crate) async fn read(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.read().await?))
    }

    /// Begins to read with one statement. It sees one state by itself, without what it costs to begin
    /// and to end a transaction.
    pub(crate) async fn glance(&self) -> Result<Tx, StoreError> {
        Ok(Tx(self.0.glance().await?))
    }

    /// Wipes what destroyed keys left behind, as far as the database lets it.
    pub(crate) async fn scrub(&self) {
        self.0.scrub().await;
    }

    /// Ends all connections; of SQLite's files one is left.
    pub(crate) async fn close(&self) {
        self.0.close().await;
    }

    /// Runs statements as they stand: what tests tamper with.
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
