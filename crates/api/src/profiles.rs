//! Profiles, for a list.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A profile: which callers it is for, and the bounds of its tokens. It holds nothing of any caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSummary {
    /// Its name.
    pub name: String,
    /// Its purpose, in words.
    pub description: Option<String>,
    /// The source that vouches for the agent: `client`, or the name of an identity provider.
    pub agent: String,
    /// The source that vouches for the principal; absent where there must be none.
    pub principal: Option<String>,
    /// The values that it takes from claims.
    pub params: Vec<ProfileParam>,
    /// The services that it grants anything at.
    pub services: BTreeSet<String>,
    /// The life of its tokens.
    pub ttl: TokenLife,
    /// The most blocks that may be appended, where that is limited.
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
    /// The type that the claim has to be of.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The life of a profile's tokens, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLife {
    /// The shortest.
    pub min: u64,
    /// The life where nothing is asked for.
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
