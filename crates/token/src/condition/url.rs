//! URLs of certain hosts.

use std::collections::BTreeSet;

use unicode_normalization::UnicodeNormalization;
use url::{Host, Url};

use bailiwick_biscuit::escape::is_printable;

use super::domain::{Domains, is_label};

/// Maximum length of a URL in bytes.
const MAX_URL: usize = 2 * 1024;

/// Characters of a WHATWG serialization that RFC 3986 does not admit outside an IPv6 host.
const NOT_RFC_3986: [char; 8] = ['[', ']', '{', '}', '|', '^', '\\', '`'];

/// A URL that all parsers read alike: its WHATWG serialization, which is also valid by RFC 3986. The text does not show
/// redirects, or names that resolve to private addresses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UrlAt {
    /// The schemes.
    pub schemes: BTreeSet<Scheme>,
    /// The hosts.
    pub hosts: Domains,
    /// The only port besides the default one of the scheme.
    pub port: Option<u16>,
    /// The path that the URL's path must be, or lie below.
    pub path_under: Option<String>,
    /// True if the URL may have a query.
    pub query: bool,
}

/// A scheme of URLs that have a host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scheme {
    /// `http`
    Http,
    /// `https`
    Https,
    /// `ws`
    Ws,
    /// `wss`
    Wss,
}

impl Scheme {
    /// All schemes.
    pub const ALL: [Scheme; 4] = [Scheme::Http, Scheme::Https, Scheme::Ws, Scheme::Wss];

    /// The scheme as it is written in a URL.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Scheme::Http => "http",
            Scheme::Https => "https",
            Scheme::Ws => "ws",
            Scheme::Wss => "wss",
        }
    }
}

impl UrlAt {
    /// Makes a condition for `https` URLs of exactly these hosts at the default port, with any path and without a
    /// query.
    pub fn hosts<T: Into<String>>(hosts: impl IntoIterator<Item = T>) -> UrlAt {
        UrlAt {
            schemes: BTreeSet::from([Scheme::Https]),
            hosts: Domains {
                exactly: hosts.into_iter().map(Into::into).collect(),
                ..Domains::default()
            },
            port: None,
            path_under: None,
            query: false,
        }
    }

    /// Returns true if `text` is a URL that meets the condition.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        if text.len() > MAX_URL {
            return false;
        }
        let Ok(url) = Url::parse(text) else {
            return false;
        };
        // Parsers of RFC 3986 read other texts with the same serialization differently.
        url.as_str() == text
            && is_rfc_3986(&url)
            && self.schemes.iter().any(|scheme| scheme.as_str() == url.scheme())
            && url.username().is_empty()
            && url.password().is_none()
            && !text.contains('#')
            && (self.query || !text.contains('?'))
            // The serialization leaves out the default port of the scheme.
            && (url.port().is_none() || url.port() == self.port)
            && self.is_at_host(&url)
            && is_clean_path(url.path())
            && self.path_under.as_deref().is_none_or(|under| is_under(url.path(), under))
    }

    /// Returns true if `text` is a path that URLs can lie under: absolute, without a final `/`, and clean.
    #[must_use]
    pub fn is_path(text: &str) -> bool {
        let segments = text
            .strip_prefix('/')
            .filter(|rest| !rest.is_empty() && !rest.ends_with('/'));
        let parsed = Url::parse(&format!("https://a.example{text}"));
        segments.is_some()
            && is_clean_path(text)
            && parsed.is_ok_and(|url| url.path() == text && is_rfc_3986(&url))
    }

    fn is_at_host(&self, url: &Url) -> bool {
        match url.host() {
            // WHATWG admits `a_b`, `a{b` and empty labels. Other parsers find no host there, or end the host early.
            Some(Host::Domain(name)) => self.hosts.holds_if(name, is_label),
            // An address is listed by its text, and lies below no name.
            Some(address @ (Host::Ipv4(_) | Host::Ipv6(_))) => {
                self.hosts.exactly.contains(&address.to_string())
            }
            None => false,
        }
    }
}

fn is_rfc_3986(url: &Url) -> bool {
    // Brackets are allowed only around an IPv6 host.
    let text = url.as_str();
    let host = url.host_str().unwrap_or_default();
    let without_host = text.replacen(host, "", 1);
    let mut escapes = text.split('%').skip(1);
    let is_escape = |rest: &str| {
        let digits = rest.as_bytes().get(..2);
        digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    };
    !without_host.contains(NOT_RFC_3986) && text.is_ascii() && escapes.all(is_escape)
}

/// Returns true if the path leads to the same place on every server, even on one that decodes it once, also as a form,
/// normalizes it, trims its segments, or cuts their parameters.
fn is_clean_path(path: &str) -> bool {
    let forbidden = |c: char| c.is_control() || matches!(c, '/' | '\\' | '%' | ';');
    path.split('/').all(|segment| {
        let decoded = percent_encoding::percent_decode_str(segment).decode_utf8();
        decoded.is_ok_and(|decoded| {
            let compatible: String = decoded.nfkc().collect();
            // Some file systems drop invisible characters, and some trim spaces, which a form writes as `+`.
            let seen: String = compatible.chars().filter(|&c| is_printable(c)).collect();
            let trimmed = seen.trim_matches([' ', '+']);
            !decoded.contains(forbidden)
                && !compatible.contains(forbidden)
                && !matches!(trimmed, "." | "..")
        })
    })
}

/// Returns true if `path` is `under`, or lies below it. Paths are compared segment by segment.
pub(super) fn is_under(path: &str, under: &str) -> bool {
    let rest = path.strip_prefix(under);
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}
