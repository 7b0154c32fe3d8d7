//! Who asks: an agent, and on whose authority.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of [`ClaimSource::Client`] in files. No provider can have it.
pub(super) const CLIENT: &str = "client";

/// The claim of a registered client that lists the profiles which it may use.
const REGISTERED_PROFILES: &str = "profiles";

/// Who asks for a token. Both parties were authenticated by whoever made this.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The agent that will act: a registered client, or whom an actor token or a client assertion
    /// speaks of.
    pub agent: CallerParty,
    /// On whose authority it acts, where a subject token says so.
    #[serde(default)]
    pub principal: Option<CallerParty>,
}

/// One party of a request, and what is known of it.
///
/// Of a registered client the claims are its registration: `client`, its name, `profiles`, the
/// profiles that it may use, and whatever else it was registered with.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerParty {
    /// Who vouches for the claims.
    pub source: ClaimSource,
    /// The claims by name. Their values can be secret.
    pub claims: Map<String, Value>,
}

impl CallerParty {
    /// The claim at a path of member names.
    pub(super) fn claim(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.claims.get(first)?, |value, name| value.get(name))
    }

    /// Whether a registered client may use a profile; any other party's claims say nothing of that.
    pub(super) fn is_registered_for(&self, profile: &str) -> bool {
        let listed = self
            .claims
            .get(REGISTERED_PROFILES)
            .and_then(Value::as_array);
        self.source != ClaimSource::Client
            || listed.is_some_and(|names| names.iter().any(|name| name == profile))
    }
}

impl fmt::Debug for CallerParty {
    /// Names of claims, and no values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerParty")
            .field("source", &self.source)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// Who vouches for a party's claims.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ClaimSource {
    /// This issuer, where the client is registered. `client` as text.
    Client,
    /// The identity provider that is configured under this name.
    Provider(String),
}

impl From<String> for ClaimSource {
    fn from(name: String) -> ClaimSource {
        match name.as_str() {
            CLIENT => ClaimSource::Client,
            _ => ClaimSource::Provider(name),
        }
    }
}

impl From<ClaimSource> for String {
    fn from(source: ClaimSource) -> String {
        source.to_string()
    }
}

impl fmt::Display for ClaimSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClaimSource::Client => f.write_str(CLIENT),
            ClaimSource::Provider(name) => f.write_str(name),
        }
    }
}
