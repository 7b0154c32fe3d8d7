//! Failures of a refresh.

use std::{io, path::PathBuf};

use bailiwick_token::revocation::SnapshotError;

use super::transport::FetchError;
use crate::trust::{FeedError, RollbackError, TrustError};

/// The reasons for a failed refresh. The trust in use does not change.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RefreshError {
    /// The address is not acceptable for fetching.
    #[error(
        "`{0}` is not an address to fetch from; use `https`, or `http` with a loopback address such as 127.0.0.1, without a query"
    )]
    Address(String),
    /// The fetch got no usable answer.
    #[error("cannot fetch `{url}`: {error}")]
    Fetch {
        /// The address of the request.
        url: String,
        /// The reason for the failure.
        error: FetchError,
    },
    /// There is nothing at the address.
    #[error("there is nothing at `{0}`; check the address and the version of the issuer")]
    NotFound(String),
    /// The keyset cannot be trusted.
    #[error(transparent)]
    Trust(#[from] TrustError),
    /// The keyset is valid, but older than the one that heads announce.
    #[error(
        "the keyset has version {version}, but the head announces version {told}; check whether a cache serves the old keyset"
    )]
    KeysetBehind {
        /// The version that was fetched.
        version: u64,
        /// The version that a head has announced.
        told: u64,
    },
    /// The keyset has expired, or was signed in the future.
    #[error(
        "the keyset has expired or was signed in the future; check the issuer, and the clocks of this machine and of the issuer"
    )]
    Time,
    /// The feed cannot be trusted.
    #[error(transparent)]
    Feed(#[from] FeedError),
    /// The snapshot cannot be trusted.
    #[error(transparent)]
    Snapshot(#[from] SnapshotError),
    /// The fetched state would undo the state in use.
    #[error(transparent)]
    Rollback(#[from] RollbackError),
    /// The snapshot is ahead of the head.
    #[error("the head is still older than the snapshot; check whether a cache serves an old head")]
    Behind,
    /// A snapshot is needed, but the last fetch of one was too recent.
    #[error("another snapshot is needed, but snapshots are fetched at most twice a minute; wait")]
    TooSoon,
    /// A file cannot be read.
    #[error("`{}` cannot be read ({error}); check its path and permissions", path.display())]
    File {
        /// Path of the file.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The keyset no longer names a feed.
    #[error(
        "the keyset names no `revocation_url`; set it at the issuer with `bailiwick keyset set`"
    )]
    NoFeed,
    /// The directory on disk cannot be used.
    #[error("the directory of the refresher cannot be used ({0}); check its path and permissions")]
    Disk(#[from] io::Error),
    /// The runtime is being shut down.
    #[error("the work was interrupted because the runtime is shutting down")]
    Interrupted,
}

impl RefreshError {
    /// Returns true if the fetched state would undo the state in use, or belongs to a second history.
    #[must_use]
    pub fn is_rollback(&self) -> bool {
        match self {
            RefreshError::Rollback(_) => true,
            RefreshError::Feed(error) => error.is_rollback(),
            _ => false,
        }
    }
}
