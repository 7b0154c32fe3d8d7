//! The report that a verifier sends with each fetch: the verifier's name, and the versions that it uses.
//!
//! The report travels in the header `Bailiwick-Verifier` of each poll, so that an issuer can show which
//! verifiers are behind. It is not signed, and nothing may depend on it. Its grammar (RFC 5234):
//!
//! ```text
//! report  = "name=" name "; service=" name [ "; keyset=" number ] [ "; epoch=" 16hex "; seq=" number ]
//! name    = DQUOTE 1*64( %x20-21 / %x23-5B / %x5D-7E ) DQUOTE   ; printable ASCII but `"` and `\`
//! number  = "0" / ( %x31-39 *19DIGIT )                          ; within 64 bits
//! hex     = DIGIT / %x61-66                                     ; lower case
//! ```
//!
//! The verifier's own name must fit in a URL's path ([`is_path_segment`]). For example:
//! `name="erp-1"; service="erp"; keyset=12; epoch=0123456789abcdef; seq=345`. Only this form is read, so each
//! report has exactly one text.

use std::{fmt, str::FromStr};

use crate::{revocation::Epoch, text::is_path_segment};

/// The name of the header.
pub const HEADER: &str = "bailiwick-verifier";

/// Maximum length of a report, in bytes.
pub const MAX_REPORT: usize = 256;

/// Maximum length of a name, in bytes.
pub const MAX_REPORTED_NAME: usize = 64;

/// A verifier's report about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    name: String,
    service: String,
    /// The version of the keyset in use.
    pub keyset: Option<u64>,
    /// The epoch of the revocations in use, and the number of the last change read.
    pub feed: Option<(Epoch, u64)>,
}

impl Report {
    /// Makes the report of the verifier `name`, one of possibly several at `service`.
    ///
    /// # Errors
    /// [`ReportError::Name`] if one of the names cannot be written.
    pub fn new(name: &str, service: &str) -> Result<Report, ReportError> {
        // The issuer's operators put the verifier's name into a URL, but not the service's.
        let good = is_name(name) && is_path_segment(name) && is_name(service);
        good.then(|| Report {
            name: name.to_owned(),
            service: service.to_owned(),
            keyset: None,
            feed: None,
        })
        .ok_or(ReportError::Name)
    }

    /// The name of the verifier.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The name of the service that the verifier protects.
    #[must_use]
    pub fn service(&self) -> &str {
        &self.service
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "name=\"{}\"; service=\"{}\"", self.name, self.service)?;
        if let Some(version) = self.keyset {
            write!(f, "; keyset={version}")?;
        }
        if let Some((epoch, seq)) = self.feed {
            write!(f, "; epoch={epoch}; seq={seq}")?;
        }
        Ok(())
    }
}

impl FromStr for Report {
    type Err = ReportError;

    fn from_str(text: &str) -> Result<Report, ReportError> {
        // The header is not signed, so its length is bounded before it is parsed.
        if text.len() > MAX_REPORT {
            return Err(ReportError::Form);
        }
        let rest = text.strip_prefix("name=").ok_or(ReportError::Form)?;
        let (name, rest) = quoted(rest)?;
        let rest = rest.strip_prefix("; service=").ok_or(ReportError::Form)?;
        let (service, rest) = quoted(rest)?;
        let mut report = Report::new(name, service)?;
        let rest = match rest.strip_prefix("; keyset=") {
            None => rest,
            Some(rest) => {
                let (version, rest) = number(rest)?;
                report.keyset = Some(version);
                rest
            }
        };
        let rest = match rest.strip_prefix("; epoch=") {
            None => rest,
            Some(rest) => {
                let (epoch, rest) = rest.split_once("; seq=").ok_or(ReportError::Form)?;
                let epoch = epoch.parse().map_err(|_| ReportError::Form)?;
                let (seq, rest) = number(rest)?;
                report.feed = Some((epoch, seq));
                rest
            }
        };
        rest.is_empty().then_some(report).ok_or(ReportError::Form)
    }
}

/// Splits off the text between quotation marks.
fn quoted(text: &str) -> Result<(&str, &str), ReportError> {
    let text = text.strip_prefix('"').ok_or(ReportError::Form)?;
    text.split_once('"').ok_or(ReportError::Form)
}

/// Splits off a number.
fn number(text: &str) -> Result<(u64, &str), ReportError> {
    let end = text.bytes().take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(end).ok_or(ReportError::Form)?;
    let number: u64 = digits.parse().map_err(|_| ReportError::Form)?;
    // No leading zeros, so that a number has one text.
    let shortest = digits == "0" || !digits.starts_with('0');
    shortest.then_some((number, rest)).ok_or(ReportError::Form)
}

