//! Exit codes, and failures on their way to one.

use std::process::ExitCode;

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Exit {
    /// Done, or allowed.
    Done = 0,
    /// Something on this machine is not as it should be: a file, a passphrase, a terminal.
    Local = 1,
    /// The command line makes no sense. Clap ends with the same code.
    Usage = 2,
    /// A decision, and it is "no".
    Denied = 3,
    /// A guard refused what is not safe, or not yet; it says what would override it.
    Guarded = 4,
    /// What was named does not exist.
    NotFound = 5,
    /// An issuer elsewhere did not answer, or not as expected.
    Remote = 6,
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> ExitCode {
        ExitCode::from(exit as u8)
    }
}

/// The outcome of a command.
pub(crate) type ExitResult = Result<Exit, Failure>;

/// What went wrong, and what to do next. It never holds a secret.
#[derive(Debug)]
pub(crate) struct Failure {
    exit: Exit,
    message: String,
    hint: Option<String>,
}

impl Failure {
    /// A failure in the words of a library, whose messages put what to do next behind the last
    /// colon: ``key `0a1b2c3d` is active: activate another key first``.
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

    /// A failure in words of our own, which are not taken apart.
    pub(crate) fn plain(exit: Exit, message: impl ToString) -> Failure {
        Failure {
            exit,
            message: message.to_string(),
            hint: None,
        }
    }

    /// The same, with what to do next in place of what it said before.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Failure {
        self.hint = Some(hint.into());
        self
    }

    /// The same, with what to do next where nothing was said of it.
    pub(crate) fn or_hint(mut self, hint: &str) -> Failure {
        self.hint.get_or_insert_with(|| hint.to_owned());
        self
    }

    /// The message, indented, so that a name with a line break cannot forge a line such as `hint: …`.
    pub(crate) fn indented(&self) -> String {
        self.message.replace('\n', "\n  ")
    }

    /// The hint.
    pub(crate) fn what_next(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The exit code.
    pub(crate) fn code(&self) -> Exit {
        self.exit
    }
}

/// Splits at the last colon that stands outside of backticks and parentheses: in there, the text
/// is a value or another program's.
fn split_hint(message: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let mut nested: usize = 0;
    let mut last = None;
    for (at, c) in message.char_indices() {
        match c {
            '`' => quoted = !quoted,
            '(' if !quoted => nested = nested.saturating_add(1),
            ')' if !quoted => nested = nested.saturating_sub(1),
            ':' if !quoted && nested == 0 => last = Some(at),
            _ => {}
        }
    }
    let (what, rest) = message.split_at_checked(last?)?;
    Some((what, rest.strip_prefix(": ")?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hint_stands_behind_the_last_colon_that_is_not_a_value() {
        for (message, split) in [
            (
                "key `0a` is active: use another",
                Some(("key `0a` is active", "use another")),
            ),
            (
                "`a: b` failed (cause: x): do this",
                Some(("`a: b` failed (cause: x)", "do this")),
            ),
            ("nothing to do about `a: b`", None),
            ("at 12:00", None),
        ] {
            assert_eq!(split_hint(message), split, "{message}");
        }
    }
}
