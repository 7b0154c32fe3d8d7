//! `service.toml` in the home.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use bailiwick_issuer::{Settings, profile::ProfileLimits};
use bailiwick_verifier::outbound::{SafeUrl, UnsafeUrl};
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::algorithm::algorithm;

/// The most bytes of the file.
pub const MAX_CONFIG: usize = 256 * 1024;

/// How the service runs. Paths are relative to the home.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Where callers, verifiers and operators come to.
    pub listen: SocketAddr,
    /// Where `/livez`, `/readyz` and `/metrics` are: for the machine's own eyes.
    pub operations_listen: SocketAddr,
    /// Without it, TLS ends elsewhere, and `listen` is a loopback address unless
    /// `plain_http` says otherwise.
    pub tls: Option<Tls>,
    /// That something in front of it ends TLS, on another machine.
    pub plain_http: bool,
    /// Bounds.
    pub limits: ServiceLimits,
    /// Who vouches for principals and agents, besides this issuer.
    #[serde(rename = "provider")]
    pub providers: Vec<ProviderConfig>,
}

impl Default for Config {
    fn default() -> Config {
        Config {
            listen: SocketAddr::from(([127, 0, 0, 1], 8420)),
            operations_listen: SocketAddr::from(([127, 0, 0, 1], 8421)),
            tls: None,
            plain_http: false,
            limits: ServiceLimits::default(),
            providers: Vec::new(),
        }
    }
}

/// A certificate and its key, in PEM. Both are read again every minute, so that a renewed one is
/// taken up without a restart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate, and those that vouch for it.
    pub certificate: PathBuf,
    /// Its private key.
    pub key: PathBuf,
}

/// What one service bears.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLimits {
    /// Connections at a time; more are closed at once.
    pub connections: usize,
    /// Requests at a time; more are answered with 503 and `Retry-After`. What verifiers fetch has as many
    /// places of its own.
    pub requests: usize,
    /// How long a request may take, in seconds, its body included.
    pub request_seconds: u64,
    /// How long the head of a request, or a TLS handshake, may take to arrive, and how long a caller may leave
    /// unread what it is sent, in seconds.
    pub header_seconds: u64,
    /// How long requests under way are waited for at the end, in seconds.
    pub drain_seconds: u64,
    /// Wrong secrets of one client from one address in a minute; then that is refused for the rest
    /// of it.
    pub failures_per_minute: u32,
}

impl Default for ServiceLimits {
    fn default() -> ServiceLimits {
        ServiceLimits {
            connections: 16_384,
            requests: 512,
            request_seconds: 15,
            header_seconds: 10,
            drain_seconds: 20,
            failures_per_minute: 10,
        }
    }
}

/// An OpenID provider, or whatever else signs workload JWTs. Everything is pinned: of a token
/// nothing but its `kid` has a say in how it is verified.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// What profiles call it.
    pub name: String,
    /// The `iss` of its tokens, byte for byte.
    pub issuer: String,
    /// The `aud` that its tokens have to have, among others or alone.
    pub audience: String,
    /// The algorithms that may sign its tokens. `Ed25519` is another name of `EdDSA` (RFC 9864).
    #[serde(default = "algorithms", deserialize_with = "read_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// Where its keys are; where it says in `/.well-known/openid-configuration`, without this.
    pub jwks_uri: Option<String>,
    /// The longest life of a token that is accepted, in seconds.
    #[serde(default = "max_life")]
    pub max_life: u64,
    /// True if each of its tokens has a `jti` and is used once.
    #[serde(default)]
    pub one_time: bool,
    /// The use of its tokens as client assertions: each once, or until it ends.
    #[serde(default)]
    pub assertions: Assertions,
}

/// The use of a provider's tokens as client assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assertions {
    /// Once, by its `jti` (RFC 7523, section 3): a copy of one that was used is good for nothing.
    #[default]
    OneTime,
    /// Until it ends, as a workload uses the service account token that Kubernetes gives it. Anyone who reads
    /// one gets tokens as that workload until then. It states `iat`, and this issuer is its only audience.
    Reusable,
}

/// The longest life of a client assertion that may be used again, in seconds.
const MAX_REUSABLE_LIFE: u64 = 86_400;

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
}

