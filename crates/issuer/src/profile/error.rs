//! Errors in profile files.

use bailiwick_token::{grant::GrantsError, value::toml::TomlError};

/// The error of a malformed profile file. Its message names the place of the fault, and explains the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{file}`: {}`{path}`: {message}", .line.map(|line| format!("line {line}, ")).unwrap_or_default())]
pub struct ProfileError {
    /// The name of the file.
    pub file: String,
    /// Line number, counted from 1.
    pub line: Option<usize>,
    /// The path of the faulty value, such as `profile[0].token.ttl`.
    pub path: String,
    /// A description of the fault, and a hint how to correct it.
    pub message: String,
}

/// A [`ProfileError`] before its file and line are known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ProfileFault {
    pub(super) path: String,
    pub(super) line: Option<usize>,
    pub(super) message: String,
}

impl ProfileFault {
    pub(super) fn at(path: impl Into<String>, message: impl Into<String>) -> ProfileFault {
        ProfileFault {
            path: path.into(),
            line: None,
            message: message.into(),
        }
    }

    pub(super) fn in_file(self, file: &str) -> ProfileError {
        ProfileError {
            file: file.to_owned(),
            line: self.line,
            path: self.path,
            message: self.message,
        }
    }

    /// Returns the fault of the grants of the profile at `path`.
    pub(super) fn of_grants(path: &str, error: GrantsError) -> ProfileFault {
        ProfileFault::at(format!("{path}.{}", error.path), error.message)
    }
}

impl From<TomlError> for ProfileFault {
    fn from(error: TomlError) -> ProfileFault {
        let nowhere = error.path.is_empty();
        ProfileFault {
            path: if nowhere {
                "profile".to_owned()
            } else {
                error.path
            },
            line: error.line,
            message: error.message,
        }
    }
}
