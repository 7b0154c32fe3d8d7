//! Confirmation before something is destroyed.

use std::{
    fmt,
    io::{self, BufRead, IsTerminal, Read},
};

use clap::Args;

use crate::{
    exit::{Exit, Failure},
    output,
};

/// Maximum length of an answer, in bytes.
const MAX_ANSWER: u64 = 256;

/// Options of commands that cannot be undone.
#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// Do not ask for confirmation
    #[arg(long)]
    yes: bool,
}

impl Confirm {
    /// Returns at once with `--yes`, and otherwise once a person has typed `id`. Fails if there is no terminal to ask
    /// at.
    pub(crate) fn ask(&self, what: &str, id: &dyn fmt::Display) -> Result<(), Failure> {
        if self.yes {
            return Ok(());
        }
        if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
            return Err(Failure::plain(
                Exit::Usage,
                format!(
                    "this would {what} `{id}`, which cannot be undone, and there is no terminal to confirm it at"
                ),
            )
            .hint("add --yes to confirm it"));
        }
        output::note(format_args!(
            "This will {what} `{id}`, which cannot be undone. Type {id} to go on:"
        ));
        let mut answer = String::new();
        let read = io::stdin().lock().take(MAX_ANSWER).read_line(&mut answer);
        if read.is_ok() && answer.trim() == id.to_string() {
            return Ok(());
        }
        Err(Failure::plain(
            Exit::Usage,
            format!("the answer is not `{id}`, so nothing was done"),
        )
        .hint("type the answer exactly as shown above, or add --yes"))
    }
}
