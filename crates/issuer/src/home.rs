//! The home directory of an issuer, which only its owner may read: `identity.age`, and either the database
//! `issuer.db` or a file `store` that contains the URL of a PostgreSQL database.

use std::{
    collections::BTreeMap,
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt},
    path::{Path, PathBuf},
};

use bailiwick_token::{escape::shell, text::without_bom};
use rand::{RngCore, rngs::OsRng};

use crate::store::{Location, PostgresUrl};

/// Names of the database, of the file with a database's URL, and of the encrypted identity.
const DATABASE: &str = "issuer.db";
const STORE: &str = "store";
const IDENTITY: &str = "identity.age";

/// The directory of profiles, which replaces `profiles.toml`.
const PROFILES: &str = "profiles.d";

/// Maximum size of a file that a backup includes, in bytes.
const MAX_FILE: u64 = 1 << 20;

/// Returns true for the name of a file that people write: `NAME.toml`, in the home or among the profiles.
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

/// The home of an issuer, whose owner and permissions were checked when it was opened.
#[derive(Debug, Clone)]
pub(crate) struct Home(PathBuf);

impl Home {
    /// Opens a home. It must belong to the user of this process, and nobody else may be able to read or write
    /// its files.
    pub(crate) fn open(path: &Path) -> Result<Home, HomeError> {
        let home = Home::at(path)?;
        match home.faults().into_iter().next() {
            Some(fault) => Err(fault),
            None => Ok(home),
        }
    }

    /// Finds a home without checking its owner and permissions.
    fn at(path: &Path) -> Result<Home, HomeError> {
        let path = &located(path)?;
        match followed(path)? {
            None => return Err(HomeError::Missing(path.clone())),
            Some(metadata) if !metadata.is_dir() => {
                return Err(HomeError::NotADirectory(path.clone()));
            }
            Some(_) => {}
        }
        let home = Home(path.clone());
        let exists = |file: PathBuf| file.try_exists().map_err(io_error(&file));
        match (exists(home.database())?, exists(home.store())?) {
            (false, false) => return Err(HomeError::Missing(path.clone())),
            (true, true) => return Err(HomeError::Ambiguous(path.clone())),
            _ => {}
        }
        Ok(home)
    }

    /// Returns every reason why the directory and its files are not safe to use.
    fn faults(&self) -> Vec<HomeError> {
        let mut faults = Vec::new();
        let home = private(&self.0, "0700").err();
        // If the home belongs to another user, so do its files. They need no messages of their own.
        let owner = match &home {
            Some(HomeError::Foreign { owner, .. }) => Some(*owner),
            _ => None,
        };
        faults.extend(home);
        // SQLite gives its two other files the permissions of the database. They do not always exist.
        let files = [DATABASE, "issuer.db-wal", "issuer.db-shm", STORE];
        let mut checked: Vec<_> = files
            .iter()
            .map(|file| private(&self.0.join(file), "0600").or_else(unless_missing))
            .collect();
        checked.push(private(&self.identity(), "0600"));
        for fault in checked.into_iter().filter_map(Result::err) {
            match fault {
                HomeError::Foreign { owner: file, .. } if Some(file) == owner => {}
                HomeError::Foreign { path, owner, user } => {
                    faults.push(HomeError::ForeignFile { path, owner, user });
                }
                other => faults.push(other),
            }
        }
        faults
    }

