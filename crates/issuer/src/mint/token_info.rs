//! Minted tokens, and the records of their mints.

use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    timestamp::{SKEW, Timestamp},
    token::Token,
};
use serde::{Deserialize, Serialize};

/// A token and the record of its mint.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token, which its holder must keep secret.
    pub token: Token,
    /// The record of the mint.
    pub receipt: Receipt,
}

/// The record of a mint. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The token's id, for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed the token.
    pub key: KeyId,
    /// The issuer's name, usually a URL.
    pub issuer: String,
    /// The agent that may act.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// Time at which the request for the token arrived.
    pub issued_at: Timestamp,
    /// The first second of the token's lifetime, [`SKEW`] before `issued_at`, so that a verifier whose clock is
    /// behind accepts the token at once.
    pub not_before: Timestamp,
    /// The first second in which the token is no longer valid.
    pub expires: Timestamp,
    /// Number of the audit row.
    pub audit_seq: u64,
}

impl Receipt {
    /// Returns the receipt of a token, for the caller that requested it.
    pub(super) fn new(token: &TokenInfo, issuer: String) -> Receipt {
        Receipt {
            token_id: token.token_id,
            key: token.key,
            issuer,
            agent: token.agent.clone(),
            principal: token.principal.clone(),
            issued_at: token.issued_at,
            not_before: token.issued_at.minus(SKEW),
            expires: token.expires,
            audit_seq: token.audit_seq,
        }
    }
}

/// A token's record at the issuer. It contains no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// The token's id, for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed the token.
    pub key: KeyId,
    /// The agent that may act.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// The tenant in which the agent acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The party that asked for the token, as in the audit.
    pub actor: String,
    /// Time at which the request for the token arrived.
    pub issued_at: Timestamp,
    /// The first second in which the token is no longer valid.
    pub expires: Timestamp,
    /// Number of the audit row.
    pub audit_seq: u64,
}
