//! The SQLite store: a single file with one writer at a time.
//!
//! A write is one `BEGIN IMMEDIATE` transaction. A committed transaction survives a crash (`synchronous=FULL`).
//! Readers see a single state and block nobody (WAL).

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection as _, Sqlite, SqlitePool, Transaction,
    pool::PoolConnection,
    query::Query,
    sqlite::{
        SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions,
        SqliteSynchronous,
    },
};

use super::{
    database::{Connection, Database, PREPARED, Sql},
    error::StoreError,
    row::{AnyRow, SqlValue},
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/sqlite");

/// Maximum time that a writer waits for another process.
const BUSY: Duration = Duration::from_secs(10);

/// The database in an issuer's home.
#[derive(Debug)]
pub(super) struct SqliteDatabase {
    /// A single connection, so that writers in this process queue here and not at SQLite's lock.
    writer: SqlitePool,
    reader: SqlitePool,
}

impl SqliteDatabase {
    /// Opens an existing file and migrates an older schema.
    pub(super) async fn open(path: &Path) -> Result<SqliteDatabase, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(false)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(BUSY)
            .statement_cache_capacity(PREPARED)
            // Overwrites deleted rows with zeros. Private keys are destroyed by deleting their rows.
            .pragma("secure_delete", "ON")
            .disable_statement_logging();
        let writer = pool()
            .max_connections(1)
            .connect_with(options.clone())
            .await?;
        MIGRATIONS.run(&writer).await?;
        // Readers are read-only: a write by mistake would bypass the queue of writers.
        let reader = pool()
            .max_connections(4)
            .connect_lazy_with(options.pragma("query_only", "ON"));
        Ok(SqliteDatabase { writer, reader })
    }
}

fn pool() -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .acquire_timeout(BUSY)
        // A connection to a file does not break while it is idle.
        .test_before_acquire(false)
        // A full or failing disk makes SQLite end a transaction on its own. The driver does not notice, and
        // would never again begin a transaction on that connection.
        .before_acquire(|connection, _| {
            let fit = !connection.is_in_transaction();
            Box::pin(async move { Ok(fit) })
        })
}

#[async_trait]
impl Database for SqliteDatabase {
    async fn write(&self) -> Result<Box<dyn Connection>, StoreError> {
        // The transaction must be immediate: one that begins as a reader and then writes can fail as busy at once, if
        // another process has written in between.
        Ok(Box::new(SqliteConnection::Transaction(
            self.writer.begin_with("BEGIN IMMEDIATE").await?,
        )))
    }

    async fn read(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(SqliteConnection::Transaction(
            self.reader.begin().await?,
        )))
    }

    async fn read_one(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(SqliteConnection::Alone(
            self.reader.acquire().await?,
        )))
    }

    /// Empties the write-ahead log, which still contains the pages with destroyed keys. An active reader delays
    /// this until the next checkpoint. Until then the keys are still encrypted.
    async fn scrub(&self) {
        let emptied = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await;
        if let Err(error) = emptied {
            tracing::warn!(%error, "the write-ahead log was not emptied; it will be later");
        }
    }

    /// Closes all connections. The last one merges the write-ahead log, so a single file is left.
    async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

enum SqliteConnection {
    Transaction(Transaction<'static, Sqlite>),
    /// A connection without a transaction: each statement is independent.
    Alone(PoolConnection<Sqlite>),
}

impl SqliteConnection {
    fn inner(&mut self) -> &mut sqlx::SqliteConnection {
        match self {
            SqliteConnection::Transaction(transaction) => transaction,
            SqliteConnection::Alone(connection) => connection,
        }
    }
}

#[async_trait]
impl Connection for SqliteConnection {
    async fn execute(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<u64, StoreError> {
        let done = query(sql, values).execute(self.inner()).await?;
        Ok(done.rows_affected())
    }

    async fn fetch(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<Vec<AnyRow>, StoreError> {
        let rows = query(sql, values).fetch_all(self.inner()).await?;
        Ok(rows.into_iter().map(AnyRow::Sqlite).collect())
    }

    async fn commit(self: Box<Self>) -> Result<(), StoreError> {
        match *self {
            SqliteConnection::Transaction(transaction) => Ok(transaction.commit().await?),
            SqliteConnection::Alone(_) => Ok(()),
        }
    }
}

fn query(sql: Sql, values: Vec<SqlValue>) -> Query<'static, Sqlite, SqliteArguments> {
    let query = sqlx::query(Sql::from(placed(sql.as_str())).into_sqlx());
    values.into_iter().fold(query, |query, value| match value {
        SqlValue::Int(value) => query.bind(value),
        SqlValue::Text(value) => query.bind(value),
        SqlValue::Bytes(value) => query.bind(value),
    })
}

/// Returns the statement with parameters in SQLite's form. SQLite looks up `$1` and `?1` by name among all
/// parameters. A plain `?` has no name, so it is used where the parameters are in order.
fn placed(sql: &str) -> String {
    let mut places = sql.split('$');
    let mut placed = places.next().unwrap_or_default().to_owned();
    for (index, rest) in places.enumerate() {
        let text = rest.trim_start_matches(|c: char| c.is_ascii_digit());
        let number = rest.strip_suffix(text).and_then(|n| n.parse().ok());
        // A parameter is repeated or out of order, so each parameter must state its number.
        if number != Some(index.saturating_add(1)) {
            return sql.replace('$', "?");
        }
        placed.push('?');
        placed.push_str(text);
    }
    placed
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_in_their_order_need_no_number() {
        for (sql, expected) in [
            ("SELECT 1", "SELECT 1"),
            ("a = $1 AND b IN ($2,$3)", "a = ? AND b IN (?,?)"),
            ("a = $1 AND b > $1", "a = ?1 AND b > ?1"),
            ("a = $2 AND b = $1", "a = ?2 AND b = ?1"),
            ("$1$2", "??"),
        ] {
            assert_eq!(placed(sql), expected);
        }
    }
}