    /// Returns every reason why the home at this path cannot be used. The store is not opened.
    pub(crate) fn check(path: &Path) -> Vec<HomeError> {
        match Home::at(path) {
            Err(error) => vec![error],
            Ok(home) => {
                let mut faults = home.faults();
                faults.extend(home.location().err());
                faults
            }
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    /// Returns the location of the database.
    pub(crate) fn location(&self) -> Result<Location, HomeError> {
        let path = self.store();
        if !path.exists() {
            return Ok(Location::Sqlite(self.database()));
        }
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let url = without_bom(&text)
            .parse()
            .map_err(|_| HomeError::Url(path))?;
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

    /// Reads the files that a backup includes: the identity, and the settings and profiles that people wrote.
    /// The URL of a database is left out, because it may contain a password.
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

/// Returns the absolute path for a new home. The path must not exist, or must be an empty directory.
pub(crate) fn vacant(path: &Path) -> Result<PathBuf, HomeError> {
    let path = located(path)?;
    match followed(&path)? {
        None => Ok(path),
        Some(metadata) if !metadata.is_dir() => Err(HomeError::Exists(path)),
        Some(_) => {
            let mut entries = fs::read_dir(&path).map_err(io_error(&path))?;
            match entries.next() {
                Some(_) => Err(HomeError::Exists(path)),
                // Renaming a directory can replace an empty directory, but not a link to one.
                None => fs::canonicalize(&path).map_err(io_error(&path)),
            }
        }
    }
}

/// Makes a path absolute, because SQLite treats a relative path that begins with `file:` as a URL.
fn located(path: &Path) -> Result<PathBuf, HomeError> {
    if path.to_str().is_none() {
        return Err(HomeError::NotText(path.to_owned()));
    }
    std::path::absolute(path).map_err(io_error(path))
}

/// Reads the metadata at a path, following links; `None` if nothing is there.
fn followed(path: &Path) -> Result<Option<fs::Metadata>, HomeError> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match path.is_symlink() {
            true => Err(HomeError::Dangling(path.to_owned())),
            false => Ok(None),
        },
        Err(error) => Err(io_error(path)(error)),
    }
}

/// A home under construction, beside its final path. It is moved there as a whole, or removed.
#[derive(Debug)]
pub(crate) struct Draft {
    draft: Home,
    target: PathBuf,
    kept: bool,
    /// Dropped last, after the draft inside these directories was removed.
    parents: Parents,
}

/// Parent directories created for a home. Dropping this value removes them, unless the home is kept.
#[derive(Debug, Default)]
struct Parents(Vec<PathBuf>);

impl Parents {
    fn create(directory: &Path) -> Result<Parents, HomeError> {
        let mut missing = Vec::new();
        for ancestor in directory.ancestors() {
            if ancestor.try_exists().map_err(io_error(ancestor))? {
                break;
            }
            missing.push(ancestor.to_owned());
        }
        let mut parents = Parents::default();
        for ancestor in missing.into_iter().rev() {
            match fs::create_dir(&ancestor) {
                Ok(()) => parents.0.push(ancestor),
                // Another process created it first, so it is not ours to remove.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(io_error(&ancestor)(error)),
            }
        }
        Ok(parents)
    }
}

impl Drop for Parents {
    fn drop(&mut self) {
        for directory in self.0.iter().rev() {
            // Another process may use the directory by now. Then it is not empty, and the removal fails.
            let _ = fs::remove_dir(directory);
        }
    }
}

impl Draft {
    /// Begins a home at `target`, which must not exist, or must be an empty directory.
    pub(crate) fn begin(target: &Path) -> Result<Draft, HomeError> {
        let target = vacant(target)?;
        let (Some(parent), Some(name)) = (target.parent(), target.file_name()) else {
            return Err(HomeError::Exists(target));
        };
        let parents = Parents::create(parent)?;
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
            parents,
        })
    }

    pub(crate) fn home(&self) -> &Home {
        &self.draft
    }

    /// Writes the identity, and either an empty file for SQLite or the URL of the PostgreSQL database.
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

    /// Writes the files that [`Home::files`] read, except the identity.
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

    /// Moves the home to its final path. Renaming a directory can replace only an empty directory.
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
        self.parents.0.clear();
        if let Some(parent) = self.target.parent() {
            sync(parent)?;
        }
        Home::open(&self.target)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.kept {
            // If this fails, nothing more can be done. The directory's name shows that it is a draft.
            let _ = fs::remove_dir_all(self.draft.path());
        }
    }
}

/// The reason why a home cannot be used or created.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HomeError {
    /// The directory contains no issuer.
    #[error("there is no issuer in `{0}`; run `bailiwick init`, or name another home")]
    Missing(PathBuf),
    /// Something already exists at the path.
    #[error("`{0}` already exists and is not overwritten; name another home")]
    Exists(PathBuf),
    /// The path is a symbolic link whose target is missing.
    #[error(
        "`{0}` is a symbolic link whose target is missing; create the target as a directory, or remove the link"
    )]
    Dangling(PathBuf),
    /// The path is not a directory.
    #[error("the home `{0}` is not a directory; name another home")]
    NotADirectory(PathBuf),
    /// The path is not UTF-8, so SQLite cannot open it.
    #[error("the path `{0}` is not UTF-8 text; choose another path for the home")]
    NotText(PathBuf),
    /// The home names two databases.
    #[error(
        "the home `{0}` contains both `issuer.db` and `store`; move away the one that is not in use"
    )]
    Ambiguous(PathBuf),
    /// The file `store` does not contain the URL of a PostgreSQL database.
    #[error(
        "the file `{0}` does not contain the URL of a PostgreSQL database; write `postgres://USER:PASSWORD@HOST/DATABASE` into it, with each `%`, `/`, `@`, `:`, `?` and `#` of the password as `%25`, `%2F`, `%40`, `%3A`, `%3F` and `%23`"
    )]
    Url(PathBuf),
    /// The database on the server is filled, but the home that belongs to it cannot be moved to its final path.
    #[error(
        "`{path}` cannot be put in place ({error}), but the database on the server is filled already; empty the database, and try again with another home"
    )]
    Unplaced {
        /// Path of the home.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// A file of settings or profiles is too large for a backup.
    #[error("the file `{0}` is too large for a backup; move it out of the home")]
    TooLarge(PathBuf),
    /// Others can read or write the file or directory.
    #[error(
        "`{path}` is open to other users (mode {mode:04o}); run `chmod {wanted} {}`",
        shell(&.path.to_string_lossy())
    )]
    Open {
        /// The file or directory.
        path: PathBuf,
        /// The present permissions.
        mode: u32,
        /// The permissions that the file or directory should have.
        wanted: &'static str,
    },
    /// The home belongs to another user, whose service may be running. If the owner were changed, that service would
    /// lose access to the home.
    #[error(
        "the home `{path}` belongs to user {owner}, but this process runs as user {user}; run it as user {owner}"
    )]
    Foreign {
        /// The home.
        path: PathBuf,
        /// User id of the owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
    /// A file of the home belongs to neither the user of this process nor root, so another user could read and
    /// change it.
    #[error(
        "`{path}` belongs to user {owner}, but this process runs as user {user}; if its content can be trusted, run `chown {user} {}`",
        shell(&.path.to_string_lossy())
    )]
    ForeignFile {
        /// The file.
        path: PathBuf,
        /// User id of the owner.
        owner: u32,
        /// Effective user id of this process.
        user: u32,
    },
    /// The file or directory cannot be read or written.
    #[error("`{path}` cannot be used ({error}); check the path, the owner and the permissions")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
}

