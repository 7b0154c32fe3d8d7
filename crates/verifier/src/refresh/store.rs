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
    io::{self, Read, Write},
    path::{Path, PathBuf},
};

use bailiwick_token::{
    dsse::MAX_ENVELOPE,
    key::PublicKey,
    revocation::{Epoch, Head, MAX_SNAPSHOT},
};

use super::kept::Kept;
use crate::trust::Trust;

const KEYSET: &str = "keyset.json";
const FEED: &str = "feed.ndjson";

/// The largest file of changes that is read, in bytes.
const MAX_FEED: usize = 64 << 20;

/// A directory that belongs to one refresher.
#[derive(Debug, Clone)]
pub(super) struct Store {
    directory: PathBuf,
}

impl Store {
    /// Makes the directory where it is not there.
    pub(super) fn open(directory: &Path) -> io::Result<Store> {
        fs::create_dir_all(directory)?;
        Ok(Store {
            directory: directory.to_owned(),
        })
    }

    /// What was in use. What cannot be read is as good as not there: it is fetched again.
    pub(super) fn load(&self, keyset_key: &PublicKey) -> Option<(Trust, Kept)> {
        let keyset = self.read(KEYSET, MAX_ENVELOPE)?;
        let trust = Trust::open(&keyset, keyset_key, None)
            .map_err(|error| unusable(KEYSET, &error))
            .ok()?;
        Some(
            self.load_feed(&trust, keyset_key)
                .unwrap_or_else(|| (trust, Kept::default())),
        )
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
        let seq = read.seq.checked_sub(count)?;
        let name = snapshot(read.epoch, seq);
        let snapshot = self.read(&name, MAX_SNAPSHOT)?;
        // As of when it was signed: it is old by now, which each decision looks at for itself.
        let trust = trust
            .with_snapshot(&snapshot, head, lines, read.issued_at)
            .map_err(|error| unusable(FEED, &error))
            .ok()?;
        Some((trust, Kept::new(lines.to_vec(), count)))
    }

    pub(super) fn save_keyset(&self, keyset: &[u8]) -> io::Result<()> {
        self.write(KEYSET, &[keyset])
    }

    pub(super) fn save_snapshot(&self, epoch: Epoch, seq: u64, file: &[u8]) -> io::Result<()> {
        self.write(&snapshot(epoch, seq), &[file])
    }

    /// The head, and the changes since the snapshot with this number; older snapshots go.
    pub(super) fn save_feed(
        &self,
        epoch: Epoch,
        seq: u64,
        head: &[u8],
        lines: &[u8],
    ) -> io::Result<()> {
        self.write(FEED, &[head.trim_ascii(), b"\n", lines])?;
        let used = snapshot(epoch, seq);
        for entry in fs::read_dir(&self.directory)? {
            let name = entry?.file_name();
            let name = name.to_string_lossy();
            if name.starts_with("snapshot-") && name != used {
                fs::remove_file(self.directory.join(&*name))?;
            }
        }
        Ok(())
    }

    /// A file of at most that many bytes.
    fn read(&self, name: &str, limit: usize) -> Option<Vec<u8>> {
        let mut content = Vec::new();
        let read = File::open(self.directory.join(name)).and_then(|file| {
            let limit = (limit as u64).saturating_add(1);
            file.take(limit).read_to_end(&mut content)
        });
        match read {
            Ok(_) if content.len() <= limit => Some(content),
            Ok(_) => {
                unusable(name, &"it is too large");
                None
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                unusable(name, &error);
                None
            }
        }
    }

    fn write(&self, name: &str, parts: &[&[u8]]) -> io::Result<()> {
        let temporary = self.directory.join(format!(".{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        for part in parts {
            file.write_all(part)?;
        }
        file.sync_all()?;
        fs::rename(&temporary, self.directory.join(name))?;
        // The name is on disk once its directory is.
        #[cfg(unix)]
        File::open(&self.directory)?.sync_all()?;
        Ok(())
    }
}

fn snapshot(epoch: Epoch, seq: u64) -> String {
    format!("snapshot-{epoch}-{seq}.ndjson")
}

fn unusable(file: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(file, %error, "what was kept cannot be used, and is fetched again");
}
