//! What is kept on disk, so that a verifier that starts while its issuer is down goes on from there.
//!
//! | file | holds |
//! |---|---|
//! | `keyset.json` | the keyset in use |
//! | `head.json` | the head in use |
//! | `snapshot-{epoch}-{seq}.ndjson` | the snapshot that the revocations began with |
//! | `changes-{epoch}-{seq}.ndjson` | the changes since that snapshot, up to the head or beyond it |
//!
//! Each is signed or bound to what is, and verified when it is read. Changes are appended and synced;
//! everything else is written to a temporary file, synced and renamed. The head comes last: whatever is
//! interrupted leaves the head from before, and a snapshot with the changes that lead to it.

use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use bailiwick_token::{
    dsse::MAX_ENVELOPE,
    key::PublicKey,
    revocation::{Epoch, Head, MAX_HEAD, MAX_SNAPSHOT},
};

use crate::trust::Trust;

const KEYSET: &str = "keyset.json";
const HEAD: &str = "head.json";

/// The largest file of changes that is read, in bytes.
const MAX_CHANGES: usize = 64 << 20;

/// The fewest changes after which a new snapshot is worth its size.
const FEW: usize = 10_000;

/// A snapshot on disk, and how far the changes beside it lead.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kept {
    epoch: Epoch,
    /// That of the snapshot.
    seq: u64,
    /// How many changes there are, and how many bytes they take.
    count: u64,
    bytes: u64,
}

impl Kept {
    /// Whether a new snapshot should take the place of so many changes.
    pub(super) fn is_long(&self, entries: usize) -> bool {
        let most = FEW.max(entries / 8);
        usize::try_from(self.count).is_ok_and(|count| count > most)
    }

    fn snapshot(&self) -> String {
        format!("snapshot-{}-{}.ndjson", self.epoch, self.seq)
    }

    fn changes(&self) -> String {
        format!("changes-{}-{}.ndjson", self.epoch, self.seq)
    }
}

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
        let head = self.read(HEAD, MAX_HEAD)?;
        let read = Head::open(&head, keyset_key)
            .map_err(|error| unusable(HEAD, &error))
            .ok()?;
        let snapshots = self
            .snapshots(read.epoch)
            .map_err(|error| unusable("snapshot", &error))
            .ok()?;
        let before = snapshots.into_iter().filter(|seq| *seq <= read.seq);
        // The newest one has no changes beside it where its taking was interrupted.
        before.rev().find_map(|seq| {
            let mut kept = Kept {
                epoch: read.epoch,
                seq,
                count: read.seq.checked_sub(seq)?,
                bytes: 0,
            };
            let changes = self.read(&kept.changes(), MAX_CHANGES)?;
            let lines = first_lines(&changes, kept.count)?;
            kept.bytes = lines.len() as u64;
            let snapshot = self.read(&kept.snapshot(), MAX_SNAPSHOT)?;
            // As of when it was signed: it is old by now, which each decision looks at for itself.
            let trust = trust
                .with_snapshot(&snapshot, &head, lines, read.issued_at)
                .map_err(|error| unusable(&kept.snapshot(), &error))
                .ok()?;
            Some((trust, kept))
        })
    }

    /// The numbers of the snapshots that are there, in order.
    fn snapshots(&self, epoch: Epoch) -> io::Result<Vec<u64>> {
        let prefix = format!("snapshot-{epoch}-");
        let mut found = Vec::new();
        for name in self.names()? {
            let seq = name.strip_prefix(&prefix);
            let seq = seq.and_then(|rest| rest.strip_suffix(".ndjson"));
            found.extend(seq.and_then(|seq| seq.parse::<u64>().ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    pub(super) fn save_keyset(&self, keyset: &[u8]) -> io::Result<()> {
        self.write(KEYSET, keyset)
    }

    /// Begins anew: with the snapshot of that number, the changes since, and the head that they lead to.
    /// What was begun with before goes.
    pub(super) fn begin(
        &self,
        (epoch, seq): (Epoch, u64),
        snapshot: &[u8],
        (lines, count): (&[u8], u64),
        head: &[u8],
    ) -> io::Result<Kept> {
        let kept = Kept {
            epoch,
            seq,
            count,
            bytes: lines.len() as u64,
        };
        self.write(&kept.snapshot(), snapshot)?;
        self.write(&kept.changes(), lines)?;
        self.write(HEAD, head)?;
        let used = [kept.snapshot(), kept.changes()];
        for name in self.names()? {
            let old = name.starts_with("snapshot-") || name.starts_with("changes-");
            if old && !used.contains(&name) {
                fs::remove_file(self.directory.join(&name))?;
            }
        }
        Ok(kept)
    }

    /// Goes on with further changes, and the head that they lead to.
    pub(super) fn extend(
        &self,
        kept: Kept,
        (lines, count): (&[u8], u64),
        head: &[u8],
    ) -> io::Result<Kept> {
        if count > 0 {
            self.append(&kept.changes(), kept.bytes, lines)?;
        }
        self.write(HEAD, head)?;
        Ok(Kept {
            count: kept.count.saturating_add(count),
            bytes: kept.bytes.saturating_add(lines.len() as u64),
            ..kept
        })
    }

    fn names(&self) -> io::Result<Vec<String>> {
        let entries = fs::read_dir(&self.directory)?;
        let name = |entry: io::Result<fs::DirEntry>| Ok(entry?.file_name());
        let names: io::Result<Vec<_>> = entries.map(name).collect();
        let names = names?.into_iter();
        Ok(names.filter_map(|name| name.into_string().ok()).collect())
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

    /// After so many bytes of a file that is there; what stands behind them, an interrupted call left.
    fn append(&self, name: &str, bytes: u64, more: &[u8]) -> io::Result<()> {
        let path = self.directory.join(name);
        let mut file = OpenOptions::new().write(true).open(path)?;
        if file.metadata()?.len() < bytes {
            return Err(io::Error::other(format!("`{name}` was cut off")));
        }
        file.set_len(bytes)?;
        file.seek(SeekFrom::Start(bytes))?;
        file.write_all(more)?;
        file.sync_all()
    }

    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let temporary = self.directory.join(format!(".{name}.new"));
        let mut options = OpenOptions::new();
        options.write(true).create(true).truncate(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&temporary)?;
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&temporary, self.directory.join(name))?;
        // The name is on disk once its directory is.
        #[cfg(unix)]
        File::open(&self.directory)?.sync_all()?;
        Ok(())
    }
}

/// So many lines, each with its end.
fn first_lines(text: &[u8], count: u64) -> Option<&[u8]> {
    let Some(last) = count.checked_sub(1) else {
        return Some(&[]);
    };
    let mut ends = text.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let (end, _) = ends.nth(usize::try_from(last).ok()?)?;
    text.get(..=end)
}

fn unusable(file: &str, error: &dyn std::fmt::Display) {
    tracing::warn!(file, %error, "what was kept cannot be used, and is fetched again");
}
