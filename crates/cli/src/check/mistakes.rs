//! The mistakes found by a check.

use bailiwick_api::Health;
use serde::Serialize;

use crate::exit::Failure;

/// Maximum number of mistakes to list. Files can be large, and nobody reads more.
const MAX_LISTED: usize = 100;

/// A mistake in a file of the home.
#[derive(Debug, Serialize)]
pub(super) struct Mistake {
    /// A warning or an error.
    pub(super) state: Health,
    /// Name of the file, or of the part of the home.
    pub(super) file: &'static str,
    /// A description of the mistake.
    pub(super) message: String,
    /// The step that corrects the mistake, if known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) next: Option<String>,
}

/// All mistakes. Only the first ones are listed.
#[derive(Debug, Default)]
pub(super) struct Mistakes {
    listed: Vec<Mistake>,
    more: usize,
    worst: Option<Health>,
}

impl Mistakes {
    /// Adds a failure as an error.
    pub(super) fn error(&mut self, file: &'static str, failure: &Failure) {
        let next = failure.what_next().map(str::to_owned);
        self.add(Health::Error, file, failure.message().to_owned(), next);
    }

    /// Adds a failure as a warning.
    pub(super) fn warning(&mut self, file: &'static str, message: &str, next: &str) {
        let next = Some(next.to_owned());
        self.add(Health::Warning, file, message.to_owned(), next);
    }

    /// The worst state of all mistakes.
    pub(super) fn state(&self) -> Health {
        self.worst.unwrap_or(Health::Ok)
    }

    /// The listed mistakes.
    pub(super) fn listed(&self) -> &[Mistake] {
        &self.listed
    }

    /// Number of mistakes that are not listed.
    pub(super) fn more(&self) -> usize {
        self.more
    }

    fn add(&mut self, state: Health, file: &'static str, message: String, next: Option<String>) {
        self.worst = self.worst.max(Some(state));
        if self.listed.len() == MAX_LISTED {
            self.more = self.more.saturating_add(1);
            return;
        }
        self.listed.push(Mistake {
            state,
            file,
            message,
            next,
        });
    }
}
