//! The caller of a request: an agent, and the principal on whose authority it acts.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// The name of [`ClaimSource::Client`] in files. No provider can have this name.
pub(super) const CLIENT: &str = "client";

/// The claim of a registered client that lists the profiles open to it.
const REGISTERED_PROFILES: &str = "profiles";

/// The caller that requests a token. Code that creates this value must have authenticated both parties.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Caller {
    /// The agent that is to act: a registered client, or the subject of an actor token or a client assertion.
    pub agent: CallerParty,
    /// The principal on whose authority the agent acts, if there is a subject token.
    #[serde(default)]
    pub principal: Option<CallerParty>,
}

/// One party of a request, with its claims.
///
/// The claims of a registered client come from its registration: `client` is its name, `profiles` lists the
/// profiles that it may use, and the others are its further registered claims.
#[derive(Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CallerParty {
    /// The source that vouches for the claims.
    pub source: ClaimSource,
    /// The claims, by name. Their values may be secret.
    pub claims: Map<String, Value>,
}

impl CallerParty {
    /// Returns the claim at a path of member names.
    pub(super) fn claim(&self, path: &[String]) -> Option<&Value> {
        let (first, rest) = path.split_first()?;
        rest.iter()
            .try_fold(self.claims.get(first)?, |value, name| value.get(name))
    }

    /// Returns true if a party may use a profile according to its registration. This applies to registered
    /// clients only; for other parties, whose claims have no such list, the result is always true.
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
    /// Shows only the names of claims, not their values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallerParty")
            .field("source", &self.source)
            .field("claims", &self.claims.keys().collect::<Vec<_>>())
            .finish_non_exhaustive()
    }
}

/// A source that vouches for the claims of a party.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub enum ClaimSource {
    /// This issuer, where the client is registered. The name in files is `client`.
    Client,
    /// The identity provider with this configured name.
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
