//! Tokens that were minted, and their records.

use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    timestamp::{SKEW, Timestamp},
    token::Token,
};
use serde::{Deserialize, Serialize};

/// A token, and what is known of it.
#[derive(Debug, Clone)]
pub struct Minted {
    /// The token: a secret of whoever holds it.
    pub token: Token,
    /// The record of its mint.
    pub receipt: Receipt,
}

/// The record of a mint. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Receipt {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed it.
    pub key: KeyId,
    /// The issuer.
    pub issuer: String,
    /// The agent.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// When it was minted.
    pub issued_at: Timestamp,
    /// The first second of its life, [`SKEW`] before it was minted: a verifier whose clock is
    /// late accepts it at once.
    pub not_before: Timestamp,
    /// The first second after its life.
    pub expires: Timestamp,
    /// The row of the audit.
    pub audit_seq: u64,
}

impl Receipt {
    /// The receipt of a token, for the caller that asked for it.
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

/// A token as the issuer remembers it. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TokenInfo {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed it.
    pub key: KeyId,
    /// The agent.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The tenant it acts in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The client or operator that asked for it.
    pub actor: String,
    /// When it was minted.
    pub issued_at: Timestamp,
    /// The first second after its life.
    pub expires: Timestamp,
    /// The row of the audit.
    pub audit_seq: u64,
}
