//! Mistakes in grants, and the list of all mistakes of a text.

/// Maximum number of mistakes to list. A reader corrects one after the other, and a text can have thousands.
const MAX_MISTAKES: usize = 100;

/// The error of grants that are not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}`{path}`: {message}", .line.map(|line| format!("line {line}, ")).unwrap_or_default())]
pub struct GrantsError {
    /// Path of the fault, such as `grant[0].args.amount.min`.
    pub path: String,
    /// Line of the fault in a TOML text, counted from 1.
    pub line: Option<usize>,
    /// A description of the fault and its correction.
    pub message: String,
}

impl GrantsError {
    pub(super) fn at(path: impl ToString, message: impl Into<String>) -> GrantsError {
        GrantsError {
            path: path.to_string(),
            line: None,
            message: message.into(),
        }
    }
}

/// The mistakes found so far.
#[derive(Debug, Default)]
pub(super) struct Mistakes(Vec<GrantsError>);

impl Mistakes {
    /// Adds a mistake, unless the list is full.
    pub(super) fn add(&mut self, mistake: GrantsError) {
        if !self.is_full() {
            self.0.push(mistake);
        }
    }

    /// Returns the value that was read, or adds the mistake.
    pub(super) fn take<T>(&mut self, read: Result<T, GrantsError>) -> Option<T> {
        match read {
            Ok(value) => Some(value),
            Err(mistake) => {
                self.add(mistake);
                None
            }
        }
    }

    /// Number of mistakes.
    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// Returns true if no further mistake is listed.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_MISTAKES
    }

    /// Returns the value if there is no mistake, and the mistakes otherwise.
    pub(super) fn or<T>(self, value: T) -> Result<T, Vec<GrantsError>> {
        match self.0.is_empty() {
            true => Ok(value),
            false => Err(self.0),
        }
    }
}

/// The first of several mistakes.
pub(super) fn first(mistakes: Vec<GrantsError>) -> GrantsError {
    let first = mistakes.into_iter().next();
    // A list of mistakes is never empty.
    first.unwrap_or_else(|| GrantsError::at("grant", "the grants are not well formed"))
}
