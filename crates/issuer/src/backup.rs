//! Backups: the whole issuer as one signed file.
//!
//! | line | content |
//! |---|---|
//! | the first | format, issuer, time, and the files of the home, `identity.age` among them |
//! | `{"table":…,"columns":[…]}` | the table that the rows after it belong to |
//! | `[…]` | a row; bytes are base64 |
//! | the last | a DSSE envelope of the keyset key over the digest of all lines before it |
//!
//! A backup contains the private keys as the database does: encrypted to the identity, which itself is encrypted with
//! the passphrase. Everything else is in plain text. A backup of SQLite can be restored into PostgreSQL, and vice
//! versa.
//!
//! A restored issuer lacks everything that happened after the backup, such as revocations that verifiers already
//! have. So a restore takes later signed state as input ([`RestoreEvidence`]), and adopts it before anything is
//! published.

mod catch_up;
mod error;
mod evidence;
mod file;
mod restore;

pub use catch_up::RestoreReport;
pub use error::RestoreError;
pub use evidence::{RestoreEvidence, RestoreEvidenceError};
pub use file::BackupFileError;
pub use restore::RestoreOptions;

use std::io::Write;

use bailiwick_token::timestamp::Timestamp;
use serde::Serialize;

use self::file::{BackupWriter, Begin};
use crate::{
    home::HomeError,
    issuer::Issuer,
    signer::{SignError, from_sources},
    store::{StoreError, TABLES},
};

/// A description of a finished backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BackupReport {
    /// The issuer in the backup.
    pub issuer: String,
    /// Time of the state in the backup.
    pub made_at: Timestamp,
    /// Version of the newest keyset in the backup.
    pub keyset_version: u64,
    /// Number of rows.
    pub rows: u64,
    /// Length of the backup, in bytes.
    pub bytes: u64,
}

impl Issuer {
    /// Writes a backup of a single state of the database to `out`, while the issuer keeps working. From time to time,
    /// `progress` is called with the number of rows so far. A backup without its last line cannot be restored.
    ///
    /// # Errors
    /// [`BackupError`].
    pub async fn backup(
        &self,
        out: &mut (dyn Write + Send),
        mut progress: impl FnMut(u64),
        now: Timestamp,
    ) -> Result<BackupReport, BackupError> {
        let mut tx = self.store.read().await?;
        let signer = self.keyset_signer(&mut tx).await?;
        let keyset = tx.keyset().await?.ok_or(StoreError::Damaged("keyset"))?;
        let begin = Begin::new(&self.settings.issuer, now, self.home_files()?);
        let mut writer = BackupWriter::begin(out, &begin)?;
        for table in TABLES {
            writer.table(table)?;
            let mut last = None;
            loop {
                let rows = tx.rows_after(table, last).await?;
                let Some(row) = rows.last() else { break };
                last = row.first().cloned();
                for row in &rows {
                    writer.row(row)?;
                }
                progress(writer.rows());
            }
        }
        let rows = writer.rows();
        let bytes = writer.end(&self.settings.issuer, now, &signer)?;
        Ok(BackupReport {
            issuer: self.settings.issuer.clone(),
            made_at: now,
            keyset_version: keyset.version,
            rows,
            bytes,
        })
    }
}

/// The error of a failed backup. A partly written backup cannot be restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum BackupError {
    /// The files of the home cannot be read.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The database cannot be read, or the backup cannot be signed.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The backup cannot be written.
    #[error(
        "the backup cannot be written ({0}); free space on the disk, or write it to another place"
    )]
    Io(#[from] std::io::Error),
}

from_sources!(BackupError);
