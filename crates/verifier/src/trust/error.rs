//! Errors of reading a trust, and of replacing one.

use bailiwick_token::{keyset::KeysetError, revocation::SnapshotError};

/// The reason why a keyset or revocations cannot be trusted.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TrustError {
    /// The keyset is not valid, or the keyset key did not sign it.
    #[error("the keyset cannot be used: {0}")]
    Keyset(#[from] KeysetError),
    /// The revocations are not a snapshot, or the keyset key did not sign them.
    #[error("the revocations cannot be used: {0}")]
    Revocations(#[from] SnapshotError),
    /// The revocations belong to another issuer.
    #[error(
        "the revocations are of the issuer `{revocations}`, the keyset of `{keyset}`: export both from one issuer"
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
    #[error("the keyset is of another issuer than the one in use")]
    Issuer,
    /// The keyset is older than the one in use.
    #[error(
        "the keyset has version {offered}, the one in use has {used}: fetch it again from the issuer"
    )]
    Version {
        /// The version in use.
        used: u64,
        /// The version offered.
        offered: u64,
    },
    /// The keyset has the same version as the one in use, but other bytes.
    #[error(
        "two different keysets carry the version {0}: one of them is forged, or a restored issuer did not raise its version"
    )]
    Fork(u64),
    /// The revocations have the same number as those in use, but different contents.
    #[error(
        "two different histories of revocations carry the number {0}: one of them is forged, or a restored issuer did not begin a new one"
    )]
    RevocationsFork(u64),
    /// The revocations are older than those in use, or missing.
    #[error("the revocations are older than those in use, or missing")]
    Revocations,
    /// The revocations lack some of those in use, although a history never removes entries.
    #[error(
        "the revocations lack some of those in use, which still hold: a restored issuer did not begin a new epoch, or somebody took them out"
    )]
    RevocationsLost,
}
