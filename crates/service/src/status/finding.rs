//! Findings of an assessment, each with its section.

use bailiwick_api::{Health, StatusFinding, StatusSection};

/// A finding, with its section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The part of the issuer.
    pub section: StatusSection,
    /// The finding itself.
    pub finding: StatusFinding,
}

/// Makes a finding: a warning or an error, its stable name, the fact, and the next step.
#[must_use]
pub fn finding(
    section: StatusSection,
    state: Health,
    code: &str,
    message: impl Into<String>,
    next: impl Into<String>,
) -> Finding {
    Finding {
        section,
        finding: StatusFinding {
            state,
            code: code.to_owned(),
            message: message.into(),
            next: next.into(),
        },
    }
}
