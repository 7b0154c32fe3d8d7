//! Errors of the database, and the interpretation of SQLite's and PostgreSQL's error codes.

use std::{io::ErrorKind, sync::Arc};

use sqlx::migrate::MigrateError;

use super::row::NotStored;
use crate::standing::withdrawn::Withdrawn;

/// An error of the database.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// Another process holds the lock.
    #[error("another process is writing to the issuer's database; try again")]
    Busy,
    /// The transaction conflicted with another one, and nothing was changed.
    #[error(
        "another transaction in the issuer's database conflicted with this one and nothing was changed; try again"
    )]
    Conflict,
    /// A text contains NUL, which neither database stores.
    #[error(
        "a text contains the character NUL, which the issuer's database cannot store; leave that character out"
    )]
    Nul,
    /// A statement exceeded its time limit.
    #[error("the issuer's database took too long to answer; ask for less, or try again")]
    Slow,
    /// Too many requests are already waiting.
    #[error("the issuer is overloaded; try again in a moment")]
    Overloaded,
    /// The disk is full.
    #[error("the disk is full and nothing was changed; free space and try again")]
    Full,
    /// The database does not answer.
    #[error("the issuer's database does not answer; check the database server and the network")]
    Unreachable,
    /// The server answers, but no trusted TLS connection can be made.
    #[error(
        "no TLS connection to the issuer's database can be made ({0}); check `sslmode` and `sslrootcert` in its URL, and the certificate of the server"
    )]
    Tls(#[source] Arc<sqlx::Error>),
    /// A local file or socket that the URL names does not exist or cannot be read.
    #[error(
        "a file or socket named in the URL of the issuer's database cannot be opened ({0}); check `sslrootcert`, `sslcert`, `sslkey` and `host` in that URL"
    )]
    File(#[source] Arc<sqlx::Error>),
    /// The server is configured so that it may lose committed transactions.
    #[error(
        "the database server could lose committed data, because `{0}` is off; set `{0}` to `on` in its configuration"
    )]
    Forgetful(&'static str),
    /// The encoding of the database cannot represent all names.
    #[error(
        "the database has the encoding `{0}`, but `UTF8` is needed; create it again with `ENCODING 'UTF8' TEMPLATE template0`"
    )]
    Encoding(String),
    /// The server's version is too old.
    #[error("the database server has version {0}, but 13 or later is needed; upgrade the server")]
    OldServer(String),
    /// Something between this process and the server, such as a connection pooler, drops session settings.
    #[error(
        "the database session has `{name}` set to `{value}`, but asked for `{needed}`; connect without a pooler that drops startup options, or set `{name}` for the role by ALTER ROLE"
    )]
    Session {
        /// Name of the setting.
        name: &'static str,
        /// The value in the session.
        value: String,
        /// The value that the issuer requires.
        needed: &'static str,
    },
    /// A later version of this program wrote the database.
    #[error("the database has schema {0}, which a newer version wrote; upgrade this program")]
    NewerSchema(i64),
    /// A migration in the database differs from the one in the program.
    #[error(
        "migration {0} of the database differs from that of this program; use a released version of this program"
    )]
    OtherSchema(i64),
    /// A migration is missing, and the database role may not apply it.
    #[error(
        "the database lacks migration {0} of this program, and this role may not add it; run any command once with the URL of the role that owns the tables"
    )]
    OlderSchema(i64),
    /// The database role may not run the statement.
    #[error(
        "this role has no right to do that in the issuer's database; use the URL of the role that owns the tables, or grant the rights again (docs/deploy/postgres.sql, step 2)"
    )]
    Rights,
    /// The server has no database of this name.
    #[error(
        "the server has no database of this name; create it (docs/deploy/postgres.sql, step 1), or correct the URL"
    )]
    NoDatabase,
    /// The server refuses the role or its password.
    #[error(
        "the database server refuses this role or its password; check both in the URL of the database, and `pg_hba.conf` of the server"
    )]
    Login,
    /// The database contains data that this program did not write.
    #[error("the database contains a damaged {0}; restore the home from a backup")]
    Damaged(&'static str),
    /// The caller's standing was withdrawn before the transaction began.
    #[error(transparent)]
    Withdrawn(#[from] Withdrawn),
    /// Any other error.
    #[error("the issuer's database cannot be used ({0}); check its disk, permissions and settings")]
    Database(#[source] Arc<sqlx::Error>),
}

impl StoreError {
    /// Returns true if the error concerns the database as a whole, rather than a single statement.
    pub(crate) fn is_of_the_whole(&self) -> bool {
        !matches!(
            self,
            StoreError::Database(_)
                | StoreError::Damaged(_)
                | StoreError::Rights
                | StoreError::Nul
                | StoreError::Withdrawn(_)
        )
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> StoreError {
        let code = error
            .as_database_error()
            .and_then(|database| database.code().map(|code| code.into_owned()));
        if let Some(known) = code.as_deref().and_then(by_code) {
            return known;
        }
        match &error {
            sqlx::Error::Tls(_) => StoreError::Tls(Arc::new(error)),
            sqlx::Error::Io(io) => match io.kind() {
                // A TLS handshake failed, for example because of an untrusted certificate.
                ErrorKind::InvalidData => StoreError::Tls(Arc::new(error)),
                // Networks do not fail with these kinds, so this is a local file or socket.
                ErrorKind::NotFound | ErrorKind::PermissionDenied => {
                    StoreError::File(Arc::new(error))
                }
                _ => StoreError::Unreachable,
            },
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed | sqlx::Error::WorkerCrashed => {
                StoreError::Unreachable
            }
            _ => StoreError::Database(Arc::new(error)),
        }
    }
}

/// Returns the specific error for an error code of either database; `None` if there is none.
fn by_code(code: &str) -> Option<StoreError> {
    // The two kinds of codes cannot be confused: SQLSTATE has five characters, and the numbers of
    // SQLite that matter here are shorter.
    match code {
        // lock_not_available
        "55P03" => return Some(StoreError::Busy),
        // serialization_failure, deadlock_detected
        "40001" | "40P01" => return Some(StoreError::Conflict),
        // query_canceled, usually by `statement_timeout`
        "57014" => return Some(StoreError::Slow),
        "53100" => return Some(StoreError::Full),
        // too_many_connections, and the server going down or coming up
        "53300" | "57P01" | "57P02" | "57P03" => return Some(StoreError::Unreachable),
        // insufficient_privilege
        "42501" => return Some(StoreError::Rights),
        // invalid_authorization_specification, invalid_password
        "28000" | "28P01" => return Some(StoreError::Login),
        // invalid_catalog_name
        "3D000" => return Some(StoreError::NoDatabase),
        // data_corrupted, index_corrupted
        "XX001" | "XX002" => return Some(StoreError::Damaged("file")),
        _ => {}
    }
    if code.len() >= 5 {
        return None;
    }
    // The low byte of an extended result code is the primary one: SQLITE_BUSY and SQLITE_LOCKED,
    // SQLITE_FULL, SQLITE_CORRUPT and SQLITE_NOTADB.
    match code.parse::<u32>().ok()? & 0xff {
        5 | 6 => Some(StoreError::Busy),
        13 => Some(StoreError::Full),
        11 | 26 => Some(StoreError::Damaged("file")),
        _ => None,
    }
}

impl From<MigrateError> for StoreError {
    fn from(error: MigrateError) -> StoreError {
        match error {
            MigrateError::VersionMissing(version) => StoreError::NewerSchema(version),
            MigrateError::VersionMismatch(version) => StoreError::OtherSchema(version),
            MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
            other => StoreError::Database(Arc::new(sqlx::Error::Migrate(Box::new(other)))),
        }
    }
}

impl From<NotStored> for StoreError {
    fn from(NotStored(what): NotStored) -> StoreError {
        StoreError::Damaged(what)
    }
}
