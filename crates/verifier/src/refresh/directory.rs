//! The state kept on disk, from which a verifier can start while its issuer is down.
//!
//! | file | holds |
//! |---|---|
//! | `keyset.json` | the keyset in use |
//! | `snapshot-{epoch}-{seq}.ndjson` | the snapshot that the revocations began with |
//! | `feed.ndjson` | the head in use, and the changes that lead to it from that snapshot |
//!
//! Each file is signed or bound to a signed file, and is verified when it is read. Each is written to a
//! temporary file, synced and renamed. `feed.ndjson` belongs to one snapshot: the number of its head minus the
//! number of its changes gives the number of that snapshot. It is written after the snapshot, so an
//! interruption leaves either the old or the new state.

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

/// Maximum size of a file of changes, in bytes.
const MAX_FEED: usize = 64 << 20;

/// Number of changes from which a new snapshot is worth its size.
const FEW: usize = 10_000;

/// The contents of [`FEED`]: the changes from a snapshot on disk up to the head in use. There may be many
/// changes, so they are not kept in memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Kept {
    /// Number of changes, and their size in bytes.
    count: u64,
    bytes: u64,
}

impl Kept {
    /// Returns true if a new snapshot should replace these changes, because each write copies all of them.
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
    /// Opens the directory, creating it if it is missing.
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

    /// Loads the state that was in use. A file that cannot be read counts as missing, and will be fetched
    /// again.
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
        // Verified as of the time of signing. The state is old by now, and each decision checks its age.
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

    /// Starts from a new snapshot and the changes that follow it. Removes older snapshots.
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

    /// Removes files that are no longer needed. Failures are only logged.
    fn remove(&self, is_useless: impl Fn(&str) -> bool) {
        let entries = fs::read_dir(&self.directory).into_iter().flatten();
        for entry in entries.flatten() {
            if is_useless(&entry.file_name().to_string_lossy())
                && let Err(error) = fs::remove_file(entry.path())
            {
                tracing::warn!(file = %entry.path().display(), %error, "an unknown file is left in place");
            }
        }
    }

    /// Extends the changes on disk with further ones, up to a new head.
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
                    "`{FEED}` was modified by another program"
                )));
            }
            file.write_all(lines)
        })?;
        Ok(Kept {
            count: kept.count.saturating_add(count),
            bytes: kept.bytes.saturating_add(lines.len() as u64),
        })
    }

    /// Reads a file of at most `limit` bytes; `None` if it is missing or cannot be read.
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
            // Free its space, in case the disk is full.
            let _ = fs::remove_file(&temporary);
            return Err(error);
        }
        fs::rename(&temporary, self.directory.join(name))?;
        // A rename is durable only once the directory has been synced.
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
    tracing::warn!(file, %error, "a kept file cannot be used and is fetched again");
}
