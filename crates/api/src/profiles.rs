//! Summaries of profiles.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A profile: the callers that may use it, and the limits of its tokens. It reveals nothing about any caller.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileSummary {
    /// Name of the profile.
    pub name: String,
    /// Purpose of the profile, in words.
    pub description: Option<String>,
    /// The source that vouches for the agent: `client`, or the name of an identity provider.
    pub agent: String,
    /// The source that vouches for the principal; absent if the profile excludes a principal.
    pub principal: Option<String>,
    /// The values that the profile takes from claims.
    pub params: Vec<ProfileParam>,
    /// The services for which the profile has grants.
    pub services: BTreeSet<String>,
    /// The lifetime of the profile's tokens.
    pub ttl: TokenLife,
    /// Maximum number of blocks that holders may append; absent if unlimited.
    pub max_depth: Option<u32>,
    /// The rate at which one caller may use the profile.
    pub rate: Option<MintRate>,
}

/// A parameter of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProfileParam {
    /// Name of the parameter.
    pub name: String,
    /// The claim that supplies the value.
    pub claim: String,
    /// The type that the claim must have.
    #[serde(rename = "type")]
    pub kind: String,
}

/// The range of lifetimes that a profile's tokens may have, in seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenLife {
    /// The minimum.
    pub min: u64,
    /// The lifetime of a token whose request states none.
    pub default: u64,
    /// The maximum.
    pub max: u64,
}

/// The rate at which one caller may use a profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintRate {
    /// Requests per minute in the long run.
    pub per_minute: u32,
    /// Requests that may arrive at once.
    pub burst: u32,
}
