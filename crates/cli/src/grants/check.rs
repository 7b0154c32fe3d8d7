//! `bailiwick grants check`: all mistakes of a file at once, and warnings about grants that may not mean what they
//! seem to.

mod report;

use bailiwick_token::{
    grant::{Grants, GrantsError, warnings::Review},
    text::counted,
    value::Value,
};
use clap::Args;

use self::report::{Mistake, Report};
use super::{calls::Lines, throwaway::ThrowawayIssuer};
use crate::{
    clock,
    exit::{Exit, ExitResult, Failure},
    input::{self, Input},
    output::Progress,
    settings::Global,
};

/// Options of `grants check`.
#[derive(Debug, Args)]
#[command(after_help = "\
The exit code is 1 if there are mistakes. Warnings concern well-formed grants; they make the exit code 1 \
only with `--strict`. With recorded calls, as `grants simulate` reads them, there are also warnings \
about arguments that none of these calls has.

Examples:
  bailiwick grants check grants.toml
  bailiwick grants check grants.toml --calls calls.jsonl --strict")]
pub(crate) struct GrantsCheckArgs {
    /// The grants, TOML or JSON
    #[arg(value_name = "FILE|-")]
    grants: Input,
    /// Compare the names of arguments with these calls, one JSON object per line
    #[arg(long, value_name = "FILE|-")]
    calls: Option<Input>,
    /// Exit with 1 if there are warnings
    #[arg(long)]
    strict: bool,
}

impl GrantsCheckArgs {
    /// Checks the file, and prints one report.
    pub(super) fn run(self, global: &Global) -> ExitResult {
        let (text, is_json) = input::grants_text(&self.grants)?;
        let parsed = match is_json {
            true => Grants::parse_json(&text),
            false => Grants::parse_toml(&text),
        };
        let mut report = Report::new(&self.grants);
        match parsed {
            Err(mistakes) => report.add_mistakes(&mistakes),
            Ok(grants) => {
                report.grants = grants.len();
                let mut review = review(&text, is_json, &grants)
                    .map_err(|error| input::grants_mistake(&self.grants, &error))?;
                if let Some(calls) = &self.calls {
                    report.notes.extend(add_calls(&mut review, calls)?);
                    report.add_grants_without_calls(&review.grants_without_calls());
                }
                report.add_open(&grants);
                report.warnings = review.warnings();
                match size(&grants) {
                    Ok(bytes) => report.token_bytes = Some(bytes),
                    Err(failure) => report.mistakes.push(Mistake::of_token(&failure)),
                }
            }
        }
        global.format().print(&report, &report)?;
        Ok(match report.mistakes.is_empty() {
            true if report.warnings.is_empty() || !self.strict => Exit::Done,
            _ => Exit::Local,
        })
    }
}

fn review<'t>(text: &'t str, is_json: bool, grants: &'t Grants) -> Result<Review<'t>, GrantsError> {
    /// The parser of grants has accepted the text, so this depth is enough.
    const DEPTH: usize = 64;
    if !is_json {
        return Review::of_toml(text, grants);
    }
    let value = Value::parse_within(text, DEPTH).map_err(|error| GrantsError {
        path: "grant".to_owned(),
        line: None,
        message: error.to_string(),
    })?;
    Ok(Review::of_value(value, grants))
}

/// Adds the recorded calls to the review. Returns notes about lines that are not calls.
fn add_calls(review: &mut Review<'_>, calls: &Input) -> Result<Vec<String>, Failure> {
    let mut lines = Lines::open(calls)?;
    let mut progress = Progress::new("calls read");
    let (mut read, mut unread) = (0_u64, 0_u64);
    while let Some(line) = lines.next()? {
        match line.call_parts() {
            Some((service, action, args)) => {
                review.add_call(&service, &action, &args);
                read = read.saturating_add(1);
            }
            None => unread = unread.saturating_add(1),
        }
        progress.at(read.saturating_add(unread));
    }
    let note = (unread > 0).then(|| {
        format!(
            "{} of {calls} cannot be read as a call and were ignored",
            counted(unread, "line")
        )
    });
    Ok(note.into_iter().collect())
}

/// Length of a token that carries the grants, in bytes.
fn size(grants: &Grants) -> Result<usize, Failure> {
    let token = ThrowawayIssuer::new(clock::now()?)?.mint(grants)?;
    Ok(token.as_bytes().len())
}
