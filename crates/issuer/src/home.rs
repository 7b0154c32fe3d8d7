//! The directory of an issuer, for the eyes of its owner only: `identity.age`, and either the
//! database, `issuer.db`, or a file `store` that holds the URL of a PostgreSQL database.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use rand::{RngCore, rngs::OsRng};

use crate::store::{Location, PostgresUrl};

/// The database or the URL of one, and the identity under the passphrase.
const DATABASE: &str = "issuer.db";
const STORE: &str = "store";
const IDENTITY: &str = "identity.age";

/// Where profiles are, when there are several files of them.
const PROFILES: &str = "profiles.d";

/// The most bytes of a file that a backup takes along.
const MAX_FILE: u64 = 1 << 20;

/// Whether it is a file that people write: `NAME.toml`, or one of the profiles.
fn is_written(name: &str) -> bool {
    let name = match name.split_once('/') {
        Some((folder, name)) if folder == PROFILES => name,
        _ => name,
    };
    let plain = |c: char| c != '/' && !c.is_control();
    name.len() <= 128
        && !name.starts_with('.')
        && name.ends_with(".toml")
        && name.chars().all(plain)
}

/// The directory of an issuer, checked when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Opens a home whose files nobody but their owner can read or write.
    pub(crate) fn open(path: &Path) -> Result<Home, HomeError> {
        let home = Home(path.to_owned());
        let (database, store) = (home.database(), home.store());
        if !database.exists() && !store.exists() {
            return Err(HomeError::Missing(path.to_owned()));
        }
        if database.exists() && store.exists() {
            return Err(HomeError::Ambiguous(path.to_owned()));
        }
        private(path, "0700")?;
        // SQLite gives its two other files the permissions of the database; they come and go.
        for file in [DATABASE, "issuer.db-wal", "issuer.db-shm", STORE] {
            private(&path.join(file), "0600").or_else(unless_missing)?;
        }
        private(&home.identity(), "0600")?;
        Ok(home)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Where its database is.
    pub(crate) fn location(&self) -> Result<Location, HomeError> {
        let path = self.store();
        if !path.exists() {
            return Ok(Location::Sqlite(self.database()));
        }
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let url = text.parse().map_err(|_| HomeError::Url(path))?;
        Ok(Location::Postgres(url))
    }

    fn database(&self) -> PathBuf {
        self.0.join(DATABASE)
    }

    fn store(&self) -> PathBuf {
        self.0.join(STORE)
    }

    fn identity(&self) -> PathBuf {
        self.0.join(IDENTITY)
    }

    /// The identity, and what people wrote: the settings and the profiles. The URL of a database is
    /// left out, which may hold a password.
    pub(crate) fn files(&self) -> Result<BTreeMap<String, Vec<u8>>, HomeError> {
        let mut files = BTreeMap::from([(IDENTITY.to_owned(), self.read_identity()?)]);
        for folder in ["", PROFILES] {
            let directory = self.0.join(folder);
            let entries = match fs::read_dir(&directory) {
                Ok(entries) => entries,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(io_error(&directory)(error)),
            };
            for entry in entries {
                let entry = entry.map_err(io_error(&directory))?;
                let name = Path::new(folder).join(entry.file_name());
                let Some(name) = name.to_str().filter(|name| is_written(name)) else {
                    continue;
                };
                let path = self.0.join(name);
                let file = File::open(&path).map_err(io_error(&path))?;
                let mut content = Vec::new();
                file.take(MAX_FILE.saturating_add(1))
                    .read_to_end(&mut content)
                    .map_err(io_error(&path))?;
                if content.len() as u64 > MAX_FILE {
                    return Err(HomeError::TooLarge(path));
                }
                files.insert(name.to_owned(), content);
            }
        }
        Ok(files)
    }

    pub(crate) fn read_identity(&self) -> Result<Vec<u8>, HomeError> {
        let path = self.identity();
        fs::read(&path).map_err(|error| HomeError::Io { path, error })
    }
}

/// A home in the making, beside where it shall stand. It is moved there as a whole, or vanishes.
#[derive(Debug)]
pub(crate) struct Draft {
    draft: Home,
    target: PathBuf,
    kept: bool,
}

