//! Settings that the keyset states.

use serde::{Deserialize, Serialize};

/// The request to set what the keyset states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetKeysetRequest {
    /// The URL at which verifiers find the revocations.
    pub revocation_url: String,
}

/// The keyset after a change of what it states.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeysetSetting {
    /// The URL at which verifiers find the revocations.
    pub revocation_url: String,
    /// The version of the keyset that states it.
    pub keyset_version: u64,
    /// True if it was another one before.
    pub changed: bool,
}
