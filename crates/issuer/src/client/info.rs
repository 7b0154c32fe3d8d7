//! A client as it is registered.

use bailiwick_token::{text::is_path_segment, timestamp::Timestamp};
use serde::{Deserialize, Serialize};

/// The longest name of a client, in bytes.
pub(super) const MAX_CLIENT_NAME: usize = 128;

/// A client as people and programs see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientInfo {
    /// Its name: the `client_id`.
    pub name: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims, for profiles to look at.
    pub claims: serde_json::Map<String, serde_json::Value>,
    /// When it was registered.
    pub created_at: Timestamp,
    /// Since when it is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled_at: Option<Timestamp>,
    /// Its secrets, without what is secret in them.
    pub secrets: Vec<SecretInfo>,
}

/// A secret, without what is secret in it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretInfo {
    /// The part before the dot.
    pub id: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends; not by itself, where it is absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
}

/// A client to be registered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewClient {
    /// Its name.
    pub name: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The profiles that it may use.
    pub profiles: Vec<String>,
    /// Further claims, for profiles to look at.
    #[serde(default)]
    pub claims: serde_json::Map<String, serde_json::Value>,
}

/// RFC 6749, appendix A: visible ASCII; a colon would end it in HTTP Basic. Operators name it in URLs.
pub(super) fn is_client_name(name: &str) -> bool {
    let named = |c: char| c.is_ascii_graphic() && c != ':';
    // A slash would also make it what the audit calls a provider's subject.
    (1..=MAX_CLIENT_NAME).contains(&name.len()) && name.chars().all(named) && is_path_segment(name)
}
