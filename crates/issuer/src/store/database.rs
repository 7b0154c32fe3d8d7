//! The interface of a database: connections and statements.
//!
//! The SQL that uses this interface is written once, in the dialect that SQLite and PostgreSQL share, with
//! parameters such as `$1`. The differences (connections, locks, migrations, error codes) are in
//! [`super::sqlite`] and [`super::postgres`].

use std::{borrow::Cow, fmt};

use async_trait::async_trait;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use super::{
    error::StoreError,
    row::{AnyRow, SqlValue},
};

/// Number of statements that a connection keeps prepared. Inserts with different numbers of rows are different
/// statements.
pub(super) const PREPARED: usize = 512;

/// The database of one issuer.
#[async_trait]
pub(super) trait Database: fmt::Debug + Send + Sync {
    /// Begins a write transaction. Until it ends, there is no other writer, in this process or another.
    async fn write(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// Begins a read transaction, which sees a single state of the database.
    async fn read(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// Like [`Database::read`], but for a single statement.
    async fn read_one(&self) -> Result<Box<dyn Connection>, StoreError>;

    /// Wipes the remains of deleted rows from the database files, as far as possible.
    async fn scrub(&self);

    /// Closes all connections.
    async fn close(&self);
}

/// A transaction. It is rolled back if it is dropped before being committed.
#[async_trait]
pub(super) trait Connection: Send {
    /// Runs a statement and returns the number of rows that it changed.
    async fn execute(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<u64, StoreError>;

    /// Runs a query.
    async fn fetch(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<Vec<AnyRow>, StoreError>;

    /// Commits the transaction. After an error, the transaction may have been committed nevertheless, if only the
    /// answer was lost.
    async fn commit(self: Box<Self>) -> Result<(), StoreError>;
}

/// The text of a statement, usually a literal in this folder.
pub(super) struct Sql(Cow<'static, str>);

impl Sql {
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    pub(super) fn into_sqlx(self) -> SqlStr {
        match self.0 {
            Cow::Borrowed(text) => text.into_sql_str(),
            // The text consists only of literals in this folder. Values are always parameters, so none of them can
            // become SQL.
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
