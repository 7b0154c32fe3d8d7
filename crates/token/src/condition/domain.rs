//! Lists of domains, by their own name or by the name of a domain above them.

use std::collections::BTreeSet;

use url::Host;

/// Maximum length of a domain name in bytes (RFC 1035, section 2.3.4, as text).
const MAX_DOMAIN: usize = 253;

/// Domains that are allowed: those listed, and all below certain others.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Domains {
    /// These domains and no others.
    pub exactly: BTreeSet<String>,
    /// All domains below these. A domain is not below itself.
    pub under: BTreeSet<String>,
}

impl Domains {
    /// Returns true if the domain, in lower case, is listed or lies below a listed one. Its labels below the listed
    /// domain must pass `fit`. Names are compared label by label.
    pub(super) fn holds_if(&self, domain: &str, fit: impl Fn(&str) -> bool) -> bool {
        if self.exactly.contains(domain) {
            return true;
        }
        let mut rest = domain;
        while let Some((label, above)) = rest.split_once('.') {
            if label.is_empty() || !fit(label) {
                return false;
            }
            if self.under.contains(above) {
                return true;
            }
            rest = above;
        }
        false
    }

    /// Returns true if nothing is listed, so that no domain is allowed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.exactly.is_empty() && self.under.is_empty()
    }

    /// Returns true if `other` allows each domain that these allow, where labels below a listed domain must pass `fit`.
    pub(super) fn are_within(&self, other: &Domains, fit: impl Fn(&str) -> bool) -> bool {
        let listed = self
            .exactly
            .iter()
            .all(|domain| other.holds_if(domain, &fit));
        listed && self.under.iter().all(|domain| other.is_above(domain, &fit))
    }

    /// The domains that both allow, where labels below a listed domain must pass `fit`.
    pub(super) fn intersect(&self, other: &Domains, fit: impl Fn(&str) -> bool) -> Domains {
        let exactly = |these: &Domains, those: &Domains| {
            let both = these
                .exactly
                .iter()
                .filter(|domain| those.holds_if(domain, &fit));
            both.cloned().collect::<BTreeSet<String>>()
        };
        let under = |these: &Domains, those: &Domains| {
            let both = these
                .under
                .iter()
                .filter(|domain| those.is_above(domain, &fit));
            both.cloned().collect::<BTreeSet<String>>()
        };
        Domains {
            exactly: &exactly(self, other) | &exactly(other, self),
            under: &under(self, other) | &under(other, self),
        }
    }

    /// Returns true if these allow each domain below `domain`.
    fn is_above(&self, domain: &str, fit: impl Fn(&str) -> bool) -> bool {
        if self.under.contains(domain) {
            return true;
        }
        // A domain in `exactly` says nothing about the domains below it.
        let below = Domains {
            exactly: BTreeSet::new(),
            under: self.under.clone(),
        };
        below.holds_if(domain, fit)
    }
}

/// Returns true if `text` is a domain name in the one form that a list accepts: lower-case labels of letters, digits
/// and inner hyphens (RFC 1123, section 2.1), with at least two of them and without a final dot.
#[must_use]
pub fn is_listed_domain(text: &str) -> bool {
    let labels = || text.split('.');
    text.len() <= MAX_DOMAIN
        && labels().count() >= 2
        && labels().all(is_label)
        && !text.bytes().any(|c| c.is_ascii_uppercase())
        // A name whose last label is a number could be read as an IPv4 address.
        && labels().next_back().is_some_and(|last| !last.bytes().all(|c| c.is_ascii_digit()))
}

/// Returns true if `text` is a host in the one form that a list accepts: a domain name, or an IP address in the form in
/// which a URL contains it.
#[must_use]
pub fn is_listed_host(text: &str) -> bool {
    is_listed_domain(text)
        || match Host::parse(text) {
            Ok(address @ (Host::Ipv4(_) | Host::Ipv6(_))) => address.to_string() == text,
            Ok(Host::Domain(_)) | Err(_) => false,
        }
}

/// Returns true if `label` has 1 to 63 letters, digits and inner hyphens.
pub(super) fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label
            .bytes()
            .all(|c| c.is_ascii_alphanumeric() || c == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}
