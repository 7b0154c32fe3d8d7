//! How something is fetched. Tests hand in a transport of their own.

use std::{future::Future, time::Duration};

/// Fetches. The refresher makes one request at a time.
pub trait Transport: Send + Sync + 'static {
    /// Fetches what stands at an address.
    fn get(&self, get: Get<'_>) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// What is fetched, and within which bounds.
#[derive(Debug, Clone, Copy)]
pub struct Get<'a> {
    /// From where: an [`is_admissible`] address.
    pub url: &'a str,
    /// The entity tag of what is at hand, for `If-None-Match`.
    pub etag: Option<&'a str>,
    /// What to say in the header `Bailiwick-Verifier`.
    pub report: Option<&'a str>,
    /// The most bytes that are read of a body.
    pub limit: usize,
    /// How long it may take as a whole. The refresher waits no longer, whatever a transport does.
    pub timeout: Duration,
    /// Whether a cache on the way has to ask the issuer (`no-cache`, RFC 9111, section 5.2.1.4).
    pub revalidate: bool,
}

/// The outcome of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// 200.
    Found {
        /// The body.
        body: Vec<u8>,
        /// Its entity tag, where it has one.
        etag: Option<String>,
    },
    /// 304: what is at hand is still it.
    NotModified,
    /// 404 or 410.
    Gone,
}

/// Why nothing was fetched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// Another status. Redirects are not followed: an issuer says where things are in its keyset.
    #[error("it answered with status {0}")]
    Status(u16),
    /// More bytes than were asked for.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// No answer in time.
    #[error("it did not answer within {0} seconds")]
    TimedOut(u64),
    /// No connection, or a broken one.
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
}
