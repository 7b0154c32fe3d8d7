//! The report of a check, for people and as JSON.

use std::fmt;

use bailiwick_token::{
    escape::{code, name},
    grant::{Grant, Grants, GrantsError, warnings::Warning},
    text::counted,
};
use serde::{Serialize, Serializer, ser::SerializeStruct};

use crate::{
    exit::{Exit, Failure},
    input::Input,
    output::{RED, YELLOW},
};

/// The mistakes and warnings of a file of grants.
pub(super) struct Report<'i> {
    source: &'i Input,
    /// Number of grants; 0 if they cannot be read.
    pub(super) grants: usize,
    /// Length of a token that carries the grants, in bytes; `None` if they do not fit a token.
    pub(super) token_bytes: Option<usize>,
    pub(super) mistakes: Vec<Mistake>,
    pub(super) warnings: Vec<Warning>,
    pub(super) notes: Vec<String>,
}

/// A mistake that keeps the grants from being carried by a token.
#[derive(Serialize)]
pub(super) struct Mistake {
    path: Option<String>,
    line: Option<usize>,
    message: String,
    next: Option<String>,
}

impl Mistake {
    /// The mistake of grants that do not fit a token.
    pub(super) fn of_token(failure: &Failure) -> Mistake {
        Mistake::new(None, None, failure)
    }

    fn new(path: Option<String>, line: Option<usize>, failure: &Failure) -> Mistake {
        Mistake {
            path,
            line,
            message: failure.message().to_owned(),
            next: failure.what_next().map(str::to_owned),
        }
    }
}

impl Report<'_> {
    pub(super) fn new(source: &Input) -> Report<'_> {
        Report {
            source,
            grants: 0,
            token_bytes: None,
            mistakes: Vec::new(),
            warnings: Vec::new(),
            notes: Vec::new(),
        }
    }

    pub(super) fn add_mistakes(&mut self, errors: &[GrantsError]) {
        self.mistakes.extend(errors.iter().map(|error| {
            let failure =
                Failure::new(Exit::Local, &error.message).or_hint("correct this part of the file");
            Mistake::new(Some(error.path.clone()), error.line, &failure)
        }));
    }

    /// Notes the grants that do not limit arguments or resources at all. No line of the file shows this.
    pub(super) fn add_open(&mut self, grants: &Grants) {
        let listed = |is_open: fn(&Grant) -> bool| {
            let open = grants
                .iter()
                .enumerate()
                .filter(|(_, grant)| is_open(grant));
            let open = open.map(|(index, grant)| {
                let action = grant.action.to_string();
                format!(
                    "`grant[{index}]` ({} {})",
                    name(&grant.service),
                    name(&action)
                )
            });
            open.collect::<Vec<_>>().join(", ")
        };
        let arguments = listed(|grant| grant.args.is_none());
        let resources = listed(|grant| grant.resource.is_none());
        for (what, open) in [("arguments are", arguments), ("resource is", resources)] {
            if !open.is_empty() {
                self.notes.push(format!("any {what} allowed by {open}"));
            }
        }
    }

    /// Notes the grants for which no calls are recorded.
    pub(super) fn add_grants_without_calls(&mut self, grants: &[usize]) {
        for grant in grants {
            self.notes.push(format!(
                "no recorded call is for the service and action of `grant[{grant}]`, so its arguments were not compared"
            ));
        }
    }
}

impl fmt::Display for Report<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for mistake in &self.mistakes {
            let Mistake {
                path,
                line,
                message,
                next,
            } = mistake;
            write!(f, "{RED}error{RED:#}: ")?;
            self.place(f, path.as_deref(), *line)?;
            // A message of the parser of TOML has several lines.
            writeln!(f, "{}", message.trim_end().replace('\n', "\n  "))?;
            if let Some(next) = next {
                writeln!(f, "  next: {next}")?;
            }
        }
        for warning in &self.warnings {
            write!(f, "{YELLOW}warning{YELLOW:#}: ")?;
            self.place(f, Some(&warning.path), warning.line)?;
            writeln!(f, "{}", warning.message)?;
            writeln!(f, "  next: {}", warning.next)?;
            if let Some(rewrite) = &warning.rewrite {
                writeln!(f, "  write: {rewrite}")?;
            }
        }
        for note in &self.notes {
            writeln!(f, "note: {note}")?;
        }
        self.summary(f)
    }
}

impl Report<'_> {
    fn place(
        &self,
        f: &mut fmt::Formatter<'_>,
        path: Option<&str>,
        line: Option<usize>,
    ) -> fmt::Result {
        write!(f, "{}: ", self.source)?;
        if let Some(line) = line {
            write!(f, "line {line}, ")?;
        }
        match path {
            Some(path) => write!(f, "{}: ", code(path)),
            None => Ok(()),
        }
    }

    fn summary(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.mistakes.is_empty() {
            return writeln!(
                f,
                "{}: {}",
                self.source,
                counted(self.mistakes.len(), "mistake")
            );
        }
        write!(f, "{}: {}", self.source, counted(self.grants, "grant"))?;
        if let Some(bytes) = self.token_bytes {
            write!(f, ", in a token of about {bytes} bytes")?;
        }
        match self.warnings.len() {
            0 => writeln!(f),
            warnings => writeln!(f, "; {}", counted(warnings, "warning")),
        }
    }
}

/// A warning as a member of the report.
struct Shown<'w>(&'w Warning);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Warning {
            kind,
            path,
            line,
            message,
            next,
            rewrite,
        } = self.0;
        let mut warning = serializer.serialize_struct("Warning", 6)?;
        warning.serialize_field("kind", kind.code())?;
        warning.serialize_field("path", path)?;
        warning.serialize_field("line", line)?;
        warning.serialize_field("message", message)?;
        warning.serialize_field("next", next)?;
        warning.serialize_field("write", rewrite)?;
        warning.end()
    }
}

impl Serialize for Report<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let warnings: Vec<Shown<'_>> = self.warnings.iter().map(Shown).collect();
        let mut report = serializer.serialize_struct("Report", 5)?;
        report.serialize_field("grants", &self.grants)?;
        report.serialize_field("token_bytes", &self.token_bytes)?;
        report.serialize_field("mistakes", &self.mistakes)?;
        report.serialize_field("warnings", &warnings)?;
        report.serialize_field("notes", &self.notes)?;
        report.end()
    }
}
