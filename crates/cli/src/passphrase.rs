//! The passphrase of the private keys, and the sources it is read from.

use std::{
    env,
    ffi::OsString,
    io::{self, IsTerminal},
    path::PathBuf,
};

use bailiwick_issuer::{Passphrase, PassphraseError};
use clap::Args;
use rustix::termios::{OptionalActions, Termios, tcgetattr, tcsetattr};
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure},
    input::{self, Input},
    settings::Global,
};

/// The environment variable that names the file with the passphrase.
const PASSPHRASE_FILE: &str = "BAILIWICK_PASSPHRASE_FILE";

/// The name of the secret in warnings.
const SECRET: &str = "passphrase";

/// The environment variable that contains the passphrase itself.
const PASSPHRASE: &str = "BAILIWICK_PASSPHRASE";

/// Maximum length of a passphrase's file, in bytes.
const MAX_FILE: usize = 4096;

/// Options of commands that use private keys.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArg {
    /// The file with the passphrase, one line [default: BAILIWICK_PASSPHRASE] [env: BAILIWICK_PASSPHRASE_FILE]
    // Clap could read the environment too, but would then show the option as a required one in every usage error.
    #[arg(long, value_name = "FILE|-")]
    passphrase_file: Option<Input>,
}

impl PassphraseArg {
    /// Reads the passphrase from the first source that has one: file, environment, `config.toml`, or the person
    /// at the terminal. [`Passphrase::new`] parses it, whatever the source.
    pub(crate) fn passphrase(&self, global: &Global) -> Result<Passphrase, Failure> {
        parsed(&self.given(global, || ask("Passphrase: "))?)
    }

    /// Reads the passphrase from a file, the environment or `config.toml`, without asking anybody; `None` if no
    /// source has one.
    pub(crate) fn without_asking(&self, global: &Global) -> Result<Option<Passphrase>, Failure> {
        parsed_if_any(self.configured(global)?)
    }

    /// Like [`PassphraseArg::without_asking`], but without a warning about an unsafe file, for a caller that reports
    /// [`PassphraseArg::openness`].
    pub(crate) fn without_warning(&self, global: &Global) -> Result<Option<Passphrase>, Failure> {
        let text = self.source(global)?.map(Source::read).transpose();
        parsed_if_any(text?)
    }

    /// Reads a new passphrase. A person is asked twice.
    pub(crate) fn new_passphrase(&self, global: &Global) -> Result<Passphrase, Failure> {
        let given = self.given(global, || {
            let first = ask("New passphrase: ")?;
            if *first != *ask("Once more: ")? {
                return Err(
                    Failure::plain(Exit::Local, "the two passphrases are not the same")
                        .hint("type the same passphrase twice"),
                );
            }
            Ok(first)
        });
        Passphrase::new(&given?).map_err(|error| Failure::new(Exit::Local, error))
    }

    fn given(
        &self,
        global: &Global,
        ask: impl FnOnce() -> Result<Zeroizing<String>, Failure>,
    ) -> Result<Zeroizing<String>, Failure> {
        match self.configured(global)? {
            Some(text) => Ok(text),
            None => ask(),
        }
    }

    /// Returns the reasons why the file with the passphrase is unsafe; none if the passphrase is not in a file.
    pub(crate) fn openness(&self, global: &Global) -> Result<Vec<String>, Failure> {
        Ok(match self.source(global)? {
            Some(Source::File(Input::File(path))) => input::openness(SECRET, &path),
            _ => Vec::new(),
        })
    }

    fn configured(&self, global: &Global) -> Result<Option<Zeroizing<String>>, Failure> {
        let source = self.source(global)?;
        if let Some(Source::File(file)) = &source {
            input::warn_if_open(SECRET, file);
        }
        source.map(Source::read).transpose()
    }

    /// Returns the first source that has the passphrase.
    fn source(&self, global: &Global) -> Result<Option<Source>, Failure> {
        // An empty name names no file.
        let named = |file: &Input| *file != Input::File(PathBuf::new());
        let environment = || env::var_os(PASSPHRASE_FILE).map(named_by);
        let file = self.passphrase_file.clone().or_else(environment);
        if let Some(file) = file.filter(named) {
            return Ok(Some(Source::File(file)));
        }
        if let Some(text) = input::variable(PASSPHRASE)? {
            return Ok(Some(Source::Variable(text)));
        }
        let file = global.config()?.passphrase_file;
        Ok(file.map(|file| Source::File(Input::File(file))))
    }
}

/// The source that a variable names: a file, or standard input.
fn named_by(variable: OsString) -> Input {
    match variable == "-" {
        true => Input::Stdin,
        false => Input::File(variable.into()),
    }
}

/// A source of the passphrase.
enum Source {
    File(Input),
    Variable(Zeroizing<String>),
}

impl Source {
    fn read(self) -> Result<Zeroizing<String>, Failure> {
        match self {
            Source::File(file) => file.read_text(MAX_FILE),
            Source::Variable(text) => Ok(text),
        }
    }
}

fn parsed_if_any(text: Option<Zeroizing<String>>) -> Result<Option<Passphrase>, Failure> {
    text.map(|text| parsed(&text)).transpose()
}

/// Parses the passphrase of an existing home.
fn parsed(text: &str) -> Result<Passphrase, Failure> {
    Passphrase::new(text).map_err(|error| match error {
        PassphraseError::Short => Failure::plain(
            Exit::Local,
            "the passphrase is too short to be that of a home",
        )
        .hint(
            "check where it comes from: --passphrase-file, then the environment, \
             then `config.toml`",
        ),
        error => Failure::new(Exit::Local, error),
    })
}

/// Returns true if a person can be asked for the passphrase.
pub(crate) fn can_ask() -> bool {
    io::stdin().is_terminal() && io::stderr().is_terminal()
}

/// The settings of the terminal at standard input, for a process that may end while a prompt hides what is typed.
pub(crate) struct Terminal(Termios);

impl Terminal {
    /// Reads the present settings; `None` if there is no terminal.
    pub(crate) fn now() -> Option<Terminal> {
        tcgetattr(io::stdin()).ok().map(Terminal)
    }

    /// Sets the terminal as it was.
    pub(crate) fn restore(&self) {
        // A terminal that is gone needs no settings.
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

fn ask(prompt: &str) -> Result<Zeroizing<String>, Failure> {
    let nobody = || {
        Failure::plain(
            Exit::Local,
            "a passphrase is needed, and there is no terminal to ask at",
        )
        .hint(format!(
            "set BAILIWICK_PASSPHRASE_FILE or {PASSPHRASE}, or give --passphrase-file"
        ))
    };
    if !can_ask() {
        return Err(nobody());
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|_| nobody())
}
