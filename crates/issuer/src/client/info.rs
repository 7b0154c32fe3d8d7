//! The registration of a client.

use bailiwick_token::{text::is_path_segment, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

use super::{error::MAX_CLIENT_NAME, key::ClientKey};

/// A description of a client, for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// The client's name, which is its `client_id`.
    pub name: String,
    /// The principal on whose authority the client acts.
    pub principal: String,
    /// The profiles that the client may use.
    pub profiles: Vec<String>,
    /// Further claims, which profiles can use.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// Time of registration.
    pub created_at: Timestamp,
    /// Time at which the client was disabled; absent if it is not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// The client's secrets, without the secret parts.
    pub secrets: Vec<SecretInfo>,
    /// The client's public keys, oldest first.
    #[serde(default)]
    pub keys: Vec<ClientKey>,
}

/// A description of a secret, without the secret part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// The part of the secret before the dot.
    pub id: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Expiry time; absent if the secret never expires.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// The registration data of a new client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// The client's name.
    pub name: String,
    /// The principal on whose authority the client acts.
    pub principal: String,
    /// The profiles that the client may use.
    pub profiles: Vec<String>,
    /// Further claims, which profiles can use.
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// Returns true for a valid name of a client: visible ASCII (RFC 6749, appendix A) that can be a segment of a
/// URL's path, without a colon, which would end the name in HTTP Basic. No URL is a valid name, because every
/// URL has a colon.
#[must_use]
pub fn is_client_name(name: &str) -> bool {
    let named = |c: char| c.is_ascii_graphic() && c != ':';
    // A slash would also make the name look like a provider's subject in the audit.
    (1..=MAX_CLIENT_NAME).contains(&name.len()) && name.chars().all(named) && is_path_segment(name)
}
