//! How something is fetched. Tests hand in a transport of their own.

use std::{future::Future, time::Duration};

use crate::outbound::SafeUrl;

/// Fetches. The refresher makes one request at a time.
pub trait Transport: Send + Sync + 'static {
    /// True if plain requests to `localhost` go to a loopback address, whatever a name server or a hosts
    /// file says. Only such a transport is handed an `http` address by that name: through another one a
    /// name server could lead the requests to its own machine.
    const PINS_LOCALHOST: bool = false;

    /// Fetches what stands at an address.
    fn get(&self, get: Get<'_>) -> impl Future<Output = Result<Fetched, FetchError>> + Send;
}

/// What is fetched, and within which bounds.
#[derive(Debug, Clone, Copy)]
pub struct Get<'a> {
    /// From where: a [`SafeUrl`] without a query, and with plain `http` only to a loopback address, or to
    /// `localhost` where the transport pins that.
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

/// Returns whether such a transport may fetch from an address: a [`SafeUrl`] to which a path can be appended, and
/// which no name server can turn into plain HTTP to another machine.
pub(super) fn is_admissible<T: Transport>(url: &str) -> bool {
    SafeUrl::parse(url).is_ok_and(|url| {
        let plain_by_name = url.url().scheme() == "http" && url.url().domain().is_some();
        url.is_base() && (T::PINS_LOCALHOST || !plain_by_name)
    })
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
