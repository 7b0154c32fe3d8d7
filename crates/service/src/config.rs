//! The configuration of the service, `service.toml` in the home.

use std::{collections::BTreeSet, net::SocketAddr, path::PathBuf};

use bailiwick_issuer::{Settings, is_client_name, profile::ProfileLimits};
use bailiwick_verifier::outbound::{SafeUrl, UnsafeUrl};
use jsonwebtoken::Algorithm;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::algorithm::algorithm;

/// Maximum length of the file, in bytes.
pub const MAX_CONFIG: usize = 256 * 1024;

/// Configuration of the service. Paths are relative to the home.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// Address for callers, verifiers and operators.
    pub listen: SocketAddr,
    /// Address of `/livez`, `/readyz` and `/metrics`, for the machine's own monitoring.
    pub operations_listen: SocketAddr,
    /// Certificate and key for TLS. Without these, something else must terminate TLS, and `listen` must be a
    /// loopback address unless `plain_http` is set.
    pub tls: Option<Tls>,
    /// True if something on another machine terminates TLS for the service.
    pub plain_http: bool,
    /// Limits on connections, requests and time.
    pub limits: ServiceLimits,
    /// Providers that vouch for principals and agents, in addition to this issuer.
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

/// A certificate and its key, in PEM. Both are read again every minute, so that a renewed certificate is
/// used without a restart.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tls {
    /// The certificate and its chain.
    pub certificate: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
}

/// Limits of one service.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ServiceLimits {
    /// Maximum number of connections. Further connections are closed at once.
    pub connections: usize,
    /// Maximum number of simultaneous requests. Further requests get 503 and `Retry-After`. Verifiers' requests
    /// have the same number of places of their own.
    pub requests: usize,
    /// Maximum time for a request, including its body, in seconds.
    pub request_seconds: u64,
    /// Maximum time for a request's head or a TLS handshake to arrive, and for a caller to read its answer, in
    /// seconds.
    pub header_seconds: u64,
    /// Maximum time to wait for requests in progress when the service stops, in seconds.
    pub drain_seconds: u64,
    /// Maximum number of wrong secrets and assertions of one client from one address in a minute. Until the
    /// minute ends, further ones are refused without a costly check, and are not recorded.
    pub failures_per_minute: u32,
    /// Maximum lifetime of an assertion that a client signs itself, in seconds.
    pub client_assertion_seconds: u64,
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
            client_assertion_seconds: 300,
        }
    }
}

/// An OpenID provider, or anything else that signs JWTs for workloads. Everything is pinned: the token itself
/// only selects the key that verifies it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ProviderConfig {
    /// The name of the provider in profiles.
    pub name: String,
    /// The `iss` of the provider's tokens, byte for byte.
    pub issuer: String,
    /// The `aud` that the tokens must have, alone or among others.
    pub audience: String,
    /// The algorithms that may sign the tokens. `Ed25519` is another name for `EdDSA` (RFC 9864).
    #[serde(default = "algorithms", deserialize_with = "read_algorithms")]
    pub algorithms: Vec<Algorithm>,
    /// URL of the provider's keys. By default, the URL in its `/.well-known/openid-configuration`.
    pub jwks_uri: Option<String>,
    /// Maximum lifetime of a token, in seconds.
    #[serde(default = "max_life")]
    pub max_life: u64,
    /// True if each token must have a `jti` and may be used only once.
    #[serde(default)]
    pub one_time: bool,
    /// The use of the tokens as client assertions: once each, or until they expire.
    #[serde(default)]
    pub assertions: Assertions,
}

/// The use of a provider's tokens as client assertions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Assertions {
    /// Each token may be used once, by its `jti` (RFC 7523, section 3). A copy of a used token is worthless.
    #[default]
    OneTime,
    /// Each token may be used until it expires, like the service account token that Kubernetes gives to a
    /// workload. Until then, anyone who reads the token can get tokens as that workload. Each token must have
    /// an `iat`, and this issuer as its only audience.
    Reusable,
}

/// Maximum lifetime of a reusable client assertion, in seconds.
const MAX_REUSABLE_LIFE: u64 = 86_400;

fn algorithms() -> Vec<Algorithm> {
    vec![Algorithm::RS256, Algorithm::ES256, Algorithm::EdDSA]
}

