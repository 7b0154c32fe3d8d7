//! OpenID providers, whose JWTs are verified with the keys that they publish (RFC 7519, RFC 7517).
//!
//! Issuer, audience and algorithms are pinned by configuration. The header of a token only selects among the
//! provider's published keys. Keys are kept while the provider cannot be reached, and fetched again if none of
//! them verifies a token.

pub(crate) mod error;
pub(crate) mod jwks;
pub(crate) mod jwt;

use std::{
    error::Error,
    fmt,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use arc_swap::ArcSwapOption;
use bailiwick_api::ProviderStatus;
use bailiwick_token::{
    json,
    timestamp::{SKEW, Timestamp},
};
use bailiwick_verifier::outbound::{Client, SafeUrl};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Map, Value};
use tokio::{
    sync::{Mutex, Semaphore},
    time::timeout,
};

use self::{
    error::AssertionError,
    jwks::{KeySet, MAX_SHOWN, shown},
    jwt::{Jwt, time},
};
use crate::config::{Assertions, ProviderConfig};

/// Maximum length of a document that a provider publishes, in bytes.
const MAX_DOCUMENT: usize = 1 << 20;

/// Maximum length of the logged reason for a failed fetch, in characters.
const MAX_REASON: usize = 512;

/// Time in which tokens cause at most one fetch of a provider's keys, in seconds.
const COOL_DOWN: u64 = 30;

/// Maximum number of callers that wait for a provider's answer. There must be a limit, because anyone can send
/// tokens that no known key verifies.
const WAITING: usize = 64;

/// Maximum time to wait for a provider to answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Maximum time for asking all providers when a report is made.
const PROBE: Duration = Duration::from_secs(15);

/// Maximum number of providers to ask at the same time when a report is made.
const AT_ONCE: usize = 32;

/// All configured providers.
#[derive(Debug, Default)]
pub(crate) struct Providers(Vec<Arc<Provider>>);

/// A provider, with the keys that it last published.
pub(crate) struct Provider {
    config: ProviderConfig,
    keys: ArcSwapOption<KeySet>,
    /// Time of the last request that a token triggered. The holder of the lock makes the request, and others
    /// wait for the answer.
    asked: Mutex<Option<Timestamp>>,
    /// Places for callers that wait for the provider's answer.
    waiting: Semaphore,
    /// True if the last fetch failed, or there was none yet.
    in_vain: AtomicBool,
    /// The reason why the last fetch failed.
    failure: ArcSwapOption<String>,
    http: Client,
}

/// A verified JWT.
#[derive(Debug)]
pub(crate) struct Assertion {
    /// Name of the provider.
    pub(crate) provider: String,
    /// The claims of the token.
    pub(crate) claims: Map<String, Value>,
    /// The `jti`, if there is one. It distinguishes the token from all others of its provider.
    pub(crate) jti: Option<String>,
    /// Earliest time at which the token can have been made.
    pub(crate) begin: Timestamp,
    /// Time from which the token is refused: its `exp`, plus the tolerance for clocks that differ.
    pub(crate) end: Timestamp,
    /// True if each token of this provider may be used only once.
    pub(crate) one_time: bool,
    /// Reuse of this provider's tokens as client assertions: once each, or until they expire.
    pub(crate) assertions: Assertions,
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
            failure: ArcSwapOption::empty(),
            http: http.clone(),
        };
        let providers = configs.iter().map(provider).map(Arc::new);
        Ok(Providers(providers.collect()))
    }

    /// Verifies a JWT with the provider that the token names as its issuer.
    pub(crate) async fn verify(
        &self,
        token: &str,
        now: Timestamp,
    ) -> Result<Assertion, AssertionError> {
        let jwt = Jwt::parse(token)?;
        // This claim is not verified yet. It only selects the provider, which compares it again after verifying the
        // signature.
        let issuer = jwt.claims.get("iss").and_then(Value::as_str);
        let provider = self
            .0
            .iter()
            .find(|provider| issuer == Some(&provider.config.issuer))
            .ok_or(AssertionError::Issuer)?;
        provider.verify(jwt, now).await
    }

    /// Fetches the keys of all providers again. Keys that cannot be fetched stay in use.
    pub(crate) async fn refresh(&self) {
        for provider in &self.0 {
            let _asked = provider.asked.lock().await;
            provider.fetch().await;
        }
    }

    /// Warns about providers whose client assertions can be used more than once.
    pub(crate) fn warn_of_reusable(&self) {
        for provider in &self.0 {
            let config = &provider.config;
            if config.assertions == Assertions::Reusable {
                tracing::warn!(
                    provider = config.name,
                    max_life = config.max_life,
                    "client assertions of this provider are reusable until they expire, so anyone who reads one can get tokens as that workload"
                );
            }
        }
    }

    /// The state of each provider after the last request for its keys.
    pub(crate) fn status(&self) -> Vec<ProviderStatus> {
        let status = |provider: &Arc<Provider>| {
            let failure = provider.failure.load().as_deref().cloned();
            let asked = !provider.in_vain.load(Ordering::Relaxed);
            let failure = match (failure, asked) {
                (None, false) => Some("its keys were not fetched yet".to_owned()),
                (failure, _) => failure,
            };
            let keys = provider.keys.load();
            provider.described(keys.as_deref().map_or(0, KeySet::len), failure)
        };
        self.0.iter().map(status).collect()
    }

    /// The names of the providers without a usable key.
    pub(crate) fn without_keys(&self) -> impl Iterator<Item = &str> {
        let without = |keys: &Option<Arc<KeySet>>| keys.as_ref().is_none_or(|keys| keys.is_empty());
        self.0
            .iter()
            .filter(move |provider| without(&provider.keys.load()))
            .map(|provider| provider.config.name.as_str())
    }
}

