//! The settings of an issuer, and the options for creating one.

use std::ops::RangeInclusive;

use bailiwick_token::{
    address::{SafeUrl, UnsafeUrl},
    duration::show,
    key::PublicKey,
};

use crate::{keyring::KeyPolicy, store::PostgresUrl};

/// The actor of calls that name no actor.
pub(crate) const LOCAL_ACTOR: &str = "local";

/// Options of [`Issuer::init`](crate::Issuer::init). Times are in seconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InitOptions {
    /// The issuer's name in tokens: a URL.
    pub issuer: String,
    /// The interval at which verifiers should look for a newer keyset.
    pub refresh_hint: u64,
    /// Maximum lifetime of a token.
    pub max_token_ttl: u64,
    /// The lifetime of a signed keyset.
    pub keyset_life: u64,
    /// The URL at which revocations are served, which the keyset states.
    pub revocation_url: Option<String>,
    /// The PostgreSQL database, which several issuers can share. By default, SQLite in the home is used.
    pub store: Option<PostgresUrl>,
    /// The actor recorded in the audit log.
    pub actor: String,
}

impl InitOptions {
    /// Returns the defaults: refresh every 30 s, tokens of at most 1 h, keysets of 24 h.
    #[must_use]
    pub fn new(issuer: impl Into<String>) -> InitOptions {
        InitOptions {
            issuer: issuer.into(),
            refresh_hint: 30,
            max_token_ttl: 3_600,
            keyset_life: 86_400,
            revocation_url: None,
            store: None,
            actor: LOCAL_ACTOR.to_owned(),
        }
    }

    pub(crate) fn check(&self) -> Result<(), SettingsError> {
        check_text("issuer", &self.issuer)?;
        if let Some(url) = &self.revocation_url {
            check_revocation_url(url)?;
        }
        if !is_http(&self.issuer) {
            return Err(SettingsError::Url);
        }
        // RFC 8414, section 2, forbids both: paths are appended to an issuer's URL.
        if self.issuer.contains(['?', '#']) {
            return Err(SettingsError::Query);
        }
        const YEAR: u64 = 31_536_000;
        for (name, value, range) in [
            ("refresh_hint", self.refresh_hint, 1..=86_400),
            ("max_token_ttl", self.max_token_ttl, 1..=YEAR),
            // A keyset must stay valid for a few missed refreshes.
            (
                "keyset_life",
                self.keyset_life,
                self.refresh_hint.saturating_mul(4)..=YEAR,
            ),
        ] {
            if !range.contains(&value) {
                return Err(SettingsError::Seconds { name, value, range });
            }
        }
        Ok(())
    }
}

/// Checks the URL at which revocations are served, as verifiers check it before they fetch from it. A keyset with
/// any other URL makes every verifier that follows it deny all calls.
pub(crate) fn check_revocation_url(url: &str) -> Result<(), SettingsError> {
    check_text("revocation_url", url)?;
    SafeUrl::parse_base(url)
        .map(drop)
        .map_err(SettingsError::RevocationUrl)
}

fn check_text(name: &'static str, text: &str) -> Result<(), SettingsError> {
    let fits = (1..=512).contains(&text.len())
        && !text.contains(|c: char| c.is_control() || c.is_whitespace());
    match fits {
        true => Ok(()),
        false => Err(SettingsError::Text { name }),
    }
}

fn is_http(url: &str) -> bool {
    url.starts_with("https://") || url.starts_with("http://")
}

/// The settings of an issuer that are fixed when it is created. Times are in seconds. The URL of the revocations is
/// not among them, because it can change later: see [`Issuer::revocation_url`](crate::Issuer::revocation_url).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Settings {
    /// The issuer's name in tokens.
    pub issuer: String,
    /// The interval at which verifiers should look for a newer keyset.
    pub refresh_hint: u64,
    /// Maximum lifetime of a token.
    pub max_token_ttl: u64,
    /// The lifetime of a signed keyset.
    pub keyset_life: u64,
    /// The key that signs keysets, the revocation feed, checkpoints and backups. Verifiers are configured
    /// with it.
    pub keyset_key: PublicKey,
    /// The age recipient to which private keys are encrypted.
    pub recipient: String,
}

impl Settings {
    pub(crate) fn policy(&self) -> KeyPolicy {
        KeyPolicy {
            refresh_hint: self.refresh_hint,
            max_token_ttl: self.max_token_ttl,
            keyset_life: self.keyset_life,
        }
    }
}

/// The error of an invalid option.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The text of an option is empty, too long, or contains white space.
    #[error(
        "`{name}` is not a URL of 1 to 512 bytes without white space; write one such as `https://issuer.example`"
    )]
    Text {
        /// Name of the option.
        name: &'static str,
    },
    /// The issuer's name is not a URL. The name is in every token and cannot be changed later.
    #[error("`issuer` is not a URL; write one such as `https://issuer.example`")]
    Url,
    /// The issuer's URL has a query or a fragment.
    #[error(
        "`issuer` has a query or a fragment; write a URL such as `https://issuer.example/path`"
    )]
    Query,
    /// Verifiers do not fetch revocations from this URL.
    #[error("the URL of the revocations {0}")]
    RevocationUrl(UnsafeUrl),
    /// A time is out of range.
    #[error(
        "`{name}` is {}, but has to be {} to {}; choose a value in that range",
        show(*.value), show(*range.start()), show(*range.end())
    )]
    Seconds {
        /// Name of the option.
        name: &'static str,
        /// The value, in seconds.
        value: u64,
        /// The allowed range, in seconds.
        range: RangeInclusive<u64>,
    },
}
