//! Clients: agents that authenticate with a secret.

use std::fmt;

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// A client, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// Its name: the `client_id`.
    pub name: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims for profiles to match.
    pub claims: Map<String, Value>,
    /// Time of its registration.
    pub created_at: Timestamp,
    /// Time from which it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Its secrets, without their values.
    pub secrets: Vec<ClientSecretInfo>,
}

/// A client's secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecretInfo {
    /// The part before the dot.
    pub id: String,
    /// Time at which it was made.
    pub created_at: Timestamp,
    /// Time at which it expires; absent if it does not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A client to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterClientRequest {
    /// Its name.
    pub name: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims for profiles to match.
    #[serde(default)]
    pub claims: Map<String, Value>,
}

/// The request of another secret for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateClientRequest {
    /// Time for which its earlier secrets stay valid, in seconds.
    #[serde(default = "overlap")]
    pub overlap: u64,
}

/// The default overlap, which leaves time to distribute the new secret.
fn overlap() -> u64 {
    3_600
}

/// A client and its new secret, which is shown only once.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientWithSecret {
    /// The client.
    pub client: RegisteredClient,
    /// The secret.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for ClientWithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientWithSecret")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
