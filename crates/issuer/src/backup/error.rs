//! Why nothing was restored.

use bailiwick_token::key::PublicKey;

use super::{file::BackupFileError, later::LaterError};
use crate::{
    home::HomeError,
    issuer::OpenError,
    keys::KeyError,
    signer::{SignError, from_sources},
};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup.
    #[error(transparent)]
    File(#[from] BackupFileError),
    /// What came after it.
    #[error(transparent)]
    Later(#[from] LaterError),
    /// Another keyset key than the verifiers'.
    #[error(
        "the backup is of the keyset key `{found}`, and verifiers are configured with `{expected}`: use a backup of that issuer"
    )]
    OtherKey {
        /// The backup's.
        found: Box<PublicKey>,
        /// The one that was asked for.
        expected: Box<PublicKey>,
    },
    /// Nothing says whose backup it should be.
    #[error(
        "without a keyset nothing shows whose backup it is: give --keyset-key, as verifiers are configured with it"
    )]
    KeyNeeded,
    /// The database on the server has an issuer already.
    #[error(
        "the database is in use by an issuer: restore into an empty one, or, if it was put back by other means, use --in-place"
    )]
    Taken,
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The root keys.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The private keys or the database.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The finished home could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

from_sources!(RestoreError);
