//! The passphrase of the private keys, and the sources it is read from.

use std::{
    io::{self, IsTerminal},
    path::PathBuf,
};

use bailiwick_issuer::{Passphrase, PassphraseError};
use clap::Args;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure},
    input::{self, Input},
    settings::Global,
};

/// The environment variable that holds the passphrase itself.
const PASSPHRASE: &str = "BAILIWICK_PASSPHRASE";

/// Maximum length of a passphrase's file, in bytes.
const MAX_FILE: usize = 4096;

/// Options of commands that use private keys.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArg {
    /// The file with the passphrase, one line [default: BAILIWICK_PASSPHRASE]
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_PASSPHRASE_FILE",
        hide_env_values = true
    )]
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
        match self.configured(global)? {
            Some(text) => parsed(&text).map(Some),
            None => Ok(None),
        }
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

    fn configured(&self, global: &Global) -> Result<Option<Zeroizing<String>>, Failure> {
        // A variable that is empty names no file.
        let named = |file: &&Input| **file != Input::File(PathBuf::new());
        if let Some(file) = self.passphrase_file.as_ref().filter(named) {
            read(file).map(Some)
        } else if let Some(text) = input::variable(PASSPHRASE)? {
            Ok(Some(text))
        } else {
            let file = global.config()?.passphrase_file;
            file.map(|file| read(&Input::File(file))).transpose()
        }
    }
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

fn read(file: &Input) -> Result<Zeroizing<String>, Failure> {
    input::warn_if_open("passphrase", file);
    file.read_text(MAX_FILE)
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