fn is_name(text: &str) -> bool {
    let printable = |byte| matches!(byte, b' '..=b'~') && byte != b'"' && byte != b'\\';
    (1..=MAX_REPORTED_NAME).contains(&text.len()) && text.bytes().all(printable)
}

/// The reason why a text is not a report.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReportError {
    /// A name cannot be written in a report.
    #[error(
        "the name of the verifier or its service is not valid; use 1 to {MAX_REPORTED_NAME} printable ASCII characters without `\"` and `\\`, and in the name of the verifier no `/`, `%`, `?` or `#`, and not `.` or `..`"
    )]
    Name,
    /// The text does not have the form of a report.
    #[error(
        "not a report of the form `name=\"erp-1\"; service=\"erp\"; keyset=12; epoch=0123456789abcdef; seq=345`"
    )]
    Form,
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_report_is_read_as_it_was_written() {
        let report = Report::new("erp-1", "erp of [us]").unwrap();
        let epoch = Epoch::from_bytes([0xab; 8]);
        for (keyset, feed, text) in [
            (None, None, ""),
            (Some(0), None, "; keyset=0"),
            (
                Some(12),
                Some((epoch, u64::MAX)),
                "; keyset=12; epoch=abababababababab; seq=18446744073709551615",
            ),
            (
                None,
                Some((epoch, 345)),
                "; epoch=abababababababab; seq=345",
            ),
        ] {
            let report = Report {
                keyset,
                feed,
                ..report.clone()
            };
            let written = report.to_string();
            assert_eq!(
                written,
                format!("name=\"erp-1\"; service=\"erp of [us]\"{text}")
            );
            assert_eq!(written.parse(), Ok(report));
        }
        let longest = "n".repeat(MAX_REPORTED_NAME);
        let mut longest = Report::new(&longest, &longest).unwrap();
        (longest.keyset, longest.feed) = (Some(u64::MAX), Some((epoch, u64::MAX)));
        assert_eq!(longest.to_string().parse(), Ok(longest));
    }

    #[test]
    fn nothing_else_is_read() {
        let long = "n".repeat(MAX_REPORTED_NAME + 1);
        for name in ["", "a\"b", "a\\b", "a\nb", "ä", long.as_str()] {
            assert_eq!(Report::new(name, "erp"), Err(ReportError::Name), "{name}");
            assert_eq!(Report::new("erp-1", name), Err(ReportError::Name), "{name}");
        }
        for name in [".", "..", "%2e%2e", "a/b", "a%2Fb", "..;", " "] {
            assert_eq!(Report::new(name, "erp"), Err(ReportError::Name), "{name}");
            let text = format!("name=\"{name}\"; service=\"erp\"");
            assert_eq!(text.parse::<Report>(), Err(ReportError::Name), "{name}");
            assert!(Report::new("erp-1", name).is_ok(), "{name}");
        }
        for text in [
            "",
            "name=\"a\"",
            "name=a; service=b",
            "service=\"b\"; name=\"a\"",
            "name=\"a\";service=\"b\"",
            "name=\"a\"; service=\"b\" ",
            "name=\"a\"; service=\"b\"; ",
            "name=\"a\"; service=\"\"",
            "name=\"a\\\"; service=\"b\"",
            "Name=\"a\"; service=\"b\"",
            "name=\"a\"; service=\"b\"; keyset=",
            "name=\"a\"; service=\"b\"; keyset=01",
            "name=\"a\"; service=\"b\"; keyset=+1",
            "name=\"a\"; service=\"b\"; keyset=18446744073709551616",
            "name=\"a\"; service=\"b\"; keyset=1; keyset=1",
            "name=\"a\"; service=\"b\"; seq=1",
            "name=\"a\"; service=\"b\"; epoch=abababababababab",
            "name=\"a\"; service=\"b\"; epoch=ABABABABABABABAB; seq=1",
            "name=\"a\"; service=\"b\"; epoch=abababababababab; seq=1; keyset=1",
            "name=\"a\"; service=\"b\"; epoch=abababababababab; seq=1; later=1",
        ] {
            assert!(text.parse::<Report>().is_err(), "{text}");
        }
        let padded = format!("name=\"a\"; service=\"b\"{}", " ".repeat(MAX_REPORT));
        assert_eq!(padded.parse::<Report>(), Err(ReportError::Form));
    }
}
