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
}
