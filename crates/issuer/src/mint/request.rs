//! Requests for tokens.

use std::collections::BTreeMap;

use bailiwick_token::grant::Grants;

/// A request for a token.
#[derive(Debug, Clone, PartialEq)]
pub struct MintRequest {
    /// The agent that is to act.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// The tenant in which the agent acts.
    pub tenant: Option<String>,
    /// A description of the task.
    pub task: Option<String>,
    /// Further claims, by name.
    pub claims: BTreeMap<String, String>,
    /// The grants of the token.
    pub grants: Grants,
    /// The token's lifetime in seconds: 1 to the issuer's `max_token_ttl`.
    pub ttl: u64,
    /// Maximum number of blocks that holders may append; `None` if unlimited.
    pub max_depth: Option<u32>,
    /// The profile of the request, for the audit log.
    pub profile: Option<String>,
}
