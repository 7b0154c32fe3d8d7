//! The registration of a client.

use bailiwick_token::{text::is_path_segment, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

use super::{error::MAX_CLIENT_NAME, key::ClientKey};

/// The description of a client for people and programs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Its name: the `client_id`.
    pub name: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims, which profiles can use.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// Time at which it was registered.
    pub created_at: Timestamp,
    /// Time from which it is disabled.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Its secrets, without the secret parts.
    pub secrets: Vec<SecretInfo>,
    /// Its public keys, oldest first.
    #[serde(default)]
    pub keys: Vec<ClientKey>,
}

/// The description of a secret, without the secret part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// The part before the dot.
    pub id: String,
    /// Time at which it was created.
    pub created_at: Timestamp,
    /// Time at which it ends. Without it, the secret does not end by itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A client to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// Its name.
    pub name: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims, which profiles can use.
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// Returns true for a valid name of a client: visible ASCII (RFC 6749, appendix A), without a colon,
/// which would end the name in HTTP Basic, and usable as a segment of a URL's path. No URL is such a name, since every
/// URL has a colon.
#[must_use]
pub fn is_client_name(name: &str) -> bool {
    let named = |c: char| c.is_ascii_graphic() && c != ':';
    // A slash would also make it look like a provider's subject in the audit.
    (1..=MAX_CLIENT_NAME).contains(&name.len()) && name.chars().all(named) && is_path_segment(name)
}
