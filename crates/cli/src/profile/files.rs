//! Sources of profiles: files, directories of files, and the home.

use std::{
    fs,
    path::{Path, PathBuf},
};

use bailiwick_issuer::{
    HomeError, Issuer, OpenError,
    profile::{MAX_FILE, ProfileError, ProfileLimits, Profiles},
};
use bailiwick_token::escape::visible;
use clap::Args;

use crate::{
    config::is_missing,
    exit::{Exit, Failure},
    input::{Input, shown},
    parse, serve,
    settings::Global,
};

/// Names of profiles in the home: either one file, or a directory of files.
const FILE: &str = "profiles.toml";
const DIRECTORY: &str = "profiles.d";

/// Maximum number of files in one set.
const MAX_FILES: usize = 1_000;

/// Names and texts of files.
pub(crate) struct Files(Vec<(String, String)>);

impl Files {
    /// Reads the named files and directories, or the profiles in the home if none are named. Files in a
    /// directory are sorted by name.
    pub(crate) fn read(named: &[PathBuf], global: &Global) -> Result<Files, Failure> {
        let paths = match named {
            [] if global.server()?.is_some() => {
                return Err(Failure::plain(
                    Exit::Usage,
                    "a server is named, but its profiles are not on this machine",
                )
                .hint("name files of profiles; `bailiwick profile list` shows those that the server uses"));
            }
            [] => in_home(&global.home()?)?,
            named => in_order(named)?,
        };
        Files::of(paths)
    }

    /// Reads the profiles in a home.
    ///
    /// # Errors
    /// A failure with [`Exit::NotFound`] if there are none.
    pub(crate) fn of_home(home: &Path) -> Result<Files, Failure> {
        Files::of(in_home(home)?)
    }

    fn of(paths: Vec<PathBuf>) -> Result<Files, Failure> {
        if paths.len() > MAX_FILES {
            return Err(Failure::plain(
                Exit::Local,
                format!("there are more than {MAX_FILES} files of profiles"),
            )
            .hint("write several profiles into one file"));
        }
        let files = paths.into_iter().map(|path| {
            let name = visible(&path.display().to_string()).into_owned();
            let text = Input::File(path).read_text(MAX_FILE)?;
            Ok((name, text.to_string()))
        });
        Ok(Files(files.collect::<Result<_, Failure>>()?))
    }

    /// Parses the profiles in the files, continuing after mistakes.
    pub(crate) fn parse_all(&self, limits: &ProfileLimits) -> (Profiles, Vec<ProfileError>) {
        Profiles::parse_all(&self.0, limits)
    }

    /// Number of files.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Parses the profiles in the files as one set.
    pub(crate) fn parse(&self, limits: &ProfileLimits) -> Result<Profiles, Failure> {
        Profiles::parse(&self.0, limits).map_err(|error| {
            Failure::new(Exit::Local, error).or_hint("correct this part of the file")
        })
    }

    /// Like [`Files::parse`], for a command with options for the limits.
    pub(super) async fn parse_within(
        &self,
        limits: LimitArgs,
        global: &Global,
    ) -> Result<Profiles, Failure> {
        self.parse(&limits.limits(global).await?)
    }
}

/// Options that state the limits of an issuer, instead of the one in the home.
#[derive(Debug, Args)]
pub(super) struct LimitArgs {
    /// The maximum lifetime of the issuer's tokens
    #[arg(long, value_name = "DURATION", value_parser = parse::duration)]
    max_ttl: Option<u64>,
    /// A configured identity provider; may be given several times
    #[arg(long = "provider", value_name = "NAME", value_parser = parse::text)]
    providers: Vec<String>,
}

impl LimitArgs {
    /// Returns the limits. A limit without an option is that of the issuer in the home, or of its service.
    pub(super) async fn limits(self, global: &Global) -> Result<ProfileLimits, Failure> {
        let known = match self.max_ttl.is_some() && !self.providers.is_empty() {
            // Nothing is taken from the home, so the home need not exist.
            true => ProfileLimits::default(),
            false => limits_of_home(global).await?,
        };
        let providers = (!self.providers.is_empty()).then(|| self.providers.into_iter().collect());
        Ok(ProfileLimits {
            max_token_ttl: self.max_ttl.or(known.max_token_ttl),
            providers: providers.or(known.providers),
        })
    }
}

/// Returns the limits that the service of the issuer in the home would apply; no limits if there is no such
/// issuer.
async fn limits_of_home(global: &Global) -> Result<ProfileLimits, Failure> {
    let Ok(home) = global.home() else {
        return Ok(ProfileLimits::default());
    };
    if global.server()?.is_some() {
        return Ok(ProfileLimits::default());
    }
    let issuer = match Issuer::open(&home).await {
        Err(OpenError::Home(HomeError::Missing(_))) => return Ok(ProfileLimits::default()),
        opened => opened?,
    };
    let config = serve::configured(&home);
    let limits = config.map(|config| config.profile_limits(issuer.settings()));
    issuer.close().await;
    limits
}

/// Returns the paths of the profiles in the home that the issuer's service would read.
fn in_home(home: &Path) -> Result<Vec<PathBuf>, Failure> {
    let (file, directory) = (home.join(FILE), home.join(DIRECTORY));
    let paths = match (!is_missing(&file)?, !is_missing(&directory)?) {
        (true, true) => {
            let home = shown(home);
            let both = format!("{home} contains both `{FILE}` and `{DIRECTORY}`");
            return Err(Failure::plain(Exit::Local, both).hint("remove one of the two"));
        }
        (true, false) => vec![file],
        (false, true) => in_directory(&directory)?,
        (false, false) => Vec::new(),
    };
    if paths.is_empty() {
        return Err(none_in(home).hint(format!(
            "write `{FILE}` there, or files into `{DIRECTORY}`, or name a file"
        )));
    }
    Ok(paths)
}

fn in_order(named: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut paths = Vec::new();
    for path in named {
        if !path.is_dir() {
            paths.push(path.clone());
            continue;
        }
        let found = in_directory(path)?;
        if found.is_empty() {
            return Err(
                none_in(path).hint("name a directory with files whose names end in `.toml`")
            );
        }
        paths.extend(found);
    }
    Ok(paths)
}

fn in_directory(directory: &Path) -> Result<Vec<PathBuf>, Failure> {
    let unreadable = |error| Input::File(directory.to_owned()).unreadable(&error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn none_in(directory: &Path) -> Failure {
    let directory = shown(directory);
    Failure::plain(
        Exit::NotFound,
        format!("there are no profiles in {directory}"),
    )
}
