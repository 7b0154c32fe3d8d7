//! Requests for tokens.

use std::collections::BTreeMap;

use bailiwick_token::grant::Grants;

/// A request for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct MintRequest {
    /// The agent that is to act.
    pub agent: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The tenant in which it acts.
    pub tenant: Option<String>,
    /// The task, as free text.
    pub task: Option<String>,
    /// Further claims by name.
    pub claims: BTreeMap<String, String>,
    /// The grants.
    pub grants: Grants,
    /// The token's life in seconds: 1 to the issuer's `max_token_ttl`.
    pub ttl: u64,
    /// Maximum number of blocks that may be appended. `None` sets no limit.
    pub max_depth: Option<u32>,
    /// The profile under which it was requested, for the audit.
    pub profile: Option<String>,
}
