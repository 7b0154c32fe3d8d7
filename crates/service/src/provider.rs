//! OpenID providers: whose JWTs are believed, and with which keys (RFC 7519, RFC 7517).
//!
//! Issuer, audience and algorithms are pinned by configuration. A token's header has one say: which
//! of the provider's published keys (`kid`) it was signed with. Keys are kept while the provider is
//! out of reach, and fetched again when a token names one that is not known.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bailiwick_token::timestamp::Timestamp;
use bailiwick_verifier::outbound::{Client, SafeUrl};
use jsonwebtoken::{
    Algorithm, DecodingKey, Validation,
    dangerous::insecure_decode_claims,
    decode, decode_header,
    jwk::{Jwk, KeyAlgorithm, PublicKeyUse},
};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, Semaphore};

use crate::config::ProviderConfig;

/// The longest JWT that is looked at, in bytes.
pub(crate) const MAX_JWT: usize = 16 * 1024;

/// The most bytes of what a provider publishes.
const MAX_DOCUMENT: usize = 1 << 20;

/// The most keys of a provider.
const MAX_KEYS: usize = 128;

/// How far clocks may lie apart, in seconds.
const SKEW: u64 = 60;

/// How long a provider is left alone after it was asked because of an unknown key, in seconds.
const COOL_DOWN: u64 = 30;

/// How many wait for a provider's answer. Anyone can send a token that names an unknown key.
const WAITING: usize = 64;

/// How long a provider has to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// All providers.
#[derive(Debug, Default)]
pub(crate) struct Providers(Vec<Arc<Provider>>);

/// One provider, and its keys as they were last seen.
pub(crate) struct Provider {
    config: ProviderConfig,
    keys: ArcSwapOption<Vec<Jwk>>,
    /// When it was last asked because of an unknown key. Who holds this asks; others wait for the
    /// answer.
    asked: Mutex<Option<Timestamp>>,
    /// Places for those who wait.
    waiting: Semaphore,
    /// Whether it said nothing of use the last time.
    in_vain: AtomicBool,
    http: Client,
}

/// A JWT that was verified.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// The provider's name.
    pub(crate) provider: String,
    /// Its claims.
    pub(crate) claims: Map<String, Value>,
    /// What makes it one of a kind, where it has that.
    pub(crate) jti: Option<String>,
    /// When it was made, at the earliest.
    pub(crate) begin: Timestamp,
    /// When it ends, clocks apart.
    pub(crate) end: Timestamp,
    /// Whether its provider lets each be used once.
    pub(crate) one_time: bool,
}

/// Why a JWT is not believed. It holds nothing of the token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum AssertionError {
    #[error("it is not a JWT, or longer than {MAX_JWT} bytes")]
    Malformed,
    #[error("its issuer is none of the configured providers")]
    Issuer,
    #[error("it is signed in a way that its provider is not configured for")]
    Algorithm,
    #[error("its header asks for what this issuer does not do")]
    Header,
    #[error("it was signed with a key that its provider does not publish")]
    UnknownKey,
    #[error("its signature is wrong")]
    Signature,
    #[error("its `{0}` is missing, or not as it has to be")]
    Claim(&'static str),
    #[error("it has expired, or is not valid yet")]
    Time,
    #[error("it lives longer than its provider is configured for")]
    Life,
    /// Not the token's fault.
    #[error("the keys of its provider cannot be fetched: try again")]
    Unreachable,
}

impl Providers {
    pub(crate) fn new(configs: &[ProviderConfig]) -> Result<Providers, reqwest::Error> {
        let http = Client::new(|builder| {
            builder
                .timeout(PATIENCE)
                .connect_timeout(PATIENCE)
                .user_agent(concat!("bailiwick/", env!("CARGO_PKG_VERSION")))
        })?;
        let provider = |config: &ProviderConfig| Provider {
            config: config.clone(),
            keys: ArcSwapOption::empty(),
            asked: Mutex::new(None),
            waiting: Semaphore::new(WAITING),
            in_vain: AtomicBool::new(true),
            http: http.clone(),
        };
        let providers = configs.iter().map(provider).map(Arc::new);
        Ok(Providers(providers.collect()))
    }

