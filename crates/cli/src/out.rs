//! `--out FILE`: data into a file instead of standard output.

use std::{
    fmt,
    fs::{File, Permissions},
    io::{self, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    exit::{Exit, Failure},
    output::{self, Format},
};

/// Who may read a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readers {
    /// Its owner: it holds a token.
    Owner,
    /// Everyone: it is signed, and public.
    Everyone,
}

/// Where data goes.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write to this file instead of stdout; what was there is replaced as a whole
    #[arg(long, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
}

/// Writes a file in one step: whoever reads it meanwhile sees the old one or the new one.
pub(crate) fn write(path: &Path, content: &str, readers: Readers) -> Result<(), Failure> {
    let mut draft = Draft::begin(path, readers)?;
    draft.write(content)?;
    draft.keep()
}

/// A file in the making, beside its place. It goes there as a whole, or vanishes.
pub(crate) struct Draft {
    file: NamedTempFile,
    path: PathBuf,
}

impl Draft {
    /// Begins a file that will be at `path`.
    pub(crate) fn begin(path: &Path, readers: Readers) -> Result<Draft, Failure> {
        let parent = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let mode = match readers {
            Readers::Owner => 0o600,
            Readers::Everyone => 0o644,
        };
        let file = tempfile::Builder::new()
            .prefix(".bailiwick-")
            .permissions(Permissions::from_mode(mode))
            .tempfile_in(parent)
            .map_err(|error| unwritable(path, &error))?;
        Ok(Draft {
            file,
            path: path.to_owned(),
        })
    }

    /// Where to write.
    pub(crate) fn file(&mut self) -> &mut File {
        self.file.as_file_mut()
    }

    /// Writes more of it.
    pub(crate) fn write(&mut self, content: &str) -> Result<(), Failure> {
        let written = self.file().write_all(content.as_bytes());
        written.map_err(|error| unwritable(&self.path, &error))
    }

    /// Puts it in its place; what was there is replaced.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let Draft { file, path } = self;
        let kept = || {
            file.as_file().sync_all()?;
            file.persist(&path)?;
            // So that its name lasts, too.
            let parent = path.parent().filter(|parent| *parent != Path::new(""));
            File::open(parent.unwrap_or(Path::new(".")))?.sync_all()
        };
        kept().map_err(|error| unwritable(&path, &error))
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    // The error itself would name a temporary file.
    let (path, why) = (path.display(), error.kind());
    Failure::plain(Exit::Local, format!("cannot write `{path}` ({why})"))
        .hint("name a file in a directory that you can write to")
}

/// Hands out what is signed: the very bytes, into the file where one is named, to stdout otherwise.
/// One version is one byte string, wherever it went.
pub(crate) fn signed<T: Serialize>(
    out: &Out,
    envelope: &str,
    format: Format,
    note: fmt::Arguments<'_>,
    document: &T,
) -> Result<(), Failure> {
    if let Some(path) = &out.out {
        write(path, envelope, Readers::Everyone)?;
    }
    output::note(note);
    match (&out.out, format) {
        (Some(_), Format::Text) => Ok(()),
        (None, Format::Text) => output::signed(envelope),
        (_, Format::Json) => Format::Json.print(document, ""),
    }
}