/// Fetches the keys of providers once, and returns the state of each. This takes at most 15 seconds.
///
/// # Errors
/// [`reqwest::Error`] if the system has no readable certificates.
pub async fn probe_providers(
    configs: &[ProviderConfig],
) -> Result<Vec<ProviderStatus>, reqwest::Error> {
    let providers = Providers::new(configs)?;
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let probe = |provider: &Arc<Provider>| {
        let (provider, places) = (Arc::clone(provider), Arc::clone(&places));
        tokio::spawn(timeout(PROBE, async move {
            let _place = places.acquire().await;
            provider.published().await
        }))
    };
    // All probes are started before the first is awaited, so that slow providers are awaited together.
    let probes: Vec<_> = providers.0.iter().map(probe).collect();
    let mut found = Vec::with_capacity(probes.len());
    for (provider, probe) in providers.0.iter().zip(probes) {
        let (keys, failure) = match probe.await {
            Ok(Ok(Ok(keys))) => (keys.len(), None),
            Ok(Ok(Err(reason))) => (0, Some(shown(&reason, MAX_REASON))),
            Ok(Err(_)) => (0, Some(format!("no answer within {} s", PROBE.as_secs()))),
            // The task panicked; the panic is in the log.
            Err(_) => (0, Some("an internal error".to_owned())),
        };
        found.push(provider.described(keys, failure));
    }
    Ok(found)
}

impl Assertion {
    /// Returns true if the token may be used as a client assertion more than once.
    ///
    /// # Errors
    /// [`AssertionError::Claim`] if the provider allows reuse, but the token has no `iat`, so that its whole
    /// lifetime cannot be checked, or has further audiences, which could use it here.
    pub(crate) fn is_reusable(&self) -> Result<bool, AssertionError> {
        if self.assertions == Assertions::OneTime {
            return Ok(false);
        }
        if !self.claims.contains_key("iat") {
            return Err(AssertionError::Claim("iat"));
        }
        match self.claims.get("aud") {
            Some(Value::Array(many)) if many.len() != 1 => Err(AssertionError::Claim("aud")),
            _ => Ok(true),
        }
    }
}

impl Provider {
    async fn verify(
        self: &Arc<Self>,
        jwt: Jwt<'_>,
        now: Timestamp,
    ) -> Result<Assertion, AssertionError> {
        // A token that chose its own algorithm could be "signed" with a public key as an HMAC secret.
        if !self.config.algorithms.contains(&jwt.header.alg) {
            return Err(AssertionError::Algorithm);
        }
        self.verify_signature(&jwt, now).await?;
        self.assertion(jwt.claims, now)
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
        // `sub` names the caller in the audit and the log, where a line break could forge an entry.
        let named = |sub: &str| (1..=512).contains(&sub.len()) && !sub.contains(char::is_control);
        if !text("sub").is_some_and(named) {
            return Err(AssertionError::Claim("sub"));
        }
        let time = |name| time(&claims, name);
        let end = time("exp")?.ok_or(AssertionError::Claim("exp"))?;
        let begin = [time("iat")?, time("nbf")?];
        if now >= end.plus(SKEW) || begin.iter().flatten().any(|begin| *begin > now.plus(SKEW)) {
            return Err(AssertionError::Time);
        }
        // The earlier of `iat` and `nbf`: a late `nbf` must not make a long lifetime look short.
        let begin = begin.into_iter().flatten().min();
        if end.since(begin.unwrap_or(now)) > self.config.max_life {
            return Err(AssertionError::Life);
        }
        let jti = text("jti").filter(|jti| !jti.is_empty()).map(str::to_owned);
        Ok(Assertion {
            provider: self.config.name.clone(),
            jti,
            // A restored store refuses one-time JWTs that may be older than the restore. So a JWT without `iat` and
            // `nbf` counts as issued at the earliest possible time.
            begin: begin.unwrap_or(end.minus(self.config.max_life)),
            end: end.plus(SKEW),
            one_time: self.config.one_time,
            assertions: self.config.assertions,
            claims,
        })
    }

