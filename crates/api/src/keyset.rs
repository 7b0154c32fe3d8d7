//! Changes of the settings that the keyset publishes.

use serde::{Deserialize, Serialize};

/// A request to change a setting that the keyset publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetKeysetRequest {
    /// The URL at which verifiers find the revocations.
    pub revocation_url: String,
}

/// The keyset's setting after the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetSetting {
    /// The URL at which verifiers find the revocations.
    pub revocation_url: String,
    /// Version of the first keyset with this setting.
    pub keyset_version: u64,
    /// True if the URL was different before.
    pub changed: bool,
    /// The URL at which a service of this issuer serves the revocations; present if the setting names the issuer's own
    /// host and another path there, which may be a typing error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usual_url: Option<String>,
}