fn private(path: &Path, wanted: &'static str) -> Result<(), HomeError> {
    let metadata = fs::metadata(path).map_err(io_error(path))?;
    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if !may_own(owner, user) {
        return Err(HomeError::Foreign {
            path: path.to_owned(),
            owner,
            user,
        });
    }
    let mode = metadata.permissions().mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(HomeError::Open {
            path: path.to_owned(),
            mode,
            wanted,
        });
    }
    Ok(())
}

/// Returns true if `owner` may own the secret files of `user`: the user itself, or root, who can read them
/// anyway.
fn may_own(owner: u32, user: u32) -> bool {
    owner == user || owner == 0
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
    fn a_home_that_others_can_read_is_not_opened() {
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
        assert!(matches!(
            Home::open(&file),
            Err(HomeError::NotADirectory(_))
        ));
    }

    #[test]
    fn parents_vanish_with_a_failed_draft() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a/b/home");
        drop(Draft::begin(&path).unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        made(&path);
        assert!(path.is_dir());
    }

    #[test]
    fn links_are_followed_or_named() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        let real = dir.path().join("real");
        std::os::unix::fs::symlink(&real, &link).unwrap();
        assert!(matches!(Draft::begin(&link), Err(HomeError::Dangling(_))));
        assert!(matches!(Home::open(&link), Err(HomeError::Dangling(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);

        fs::create_dir(&real).unwrap();
        made(&link);
        assert!(link.is_symlink());
        assert_eq!(
            Home::open(&link).unwrap().read_identity().unwrap(),
            b"identity"
        );
        assert!(real.join(IDENTITY).is_file());
    }

    #[test]
    fn paths_are_text_and_absolute() {
        use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(OsStr::from_bytes(b"home\xff"));
        assert!(matches!(Draft::begin(&path), Err(HomeError::NotText(_))));
        assert!(matches!(Home::open(&path), Err(HomeError::NotText(_))));
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
        assert!(located(Path::new("file:x")).unwrap().starts_with("/"));
    }

    #[test]
    fn only_root_and_the_user_may_own() {
        for (owner, user, may) in [
            (1000, 1000, true),
            (0, 1000, true),
            (0, 0, true),
            (1000, 0, false),
            (1000, 1001, false),
        ] {
            assert_eq!(may_own(owner, user), may, "{owner} {user}");
        }
    }

    #[test]
    fn homes_of_others_are_refused() {
        // Only root can change the owner of a file. The tests run as root in containers, where this matters.
        if !rustix::process::geteuid().is_root() {
            return;
        }
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("home");
        let home = made(&path);
        for file in [home.identity(), home.database(), path.clone()] {
            std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
            let refused = Home::open(&path).unwrap_err();
            let owned = match &refused {
                // Only the home itself gets this error, without advice to run `chown`: its service may be running.
                HomeError::Foreign {
                    path: home,
                    owner: 12_345,
                    user: 0,
                } => {
                    assert!(!refused.to_string().contains("chown"), "{refused}");
                    *home == path && file == path
                }
                HomeError::ForeignFile {
                    path,
                    owner: 12_345,
                    user: 0,
                } => *path == file,
                _ => false,
            };
            assert!(owned, "{refused}");
            std::os::unix::fs::chown(&file, Some(0), None).unwrap();
        }
        Home::open(&path).unwrap();

        // If the whole home belongs to another user, that is one fault, and not one for each file.
        for file in [home.identity(), home.database(), path.clone()] {
            std::os::unix::fs::chown(&file, Some(12_345), None).unwrap();
        }
        let faults = home.faults();
        assert!(
            matches!(faults[..], [HomeError::Foreign { .. }]),
            "{faults:?}"
        );
    }

    #[test]
    fn printed_commands_are_quoted() {
        let error = HomeError::Open {
            path: PathBuf::from("/srv/$(touch pwned)/home"),
            mode: 0o755,
            wanted: "0700",
        };
        assert!(
            error
                .to_string()
                .ends_with("run `chmod 0700 '/srv/$(touch pwned)/home'`"),
            "{error}"
        );
    }
}
