//! The PostgreSQL store, which several issuers can share.
//!
//! Writers of all issuers queue for one advisory lock, which each transaction holds until its end. So the audit
//! is one chain, and a key change is seen before the next token is recorded.

use std::{fmt, io::ErrorKind, str::FromStr, time::Duration};

use async_trait::async_trait;
use sqlx::{
    ConnectOptions, Connection as _, PgConnection, PgPool, Postgres,
    migrate::{AppliedMigration, Migrate, Migration},
    pool::PoolConnection,
    postgres::{PgArguments, PgConnectOptions, PgPoolOptions},
    query::Query,
};

use super::{
    database::{Connection, Database, PREPARED, Sql},
    error::StoreError,
    row::{AnyRow, SqlValue},
};

static MIGRATIONS: sqlx::migrate::Migrator = sqlx::migrate!("migrations/postgres");

/// Maximum time that any step may take. If the server is cut off, issuers fail rather than wait.
const PATIENCE: Duration = Duration::from_secs(10);

/// The oldest supported version, in the form of `server_version_num`: 13.
const OLDEST_VERSION: u32 = 130_000;

/// Number of attempts to take the writer's lock, which can fail by a deadlock.
const ATTEMPTS: usize = 3;

/// Maximum time for a connection to show that it is alive.
const ALIVE: Duration = Duration::from_secs(2);

/// Settings of each session, which override those of the role and the database. At `read committed`, a
/// statement sees everything that was committed before the statement began. At a higher level, a writer would
/// see the state from before it waited for the lock, and so would fail or decide by outdated data.
const SESSION: [(&str, &str); 2] = [
    ("default_transaction_isolation", "read committed"),
    ("default_transaction_read_only", "off"),
];

/// Begins a write transaction.
const BEGIN: &str = "BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE";

/// Takes the writer's lock, or fails at the time limit. The number identifies the lock; its bytes spell
/// `bailiwic` in ASCII.
const BEGIN_WRITE: &str = "SELECT pg_advisory_xact_lock(7089056958346258787)";

/// The URL of a PostgreSQL database: `postgres://USER@HOST/DATABASE?…`. The URL may contain a password, so
/// `Debug` shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct PostgresUrl(String);

impl PostgresUrl {
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the host and port, or the directory of the socket. User and password are left out.
    pub(crate) fn host(&self) -> String {
        let Ok(options) = PgConnectOptions::from_str(&self.0) else {
            return String::new();
        };
        match options.get_socket() {
            Some(socket) => socket.display().to_string(),
            None => format!("{}:{}", options.get_host(), options.get_port()),
        }
    }

    /// Returns the name of the database, if the URL contains one.
    pub(crate) fn database(&self) -> Option<String> {
        let options = PgConnectOptions::from_str(&self.0).ok()?;
        options.get_database().map(str::to_owned)
    }
}

impl FromStr for PostgresUrl {
    type Err = PostgresUrlError;

    fn from_str(text: &str) -> Result<PostgresUrl, PostgresUrlError> {
        let text = text.trim();
        let ours = ["postgres://", "postgresql://"];
        if text.len() > 4096 || !ours.iter().any(|scheme| text.starts_with(scheme)) {
            return Err(PostgresUrlError);
        }
        // The error of the parser is dropped: it may quote the text around the fault, and that may be
        // the password.
        PgConnectOptions::from_str(text).map_err(|_| PostgresUrlError)?;
        Ok(PostgresUrl(text.to_owned()))
    }
}

impl fmt::Debug for PostgresUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostgresUrl").finish_non_exhaustive()
    }
}

/// The error of a text that is not the URL of a PostgreSQL database. It repeats no part of the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not the URL of a PostgreSQL database; write `postgres://USER:PASSWORD@HOST/DATABASE`, with each `%`, `/`, `@`, `:`, `?` and `#` of the password as `%25`, `%2F`, `%40`, `%3A`, `%3F` and `%23`"
)]
pub struct PostgresUrlError;

/// A PostgreSQL database that several issuers share.
#[derive(Debug)]
pub(super) struct PostgresDatabase {
    /// A single connection, so that writers in this process queue here, and neither at the lock nor behind
    /// readers.
    writer: PgPool,
    reader: PgPool,
}