    /// Verifies a signature with the known keys, or with those that the provider publishes now.
    async fn verify_signature(
        self: &Arc<Self>,
        jwt: &Jwt<'_>,
        now: Timestamp,
    ) -> Result<(), AssertionError> {
        let known = self.keys.load_full();
        let Err(error) = signed(known.as_deref(), jwt) else {
            return Ok(());
        };
        let asked = self.ask(jwt, &error, now).await;
        let keys = self.keys.load_full();
        let same = match (&known, &keys) {
            (Some(known), Some(keys)) => Arc::ptr_eq(known, keys),
            (known, keys) => known.is_none() && keys.is_none(),
        };
        match if same {
            Err(error)
        } else {
            signed(keys.as_deref(), jwt)
        } {
            // The provider may have published this key in the meantime, so the caller is told to try again.
            Err(AssertionError::UnknownKey) if !asked || self.in_vain.load(Ordering::Relaxed) => {
                Err(AssertionError::Unreachable)
            }
            verified => verified,
        }
    }

    /// Fetches the provider's keys because no known key verifies a JWT, unless they were fetched less than
    /// [`COOL_DOWN`] seconds ago. Returns false if too many callers already wait for the answer.
    async fn ask(self: &Arc<Self>, jwt: &Jwt<'_>, why: &AssertionError, now: Timestamp) -> bool {
        let Ok(_place) = self.waiting.try_acquire() else {
            return false;
        };
        let mut asked = self.asked.lock().await;
        // Anyone can send a JWT with an unknown key, and this must not make the issuer flood the provider. After the
        // clock was set back, `now < last`, and keys must still be fetched.
        let rested = |last: Timestamp| now < last || now.since(last) >= COOL_DOWN;
        if asked.is_none_or(rested) {
            *asked = Some(now);
            tracing::warn!(
                provider = self.config.name,
                kid = shown(jwt.header.kid.as_deref().unwrap_or_default(), MAX_SHOWN),
                alg = ?jwt.header.alg,
                %why,
                "no known key verifies a JWT, so the keys of its provider are fetched again"
            );
            let provider = Arc::clone(self);
            // A task of its own, so that a caller that hangs up does not cancel the fetch for the others.
            let _ = tokio::spawn(async move { provider.fetch().await }).await;
        }
        true
    }

    /// Fetches the provider's keys. If that fails, the last ones stay in use.
    async fn fetch(&self) {
        let published = self.published().await;
        self.in_vain.store(published.is_err(), Ordering::Relaxed);
        match published {
            Ok(keys) => {
                keys.log(&self.config.name, self.keys.load().as_deref());
                if keys.is_empty() {
                    tracing::warn!(
                        provider = self.config.name,
                        "the provider publishes no usable key, so its tokens are refused"
                    );
                }
                self.keys.store(Some(Arc::new(keys)));
                self.failure.store(None);
            }
            Err(reason) => {
                // The reason may quote text of the provider, so it is cut and escaped.
                let reason = shown(&reason, MAX_REASON);
                tracing::warn!(
                    provider = self.config.name,
                    reason,
                    "cannot fetch the keys of a provider"
                );
                self.failure.store(Some(Arc::new(reason)));
            }
        }
    }

    fn described(&self, keys: usize, failure: Option<String>) -> ProviderStatus {
        ProviderStatus {
            name: self.config.name.clone(),
            issuer: self.config.issuer.clone(),
            reachable: failure.is_none(),
            keys: keys as u64,
            failure,
        }
    }

    async fn published(&self) -> Result<KeySet, String> {
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
                    json::from_slice(&text).map_err(|error| error.to_string())?;
                // OpenID Connect Discovery 1.0, section 4.3, demands the same issuer, byte for byte.
                if discovery.issuer != self.config.issuer {
                    return Err("its configuration names another issuer".to_owned());
                }
                discovery.jwks_uri
            }
        };
        let text = self.get(&uri).await?;
        KeySet::parse(&text)
            .map_err(|error| format!("its answer is not a JSON Web Key Set ({error})"))
    }

    async fn get(&self, uri: &str) -> Result<Vec<u8>, String> {
        let url = SafeUrl::parse(uri).map_err(|error| format!("an address of its {error}"))?;
        // The error of `reqwest` names the address for the log.
        let mut response = self
            .http
            .request(Method::GET, &url)
            .header("accept", "application/json")
            .send()
            .await
            .and_then(reqwest::Response::error_for_status)
            .map_err(|error| with_causes(&error))?;
        if !response.status().is_success() {
            return Err(format!("it answered {}", response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response
            .chunk()
            .await
            .map_err(|error| with_causes(&error))?
        {
            if body.len().saturating_add(chunk.len()) > MAX_DOCUMENT {
                return Err(format!("it answered with over {MAX_DOCUMENT} bytes"));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }
}

/// The text of an error with all its causes. The last cause names details such as an untrusted certificate.
fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

/// Verifies the signature of a JWT with the keys of a set.
fn signed(keys: Option<&KeySet>, jwt: &Jwt<'_>) -> Result<(), AssertionError> {
    let keys = keys.ok_or(AssertionError::UnknownKey)?;
    keys.signer(jwt).map(|_| ())
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider")
            .field("name", &self.config.name)
            .field("issuer", &self.config.issuer)
            .finish_non_exhaustive()
    }
}