fn read_algorithms<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Algorithm>, D::Error> {
    let names = Vec::<String>::deserialize(input)?;
    let known = |name: &String| {
        algorithm(name).ok_or_else(|| {
            D::Error::custom(format!(
                "the algorithm `{name}` is not supported: use RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"
            ))
        })
    };
    names.iter().map(known).collect()
}

fn max_life() -> u64 {
    86_400
}

impl Config {
    /// Reads the file.
    ///
    /// # Errors
    /// [`ConfigError`], which says where.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        if text.len() > MAX_CONFIG {
            return Err(ConfigError::TooLarge);
        }
        let config: Config =
            toml::from_str(text).map_err(|error| ConfigError::Malformed(error.to_string()))?;
        config.check()?;
        Ok(config)
    }

    /// What profiles are checked against, at an issuer of these settings.
    #[must_use]
    pub fn profile_limits(&self, settings: &Settings) -> ProfileLimits {
        ProfileLimits {
            max_token_ttl: Some(settings.max_token_ttl),
            providers: Some(self.provider_names()),
        }
    }

    fn provider_names(&self) -> BTreeSet<String> {
        self.providers
            .iter()
            .map(|provider| provider.name.clone())
            .collect()
    }

    /// Whether it can be served as it is.
    ///
    /// # Errors
    /// [`ConfigError`].
    pub fn check(&self) -> Result<(), ConfigError> {
        if self.tls.is_none() && !self.plain_http && !self.listen.ip().is_loopback() {
            return Err(ConfigError::Plain(self.listen));
        }
        let limits = &self.limits;
        for (name, value, range) in [
            ("connections", limits.connections as u64, 1..=1_000_000),
            ("requests", limits.requests as u64, 1..=100_000),
            ("request_seconds", limits.request_seconds, 1..=600),
            ("header_seconds", limits.header_seconds, 1..=600),
            ("drain_seconds", limits.drain_seconds, 0..=600),
            (
                "failures_per_minute",
                u64::from(limits.failures_per_minute),
                1..=100_000,
            ),
        ] {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                return Err(ConfigError::Limit {
                    name,
                    value,
                    least,
                    most,
                });
            }
        }
        let mut names = BTreeSet::from(["client"]);
        let mut issuers = BTreeSet::new();
        for provider in &self.providers {
            let refuse = |what| {
                Err(ConfigError::Provider {
                    name: provider.name.clone(),
                    what,
                })
            };
            let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            if provider.name.is_empty() || !provider.name.chars().all(word) {
                return refuse("its name has letters, digits, `-` and `_`");
            }
            if !names.insert(&provider.name) {
                return refuse("its name is taken; `client` is this issuer itself");
            }
            // A token says which provider it is of by `iss` alone.
            if !issuers.insert(&provider.issuer) {
                return refuse("its issuer is that of another one");
            }
            if provider.audience.is_empty() || provider.issuer.is_empty() {
                return refuse("it needs an issuer and an audience");
            }
            // OpenID Connect Discovery 1.0, section 2; RFC 8414, section 2.
            if provider.issuer.contains(['?', '#']) {
                return refuse("its issuer has a query or a fragment, which no issuer has");
            }
            let jwks_uri = provider.jwks_uri.as_ref();
            let fetched = [("issuer", Some(&provider.issuer)), ("jwks_uri", jwks_uri)];
            for (member, url) in fetched {
                if let Some(Err(error)) = url.map(|url| SafeUrl::parse(url)) {
                    return Err(ConfigError::ProviderUrl {
                        name: provider.name.clone(),
                        member,
                        error,
                    });
                }
            }
            let symmetric = |algorithm: &Algorithm| {
                matches!(
                    algorithm,
                    Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
                )
            };
            if provider.algorithms.is_empty() || provider.algorithms.iter().any(symmetric) {
                return refuse(
                    "it signs with a key pair: RS256, PS256, ES256, ES384, EdDSA and the like",
                );
            }
            if provider.assertions == Assertions::Reusable {
                if provider.one_time {
                    return refuse("`one_time` and reusable `assertions` exclude each other");
                }
                if provider.max_life > MAX_REUSABLE_LIFE {
                    return refuse(
                        "with reusable `assertions`, `max_life` is at most 86400 seconds",
                    );
                }
            }
            if !(1..=31_536_000).contains(&provider.max_life) {
                return refuse("`max_life` is 1 to 31536000 seconds");
            }
        }
        Ok(())
    }
}

