//! Exit codes, and the failures that cause them.

use std::process::ExitCode;

use bailiwick_api::Health;

/// The exit code of a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The command succeeded, or the decision is to allow.
    Done = 0,
    /// Something on this machine is wrong: a file, a passphrase, a terminal.
    Local = 1,
    /// The command line is malformed. Clap exits with the same code.
    Usage = 2,
    /// The decision is to deny.
    Denied = 3,
    /// A guard refused an action that is unsafe, perhaps only for now. The message says how to override it.
    Guarded = 4,
    /// A named object does not exist.
    NotFound = 5,
    /// A remote issuer gave no answer, or an unexpected one.
    Remote = 6,
    /// `status` or `check` found something that an operator should act on, but nothing that fails now.
    Warnings = 7,
    /// `status` or `check` found something that does not work.
    Errors = 8,
}

impl From<Health> for Exit {
    fn from(state: Health) -> Exit {
        match state {
            Health::Ok => Exit::Done,
            Health::Warning => Exit::Warnings,
            Health::Error => Exit::Errors,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The outcome of a command.
pub(crate) type ExitResult = Result<Exit, Failure>;

/// An error message with a hint about the next step. It never contains a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure from a library's message. Such a message is one sentence, in which a semicolon separates what is wrong
    /// from the next step: ``key `0a1b2c3d` is active; activate another key first``.
    pub(crate) fn new(exit: Exit, message: impl ToString) -> Failure {
        let message = message.to_string();
        match split_hint(&message) {
            Some((what, hint)) => Failure {
                exit,
                message: what.to_owned(),
                hint: Some(hint.to_owned()),
            },
            None => Failure {
                exit,
                message,
                hint: None,
            },
        }
    }

    /// A failure from a message of this program, which is not split into message and hint.
    pub(crate) fn plain(exit: Exit, message: impl ToString) -> Failure {
        Failure {
            exit,
            message: message.to_string(),
            hint: None,
        }
    }

    /// Replaces the hint about the next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// Sets the hint if there is none.
    pub(crate) fn or_hint(mut self, hint: &str) -> Failure {
        self.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    /// Returns the message, indented, so that a name with a line break cannot forge a line such as `hint: …`.
    pub(crate) fn indented(&self) -> String {
        self.message.replace('\n', "\n  ")
    }

    /// Returns the message, without the hint.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// Returns the hint about the next step, if any.
    pub(crate) fn what_next(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// Returns the exit code of the process.
    pub(crate) fn code(&self) -> Exit {
        self.exit
    }
}

/// Splits at the last semicolon outside of backticks and parentheses, which hold values or the messages of other
/// programs.
fn split_hint(message: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut nested: usize = 0;
    let mut last = None;
    for (at, c) in message.char_indices() {
        match c {
            '`' => quoted = !quoted,
            '(' if !quoted => nested = nested.saturating_add(1),
            ')' if !quoted => nested = nested.saturating_sub(1),
            ';' if !quoted && nested == 0 => last = Some(at),
            _ => {}
        }
    }
    let (what, rest) = message.split_at_checked(last?)?;
    Some((what, rest.strip_prefix("; ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_follows_the_last_semicolon_outside_values() {
        for (message, split) in [
            (
                "key `0a` is active; use another",
                Some(("key `0a` is active", "use another")),
            ),
            (
                "`a; b` failed (cause; x): y; do this",
                Some(("`a; b` failed (cause; x): y", "do this")),
            ),
            ("nothing to do about `a; b`", None),
            ("the keyset cannot be used: it is empty", None),
        ] {
            assert_eq!(split_hint(message), split, "{message}");
        }
    }
}
