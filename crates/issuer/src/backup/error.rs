//! Why nothing was restored.

use bailiwick_token::key::PublicKey;

use super::{evidence::RestoreEvidenceError, file::BackupFileError};
use crate::{
    home::HomeError,
    issuer::OpenError,
    keys::RootKeyError,
    signer::{SignError, from_sources},
};

/// Why nothing was restored.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RestoreError {
    /// The backup.
    #[error(transparent)]
    File(#[from] BackupFileError),
    /// The evidence of what came after the backup.
    #[error(transparent)]
    Evidence(#[from] RestoreEvidenceError),
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
        "without a keyset nothing shows whose backup it is: give the keyset key, as verifiers are configured with it"
    )]
    KeyNeeded,
    /// The database on the server has an issuer already.
    #[error(
        "the database is in use by an issuer: restore into an empty one, or, if it was put back by other means, go on with that"
    )]
    Taken,
    /// The directory.
    #[error(transparent)]
    Home(#[from] HomeError),
    /// The root keys.
    #[error(transparent)]
    Key(#[from] RootKeyError),
    /// The private keys or the database.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// The finished home could not be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
}

from_sources!(RestoreError);
