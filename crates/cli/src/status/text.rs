//! The report as text: a line for each section, with its findings below.

use std::fmt::{self, Write};

use bailiwick_api::{Health, IssuerStatus, StatusSection};
use bailiwick_token::escape::name;

use super::summary::summary;
use crate::{
    output::{GREEN, RED, YELLOW},
    wrap::hanging,
};

/// Width of the columns of section names and states, in characters.
const NAME: usize = 12;
const STATE: usize = 7;

/// Column at which the facts of a section begin, and the findings below it.
const FACTS: usize = NAME + STATE + 3;
const FINDING: usize = 4;
const NEXT: usize = 10;

/// The report as text, for a terminal of this width. With `quiet`, it contains only the sections with findings.
pub(super) fn report(status: &IssuerStatus, quiet: bool, width: Option<usize>) -> String {
    // Writing to a string cannot fail.
    written(status, quiet, width).unwrap_or_default()
}

fn written(status: &IssuerStatus, quiet: bool, width: Option<usize>) -> Result<String, fmt::Error> {
    let mut text = String::new();
    let issuer = name(&status.issuer);
    writeln!(
        text,
        "{issuer} at {}: {}",
        status.time,
        state(status.state, 0)
    )?;
    for section in &status.sections {
        if quiet && section.state == Health::Ok {
            continue;
        }
        let title = title(section.section);
        let shown = state(section.state, STATE);
        let summary = summary(status, section.section);
        let line = format!("{title:NAME$} {shown}  {summary}");
        writeln!(text, "{}", hanging(&line, FACTS, width))?;
        for finding in &section.findings {
            let shown = state(finding.state, 0);
            let line = format!("  {shown}: {}", finding.message);
            writeln!(text, "{}", hanging(&line, FINDING, width))?;
            let line = format!("    next: {}", finding.next);
            writeln!(text, "{}", hanging(&line, NEXT, width))?;
        }
    }
    Ok(text)
}

fn title(section: StatusSection) -> &'static str {
    match section {
        StatusSection::PrivateKeys => "passphrase",
        section => section.as_str(),
    }
}

/// A state in its colour, padded to `width`.
fn state(state: Health, width: usize) -> String {
    let style = match state {
        Health::Ok => GREEN,
        Health::Warning => YELLOW,
        Health::Error => RED,
    };
    let word = state.as_str();
    let padding = width.saturating_sub(word.len());
    format!("{style}{word}{style:#}{:padding$}", "")
}
