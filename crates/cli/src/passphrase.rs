//! Where the passphrase of the private keys comes from.

use std::{
    env, fs,
    io::{self, IsTerminal},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use bailiwick_issuer::Passphrase;
use clap::Args;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure},
    input::Source,
    output,
    settings::Global,
};

/// The environment variable that holds the passphrase itself.
const PASSPHRASE: &str = "BAILIWICK_PASSPHRASE";

/// The most bytes of a passphrase's file.
const MAX_FILE: usize = 4096;

/// For commands that use private keys.
#[derive(Debug, Args)]
pub(crate) struct PassphraseArg {
    /// The file that holds the passphrase, on its first line [default: BAILIWICK_PASSPHRASE]
    #[arg(
        long,
        value_name = "FILE|-",
        env = "BAILIWICK_PASSPHRASE_FILE",
        hide_env_values = true
    )]
    passphrase_file: Option<Source>,
}

impl PassphraseArg {
    /// The passphrase, from the first place that has one: file, environment, `config.toml`,
    /// and, on a terminal, the person at it.
    pub(crate) fn passphrase(&self, global: &Global) -> Result<Passphrase, Failure> {
        let too_short = |_| {
            Failure::plain(Exit::Local, "the passphrase is too short to be that of a home")
                .hint("check where it comes from: --passphrase-file, then the environment, then `config.toml`")
        };
        Passphrase::new(&self.given(global, || ask("Passphrase: "))?).map_err(too_short)
    }

    /// A new passphrase: a person is asked twice.
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
        // A variable that is set to nothing names no file.
        let named = |file: &&Source| **file != Source::File(PathBuf::new());
        if let Some(file) = self.passphrase_file.as_ref().filter(named) {
            first_line(file)
        } else if let Ok(text) = env::var(PASSPHRASE) {
            Ok(Zeroizing::new(text))
        } else if let Some(file) = configured()? {
            first_line(&Source::File(file))
        } else {
            ask()
        }
    }
}

/// Whether it is one of the service manager's, which lets the service read it by an access list: the group's bits
/// are those of its mask.
fn is_credential(path: &Path) -> bool {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
    directory.is_some_and(|directory| path.starts_with(directory))
}

fn first_line(file: &Source) -> Result<Zeroizing<String>, Failure> {
    if let Source::File(path) = file
        && let Ok(metadata) = fs::metadata(path)
        && metadata.permissions().mode() & 0o077 != 0
        && !is_credential(path)
    {
        output::warn(format_args!(
            "others can read the passphrase in {file}: run `chmod 600` on it"
        ));
    }
    let text = file.read_text(MAX_FILE)?;
    let line = text.lines().next().unwrap_or_default();
    if line.is_empty() {
        return Err(
            Failure::plain(Exit::Local, format!("the first line of {file} is empty"))
                .hint("write the passphrase there, and nothing else"),
        );
    }
    Ok(Zeroizing::new(line.to_owned()))
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
