//! The profiles in the home: `profiles.toml`, or all files of `profiles.d`. Either all of them are used or
//! none.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use bailiwick_issuer::profile::{ProfileError, ProfileLimits, Profiles};

/// Reads the profiles of a home. Without profiles, no caller gets a token.
///
/// # Errors
/// [`ProfilesError`] if the profiles cannot be read or are not valid as a set.
pub fn read_profiles(home: &Path, limits: &ProfileLimits) -> Result<Profiles, ProfilesError> {
    let (file, directory) = (home.join("profiles.toml"), home.join("profiles.d"));
    if file.exists() && directory.exists() {
        return Err(ProfilesError::Both(home.to_owned()));
    }
    let mut paths = Vec::new();
    if file.exists() {
        paths.push(file);
    } else if directory.exists() {
        let entries = fs::read_dir(&directory).map_err(io_error(&directory))?;
        for entry in entries {
            let path = entry.map_err(io_error(&directory))?.path();
            if path
                .extension()
                .is_some_and(|extension| extension == "toml")
            {
                paths.push(path);
            }
        }
        paths.sort();
    }
    let mut files = Vec::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(io_error(&path))?;
        let name = path.file_name().unwrap_or_default();
        files.push((name.to_string_lossy().into_owned(), text));
    }
    Ok(Profiles::parse(&files, limits)?)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ProfilesError + use<> {
    let path = path.to_owned();
    |error| ProfilesError::Io { path, error }
}

/// The reason why the profiles cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ProfilesError {
    /// The home contains both the file and the directory.
    #[error("`{0}` contains both `profiles.toml` and `profiles.d`; keep one of them")]
    Both(PathBuf),
    /// A file or directory cannot be read.
    #[error("`{path}` cannot be read ({error}); check its permissions")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// The system's error.
        error: io::Error,
    },
    /// The files are not a valid set of profiles.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// The reader of the profiles panicked.
    #[error("the issuer had an internal error and cannot read the profiles; see its log")]
    Fault,
}