    /// Verifies a JWT of whichever provider it says that it is of.
    pub(crate) async fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Assertion, AssertionError> {
        #[derive(Deserialize)]
        struct Issuer {
            iss: String,
        }
        if token.len() > MAX_JWT {
            return Err(AssertionError::Malformed);
        }
        // Before anything was verified: it selects, and the provider it selects is held to it.
        let Issuer { iss } =
            insecure_decode_claims(token).map_err(|_| AssertionError::Malformed)?;
        let provider = self
            .0
            .iter()
            .find(|provider| provider.config.issuer == iss)
            .ok_or(AssertionError::Issuer)?;
        provider.verify(token, now).await
    }

    /// Fetches the keys of all providers anew. What cannot be fetched stays as it was.
    pub(crate) async fn refresh(&self) {
        for provider in &self.0 {
            let _asked = provider.asked.lock().await;
            provider.fetch().await;
        }
    }

    /// The names of those whose keys are not known.
    pub(crate) fn without_keys(&self) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(|provider| provider.keys.load().is_none())
            .map(|provider| provider.config.name.as_str())
    }
}

impl Provider {
    async fn verify(
        self: &Arc<Self>,
        token: &str,
        now: Timestamp,
    ) -> Result<Assertion, AssertionError> {
        // An algorithm that is none (`none`, for one) is not a header that can be read.
        let header = decode_header(token).map_err(|_| AssertionError::Malformed)?;
        if !self.config.algorithms.contains(&header.alg) {
            return Err(AssertionError::Algorithm);
        }
        if header.crit.is_some() || header.enc.is_some() || header.zip.is_some() {
            return Err(AssertionError::Header);
        }
        let key = self.key(header.kid.as_deref(), header.alg, now).await?;
        let mut validation = Validation::new(header.alg);
        // Claims are looked at below: by the time that was handed in, and more strictly.
        validation.required_spec_claims.clear();
        validation.validate_exp = false;
        validation.validate_aud = false;
        let claims = decode::<Map<String, Value>>(token, &key, &validation)
            .map_err(|_| AssertionError::Signature)?
            .claims;
        self.assertion(claims, now)
    }

