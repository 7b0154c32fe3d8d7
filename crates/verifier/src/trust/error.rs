//! Errors of reading a trust, and of replacing one.

use bailiwick_token::{keyset::KeysetError, revocation::SnapshotError};

/// The reason why a keyset or revocations cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The keyset is not valid, or the keyset key did not sign it.
    #[error(transparent)]
    Keyset(#[from] KeysetError),
    /// The revocations are not a snapshot, or the keyset key did not sign them.
    #[error(transparent)]
    Revocations(#[from] SnapshotError),
    /// The revocations belong to another issuer.
    #[error(
        "the revocations belong to the issuer `{revocations}`, but the keyset to `{keyset}`; use a keyset and revocations of the same issuer"
    )]
    Issuer {
        /// The issuer that the revocations name.
        revocations: String,
        /// The issuer that the keyset names.
        keyset: String,
    },
}

/// The reason why a new trust would undo the one in use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RollbackError {
    /// The keyset belongs to another issuer.
    #[error(
        "the keyset belongs to an issuer other than that of the keyset in use; check where it comes from"
    )]
    Issuer,
    /// The keyset is older than the one in use.
    #[error(
        "the keyset has version {offered}, but version {used} is in use; fetch the keyset again from the issuer"
    )]
    Version {
        /// The version in use.
        used: u64,
        /// The version offered.
        offered: u64,
    },
    /// The keyset has the same version as the one in use, but other bytes.
    #[error(
        "two different keysets have the version {0}, so one is forged or a restored issuer did not raise the version; compare them at the issuer"
    )]
    Fork(u64),
    /// The revocations have the same number as those in use, but different contents.
    #[error(
        "two different histories of revocations have the number {0}, so one is forged, or a restored issuer did not begin a new epoch; compare them at the issuer"
    )]
    RevocationsFork(u64),
    /// The revocations are older than those in use, or missing.
    #[error(
        "the revocations are missing, or older than those in use; fetch newer ones from the issuer"
    )]
    Revocations,
    /// The revocations lack some of those in use, although a history never removes entries.
    #[error(
        "the revocations lack some of those in use, so somebody removed them, or a restored issuer did not begin a new epoch; revoke them again at the issuer"
    )]
    RevocationsLost,
}
