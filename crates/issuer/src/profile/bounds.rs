//! Bounds that a profile sets: how long its tokens live, and how often it is used.

use serde::{Deserialize, Serialize};

/// The life of a profile's tokens, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ttl {
    /// At least so long.
    pub min: u64,
    /// So long, where nothing is asked for.
    pub default: u64,
    /// At most so long.
    pub max: u64,
}

/// The rate at which one caller may use a profile. The service that answers callers holds them to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// So many requests a minute in the long run.
    pub per_minute: u32,
    /// So many at once.
    pub burst: u32,
}
