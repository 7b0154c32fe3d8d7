//! What is to be minted.

use std::collections::BTreeMap;

use bailiwick_token::grant::Grants;

/// What a token is asked for.
#[derive(Debug, Clone, PartialEq)]
pub struct MintRequest {
    /// The agent that may act.
    pub agent: String,
    /// On whose authority.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// What for, in words.
    pub task: Option<String>,
    /// Further claims by name.
    pub claims: BTreeMap<String, String>,
    /// What it may do.
    pub grants: Grants,
    /// The token's life in seconds: 1 to the issuer's `max_token_ttl`.
    pub ttl: u64,
    /// How many blocks may be appended, where that is to be limited.
    pub max_depth: Option<u32>,
    /// The profile that it was asked for under, for the audit.
    pub profile: Option<String>,
}
