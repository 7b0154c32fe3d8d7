//! The transport that fetches files. Tests supply their own.

use std::{future::Future, time::Duration};

use crate::outbound::SafeUrl;

/// A way to fetch files. The refresher makes one request at a time.
pub trait Transport: Send + Sync + 'static {
    /// True if plain requests to `localhost` always go to a loopback address, regardless of name servers and
    /// hosts files. Only such a transport gets `http` addresses with that name. With any other, a name server
    /// could divert the requests to another machine.
    const PINS_LOCALHOST: bool = false;

    /// Fetches the resource at an address.
    fn get(&self, get: Get<'_>) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// A request, with its limits.
#[derive(Debug, Clone, Copy)]
pub struct Get<'a> {
    /// The address: a [`SafeUrl`] without a query. Plain `http` occurs only with a loopback address, or with
    /// `localhost` if the transport pins that name.
    pub url: &'a str,
    /// The entity tag of the last answer, to be sent as `If-None-Match`.
    pub etag: Option<&'a str>,
    /// The value of the header `Bailiwick-Verifier`.
    pub report: Option<&'a str>,
    /// Maximum length of the body in bytes.
    pub limit: usize,
    /// Time-out of the whole request. The refresher enforces it on every transport.
    pub timeout: Duration,
    /// True if intermediate caches must ask the issuer (`no-cache`, RFC 9111, section 5.2.1.4).
    pub revalidate: bool,
}

/// Returns true if a transport may fetch from an address: a [`SafeUrl`] to which a path can be appended, and
/// which no name server can turn into plain HTTP to another machine.
pub(super) fn is_admissible<T: Transport>(url: &str) -> bool {
    SafeUrl::parse_base(url).is_ok_and(|url| {
        let plain_by_name = url.url().scheme() == "http" && url.url().domain().is_some();
        T::PINS_LOCALHOST || !plain_by_name
    })
}

/// The outcome of a fetch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fetched {
    /// Status 200.
    Found {
        /// The body of the answer.
        body: Vec<u8>,
        /// The entity tag, if any.
        etag: Option<String>,
    },
    /// Status 304: the resource has not changed.
    NotModified,
    /// Status 404 or 410.
    Gone,
}

/// The reasons for a failed fetch.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FetchError {
    /// The answer has another status. Redirects are not followed: the issuer's keyset names the addresses.
    #[error("it answered with status {0}")]
    Status(u16),
    /// The answer is larger than the limit.
    #[error("its answer is larger than {0} bytes")]
    TooLarge(usize),
    /// There was no answer within this many seconds.
    #[error("it did not answer within {0} seconds")]
    TimedOut(u64),
    /// The server could not be reached, or the connection broke.
    #[error("it cannot be reached ({0})")]
    Unreachable(String),
}
