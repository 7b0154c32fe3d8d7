//! Revocations, and the request to revoke.

use bailiwick_token::{
    claims::TokenId,
    revocation::{Party, Target, Watermark, WatermarkError},
    timestamp::Timestamp,
};
use serde::{Deserialize, Serialize};

/// A revoked target. Exactly one of `token`, `block`, `agent`, `principal` and `tenant` is present.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokedEntry {
    /// All tokens of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The block with this signature, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<String>,
    /// Time at which the target expires on its own, in seconds since 1970; absent if it never does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<u64>,
    /// For a party: tokens issued before this time are revoked, in seconds since 1970.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<u64>,
    /// All tokens on this principal's authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The reason, for people. It is not sent to verifiers.
    pub reason: String,
    /// Time from which the target is revoked.
    pub revoked_at: Timestamp,
    /// Number of the entry in the history of revocations.
    pub seq: u64,
    /// All tokens in this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The token with this id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenId>,
}

/// A query for the page of revocations that follows an entry.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevocationsQuery {
    /// The `seq` of the last entry of the previous page.
    #[serde(default)]
    pub after: u64,
}

/// A request to revoke targets of any kinds. Either all are revoked or none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// Ids of the tokens to revoke.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tokens: Vec<TokenId>,
    /// Signatures of the blocks to revoke, in hexadecimal digits.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub blocks: Vec<String>,
    /// The token that the blocks belong to, for the audit. The issuer does not know blocks and cannot check this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub of_token: Option<TokenId>,
    /// Agents whose tokens are all revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub agents: Vec<String>,
    /// Principals: all tokens on their authority are revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub principals: Vec<String>,
    /// Tenants: all tokens in them are revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tenants: Vec<String>,
    /// For agents, principals and tenants: only tokens issued before this time are revoked. The default is now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub issued_before: Option<Timestamp>,
    /// Expiry time of those tokens and blocks that this issuer did not mint.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires: Option<Timestamp>,
    /// The reason, on one line.
    pub reason: String,
}

impl RevokeRequest {
    /// Returns the targets, in the order tokens, blocks, agents, principals, tenants.
    ///
    /// # Errors
    /// [`TargetsError`].
    pub fn targets(&self, now: Timestamp) -> Result<Vec<Target>, TargetsError> {
        let mut targets: Vec<Target> = self.tokens.iter().copied().map(Target::Token).collect();
        for block in &self.blocks {
            let mut signature = [0; 64];
            hex::decode_to_slice(block, &mut signature).map_err(|_| TargetsError::Block)?;
            targets.push(Target::Block(signature));
        }
        // Times are whole seconds. The added one also revokes tokens that were issued in the current second.
        let before = self.issued_before.unwrap_or(now.plus(1));
        for (party, names) in [
            (Party::Agent, &self.agents),
            (Party::Principal, &self.principals),
            (Party::Tenant, &self.tenants),
        ] {
            for name in names {
                targets.push(Target::Watermark(Watermark::new(party, name, before)?));
            }
        }
        match targets.is_empty() {
            true => Err(TargetsError::None),
            false => Ok(targets),
        }
    }
}

/// The error of a [`RevokeRequest`] that names no target or an invalid one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetsError {
    /// A block's signature is malformed.
    #[error(
        "a block must be named by its signature; write the 128 hexadecimal digits that `token inspect` shows as its revocation id"
    )]
    Block,
    /// An agent, principal or tenant has a name that no token can carry.
    #[error(transparent)]
    Party(#[from] WatermarkError),
    /// The request names no target.
    #[error(
        "the request names nothing to revoke; name at least one token, block, agent, principal or tenant"
    )]
    None,
}

/// The result of revoking one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevokeResult {
    /// The target, as text.
    pub target: String,
    /// The effect on the target.
    pub outcome: RevokedOutcome,
    /// Time from which the target is revoked.
    pub revoked_at: Timestamp,
    /// Time at which the entry is removed; absent if it is kept forever.
    pub expires: Option<Timestamp>,
    /// True if this issuer minted the token, or any token of the agent or principal. If not, the target may be a typing
    /// error. Always false for blocks, which the issuer does not know, and always true for tenants.
    pub minted_here: bool,
}

/// The outcome of revoking one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RevokedOutcome {
    /// The target is newly revoked.
    Revoked,
    /// The target was revoked before; the revocation now lasts longer or covers more tokens.
    Extended,
    /// The target was revoked before, and nothing changed.
    AlreadyRevoked,
    /// The target expired days ago, and nothing changed.
    AlreadyExpired,
}
