//! Input of limited size: files, standard input, and tokens from either or from the environment.

use std::{
    convert::Infallible,
    env, fmt,
    fs::{self, File},
    io::{self, Cursor, IsTerminal, Read},
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    str::FromStr,
    sync::atomic::{AtomicBool, Ordering},
};

use bailiwick_biscuit::container::MAX_BYTES;
use bailiwick_token::{
    escape::code,
    grant::{Grants, GrantsError},
    token::Token,
};
use clap::Args;
use zeroize::Zeroizing;

use crate::{
    exit::{Exit, Failure},
    output,
};

/// The environment variable that contains a token, used if no file is named.
const TOKEN: &str = "BAILIWICK_TOKEN";

/// Maximum length of a token's text, in bytes.
const MAX_TOKEN_TEXT: usize = MAX_BYTES.div_ceil(3).saturating_mul(4);

/// Maximum length of a token's file, in bytes: the longest text of a token, and some white space.
const MAX_TOKEN_FILE: usize = MAX_TOKEN_TEXT.saturating_add(1024);

/// Maximum length of a grants file, in bytes. The parser has a lower limit and a better message.
const MAX_GRANTS_FILE: usize = 512 * 1024;

/// The byte order mark that some editors write at the start of text files. No other input of this program
/// begins with these bytes.
const BOM: [u8; 3] = *b"\xef\xbb\xbf";

/// Set once standard input has been opened.
static STDIN_TAKEN: AtomicBool = AtomicBool::new(false);

/// A source of bytes: a file, or standard input as `-`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Input {
    /// Standard input, written `-`.
    Stdin,
    /// A file, by its path.
    File(PathBuf),
}

impl Input {
    /// Opens the source for reading, and skips a byte order mark. Standard input can be opened only once,
    /// because a second reader would find it empty.
    pub(crate) fn open(&self) -> Result<Box<dyn Read + Send>, Failure> {
        let mut input: Box<dyn Read + Send> = match self {
            Input::Stdin if STDIN_TAKEN.swap(true, Ordering::Relaxed) => {
                return Err(
                    Failure::plain(Exit::Usage, "two files cannot both be standard input")
                        .hint("name a file for one of them"),
                );
            }
            Input::Stdin => {
                if io::stdin().is_terminal() {
                    output::note("reading standard input; end it with Ctrl-D");
                }
                Box::new(io::stdin())
            }
            Input::File(path) => {
                Box::new(File::open(path).map_err(|error| self.unreadable(&error))?)
            }
        };
        let mut head = Vec::with_capacity(BOM.len());
        (&mut input)
            .take(BOM.len() as u64)
            .read_to_end(&mut head)
            .map_err(|error| self.unreadable(&error))?;
        if head == BOM {
            head.clear();
        }
        Ok(Box::new(Cursor::new(head).chain(input)))
    }

    /// Reads all bytes, at most `limit`.
    pub(crate) fn read(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        let bytes = self.read_beyond(limit)?;
        if bytes.len() > limit {
            return Err(self.too_long(limit));
        }
        Ok(bytes)
    }

    fn too_long(&self, limit: usize) -> Failure {
        Failure::plain(Exit::Local, format!("{self} is longer than {limit} bytes"))
            .hint("check that it is the right file")
    }

    /// Reads text of at most `limit` bytes.
    pub(crate) fn read_text(&self, limit: usize) -> Result<Zeroizing<String>, Failure> {
        let bytes = self.read(limit)?;
        let text = std::str::from_utf8(&bytes).map_err(|_| {
            Failure::plain(Exit::Local, format!("{self} is not text (UTF-8)"))
                .hint("check that it is the right file")
        })?;
        Ok(Zeroizing::new(text.to_owned()))
    }

