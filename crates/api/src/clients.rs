//! Clients of the issuer: agents that authenticate with a secret or a key.

use std::fmt;

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use zeroize::Zeroizing;

/// A client, without its secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegisteredClient {
    /// The client's name, which is its `client_id`.
    pub name: String,
    /// The principal on whose authority the client acts.
    pub principal: String,
    /// The profiles that the client may use.
    pub profiles: Vec<String>,
    /// Further claims for profiles to match.
    pub claims: Map<String, Value>,
    /// Time of registration.
    pub created_at: Timestamp,
    /// Time from which the client is refused; absent unless it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// The client's secrets, without their values.
    pub secrets: Vec<ClientSecretInfo>,
    /// The client's public keys, oldest first.
    #[serde(default)]
    pub keys: Vec<ClientKeyInfo>,
}

/// A public key by which a client signs its own assertions (RFC 7523).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKeyInfo {
    /// The beginning of the key's SHA-256 thumbprint (RFC 7638), in hex.
    pub id: String,
    /// The key as a JSON Web Key (RFC 7517).
    pub jwk: Map<String, Value>,
    /// Time of registration.
    pub created_at: Timestamp,
}

/// A client's secret, without its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientSecretInfo {
    /// The part of the secret before the dot.
    pub id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Expiry time; absent if the secret never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A request to register a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegisterClientRequest {
    /// The client's name.
    pub name: String,
    /// The principal on whose authority the client acts.
    pub principal: String,
    /// The profiles that the client may use.
    pub profiles: Vec<String>,
    /// Further claims for profiles to match.
    #[serde(default)]
    pub claims: Map<String, Value>,
    /// The client's public keys as JSON Web Keys (RFC 7517). A client with keys gets no secret.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub keys: Vec<Map<String, Value>>,
}

/// A newly registered client, with its first secret if it has one.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientRegistration {
    /// The client's registration.
    pub client: RegisteredClient,
    /// The secret, which is shown only once; absent if the client was registered with keys.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secret: Option<Zeroizing<String>>,
}

impl fmt::Debug for ClientRegistration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientRegistration")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}

/// A request to add public keys to a client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AddClientKeysRequest {
    /// The keys as JSON Web Keys (RFC 7517).
    pub keys: Vec<Map<String, Value>>,
}

/// A request to make a new secret for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RotateClientRequest {
    /// Time for which the earlier secrets stay valid, in seconds.
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
    /// The client's registration.
    pub client: RegisteredClient,
    /// The new secret.
    pub secret: Zeroizing<String>,
}

impl fmt::Debug for ClientWithSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientWithSecret")
            .field("client", &self.client)
            .finish_non_exhaustive()
    }
}