/// A configuration that is not served.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// Not TOML, or of other members.
    #[error("{0}")]
    Malformed(String),
    /// Longer than any that was written by hand.
    #[error("it has over {MAX_CONFIG} bytes: check that this is the right file")]
    TooLarge,
    /// Secrets and tokens in the open.
    #[error(
        "secrets and tokens would travel in the open to {0}: configure `[tls]`, listen on a loopback address, or set `plain_http = true` where something in front ends TLS"
    )]
    Plain(SocketAddr),
    /// A bound that is none.
    #[error("`limits.{name}` is {value}: choose {least} to {most}")]
    Limit {
        /// Which one.
        name: &'static str,
        /// What it is.
        value: u64,
        /// The least it may be.
        least: u64,
        /// The most it may be.
        most: u64,
    },
    /// A provider that nobody could trust.
    #[error("the provider `{name}` cannot be used: {what}")]
    Provider {
        /// Which one.
        name: String,
        /// Why.
        what: &'static str,
    },
    /// A provider whose keys could come from anybody.
    #[error("the provider `{name}` cannot be used: its `{member}` {error}")]
    ProviderUrl {
        /// The provider's name.
        name: String,
        /// The member that holds the address. The address itself may hold a password.
        member: &'static str,
        /// The reason why the address is not used.
        error: UnsafeUrl,
    },
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const PROVIDER: &str = "[[provider]]\nname = \"corp\"\nissuer = \"https://idp.example\"\naudience = \"bailiwick\"\n";

    #[test]
    fn a_file_may_be_empty() {
        assert_eq!(Config::parse("").unwrap(), Config::default());
    }

    #[test]
    fn a_provider_is_pinned() {
        let config = Config::parse(PROVIDER).unwrap();
        let provider = config.providers.first().unwrap();
        assert_eq!(provider.algorithms, algorithms());
        assert_eq!(provider.assertions, Assertions::OneTime);
        assert_eq!(config.provider_names(), BTreeSet::from(["corp".to_owned()]));
        for (text, says) in [
            (PROVIDER.replace("corp", "client"), "is taken"),
            (format!("{PROVIDER}{PROVIDER}"), "is taken"),
            (
                format!("{PROVIDER}{}", PROVIDER.replace("corp", "other")),
                "of another",
            ),
            (PROVIDER.replace("https", "http"), "plain HTTP"),
            (PROVIDER.replace(".example", ".example?a"), "a query"),
            (PROVIDER.replace(".example", ".example#a"), "a query"),
            (
                PROVIDER.replace("https://", "https://user:secret@"),
                "a name or a password",
            ),
            (
                format!("{PROVIDER}jwks_uri = \"http://127.0.0.1.example/keys\"\n"),
                "plain HTTP",
            ),
            (format!("{PROVIDER}algorithms = [\"HS256\"]\n"), "key pair"),
            (format!("{PROVIDER}algorithms = []\n"), "key pair"),
            (format!("{PROVIDER}algorithms = [\"none\"]\n"), "none"),
            (
                format!("{PROVIDER}algorithms = [\"ES512\"]\n"),
                "`ES512` is not supported",
            ),
            (format!("{PROVIDER}jwks = \"x\"\n"), "unknown field"),
            (
                format!("{PROVIDER}assertions = \"always\"\n"),
                "unknown variant",
            ),
            (
                format!("{PROVIDER}assertions = \"reusable\"\none_time = true\n"),
                "exclude each other",
            ),
            (
                format!("{PROVIDER}assertions = \"reusable\"\nmax_life = 86401\n"),
                "at most 86400",
            ),
        ] {
            let error = Config::parse(&text).unwrap_err().to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn ed25519_is_eddsa() {
        let text = format!("{PROVIDER}algorithms = [\"Ed25519\"]\n");
        let config = Config::parse(&text).unwrap();
        let provider = config.providers.first().unwrap();
        assert_eq!(provider.algorithms, [Algorithm::EdDSA]);
    }

    #[test]
    fn nothing_travels_in_the_open_by_accident() {
        let open = "listen = \"0.0.0.0:8420\"\n";
        assert!(matches!(Config::parse(open), Err(ConfigError::Plain(_))));
        assert!(Config::parse(&format!("{open}plain_http = true\n")).is_ok());
        let tls = "[tls]\ncertificate = \"cert.pem\"\nkey = \"key.pem\"\n";
        assert!(Config::parse(&format!("{open}{tls}")).is_ok());
    }
}
