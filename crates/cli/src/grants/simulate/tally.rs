//! Summary that follows the last call.

use std::{collections::BTreeSet, fmt};

use bailiwick_token::escape::code;
use bailiwick_verifier::{Decision, Reason};

use crate::exit::{Exit, Failure};

/// Numbers of calls, by outcome.
#[derive(Default)]
pub(super) struct Tally {
    allowed: u64,
    denied: u64,
    unreadable: u64,
    expected: u64,
    pub(super) unmet: u64,
}

impl Tally {
    pub(super) fn count(&mut self, decision: &Decision, expected: Option<bool>, met: bool) {
        let add = |count: &mut u64, one: bool| *count = count.saturating_add(u64::from(one));
        add(&mut self.allowed, decision.is_allow());
        add(&mut self.denied, !decision.is_allow());
        add(
            &mut self.unreadable,
            decision.reason() == Some(Reason::BadRequest),
        );
        add(&mut self.expected, expected.is_some());
        add(&mut self.unmet, !met);
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Tally {
            allowed,
            denied,
            unreadable,
            expected,
            unmet,
        } = self;
        write!(f, "{allowed} allowed, {denied} denied")?;
        if *unreadable > 0 {
            write!(f, " ({unreadable} of them cannot be read as a call)")?;
        }
        match (expected, unmet) {
            (0, _) => Ok(()),
            (1, 0) => f.write_str("; the expectation was met"),
            (1, _) => f.write_str("; the expectation was not met"),
            (_, 0) => write!(f, "; all {expected} expectations were met"),
            (_, 1) => write!(f, "; 1 of {expected} expectations was not met"),
            _ => write!(f, "; {unmet} of {expected} expectations were not met"),
        }
    }
}

/// Maximum number of lines that a message lists.
const MAX_NAMED: usize = 16;

/// Numbers of the lines that cannot be read as a call.
#[derive(Default)]
pub(super) struct UnreadLines {
    first: Vec<u64>,
    pub(super) count: usize,
    /// The first member that takes the place of `args` under another name.
    pub(super) misnamed: Option<String>,
}

impl UnreadLines {
    pub(super) fn add(&mut self, line: u64) {
        self.count = self.count.saturating_add(1);
        if self.first.len() < MAX_NAMED {
            self.first.push(line);
        }
    }
}

impl From<UnreadLines> for Failure {
    fn from(unread: UnreadLines) -> Failure {
        let lines: Vec<String> = unread.first.iter().map(u64::to_string).collect();
        let lines = lines.join(", ");
        let which = match (unread.count, unread.count.saturating_sub(MAX_NAMED)) {
            (1, _) => format!("line {lines}"),
            (_, 0) => format!("lines {lines}"),
            (_, more) => format!("lines {lines} and {more} more"),
        };
        let hint = match unread.misnamed {
            Some(name) => format!("write `args` where a line has `{name}`"),
            None => r#"correct each, or add `"expect": "deny"` to each that should be refused"#
                .to_owned(),
        };
        Failure::plain(Exit::Local, format!("{which} cannot be read as a call")).hint(hint)
    }
}

/// Names of members that are no part of a call.
#[derive(Default)]
pub(super) struct OtherMembers {
    first: BTreeSet<String>,
    /// Number of names. Beyond [`MAX_NAMED`] a name may be counted more than once.
    pub(super) count: usize,
}

impl OtherMembers {
    pub(super) fn add(&mut self, names: &[String]) {
        for name in names {
            if self.first.contains(name) {
                continue;
            }
            self.count = self.count.saturating_add(1);
            if self.first.len() < MAX_NAMED {
                self.first.insert(name.clone());
            }
        }
    }
}

impl fmt::Display for OtherMembers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        /// Maximum length of a name that is shown, in characters.
        const SHOWN: usize = 64;
        let names = self.first.iter().map(|name| {
            let shown: String = name.chars().take(SHOWN).collect();
            code(&shown).to_string()
        });
        let names = names.collect::<Vec<_>>().join(", ");
        let more = if self.count > self.first.len() {
            " and more"
        } else {
            ""
        };
        write!(
            f,
            "members that do not belong to a call were ignored: {names}{more}"
        )
    }
}
