//! The interface of a database: connections and statements.
//!
//! The SQL above this is written once, in the dialect that SQLite and PostgreSQL share, with
//! parameters as `$1`. What differs (connections, locks, migrations, error codes) is in
//! [`super::sqlite`] and [`super::postgres`].

use std::{borrow::Cow, fmt};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{
    error::StoreError,
    row::{AnyRow, SqlValue},
};

/// The number of statements that a connection keeps prepared: an insert of each number of rows is one of
/// its own.
pub(super) const PREPARED: usize = 512;

/// A database of one issuer.
#[async_trait]
pub(super) trait Database: fmt::Debug + Send + Sync {
    /// Begins to write: no other writer, in this process or another, until it ends.
    async fn write(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// Begins to read one state of the database.
    async fn read(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// As [`Database::read`], for a single statement.
    async fn glance(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// Wipes what deleted rows left behind, as far as the database lets it.
    async fn scrub(&self);

    /// Ends all connections.
    async fn close(&self);
}

/// A transaction. Dropped before it was committed, it leaves nothing.
#[async_trait]
pub(super) trait Connection: Send {
    /// Runs a statement, and tells how many rows it touched.
    async fn execute(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<u64, StoreError>;

    /// Runs a query.
    async fn fetch(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<Vec<AnyRow>, StoreError>;

    /// Makes it last. An error may mean that it did last, and that nobody was told.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The text of a statement: ours, as a rule as it stands in the source.
pub(super) struct Sql(Cow<'static, str>);

impl Sql {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_sqlx(self) -> SqlStr {
        match self.0 {
            Cow::Borrowed(text) => text.into_sql_str(),
            // Put together from texts of this folder; values are parameters always.
            Cow::Owned(text) => AssertSqlSafe(text).into_sql_str(),
        }
    }
}

impl From<&'static str> for Sql {
    fn from(text: &'static str) -> Sql {
        Sql(Cow::Borrowed(text))
    }
}

impl From<String> for Sql {
    fn from(text: String) -> Sql {
        Sql(Cow::Owned(text))
    }
}