impl PostgresDatabase {
    /// Connects, refuses an unreliable server or database, and migrates an older schema.
    pub(super) async fn open(url: &PostgresUrl) -> Result<PostgresDatabase, StoreError> {
        let milliseconds = PATIENCE.as_millis().to_string();
        let options = PgConnectOptions::from_str(url.as_str())?
            .application_name("bailiwick")
            .statement_cache_capacity(PREPARED)
            .options(SESSION)
            .options([
                ("statement_timeout", milliseconds.as_str()),
                ("lock_timeout", milliseconds.as_str()),
            ])
            .disable_statement_logging();
        let pool = |most| {
            PgPoolOptions::new()
                .max_connections(most)
                .acquire_timeout(PATIENCE)
                // The pool's own test waits for a silent connection as long as for a new one. This one gives up
                // earlier.
                .test_before_acquire(false)
                .before_acquire(|connection, _| Box::pin(answers(connection)))
        };
        // This limit is for writers only: a writer that hangs blocks all others. Readers block nobody, and a backup
        // that is written to a slow pipe may read for a long time.
        let idle = [("idle_in_transaction_session_timeout", milliseconds.as_str())];
        let writer = pool(1).connect_with(options.clone().options(idle)).await?;
        check(&writer).await?;
        migrate(&writer).await?;
        let reader = pool(8).connect_lazy_with(options);
        Ok(PostgresDatabase { writer, reader })
    }
}

/// Refuses a server, a database or a session without the properties that an issuer relies on.
async fn check(pool: &PgPool) -> Result<(), StoreError> {
    let setting = async |name: &'static str| {
        let query = sqlx::query_scalar("SELECT current_setting($1)").bind(name);
        query.fetch_one(pool).await
    };
    let version: String = setting("server_version_num").await?;
    let number = version.parse::<u32>().ok();
    if number.is_none_or(|number| number < OLDEST_VERSION) {
        return Err(StoreError::OldServer(setting("server_version").await?));
    }
    let encoding: String = setting("server_encoding").await?;
    if encoding != "UTF8" {
        return Err(StoreError::Encoding(encoding));
    }
    // If any of these is off, a crash can lose or damage committed data: a revocation, or the record of a token that
    // its holder already has.
    for name in ["fsync", "synchronous_commit", "full_page_writes"] {
        let value: String = setting(name).await?;
        if value == "off" {
            return Err(StoreError::Forgetful(name));
        }
    }
    // A pooler in between may drop the settings that the session asked for.
    for (name, needed) in SESSION {
        let value: String = setting(name).await?;
        if value != needed {
            return Err(StoreError::Session {
                name,
                value,
                needed,
            });
        }
    }
    Ok(())
}

/// Migrates an older schema.
async fn migrate(pool: &PgPool) -> Result<(), StoreError> {
    // Only look first. `Migrator::run` always creates its table, which the role of an issuer may not do. It is
    // unnecessary if the schema is up to date.
    let mut connection = pool.acquire().await?;
    let known = "SELECT to_regclass($1) IS NOT NULL";
    let known: bool = sqlx::query_scalar(known)
        .bind(&*MIGRATIONS.table_name)
        .fetch_one(&mut *connection)
        .await?;
    let applied = match known {
        true => {
            let applied = connection.list_applied_migrations(&MIGRATIONS.table_name);
            applied.await?
        }
        false => Vec::new(),
    };
    if let Some(later) = applied
        .iter()
        .find(|it| !MIGRATIONS.version_exists(it.version))
    {
        return Err(StoreError::NewerSchema(later.version));
    }
    let is_due = |ours: &&Migration| {
        let same =
            |it: &AppliedMigration| (it.version, &it.checksum) == (ours.version, &ours.checksum);
        !applied.iter().any(same)
    };
    let Some(due) = MIGRATIONS.iter().find(is_due) else {
        return Ok(());
    };
    MIGRATIONS
        .run(&mut *connection)
        .await
        .map_err(|error| match error.into() {
            // Only this migration lacks the right, so the message names the migration.
            StoreError::Rights => StoreError::OlderSchema(due.version),
            other => other,
        })
}

impl PostgresDatabase {
    async fn begin_write(&self) -> Result<PostgresConnection, StoreError> {
        let mut connection = PostgresConnection::of(&self.writer).await?;
        connection.begin(BEGIN).await?;
        // The lock comes first in the transaction. So every later statement sees what the previous writer committed.
        patiently(sqlx::query(BEGIN_WRITE).execute(connection.live()?)).await?;
        Ok(connection)
    }
}

#[async_trait]
impl Database for PostgresDatabase {
    async fn write(&self) -> Result<Box<dyn Connection>, StoreError> {
        let mut begun = self.begin_write().await;
        for _ in 1..ATTEMPTS {
            // Nothing was written yet, so it is safe to try again.
            if !matches!(begun, Err(StoreError::Conflict)) {
                break;
            }
            begun = self.begin_write().await;
        }
        Ok(Box::new(begun?))
    }

    async fn read(&self) -> Result<Box<dyn Connection>, StoreError> {
        let mut connection = PostgresConnection::of(&self.reader).await?;
        // Several statements must see a single state, such as a key and the keyset that contains it.
        let begin = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";
        connection.begin(begin).await?;
        Ok(Box::new(connection))
    }

    async fn read_one(&self) -> Result<Box<dyn Connection>, StoreError> {
        Ok(Box::new(PostgresConnection::of(&self.reader).await?))
    }

