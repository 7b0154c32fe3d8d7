//! The settings of a refresher.

use std::{path::PathBuf, time::Duration};

use bailiwick_token::{key::PublicKey, report::Report};

/// The issuer that a refresher follows, and its settings.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// The issuer's address: the part before `/.well-known/bailiwick/keyset`.
    pub(super) issuer: String,
    /// The key that verifies keysets, heads and snapshots.
    pub(super) keyset_key: PublicKey,
    /// The directory that keeps the state in use; `None` if nothing is kept.
    pub(super) directory: Option<PathBuf>,
    /// The interval between two fetches of the head.
    pub(super) poll: Duration,
    /// The report to the issuer, to which the refresher adds the state in use; `None` if nothing is reported.
    pub(super) report: Option<Report>,
}

impl Options {
    /// The defaults: nothing is kept on disk or reported, and the head is fetched every 5 seconds.
    pub(super) fn new(issuer: &str, keyset_key: PublicKey) -> Options {
        Options {
            issuer: issuer.trim_end_matches('/').to_owned(),
            keyset_key,
            directory: None,
            poll: Duration::from_secs(5),
            report: None,
        }
    }
}