impl Draft {
    /// Begins a home at `target`, where there must be nothing, or an empty directory.
    pub(crate) fn begin(target: &Path) -> Result<Draft, HomeError> {
        let occupied = match fs::read_dir(target) {
            Ok(mut entries) => entries.next().is_some(),
            Err(error) => error.kind() != io::ErrorKind::NotFound,
        };
        if occupied {
            return Err(HomeError::Exists(target.to_owned()));
        }
        let target = std::path::absolute(target).map_err(io_error(target))?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(HomeError::Exists(target));
        };
        fs::create_dir_all(parent).map_err(io_error(parent))?;
        let draft = parent.join(format!(
            ".{}.init-{:016x}",
            name.to_string_lossy(),
            OsRng.next_u64()
        ));
        DirBuilder::new()
            .mode(0o700)
            .create(&draft)
            .map_err(io_error(&draft))?;
        Ok(Draft {
            draft: Home(draft),
            target,
            kept: false,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.draft
    }

    /// Writes the identity, and an empty database for SQLite to fill, or where the other one is.
    pub(crate) fn write(
        &self,
        identity: &[u8],
        store: Option<&PostgresUrl>,
    ) -> Result<(), HomeError> {
        create(&self.draft.identity(), identity)?;
        match store {
            None => create(&self.draft.database(), &[]),
            Some(url) => create(&self.draft.store(), url.as_str().as_bytes()),
        }
    }

    /// Writes what [`Home::files`] read, but for the identity.
    pub(crate) fn write_files(&self, files: &BTreeMap<String, Vec<u8>>) -> Result<(), HomeError> {
        for (name, content) in files.iter().filter(|(name, _)| is_written(name)) {
            let path = self.draft.path().join(name);
            if let Some(folder) = path.parent().filter(|folder| !folder.exists()) {
                let mut builder = DirBuilder::new();
                builder
                    .mode(0o700)
                    .create(folder)
                    .map_err(io_error(folder))?;
            }
            create(&path, content)?;
            if let Some(folder) = path.parent() {
                sync(folder)?;
            }
        }
        Ok(())
    }

    /// Moves the home to its place. To rename a directory replaces nothing but an empty one.
    pub(crate) fn keep(mut self) -> Result<Home, HomeError> {
        sync(self.draft.path())?;
        let on_a_server = self.draft.store().exists();
        fs::rename(self.draft.path(), &self.target).map_err(|error| match error.kind() {
            _ if on_a_server => HomeError::Unplaced {
                path: self.target.clone(),
                error,
            },
            io::ErrorKind::DirectoryNotEmpty
            | io::ErrorKind::AlreadyExists
            | io::ErrorKind::NotADirectory => HomeError::Exists(self.target.clone()),
            _ => HomeError::Io {
                path: self.target.clone(),
                error,
            },
        })?;
        self.kept = true;
        if let Some(parent) = self.target.parent() {
            sync(parent)?;
        }
        Home::open(&self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // Nothing more can be done; the name tells what it is.
            let _ = fs::remove_dir_all(self.draft.path());
        }
    }
}

/// Why a home cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// There is no issuer.
    #[error("no issuer in `{0}`: run `bailiwick init`, or name another home with --home")]
    Missing(PathBuf),
    /// There is something already.
    #[error("`{0}` exists and is not overwritten: name another home with --home")]
    Exists(PathBuf),
    /// Two databases.
    #[error("`{0}` holds both `issuer.db` and `store`: move the one away that is not in use")]
    Ambiguous(PathBuf),
    /// `store` holds something else.
    #[error("`{0}` does not hold the URL of a PostgreSQL database: write one there")]
    Url(PathBuf),
    /// The database on the server is filled, and the home that belongs to it cannot be put in place.
    #[error(
        "`{path}` cannot be put in place ({error}), and the database on the server has been filled: empty that, and do it again with another home"
    )]
    Unplaced {
        /// The home.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A file that is no settings and no profile.
    #[error("`{0}` is too large for a backup: move it out of the home")]
    TooLarge(PathBuf),
    /// Others can read or write it.
    #[error("`{path}` is open to others (mode {mode:04o}): run `chmod {wanted} {path}`")]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// Its permissions.
        mode: u32,
        /// What they should be.
        wanted: &'static str,
    },
    /// It cannot be read or written.
    #[error("`{path}` cannot be used ({error}): check that it exists and belongs to you")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

fn private(path: &Path, wanted: &'static str) -> Result<(), HomeError> {
    let mode = fs::metadata(path)
        .map_err(io_error(path))?
        .permissions()
        .mode()
        & 0o7777;
    if mode & 0o077 != 0 {
        return Err(HomeError::Open {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

fn unless_missing(error: HomeError) -> Result<(), HomeError> {
    match error {
        HomeError::Io { error, .. } if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => Err(other),
    }
}

fn create(path: &Path, content: &[u8]) -> Result<(), HomeError> {
    let write = || {
        let mut file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(path)?;
        file.write_all(content)?;
        file.sync_all()
    };
    write().map_err(io_error(path))
}

fn sync(directory: &Path) -> Result<(), HomeError> {
    File::open(directory)
        .and_then(|file| file.sync_all())
        .map_err(io_error(directory))
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> HomeError + use<> {
    let path = path.to_owned();
    |error| HomeError::Io { path, error }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    fn made(path: &Path) -> Home {
        let draft = Draft::begin(path).unwrap();
        draft.write(b"identity", None).unwrap();
        draft.keep().unwrap()
    }

    #[test]
    fn a_home_is_private_or_it_is_not_opened() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/home");
        let home = made(&path);
        assert_eq!(home.read_identity().unwrap(), b"identity");
        for (file, mode) in [
            (home.database(), 0o640),
            (home.identity(), 0o604),
            (path.clone(), 0o710),
        ] {
            let right = fs::metadata(&file).unwrap().permissions();
            fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
            let refused = Home::open(&path).unwrap_err().to_string();
            assert!(
                refused.contains("chmod 0") && refused.contains(file.to_str().unwrap()),
                "{refused}"
            );
            fs::set_permissions(&file, right).unwrap();
        }
        Home::open(&path).unwrap();
    }

    #[test]
    fn nothing_is_overwritten_and_a_failed_draft_leaves_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("home");
        drop(Draft::begin(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);

        let (first, second) = (Draft::begin(&path).unwrap(), Draft::begin(&path).unwrap());
        first.write(b"first", None).unwrap();
        second.write(b"second", None).unwrap();
        first.keep().unwrap();
        assert!(matches!(second.keep(), Err(HomeError::Exists(_))));
        assert!(matches!(Draft::begin(&path), Err(HomeError::Exists(_))));
        assert_eq!(
            Home::open(&path).unwrap().read_identity().unwrap(),
            b"first"
        );
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        let file = dir.path().join("file");
        fs::write(&file, "x").unwrap();
        assert!(matches!(Draft::begin(&file), Err(HomeError::Exists(_))));
        assert!(matches!(Home::open(&file), Err(HomeError::Missing(_))));
    }
}
