//! Addresses of other servers to which requests cannot be intercepted.
//!
//! An issuer publishes such an address for its revocations, and verifiers fetch from no other. Both use the same
//! check, so no issuer publishes a URL that its verifiers refuse.

use std::net::IpAddr;

use url::Url;

/// The only accepted name for this machine (RFC 6761, section 6.3).
pub const LOCALHOST: &str = "localhost";

/// An address to which requests cannot be intercepted: `https`, or `http` with a loopback address or
/// `localhost`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SafeUrl {
    url: Url,
    local: bool,
}

/// The reason why requests with secrets may not be sent to an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UnsafeUrl {
    /// The text is not a URL.
    #[error("is not a URL; write one such as `https://issuer.example`")]
    Malformed,
    /// The address contains a user name or a password, which logs and messages would repeat.
    #[error("contains a user name or a password; leave both out")]
    Credentials,
    /// The address is plain HTTP to another machine: anyone on the network path could read and change requests.
    #[error("is neither HTTPS nor HTTP to this machine; use `https`")]
    Open,
    /// The address has a query or a fragment, so no path can be appended to it.
    #[error("has a query or a fragment; leave it out")]
    Query,
}

impl SafeUrl {
    /// Parses an address by the WHATWG URL standard, so `http://127.1` is an address of this machine.
    ///
    /// # Errors
    /// [`UnsafeUrl`].
    pub fn parse(text: &str) -> Result<SafeUrl, UnsafeUrl> {
        let url = Url::parse(text).map_err(|_| UnsafeUrl::Malformed)?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(UnsafeUrl::Credentials);
        }
        let host = url.host_str().unwrap_or_default();
        let address = host.trim_start_matches('[').trim_end_matches(']');
        let loopback = address
            .parse()
            .is_ok_and(|address: IpAddr| address.is_loopback());
        let local = loopback || host == LOCALHOST;
        match (url.scheme(), local) {
            ("https", _) if !host.is_empty() => Ok(SafeUrl { url, local }),
            ("http", true) => Ok(SafeUrl { url, local }),
            _ => Err(UnsafeUrl::Open),
        }
    }

    /// Parses an address without a query or a fragment, so that paths can be appended. The URL of the
    /// revocations must be such an address: verifiers fetch from no other, so an issuer must publish no other.
    ///
    /// ```
    /// use bailiwick_token::address::{SafeUrl, UnsafeUrl};
    ///
    /// assert!(SafeUrl::parse_base("https://issuer.example/revocations").is_ok());
    /// assert!(SafeUrl::parse_base("http://127.0.0.1:8420/revocations").is_ok());
    /// let open = SafeUrl::parse_base("http://issuer.example/revocations");
    /// assert_eq!(open, Err(UnsafeUrl::Open));
    /// let query = SafeUrl::parse_base("https://issuer.example/?path=revocations");
    /// assert_eq!(query, Err(UnsafeUrl::Query));
    /// ```
    ///
    /// # Errors
    /// [`UnsafeUrl`].
    pub fn parse_base(text: &str) -> Result<SafeUrl, UnsafeUrl> {
        let safe = SafeUrl::parse(text)?;
        match safe.url.query().is_none() && safe.url.fragment().is_none() {
            true => Ok(safe),
            false => Err(UnsafeUrl::Query),
        }
    }

    /// Returns the address as a URL.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Returns true if the address is on this machine: a loopback address, or `localhost`.
    #[must_use]
    pub fn is_local(&self) -> bool {
        self.local
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine() {
        for text in [
            "http://127.0.0.1",
            "http://127.9.9.9:8080/a?b=c",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://[::1]:8080/revocations",
            "http://[0:0:0:0:0:0:0:1]",
            "http://localhost",
            "HTTP://LocalHost:8420/x",
            "http://l\u{6f}calhost",
            "https://localhost:8420",
            "https://127.0.0.1",
        ] {
            assert!(SafeUrl::parse(text).unwrap().local, "{text}");
        }
    }

    #[test]
    fn addresses_elsewhere_need_tls() {
        for text in [
            "https://issuer.example",
            "https://issuer.example:8443/a/b?c=d",
            "https://0.0.0.0",
            "https://localhost.",
            "https://issuer.localhost",
            "https://[::ffff:127.0.0.1]",
        ] {
            let url = SafeUrl::parse(text).unwrap();
            assert!(!url.local, "{text}");
            let plain = text.replacen("https", "http", 1);
            assert_eq!(SafeUrl::parse(&plain), Err(UnsafeUrl::Open), "{plain}");
        }
    }

    #[test]
    fn misleading_addresses_are_refused() {
        for (text, error) in [
            ("http://127.0.0.1.example", UnsafeUrl::Open),
            ("http://localhost.example", UnsafeUrl::Open),
            ("http://127.0.0.1@issuer.example", UnsafeUrl::Credentials),
            ("http://localhost:80@issuer.example", UnsafeUrl::Credentials),
            ("https://user@issuer.example", UnsafeUrl::Credentials),
            ("https://:secret@issuer.example", UnsafeUrl::Credentials),
            ("http://issuer.example\\@127.0.0.1", UnsafeUrl::Open),
            ("http://issuer.example/@127.0.0.1", UnsafeUrl::Open),
            ("http://issuer.example#@127.0.0.1", UnsafeUrl::Open),
            ("http://0", UnsafeUrl::Open),
            ("http://[::]", UnsafeUrl::Open),
            ("http://169.254.169.254", UnsafeUrl::Open),
            ("http://10.0.0.1", UnsafeUrl::Open),
            ("ftp://127.0.0.1", UnsafeUrl::Open),
            ("unix:/run/issuer.sock", UnsafeUrl::Open),
            ("http+unix://%2Frun%2Fissuer.sock", UnsafeUrl::Open),
            ("file:///etc/passwd", UnsafeUrl::Open),
            ("https://", UnsafeUrl::Malformed),
            ("http://127.0.0.1:x", UnsafeUrl::Malformed),
            ("issuer.example", UnsafeUrl::Malformed),
            ("", UnsafeUrl::Malformed),
        ] {
            assert_eq!(SafeUrl::parse(text).unwrap_err(), error, "{text}");
        }
    }

    #[test]
    fn bases_have_no_query_or_fragment() {
        for text in ["https://issuer.example", "http://127.0.0.1:8420/a/b"] {
            assert!(SafeUrl::parse_base(text).is_ok(), "{text}");
        }
        for (text, error) in [
            ("https://issuer.example/?a", UnsafeUrl::Query),
            ("https://issuer.example/#a", UnsafeUrl::Query),
            ("http://issuer.example", UnsafeUrl::Open),
            ("https://ada@issuer.example", UnsafeUrl::Credentials),
            ("revocations", UnsafeUrl::Malformed),
        ] {
            assert_eq!(SafeUrl::parse_base(text), Err(error), "{text}");
        }
    }
}
