//! Requests for tokens.

use std::collections::BTreeMap;

use bailiwick_token::grant::Grants;

/// A request for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct MintRequest {
    /// The agent that may act.
    pub agent: String,
    /// On whose authority.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// The task, in words.
    pub task: Option<String>,
    /// Further claims by name.
    pub claims: BTreeMap<String, String>,
    /// The grants.
    pub grants: Grants,
    /// The token's life in seconds: 1 to the issuer's `max_token_ttl`.
    pub ttl: u64,
    /// The most blocks that may be appended; `None` sets no limit.
    pub max_depth: Option<u32>,
    /// The profile that it was asked for under, for the audit.
    pub profile: Option<String>,
}
