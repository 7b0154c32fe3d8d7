//! `bailiwick completions`, `bailiwick man`: completions and manual pages generated from the command line.

use std::{fs, io, path::PathBuf};

use clap::{Args, Command};
use clap_complete::Shell;
use serde::Serialize;

use crate::{
    exit::{Exit, ExitResult, Failure},
    input::shown,
    output,
    settings::Global,
};

/// Options of `bailiwick completions`.
#[derive(Debug, Args)]
#[command(after_help = "\
Example:
  mkdir -p ~/.local/share/bash-completion/completions
  bailiwick completions bash \\
      > ~/.local/share/bash-completion/completions/bailiwick")]
pub(crate) struct CompletionsArgs {
    /// The shell
    shell: Shell,
}

impl CompletionsArgs {
    /// Prints the completions of a command line.
    pub(crate) fn run(self, mut command: Command) -> ExitResult {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, "bailiwick", &mut script);
        output::raw(&String::from_utf8_lossy(&script))?;
        Ok(Exit::Done)
    }
}

/// Options of `bailiwick man`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  bailiwick man ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// The directory for the pages; made if it does not exist
    dir: PathBuf,
}

#[derive(Serialize)]
struct WrittenPages {
    written: Vec<String>,
}

impl ManArgs {
    /// Writes the pages of a command line, and prints their paths.
    pub(crate) fn run(self, command: Command, global: &Global) -> ExitResult {
        let written = self.write(command).map_err(|error| {
            let dir = shown(&self.dir);
            Failure::plain(Exit::Local, format!("cannot write to {dir} ({error})"))
                .hint("name a directory that you can write to")
        })?;
        let lines: String = written
            .iter()
            .map(|path| format!("{}\n", path.display()))
            .collect();
        let written = written.iter().map(|path| path.display().to_string());
        let written = WrittenPages {
            written: written.collect(),
        };
        global.format().print(&written, lines)?;
        Ok(Exit::Done)
    }

    fn write(&self, command: Command) -> io::Result<Vec<PathBuf>> {
        fs::create_dir_all(&self.dir)?;
        let mut root = command.disable_help_subcommand(true);
        root.build();
        let mut written = Vec::new();
        let mut left = vec![root];
        while let Some(command) = left.pop() {
            left.extend(command.get_subcommands().cloned());
            written.push(clap_mangen::Man::new(command).generate_to(&self.dir)?);
        }
        written.sort();
        Ok(written)
    }
}