    fn assertion(
        &self,
        claims: Map<String, Value>,
        now: Timestamp,
    ) -> Result<Assertion, AssertionError> {
        let text = |name: &'static str| claims.get(name).and_then(Value::as_str);
        if text("iss") != Some(&self.config.issuer) {
            return Err(AssertionError::Claim("iss"));
        }
        let is_audience = |value: &Value| value.as_str() == Some(&self.config.audience);
        let for_us = match claims.get("aud") {
            Some(Value::Array(many)) => many.iter().any(is_audience),
            Some(one) => is_audience(one),
            None => false,
        };
        if !for_us {
            return Err(AssertionError::Claim("aud"));
        }
        // It names who acts, in the audit and in the log.
        let named = |sub: &str| (1..=512).contains(&sub.len()) && !sub.contains(char::is_control);
        if !text("sub").is_some_and(named) {
            return Err(AssertionError::Claim("sub"));
        }
        let time = |name: &'static str| match claims.get(name) {
            None => Ok(None),
            // NumericDate may have a fraction; a second is as fine as it gets here.
            Some(Value::Number(number)) => number
                .as_u64()
                .or_else(|| {
                    number
                        .as_f64()
                        .filter(|time| *time >= 0.0)
                        .map(|time| time as u64)
                })
                .and_then(Timestamp::from_unix)
                .map(Some)
                .ok_or(AssertionError::Claim(name)),
            Some(_) => Err(AssertionError::Claim(name)),
        };
        let end = time("exp")?.ok_or(AssertionError::Claim("exp"))?;
        let begin = [time("iat")?, time("nbf")?];
        if now >= end.plus(SKEW) || begin.iter().flatten().any(|begin| *begin > now.plus(SKEW)) {
            return Err(AssertionError::Time);
        }
        let begin = begin.into_iter().flatten().min();
        if end.since(begin.unwrap_or(now)) > self.config.max_life {
            return Err(AssertionError::Life);
        }
        let jti = text("jti").filter(|jti| !jti.is_empty()).map(str::to_owned);
        Ok(Assertion {
            provider: self.config.name.clone(),
            jti,
            begin: begin.unwrap_or(end.minus(self.config.max_life)),
            end: end.plus(SKEW),
            one_time: self.config.one_time,
            claims,
        })
    }

    /// The key that a token names, from what is known, or from asking again.
    async fn key(
        self: &Arc<Self>,
        kid: Option<&str>,
        alg: Algorithm,
        now: Timestamp,
    ) -> Result<DecodingKey, AssertionError> {
        if let Some(found) = self.known(kid, alg) {
            return found;
        }
        let waits = self.waiting.try_acquire();
        let _waits = waits.map_err(|_| AssertionError::Unreachable)?;
        let mut asked = self.asked.lock().await;
        // While this waited, somebody else may have asked.
        if let Some(found) = self.known(kid, alg) {
            return found;
        }
        // Also where the clock was set back.
        let rested = |last: Timestamp| now < last || now.since(last) >= COOL_DOWN;
        if asked.is_none_or(rested) {
            *asked = Some(now);
            let provider = Arc::clone(self);
            // On its own: a caller that hangs up does not take the answer from the others.
            let _ = tokio::spawn(async move { provider.fetch().await }).await;
        }
        match self.known(kid, alg) {
            Some(found) => found,
            // The key may be one that the provider has begun to use since.
            None if self.in_vain.load(Ordering::Relaxed) => Err(AssertionError::Unreachable),
            None => Err(AssertionError::UnknownKey),
        }
    }

    /// The one key that fits, among those that are known.
    fn known(
        &self,
        kid: Option<&str>,
        alg: Algorithm,
    ) -> Option<Result<DecodingKey, AssertionError>> {
        let keys = self.keys.load_full()?;
        let fits = |jwk: &&Jwk| {
            let common = &jwk.common;
            let signs =
                !matches!(&common.public_key_use, Some(other) if *other != PublicKeyUse::Signature);
            let same = |key: &KeyAlgorithm| json!(key) == json!(alg);
            signs
                && common.key_algorithm.as_ref().is_none_or(same)
                && kid.is_none_or(|kid| common.key_id.as_deref() == Some(kid))
        };
        // A key of another kind than `alg` asks for is none.
        let mut keys = keys.iter().filter(fits).filter_map(|jwk| {
            let key = DecodingKey::from_jwk(jwk).ok()?;
            (key.family() == alg.family()).then_some(key)
        });
        match (keys.next(), keys.next()) {
            (Some(key), None) => Some(Ok(key)),
            (None, _) => None,
            // Two keys of one name, or a token that names none of several: not a guess.
            (Some(_), Some(_)) => Some(Err(AssertionError::UnknownKey)),
        }
    }

    /// Asks the provider. What it last said stays where it says nothing of use.
    async fn fetch(&self) {
        let published = self.published().await;
        self.in_vain.store(published.is_err(), Ordering::Relaxed);
        match published {
            Ok(keys) => self.keys.store(Some(Arc::new(keys))),
            Err(reason) => {
                tracing::warn!(provider = self.config.name, reason, "no keys were fetched");
            }
        }
    }

    async fn published(&self) -> Result<Vec<Jwk>, String> {
        #[derive(Deserialize)]
        struct Discovery {
            issuer: String,
            jwks_uri: String,
        }
        let uri = match &self.config.jwks_uri {
            Some(uri) => uri.clone(),
            None => {
                let issuer = self.config.issuer.trim_end_matches('/');
                let found = format!("{issuer}/.well-known/openid-configuration");
                let text = self.get(&found).await?;
                let discovery: Discovery =
                    serde_json::from_slice(&text).map_err(|error| error.to_string())?;
                // OpenID Connect Discovery 1.0, section 4.3.
                if discovery.issuer != self.config.issuer {
                    return Err("the configuration is of another issuer".to_owned());
                }
                discovery.jwks_uri
            }
        };
        let text = self.get(&uri).await?;
        // One key of an unknown kind does not take the others with it.
        #[derive(Deserialize)]
        struct Keys {
            keys: Vec<Value>,
        }
        let Keys { keys } = serde_json::from_slice(&text).map_err(|error| error.to_string())?;
        let keys = keys.into_iter().take(MAX_KEYS);
        let keys: Vec<Jwk> = keys
            .filter_map(|key| serde_json::from_value(key).ok())
            .collect();
        match keys.is_empty() {
            true => Err("it publishes no key that can be used".to_owned()),
            false => Ok(keys),
        }
    }

    async fn get(&self, uri: &str) -> Result<Vec<u8>, String> {
        let url = SafeUrl::parse(uri).map_err(|error| format!("an address of its {error}"))?;
        // What `reqwest` says names the address, which is the configured one.
        let mut response = self
            .http
            .request(Method::GET, &url)
            .header("accept", "application/json")
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| error.to_string())?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| error.to_string())? {
            if body.len().saturating_add(chunk.len()) > MAX_DOCUMENT {
                return Err(format!("it answered with over {MAX_DOCUMENT} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.config.name)
            .field("issuer", &self.config.issuer)
            .finish_non_exhaustive()
    }
}
