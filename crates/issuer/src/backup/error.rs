//! Errors of a restore.

use bailiwick_token::key::PublicKey;

use super::{evidence::RestoreEvidenceError, file::BackupFileError};
use crate::{
    home::HomeError,
    issuer::OpenError,
    keys::RootKeyError,
    signer::{SignError, from_sources},
};

/// The error of a failed restore. Nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup cannot be used.
    #[error(transparent)]
    File(#[from] BackupFileError),
    /// The evidence of newer state is insufficient.
    #[error(transparent)]
    Evidence(#[from] RestoreEvidenceError),
    /// The backup has a keyset key other than the one that verifiers use.
    #[error(
        "the backup has the keyset key `{found}`, but verifiers are configured with `{expected}`; use a backup of the issuer that they follow"
    )]
    OtherKey {
        /// The key of the backup.
        found: Box<PublicKey>,
        /// The key that was expected.
        expected: Box<PublicKey>,
    },
    /// Neither a keyset nor a keyset key was given, so the backup could belong to any issuer.
    #[error(
        "without a keyset the issuer of the backup cannot be checked; give the keyset key that verifiers are configured with"
    )]
    KeyNeeded,
    /// The database on the server already belongs to an issuer.
    #[error(
        "the database already contains an issuer; restore into an empty database, or restore in place if the database itself was put back"
    )]
    Taken,
    /// The directory cannot be used.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The root keys cannot be changed.
    #[error(transparent)]
    Key(#[from] RootKeyError),
    /// The private keys or the database cannot be used.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The finished home could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

from_sources!(RestoreError);
