//! The settings of a refresher.

use std::{path::PathBuf, time::Duration};

use bailiwick_token::{key::PublicKey, report::Report};

/// The issuer that a refresher follows, and its settings.
#[derive(Debug, Clone)]
pub(super) struct Options {
    /// Where the issuer is: what stands before `/.well-known/bailiwick/keyset`.
    pub(super) issuer: String,
    /// The key that signs keysets, heads and snapshots.
    pub(super) keyset_key: PublicKey,
    /// Where to keep what is in use; nowhere, where it is absent.
    pub(super) directory: Option<PathBuf>,
    /// How often the head is fetched.
    pub(super) poll: Duration,
    /// What to tell the issuer; nothing, where it is absent. The refresher adds what is in use.
    pub(super) report: Option<Report>,
}

impl Options {
    /// Nothing is kept on disk or reported, and the head is fetched every 5 seconds.
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
