//! Sources of the passphrase of the private keys.

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
    /// The file that holds the passphrase, one line [default: BAILIWICK_PASSPHRASE]
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    passphrase_file: Option<Input>,
}

impl PassphraseArg {
    /// Reads the passphrase from the first source that has one: file, environment, `config.toml`, and the
    /// person at the terminal. [`Passphrase::new`] parses it, whatever its source.
    pub(crate) fn passphrase(&self, global: &Global) -> Result<Passphrase, Failure> {
        let unfit = |error| match error {
            PassphraseError::Short => Failure::plain(
                Exit::Local,
                "the passphrase is too short to be that of a home",
            )
            .hint(
                "check where it comes from: --passphrase-file, then the environment, \
                 then `config.toml`",
            ),
            error => Failure::new(Exit::Local, error),
        };
        Passphrase::new(&self.given(global, || ask("Passphrase: "))?).map_err(unfit)
    }

    /// Reads a new passphrase. A person is asked twice.
    pub(crate) fn new_passphrase(&self, global: &Global) -> Result<Passphrase, Failure> {
        let given = self.given(global, || {
            let first = ask("New passphrase: ")?;
            if *first != *ask("Once more: ")? {
                return Err(Failure::plain(Exit::Local, "the two are not the same")
                    .hint("type one passphrase twice"));
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
        let configured = || global.config().map(|config| config.passphrase_file);
        // A variable that is empty names no file.
        let named = |file: &&Input| **file != Input::File(PathBuf::new());
        if let Some(file) = self.passphrase_file.as_ref().filter(named) {
            read(file)
        } else if let Some(text) = input::variable(PASSPHRASE)? {
            Ok(text)
        } else if let Some(file) = configured()? {
            read(&Input::File(file))
        } else {
            ask()
        }
    }
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
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Err(nobody());
    }
    rpassword::prompt_password(prompt)
        .map(Zeroizing::new)
        .map_err(|_| nobody())
}
