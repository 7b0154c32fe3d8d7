//! Summaries of profiles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A profile: the callers that it is for, and the limits of its tokens. It holds nothing of any caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSummary {
    /// Its name.
    pub name: String,
    /// Its purpose, in words.
    pub description: Option<String>,
    /// The source that vouches for the agent: `client`, or the name of an identity provider.
    pub agent: String,
    /// The source that vouches for the principal; absent if there must be none.
    pub principal: Option<String>,
    /// The values that it takes from claims.
    pub params: Vec<ProfileParam>,
    /// The services at which it has grants.
    pub services: BTreeSet<String>,
    /// The life of its tokens.
    pub ttl: TokenLife,
    /// Maximum number of blocks that may be appended, if that is limited.
    pub max_depth: Option<u32>,
    /// The rate at which one caller may use it.
    pub rate: Option<MintRate>,
}

/// A parameter of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileParam {
    /// Its name.
    pub name: String,
    /// The claim that it is read from.
    pub claim: String,
    /// The type that the claim must have.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The life of a profile's tokens, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLife {
    /// The shortest.
    pub min: u64,
    /// The life of a token if the request does not ask for one.
    pub default: u64,
    /// The longest.
    pub max: u64,
}

/// The rate at which one caller may use a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintRate {
    /// Requests a minute in the long run.
    pub per_minute: u32,
    /// Requests at once.
    pub burst: u32,
}
