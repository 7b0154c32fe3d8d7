//! The output for people, which fits one screen. Programs get only the report at the end.

use std::{
    cell::Cell,
    fmt::{Display, Write},
    net::SocketAddr,
};

use anstyle::Style;
use bailiwick_token::token::Token;

use super::{
    client::CallOutcome, failure::broken, report::DemoReport, rotation::RotationCounts,
    world::DemoWorld,
};
use crate::{
    exit::Failure,
    output::{self, Format, GREEN, RED},
};

const BOLD: Style = Style::new().bold();

/// Width of the screen, in characters.
const WIDTH: usize = 100;

pub(super) struct Screen {
    shown: bool,
    steps: Cell<u32>,
}

impl Screen {
    pub(super) fn new(format: Format) -> Screen {
        Screen {
            shown: format == Format::Text,
            steps: Cell::new(0),
        }
    }

    pub(super) fn title(&self, address: SocketAddr) -> Result<(), Failure> {
        self.print(format_args!(
            "An issuer in a temporary home, and a purchase-order service at http://{address}."
        ))
    }

    /// Prints the next step, in a sentence.
    pub(super) fn step(&self, sentence: &str) -> Result<(), Failure> {
        let number = self.steps.get().saturating_add(1);
        self.steps.set(number);
        self.print(format_args!("{BOLD}{number}. {sentence}{BOLD:#}"))
    }

    pub(super) fn line(&self, text: impl Display) -> Result<(), Failure> {
        self.print(format_args!("     {text}"))
    }

    /// Prints the effective authority of a token, after all its blocks.
    pub(super) fn authority(&self, token: &Token) -> Result<(), Failure> {
        let effective = token.inspect().effective().map_err(broken)?.to_string();
        let grants = effective.lines().filter(|line| line.starts_with("may"));
        let mut lines = grants.flat_map(|grant| wrapped(grant, WIDTH.saturating_sub(10)));
        lines.try_for_each(|line| {
            let indent = if line.starts_with("may") { "" } else { "     " };
            self.line(format_args!("{indent}{line}"))
        })
    }

    /// Prints the text that an agent reads.
    pub(super) fn quote(&self, text: &str) -> Result<(), Failure> {
        text.lines()
            .try_for_each(|line| self.line(format_args!("> {line}")))
    }

    /// Prints the outcome of a call.
    pub(super) fn call(&self, outcome: CallOutcome) -> Result<CallOutcome, Failure> {
        let CallOutcome {
            agent,
            call,
            reason,
            explain,
            ..
        } = &outcome;
        match outcome.is_allowed() {
            true => self.line(format_args!("{GREEN}allowed{GREEN:#}  {agent:<12}  {call}"))?,
            false => {
                self.line(format_args!("{RED}refused{RED:#}  {agent:<12}  {call}"))?;
                let reason = reason.as_deref().unwrap_or("no reason");
                let explain = explain.join("; ");
                for line in wrapped(&format!("{reason}: {explain}"), WIDTH.saturating_sub(14)) {
                    self.line(format_args!("         {line}"))?;
                }
            }
        }
        if !outcome.as_expected {
            self.line(format_args!("         {RED}this result is wrong{RED:#}"))?;
        }
        Ok(outcome)
    }

    pub(super) fn rotation(&self, rotation: &RotationCounts) -> Result<(), Failure> {
        let RotationCounts {
            activated,
            retired,
            keyset_version,
            clock_seconds,
            tokens,
            calls,
            ..
        } = rotation;
        let (hours, minutes) = (clock_seconds / 3600, clock_seconds % 3600 / 60);
        self.line(format_args!(
            "{activated} keys activated, {retired} retired, {keyset_version} keysets, {hours} h {minutes} min on the clock"
        ))?;
        let style = if rotation.is_clean() { GREEN } else { RED };
        self.line(format_args!(
            "{calls} calls with {tokens} tokens meanwhile, {style}false denials: {}{style:#}",
            rotation.false_denials
        ))?;
        let denial = rotation.first_denial.iter();
        let mut lines = denial.flat_map(|denial| wrapped(denial, WIDTH.saturating_sub(10)));
        lines.try_for_each(|line| self.line(line))
    }

    pub(super) fn end(&self, report: &DemoReport, world: &DemoWorld) -> Result<(), Failure> {
        self.step("The audit is verified, and the service's orders are listed.")?;
        let (style, state) = match report.audit_intact {
            true => (GREEN, "intact"),
            false => (RED, "broken"),
        };
        let rows = report.audit_rows;
        self.line(format_args!(
            "{rows} rows, each chained to the one before: {style}{state}{style:#}"
        ))?;
        let vendors = world.orders.vendors().join(", ");
        self.line(format_args!("orders placed with: {vendors}"))?;
        let seconds = report.seconds;
        self.print(format_args!(
            "Done in {seconds:.1} s. How to do it yourself: docs/tutorial/start.md"
        ))
    }

    fn print(&self, text: impl Display) -> Result<(), Failure> {
        if self.shown {
            output::line(text)
        } else {
            Ok(())
        }
    }
}

/// Wraps text at spaces into lines of at most `width` characters.
fn wrapped(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let Some(line) = lines.last_mut() else { break };
        let longer = line
            .chars()
            .count()
            .saturating_add(word.chars().count())
            .saturating_add(1);
        if line.is_empty() {
            line.push_str(word);
        } else if longer <= width {
            // Writing to a string cannot fail.
            let _ = write!(line, " {word}");
        } else {
            lines.push(word.to_owned());
        }
    }
    lines
}
