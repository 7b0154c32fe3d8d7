//! E-mail addresses, in a form narrower than RFC 5321 that no mail software reads differently.

use super::domain::{Domains, is_label};

/// Maximum length of an address in bytes (RFC 5321, section 4.5.3.1.3, without the angle brackets).
const MAX_ADDRESS: usize = 254;

/// Maximum length of a local part in bytes (RFC 5321, section 4.5.3.1.1).
const MAX_LOCAL: usize = 64;

/// One e-mail address at certain domains.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    /// The domains.
    pub domains: Domains,
    /// True if the local part may hold a tag, as in `ada+orders@acme.example`.
    pub tag: bool,
}

impl Email {
    /// Makes a condition for addresses at exactly these domains, with or without a tag.
    pub fn at<T: Into<String>>(domains: impl IntoIterator<Item = T>) -> Email {
        Email {
            domains: Domains {
                exactly: domains.into_iter().map(Into::into).collect(),
                ..Domains::default()
            },
            tag: true,
        }
    }

    /// Returns true if `text` is one address at one of the domains, and nothing else.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        if text.len() > MAX_ADDRESS {
            return false;
        }
        // A second `@` would be in one of the two parts, and neither accepts one.
        let Some((local, domain)) = text.split_once('@') else {
            return false;
        };
        self.is_local(local) && self.is_domain(&domain.to_ascii_lowercase())
    }

    fn is_local(&self, local: &str) -> bool {
        let first = |c: u8| c.is_ascii_alphanumeric() || c == b'_';
        let later = |c: u8| first(c) || matches!(c, b'.' | b'-') || (c == b'+' && self.tag);
        let bytes = local.as_bytes();
        bytes.len() <= MAX_LOCAL
            && bytes.first().is_some_and(|&c| first(c))
            && bytes.iter().all(|&c| later(c))
            && !local.contains("..")
            && !local.ends_with('.')
    }

    /// The grant's writer never saw the labels below a listed domain, so these must not be able to look like others:
    /// none is an A-label (RFC 5890, section 2.3.2.1).
    fn is_domain(&self, domain: &str) -> bool {
        domain.split('.').all(is_label) && self.domains.holds_if(domain, is_unreserved)
    }
}

/// Returns false if the third and fourth characters of a label are hyphens, which only A-labels have.
pub(super) fn is_unreserved(label: &str) -> bool {
    label.as_bytes().get(2..4) != Some(b"--")
}
