//! What is kept on disk, so that a verifier that starts while its issuer is down goes on from there.
//!
//! | file | holds |
//! |---|---|
//! | `keyset.json` | the keyset in use |
//! | `snapshot-{epoch}-{seq}.ndjson` | the snapshot that the revocations began with |
//! | `feed.ndjson` | the head in use, and the changes that lead to it from that snapshot |
//!
//! Each is signed or bound to what is, and verified when it is read. Each is written to a temporary
//! file, synced and renamed; `feed.ndjson`, whose number of lines tells which snapshot it goes with,
//! comes after that snapshot, so that whatever is interrupted leaves one state or the other.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, BufRead, BufReader, Read, Write},
    path::{Path, PathBuf},
};

use bailiwick_token::{
    dsse::MAX_ENVELOPE,
    key::PublicKey,
    revocation::{Epoch, Head, MAX_SNAPSHOT},
};

use super::bounded;
use crate::trust::Trust;

const KEYSET: &str = "keyset.json";
const FEED: &str = "feed.ndjson";

/// The largest file of changes that is read, in bytes.
const MAX_FEED: usize = 64 << 20;

/// The fewest changes after which a new snapshot is worth its size.
const FEW: usize = 10_000;

/// What [`FEED`] holds: the changes that lead from a snapshot, which is there, to the head in use. They
/// can be many, and stay on disk.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// How many changes there are, and how many bytes they take.
    count: u64,
    bytes: u64,
}

impl Kept {
    /// Whether a new snapshot should take their place: they are written as a whole each time.
    pub(super) fn is_long(&self, entries: usize) -> bool {
        let most = FEW.max(entries / 8) as u64;
        self.count > most || self.bytes > MAX_FEED as u64 / 2
    }
}

/// A directory that belongs to one refresher.
#[derive(Debug, Clone)]
pub(super) struct StateDirectory {
    directory: PathBuf,
}

impl StateDirectory {
    /// Makes the directory where it is not there.
    pub(super) fn open(directory: &Path) -> io::Result<StateDirectory> {
        fs::create_dir_all(directory)?;
        let store = StateDirectory {
            directory: directory.to_owned(),
        };
        store.remove(|name| {
            let begun = name
                .strip_prefix('.')
                .and_then(|it| it.strip_suffix(".new"));
            begun.is_some_and(|name| name == KEYSET || name == FEED || is_snapshot(name))
        });
        Ok(store)
    }

    /// What was in use. What cannot be read is as good as not there: it is fetched again.
    pub(super) fn load(&self, keyset_key: &PublicKey) -> Option<(Trust, Option<Kept>)> {
        let keyset = self.read(KEYSET, MAX_ENVELOPE)?;
        let trust = Trust::open(&keyset, keyset_key, None)
            .map_err(|error| unusable(KEYSET, &error))
            .ok()?;
        Some(match self.load_feed(&trust, keyset_key) {
            Some((trust, kept)) => (trust, Some(kept)),
            None => (trust, None),
        })
    }

    fn load_feed(&self, trust: &Trust, keyset_key: &PublicKey) -> Option<(Trust, Kept)> {
        let feed = self.read(FEED, MAX_FEED)?;
        let end = feed.iter().position(|byte| *byte == b'\n')?;
        let (head, lines) = feed.split_at(end);
        let lines = lines.get(1..)?;
        let read = Head::open(head, keyset_key)
            .map_err(|error| unusable(FEED, &error))
            .ok()?;
        let count = lines.iter().filter(|byte| **byte == b'\n').count() as u64;
        let begin = (read.epoch, read.seq.checked_sub(count)?);
        let snapshot = self.read(&snapshot(begin), MAX_SNAPSHOT)?;
        // As of when it was signed: it is old by now, which each decision looks at for itself.
        let trust = trust
            .with_snapshot(&snapshot, head, lines, read.issued_at)
            .map_err(|error| unusable(FEED, &error))
            .ok()?;
        let bytes = lines.len() as u64;
        Some((trust, Kept { count, bytes }))
    }

    pub(super) fn save_keyset(&self, keyset: &[u8]) -> io::Result<()> {
        self.write(KEYSET, |file| file.write_all(keyset))
    }

    /// Begins with the snapshot of that number, and goes on from there. Older snapshots go.
    pub(super) fn begin(
        &self,
        begin: (Epoch, u64),
        file: &[u8],
        changes: (&[u8], u64),
        head: &[u8],
    ) -> io::Result<Kept> {
        let used = snapshot(begin);
        self.write(&used, |place| place.write_all(file))?;
        let kept = self.save_feed(Kept::default(), io::empty(), changes, head)?;
        self.remove(|name| is_snapshot(name) && name != used);
        Ok(kept)
    }

    /// Removes files that are of no use any more, as far as that can be done.
    fn remove(&self, is_useless: impl Fn(&str) -> bool) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        for entry in entries.flatten() {
            if is_useless(&entry.file_name().to_string_lossy())
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(file = %entry.path().display(), %error, "it is of no use, and stays");
            }
        }
    }

    /// Goes on from what is there, with further changes and the head that they lead to.
    pub(super) fn extend(
        &self,
        kept: Kept,
        changes: (&[u8], u64),
        head: &[u8],
    ) -> io::Result<Kept> {
        let mut there = BufReader::new(File::open(self.directory.join(FEED))?);
        there.skip_until(b'\n')?;
        self.save_feed(kept, there, changes, head)
    }

    fn save_feed(
        &self,
        kept: Kept,
        mut there: impl Read,
        (lines, count): (&[u8], u64),
        head: &[u8],
    ) -> io::Result<Kept> {
        self.write(FEED, |file| {
            file.write_all(head.trim_ascii())?;
            file.write_all(b"\n")?;
            if io::copy(&mut there, file)? != kept.bytes {
                return Err(io::Error::other(format!(
                    "`{FEED}` was changed by somebody"
                )));
            }
            file.write_all(lines)
        })?;
        Ok(Kept {
            count: kept.count.saturating_add(count),
            bytes: kept.bytes.saturating_add(lines.len() as u64),
        })
    }

    /// A file of at most that many bytes.
    fn read(&self, name: &str, limit: usize) -> Option<Vec<u8>> {
        match bounded::read(&self.directory.join(name), limit) {
            Ok(content) => Some(content),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                unusable(name, &error);
                None
            }
        }
    }

    fn write(
        &self,
        name: &str,
        content: impl FnOnce(&mut File) -> io::Result<()>,
    ) -> io::Result<()> {
        let temporary = self.directory.join(format!(".{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        if let Err(error) = content(&mut file).and_then(|()| file.sync_all()) {
            // A disk that is full has room again.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        fs::rename(&temporary, self.directory.join(name))?;
        // The name is on disk once its directory is.
        #[cfg(unix)]
        File::open(&self.directory)?.sync_all()?;
        Ok(())
    }
}

fn snapshot((epoch, seq): (Epoch, u64)) -> String {
    format!("snapshot-{epoch}-{seq}.ndjson")
}

fn is_snapshot(name: &str) -> bool {
    name.starts_with("snapshot-") && name.ends_with(".ndjson")
}

fn unusable(file: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(file, %error, "what was kept cannot be used, and is fetched again");
}
