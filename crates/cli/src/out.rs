//! `--out FILE`: writes data to a file instead of standard output.
//!
//! | object at the path | action |
//! |---|---|
//! | nothing, or a regular file | the file is replaced in one step, with its permissions |
//! | a symbolic link | the same is done with the file that it points to; the link stays |
//! | a device, a FIFO, or the file behind standard output or standard error | the data is written to it |
//! | a directory, or a broken link | refused |

use std::{
    fmt,
    fs::{self, File, Metadata, OpenOptions, Permissions},
    io::{self, Write},
    os::{
        fd::AsFd,
        unix::fs::{MetadataExt, PermissionsExt},
    },
    path::{Path, PathBuf},
};

use clap::Args;
use serde::Serialize;
use tempfile::NamedTempFile;

use crate::{
    exit::{Exit, Failure},
    input::{Input, shown},
    output::{self, Format},
};

/// The users who may read a file.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Readers {
    /// Only the owner, because the file contains a secret.
    Owner,
    /// Everyone, because the file is signed and public.
    Everyone,
}

/// The destination of data.
#[derive(Debug, Args)]
pub(crate) struct Out {
    /// Write to this file instead of stdout; an existing file is replaced as a whole, unless it is a device or
    /// a FIFO
    #[arg(long, value_name = "FILE|-")]
    out: Option<Input>,
}

impl Out {
    /// The path of the file; `None` if data goes to stdout.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.out {
            Some(Input::File(path)) => Some(path),
            Some(Input::Stdin) | None => None,
        }
    }

    /// Returns the path as text, for JSON documents.
    pub(crate) fn text(&self) -> Option<String> {
        self.path().map(|path| path.display().to_string())
    }
}

/// Writes a whole file.
pub(crate) fn write(path: &Path, content: &str, readers: Readers) -> Result<(), Failure> {
    let mut draft = Draft::begin(path, readers)?;
    draft.write(content)?;
    draft.keep()
}

/// Output that is being written to a path.
pub(crate) struct Draft {
    place: Destination,
    path: PathBuf,
}

enum Destination {
    /// A draft beside a regular file, and the path of that file. The draft replaces the file in one step, so
    /// readers see either the old file or the new one.
    Beside(NamedTempFile, PathBuf),
    /// A device or a FIFO.
    Through(File),
}

impl Draft {
    /// Begins to write to `path`.
    pub(crate) fn begin(path: &Path, readers: Readers) -> Result<Draft, Failure> {
        let place = place(path, readers).map_err(|error| unwritable(path, &error))?;
        Ok(Draft {
            place,
            path: path.to_owned(),
        })
    }

    /// The file to write to.
    pub(crate) fn file(&mut self) -> &mut File {
        match &mut self.place {
            Destination::Beside(file, _) => file.as_file_mut(),
            Destination::Through(file) => file,
        }
    }

    /// Appends to the output.
    pub(crate) fn write(&mut self, content: &str) -> Result<(), Failure> {
        let written = self.file().write_all(content.as_bytes());
        written.map_err(|error| unwritable(&self.path, &error))
    }

    /// Completes the output: moves a draft to its path, or flushes a device or a FIFO.
    pub(crate) fn keep(self) -> Result<(), Failure> {
        let Draft { place, path } = self;
        let kept = || match place {
            Destination::Through(mut file) => file.flush(),
            Destination::Beside(file, target) => {
                file.as_file().sync_all()?;
                file.persist(&target)?;
                // A crash could otherwise lose the new name, although the content is on disk.
                File::open(parent(&target))?.sync_all()
            }
        };
        kept().map_err(|error| unwritable(&path, &error))
    }
}

fn place(path: &Path, readers: Readers) -> io::Result<Destination> {
    let target = match fs::metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
            path.to_owned()
        }
        Err(error) => return Err(error),
        Ok(metadata) if metadata.is_dir() => return Err(io::ErrorKind::IsADirectory.into()),
        Ok(metadata) => {
            if let Some(file) = standard(&metadata)? {
                return Ok(Destination::Through(file));
            }
            if !metadata.is_file() {
                return through(path).map(Destination::Through);
            }
            // `metadata` above made the kernel follow the link. In a directory such as `/tmp`, that fails if another
            // user planted the link (`fs.protected_symlinks`).
            match path.is_symlink() {
                true => fs::canonicalize(path)?,
                false => path.to_owned(),
            }
        }
    };
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everyone => 0o644,
    };
    let file = tempfile::Builder::new()
        .prefix(".bailiwick-")
        .permissions(Permissions::from_mode(mode))
        .tempfile_in(parent(&target))?;
    Ok(Destination::Beside(file, target))
}

/// Returns standard output or standard error if the path names one of them, such as `/dev/stdout`. Opening the
/// path again could fail, or overwrite earlier output.
fn standard(named: &Metadata) -> io::Result<Option<File>> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    for stream in [stdout.as_fd(), stderr.as_fd()] {
        let Ok(stream) = stream.try_clone_to_owned() else {
            continue;
        };
        let stream = File::from(stream);
        let metadata = stream.metadata()?;
        if (metadata.dev(), metadata.ino()) == (named.dev(), named.ino()) {
            return Ok(Some(stream));
        }
    }
    Ok(None)
}

fn through(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().write(true).open(path)?;
    // Another process may have replaced the device or FIFO by a regular file since `metadata`.
    match file.metadata()?.is_file() {
        true => Err(io::ErrorKind::InvalidInput.into()),
        false => Ok(file),
    }
}

fn parent(path: &Path) -> &Path {
    path.parent()
        .filter(|parent| *parent != Path::new(""))
        .unwrap_or(Path::new("."))
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    let name = shown(path);
    if error.kind() == io::ErrorKind::NotFound && path.is_symlink() {
        return Failure::plain(
            Exit::Local,
            format!("{name} is a symbolic link whose target is missing"),
        )
        .hint("create the target, or remove the link");
    }
    // Only the kind is shown, because the error itself may name the temporary file.
    let why = error.kind();
    Failure::plain(Exit::Local, format!("cannot write {name} ({why})"))
        .hint("name a file in a directory that you can write to")
}

/// The option of commands that a timer runs.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Quiet {
    /// Print nothing about a success, so that only failures make a timer send a message
    #[arg(short, long)]
    quiet: bool,
}

impl Quiet {
    /// Prints a note about a success, unless such notes are switched off.
    pub(crate) fn note(self, text: impl fmt::Display) {
        if !self.quiet {
            output::note(text);
        }
    }

    /// Returns true if notes about successes are switched off.
    pub(crate) fn is_set(self) -> bool {
        self.quiet
    }
}

/// Writes a signed document, byte for byte, to the named file or to stdout. Each version of a document is the
/// same byte string everywhere.
pub(crate) fn signed<T: Serialize>(
    (out, quiet): (&Out, Quiet),
    envelope: &str,
    format: Format,
    note: fmt::Arguments<'_>,
    document: &T,
) -> Result<(), Failure> {
    let path = out.path();
    if let Some(path) = path {
        write(path, envelope, Readers::Everyone)?;
    }
    quiet.note(note);
    // A document on stdout is data, so it is printed even if notes about successes are switched off.
    if path.is_some() && quiet.is_set() {
        return Ok(());
    }
    match (path, format) {
        (Some(_), Format::Text) => Ok(()),
        (None, Format::Text) => output::signed(envelope),
        (_, Format::Json) => Format::Json.print(document, ""),
    }
}