fn read_algorithms<'de, D: Deserializer<'de>>(input: D) -> Result<Vec<Algorithm>, D::Error> {
    let names = Vec::<String>::deserialize(input)?;
    let known = |name: &String| {
        algorithm(name).ok_or_else(|| {
            D::Error::custom(format!(
                "the algorithm `{name}` is not supported; use RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 or EdDSA"
            ))
        })
    };
    names.iter().map(known).collect()
}

fn max_life() -> u64 {
    86_400
}

impl Config {
    /// Parses the file and checks it.
    ///
    /// # Errors
    /// [`ConfigError`] if the file is malformed or its settings cannot be used.
    pub fn parse(text: &str) -> Result<Config, ConfigError> {
        let config = Config::read(text)?;
        config.check()?;
        Ok(config)
    }

    /// Parses the file without checking it.
    pub(crate) fn read(text: &str) -> Result<Config, ConfigError> {
        if text.len() > MAX_CONFIG {
            return Err(ConfigError::TooLarge);
        }
        toml::from_str(text).map_err(|error| ConfigError::Malformed(error.to_string()))
    }

    /// Returns the limits that profiles are checked against, for an issuer with these settings.
    #[must_use]
    pub fn profile_limits(&self, settings: &Settings) -> ProfileLimits {
        ProfileLimits {
            max_token_ttl: Some(settings.max_token_ttl),
            providers: Some(self.provider_names()),
        }
    }

    /// The names of the configured providers.
    #[must_use]
    pub fn provider_names(&self) -> BTreeSet<String> {
        self.providers
            .iter()
            .map(|provider| provider.name.clone())
            .collect()
    }

    /// Checks that the service can run with this configuration.
    ///
    /// # Errors
    /// [`ConfigError`] for the first member that cannot be used.
    pub fn check(&self) -> Result<(), ConfigError> {
        match self.faults().into_iter().next() {
            Some(first) => Err(first),
            None => Ok(()),
        }
    }