    /// Vacuums the table of private halves. If that fails, the server does it later. Until then the dead rows
    /// are still encrypted.
    async fn scrub(&self) {
        let vacuum = async {
            let mut connection = PostgresConnection::of(&self.writer).await?;
            // Below version 17, only the owner of the table may vacuum it. Other roles get a warning that no operator
            // can act on. In that case, the server vacuums the table later on its own.
            let quiet = sqlx::raw_sql("SET client_min_messages = error");
            patiently(quiet.execute(connection.live()?)).await?;
            patiently(sqlx::query("VACUUM sealed_key").execute(connection.live()?)).await?;
            let usual = sqlx::raw_sql("SET client_min_messages = DEFAULT");
            patiently(usual.execute(connection.live()?)).await
        };
        if let Err(error) = vacuum.await {
            tracing::warn!(%error, "destroyed keys are not vacuumed yet; the server does that later");
        }
    }

    /// Closes the connections. Connections that do not answer are awaited only for a limited time.
    async fn close(&self) {
        let both = async { tokio::join!(self.reader.close(), self.writer.close()) };
        let _ = tokio::time::timeout(PATIENCE, both).await;
    }
}

/// A connection, usually in a transaction. Dropping it before the commit rolls the transaction back.
struct PostgresConnection {
    /// The pooled connection; `None` only during the drop.
    live: Option<PoolConnection<Postgres>>,
    begun: bool,
}

impl PostgresConnection {
    async fn of(pool: &PgPool) -> Result<PostgresConnection, StoreError> {
        Ok(PostgresConnection {
            live: Some(patiently(pool.acquire()).await?),
            begun: false,
        })
    }

    fn live(&mut self) -> Result<&mut PgConnection, StoreError> {
        self.live.as_deref_mut().ok_or(StoreError::Unreachable)
    }

    async fn begin(&mut self, statement: &'static str) -> Result<(), StoreError> {
        // Set before the statement is sent: if waiting for the answer times out, the server may have begun a
        // transaction nevertheless, which must be rolled back.
        self.begun = true;
        patiently(sqlx::raw_sql(statement).execute(self.live()?)).await?;
        Ok(())
    }
}

/// Returns the connection to the pool if it is alive, and closes it otherwise. If a network drops all packets,
/// a connection hangs for about a quarter of an hour without an error. The pool would count it as one of its
/// own for that time, and could run out of connections.
impl Drop for PostgresConnection {
    fn drop(&mut self) {
        let Some(mut live) = self.live.take() else {
            return;
        };
        // If the task below ends early, by an error or a timeout, this closes the connection. Otherwise
        // `return_to_pool` takes the connection out first.
        live.close_on_drop();
        let begun = self.begun;
        let give_back = async move {
            if begun {
                sqlx::raw_sql("ROLLBACK").execute(&mut *live).await?;
            }
            live.return_to_pool().await;
            Ok::<(), sqlx::Error>(())
        };
        tokio::spawn(tokio::time::timeout(ALIVE, give_back));
    }
}

#[async_trait]
impl Connection for PostgresConnection {
    async fn execute(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<u64, StoreError> {
        let done = patiently(query(sql, values).execute(self.live()?)).await?;
        Ok(done.rows_affected())
    }

    async fn fetch(&mut self, sql: Sql, values: Vec<SqlValue>) -> Result<Vec<AnyRow>, StoreError> {
        let rows = patiently(query(sql, values).fetch_all(self.live()?)).await?;
        Ok(rows.into_iter().map(AnyRow::Postgres).collect())
    }

    async fn commit(mut self: Box<Self>) -> Result<(), StoreError> {
        // An error leaves `begun` set: if the commit did not reach the server, `drop` rolls back.
        patiently(sqlx::raw_sql("COMMIT").execute(self.live()?)).await?;
        self.begun = false;
        Ok(())
    }
}

/// Returns true if a connection answers within a short time.
async fn answers(connection: &mut PgConnection) -> Result<bool, sqlx::Error> {
    match tokio::time::timeout(ALIVE, connection.ping()).await {
        Ok(answer) => answer.map(|()| true),
        // An error rather than `false`: after `false`, the pool would close the connection gracefully, and wait for
        // an answer once more.
        Err(_) => Err(sqlx::Error::Io(ErrorKind::TimedOut.into())),
    }
}

/// Awaits `work` for a limited time. The server's time limits end a statement in progress; this limit also
/// covers a statement that never reaches the server.
async fn patiently<T>(work: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, StoreError> {
    // One second more than the server's own limits, so that its more specific error comes first.
    match tokio::time::timeout(PATIENCE.saturating_add(Duration::from_secs(1)), work).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(StoreError::Unreachable),
    }
}

fn query(sql: Sql, values: Vec<SqlValue>) -> Query<'static, Postgres, PgArguments> {
    let query = sqlx::query(sql.into_sqlx());
    values.into_iter().fold(query, |query, value| match value {
        SqlValue::Int(value) => query.bind(value),
        SqlValue::Text(value) => query.bind(value),
        SqlValue::Bytes(value) => query.bind(value),
    })
}
