//! Limits that a profile sets on the lifetime of its tokens and on the rate of its use.

use serde::{Deserialize, Serialize};

/// The range of lifetimes that a profile's tokens may have, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// The minimum.
    pub min: u64,
    /// The lifetime of a token if the request states none.
    pub default: u64,
    /// The maximum.
    pub max: u64,
}

/// The rate at which one caller may use a profile. The service that answers callers enforces it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Average number of requests per minute.
    pub per_minute: u32,
    /// Maximum number of requests that may arrive at once.
    pub burst: u32,
}