    /// Returns an error for each member that cannot be used.
    #[must_use]
    pub fn faults(&self) -> Vec<ConfigError> {
        let mut faults = Vec::new();
        if self.tls.is_none() && !self.plain_http && !self.listen.ip().is_loopback() {
            faults.push(ConfigError::Plain(self.listen));
        }
        if self.listen == self.operations_listen && self.listen.port() != 0 {
            faults.push(ConfigError::SameAddress(self.listen));
        }
        let limits = &self.limits;
        for (name, value, range) in [
            ("connections", limits.connections as u64, 1..=1_000_000),
            ("requests", limits.requests as u64, 1..=100_000),
            ("request_seconds", limits.request_seconds, 1..=600),
            ("header_seconds", limits.header_seconds, 1..=600),
            ("drain_seconds", limits.drain_seconds, 0..=600),
            (
                "client_assertion_seconds",
                limits.client_assertion_seconds,
                10..=3_600,
            ),
            (
                "failures_per_minute",
                u64::from(limits.failures_per_minute),
                1..=100_000,
            ),
        ] {
            if !range.contains(&value) {
                let (least, most) = range.into_inner();
                faults.push(ConfigError::Limit {
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
            // A token names its provider by `iss` alone, so no two may share one.
            let taken = (
                !names.insert(provider.name.as_str()),
                !issuers.insert(provider.issuer.as_str()),
            );
            provider.find_faults(taken, &mut faults);
        }
        faults
    }
}

impl ProviderConfig {
    /// Adds an error for each mistake. `taken` tells whether another provider has the same name, and the same
    /// issuer.
    fn find_faults(&self, taken: (bool, bool), faults: &mut Vec<ConfigError>) {
        let word = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let symmetric = |algorithm: &Algorithm| {
            matches!(
                algorithm,
                Algorithm::HS256 | Algorithm::HS384 | Algorithm::HS512
            )
        };
        let reusable = self.assertions == Assertions::Reusable;
        let checks = [
            (
                self.name.is_empty() || !self.name.chars().all(word),
                "its name does not consist of letters, digits, `-` and `_`; choose another name",
            ),
            (
                taken.0,
                "its name is that of another provider, or `client`, which is this issuer itself; choose another name",
            ),
            (
                taken.1,
                "its `issuer` is that of another provider; keep one of the two",
            ),
            (
                self.audience.is_empty() || self.issuer.is_empty(),
                "its `issuer` or its `audience` is missing; set both",
            ),
            // The issuer of a client assertion is a provider or a client, and only its form tells which. The rule about
            // addresses below implies this one, which must hold even if that one is ever relaxed.
            (
                is_client_name(&self.issuer),
                "its `issuer` could be the name of a client; write the URL of the provider",
            ),
            // Forbidden by OpenID Connect Discovery 1.0, section 2, and RFC 8414, section 2.
            (
                self.issuer.contains(['?', '#']),
                "its `issuer` has a query or a fragment, which no issuer has; leave that out",
            ),
            (
                self.algorithms.is_empty() || self.algorithms.iter().any(symmetric),
                "its `algorithms` are empty or include one without a key pair; name algorithms such as RS256, PS256, ES256, ES384 or EdDSA",
            ),
            (
                reusable && self.one_time,
                "`one_time` and reusable `assertions` exclude each other; leave one of them out",
            ),
            (
                reusable && self.max_life > MAX_REUSABLE_LIFE,
                "its `max_life` is above the 86400 seconds that reusable `assertions` allow; choose a shorter one",
            ),
            (
                !(1..=31_536_000).contains(&self.max_life),
                "its `max_life` is not 1 to 31536000 seconds; choose a value in that range",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, _)| *wrong);
        faults.extend(wrong.map(|(_, what)| ConfigError::Provider {
            name: self.name.clone(),
            what,
        }));
        let fetched = [
            ("issuer", Some(&self.issuer).filter(|url| !url.is_empty())),
            ("jwks_uri", self.jwks_uri.as_ref()),
        ];
        for (member, url) in fetched {
            if let Some(Err(error)) = url.map(|url| SafeUrl::parse(url)) {
                faults.push(ConfigError::ProviderUrl {
                    name: self.name.clone(),
                    member,
                    error,
                });
            }
        }
    }
}

/// The error of a configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file is not TOML, or has unknown or malformed members.
    #[error("{0}")]
    Malformed(String),
    /// The file is longer than [`MAX_CONFIG`].
    #[error("the file has more than {MAX_CONFIG} bytes; check that it is the right file")]
    TooLarge,
    /// Secrets and tokens would travel without encryption.
    #[error(
        "secrets and tokens would travel unencrypted to {0}; configure `[tls]`, listen on a loopback address, or set `plain_http = true` if a proxy in front terminates TLS"
    )]
    Plain(SocketAddr),
    /// Both listeners have the same address.
    #[error("`listen` and `operations_listen` are both {0}; choose another port for one of them")]
    SameAddress(SocketAddr),
    /// A limit is out of range.
    #[error("`limits.{name}` is {value}; choose a value of {least} to {most}")]
    Limit {
        /// Name of the limit.
        name: &'static str,
        /// The configured value.
        value: u64,
        /// Minimum value.
        least: u64,
        /// Maximum value.
        most: u64,
    },
    /// A provider is not configured safely.
    #[error("the provider `{name}` cannot be used: {what}")]
    Provider {
        /// Name of the provider.
        name: String,
        /// The reason why the provider cannot be used.
        what: &'static str,
    },
    /// The address of a provider cannot be trusted, so its keys could come from anyone.
    #[error("`{member}` of the provider `{name}` {error}")]
    ProviderUrl {
        /// Name of the provider.
        name: String,
        /// The member with the address. The address itself may contain a password.
        member: &'static str,
        /// The reason why the address cannot be used.
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
            (
                PROVIDER.replace("corp", "client"),
                "is that of another provider",
            ),
            (
                format!("{PROVIDER}{PROVIDER}"),
                "is that of another provider",
            ),
            (
                format!("{PROVIDER}{}", PROVIDER.replace("corp", "other")),
                "its `issuer` is that of another",
            ),
            (
                PROVIDER.replace("https://idp.example", "idp.example"),
                "the name of a client",
            ),
            (
                PROVIDER.replace("https", "http"),
                "neither HTTPS nor HTTP to this machine",
            ),
            (PROVIDER.replace(".example", ".example?a"), "a query"),
            (PROVIDER.replace(".example", ".example#a"), "a query"),
            (
                PROVIDER.replace("https://", "https://user:secret@"),
                "a user name or a password",
            ),
            (
                format!("{PROVIDER}jwks_uri = \"http://127.0.0.1.example/keys\"\n"),
                "neither HTTPS nor HTTP to this machine",
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
                "above the 86400",
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