    /// Reads up to one byte more than `limit`, so that the caller can detect a longer source.
    fn read_beyond(&self, limit: usize) -> Result<Zeroizing<Vec<u8>>, Failure> {
        // The buffer is allocated at once, because a buffer that grows leaves copies of secrets behind.
        let mut bytes = Zeroizing::new(Vec::with_capacity(limit.saturating_add(1).min(1 << 20)));
        let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
        match self.open()?.take(most).read_to_end(&mut bytes) {
            Ok(count) => {
                tracing::debug!(bytes = count, "read {self}");
                Ok(bytes)
            }
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// The failure of a source that cannot be read.
    pub(crate) fn unreadable(&self, error: &io::Error) -> Failure {
        if let Input::File(path) = self
            && Token::parse(&path.to_string_lossy()).is_ok()
        {
            return Failure::plain(Exit::Usage, "a token was given instead of the name of its file")
                .hint("write the token to a file, give the file's name, and remove the token from the history of your shell");
        }
        Failure::plain(Exit::Local, format!("cannot read {self} ({error})"))
            .hint("check its path and permissions")
    }
}

impl FromStr for Input {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Input, Infallible> {
        Ok(match text {
            "-" => Input::Stdin,
            path => Input::File(path.into()),
        })
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Input::Stdin => f.write_str("standard input"),
            Input::File(path) => {
                // The path may be some other text given by mistake, so the message repeats only its start.
                const SHOWN: usize = 256;
                let text = path.display().to_string();
                let shown: String = text.chars().take(SHOWN).collect();
                let rest = if shown.len() < text.len() { "…" } else { "" };
                write!(f, "{}", code(&format!("{shown}{rest}")))
            }
        }
    }
}

/// Escapes a path for a message.
pub(crate) fn shown(path: &Path) -> String {
    Input::File(path.to_owned()).to_string()
}

/// Returns the value of an environment variable, which may be a secret; `None` if it is not set.
pub(crate) fn variable(name: &str) -> Result<Option<Zeroizing<String>>, Failure> {
    match env::var(name) {
        Ok(text) => Ok(Some(Zeroizing::new(text))),
        Err(env::VarError::NotPresent) => Ok(None),
        // If the variable were treated as unset, another source would silently be used instead.
        Err(env::VarError::NotUnicode(_)) => Err(Failure::plain(
            Exit::Usage,
            format!("the environment variable {name} is not text (UTF-8)"),
        )
        .hint("set it again, or unset it")),
    }
}

/// Warns if users other than this one can read a secret's file, or own it.
pub(crate) fn warn_if_open(secret: &str, file: &Input) {
    if let Input::File(path) = file {
        for warning in openness(secret, path) {
            output::warn(warning);
        }
    }
}

/// Returns the reasons why a secret's file is unsafe: another owner, or permissions of others. The last part of
/// each text is the hint.
pub(crate) fn openness(secret: &str, path: &Path) -> Vec<String> {
    let mut warnings = Vec::new();
    let Ok(metadata) = fs::metadata(path) else {
        return warnings;
    };
    if !metadata.is_file() || is_credential(path) {
        return warnings;
    }
    let file = shown(path);
    let user = rustix::process::geteuid().as_raw();
    let owner = metadata.uid();
    if owner != user && owner != 0 {
        warnings.push(format!(
            "{file}, the file of the {secret}, belongs to user {owner}, and not to user {user}; run `chown` on it"
        ));
    }
    if metadata.mode() & 0o077 != 0 {
        warnings.push(format!(
            "others can read the {secret} in {file}; run `chmod 600` on it"
        ));
    }
    warnings
}

/// Returns true if a file is a credential from the service manager. The service may read it through an access
/// control list, so root owns the file, and the group's bits are the mask of that list.
fn is_credential(path: &Path) -> bool {
    let directory = env::var_os("CREDENTIALS_DIRECTORY").filter(|directory| !directory.is_empty());
    directory.is_some_and(|directory| path.starts_with(directory))
}

/// Options that name a token. A token is a secret, so it is never an argument itself.
#[derive(Debug, Args)]
pub(crate) struct TokenArg {
    /// The token's file, or `-` for standard input [default: the token in BAILIWICK_TOKEN]
    #[arg(value_name = "FILE|-")]
    token: Option<Input>,
}

impl TokenArg {
    /// Reads and decodes the token.
    pub(crate) fn token(&self) -> Result<Token, Failure> {
        parse_token(&self.text()?)
    }

    /// Reads the token's text without checking it, because a verifier will.
    pub(crate) fn text(&self) -> Result<Zeroizing<String>, Failure> {
        match &self.token {
            Some(source) => token_text(source),
            None => variable(TOKEN)?.ok_or_else(|| {
                Failure::plain(Exit::Usage, "no token is given").hint(format!(
                    "name its file, pipe it in and write `-`, or set {TOKEN}"
                ))
            }),
        }
    }
}

/// Reads the text of a token's file. Bytes that are not UTF-8 are replaced, so the token is then invalid.
pub(crate) fn token_text(source: &Input) -> Result<Zeroizing<String>, Failure> {
    let bytes = token_bytes(source)?;
    Ok(Zeroizing::new(String::from_utf8_lossy(&bytes).into_owned()))
}

/// Reads the bytes of a token's file without checking them, because a verifier will.
pub(crate) fn token_bytes(source: &Input) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let bytes = source.read_beyond(MAX_TOKEN_FILE)?;
    // A text that is cut off here is still too long for a token, and the verifier says so. But if enough of it is
    // white space, cutting could turn it into a valid token, so such a file is refused here.
    if bytes.len() > MAX_TOKEN_FILE && bytes.trim_ascii().len() <= MAX_TOKEN_TEXT {
        return Err(source.too_long(MAX_TOKEN_FILE));
    }
    Ok(bytes)
}

/// Decodes a token, without verifying it.
pub(crate) fn parse_token(text: &str) -> Result<Token, Failure> {
    Token::parse(text).map_err(|error| {
        Failure::plain(Exit::Local, error)
            .hint("give the one line that `bailiwick token mint` printed")
    })
}

/// Reads grants, as JSON if the text begins with a brace, and as TOML otherwise.
pub(crate) fn grants(source: &Input) -> Result<Grants, Failure> {
    let text = source.read_text(MAX_GRANTS_FILE)?;
    let parsed = match is_json(&text) {
        true => Grants::from_json(&text),
        false => Grants::from_toml(&text),
    };
    parsed.map_err(|error| grants_mistake(source, &error))
}

/// Reads the text of a grants file. The second value is true if it is JSON.
pub(crate) fn grants_text(source: &Input) -> Result<(Zeroizing<String>, bool), Failure> {
    let text = source.read_text(MAX_GRANTS_FILE)?;
    let is_json = is_json(&text);
    Ok((text, is_json))
}

fn is_json(text: &str) -> bool {
    text.trim_ascii_start().starts_with('{')
}

/// The failure of a grants file with this mistake.
pub(crate) fn grants_mistake(source: &Input, error: &GrantsError) -> Failure {
    Failure::new(Exit::Local, format!("{source}: {error}")).or_hint("correct this part of the file")
}
