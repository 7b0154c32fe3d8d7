//! The types of `/v1/tokens`, which mints tokens with explicit grants and lists minted tokens.

use std::{collections::BTreeMap, fmt};

use bailiwick_token::{claims::TokenId, key::KeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A request for a token. An agent gets grants within those of its profile; an operator sets `agent`,
/// `principal`, `ttl` and `grants` freely.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintTokenRequest {
    /// The profile. It may be omitted if the caller may use only one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The JWT of the principal on whose authority the agent acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<Zeroizing<String>>,
    /// A client assertion, instead of HTTP Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<Zeroizing<String>>,
    /// Grants within those of the profile, as JSON of at most [`MAX_GRANTS`](crate::MAX_GRANTS) bytes. They are
    /// kept as text, since parsing them may take long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Box<RawValue>>,
    /// Services for which the token should have grants. By default, all services of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// The lifetime in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// A description of the task.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Maximum number of times that the token may be narrowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u32>,
    /// The agent; only in an operator's request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The principal; only in an operator's request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The tenant; only in an operator's request.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Further claims; only in an operator's request.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub claims: BTreeMap<String, String>,
}

impl fmt::Debug for MintTokenRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintTokenRequest")
            .field("profile", &self.profile)
            .field("agent", &self.agent)
            .field("principal", &self.principal)
            .finish_non_exhaustive()
    }
}

/// A minted token and its receipt.
#[derive(Clone, Serialize, Deserialize)]
pub struct MintedToken {
    /// The token as base64url. It is a secret of its holder.
    pub token: Zeroizing<String>,
    /// The profile that the token was minted under; absent if an operator asked without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The receipt for the mint.
    #[serde(flatten)]
    pub receipt: MintReceipt,
}

impl fmt::Debug for MintedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MintedToken")
            .field("profile", &self.profile)
            .field("receipt", &self.receipt)
            .finish_non_exhaustive()
    }
}

/// The receipt of a minted token. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintReceipt {
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
    /// Time at which the request for it arrived.
    pub issued_at: Timestamp,
    /// The first second in which the token is valid.
    pub not_before: Timestamp,
    /// The first second in which the token is no longer valid.
    pub expires: Timestamp,
    /// The `seq` of the row in the audit log.
    pub audit_seq: u64,
}

/// The query for minted tokens. Each member that is set restricts the answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokensQuery {
    /// Tokens of this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// Tokens on this principal's authority.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// Tokens in this tenant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Tokens that this client fetched: its name, or `PROVIDER/SUBJECT` for a workload of a provider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// Also list tokens that have expired or are revoked. By default, only those that are live.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all: Option<bool>,
    /// The `next` of the previous page, after which this page begins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<TokenId>,
    /// Maximum number of tokens in the answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
}

/// A page of minted tokens, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<TokenStatus>,
    /// The token after which the next page begins; absent on the last page. A page may be empty although
    /// another one follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<TokenId>,
    /// On a first page without tokens: the members of the query whose names nobody on record has, such as `client`.
    /// They may be typing errors.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<String>,
}

/// A minted token, as the issuer remembers it. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TokenStatus {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The state.
    pub state: TokenState,
    /// The agent.
    pub agent: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// The tenant in which it acts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// The client or operator that asked for the token, as the audit names it.
    pub actor: String,
    /// The root key that signed this token.
    pub key: KeyId,
    /// Time at which the request for it arrived.
    pub issued_at: Timestamp,
    /// The first second in which the token is no longer valid.
    pub expires: Timestamp,
    /// The row of the audit.
    pub audit_seq: u64,
}

/// The state of a minted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TokenState {
    /// Neither expired nor known to be revoked. The issuer does not know to which tokens a revoked block belongs.
    Live,
    /// Expired.
    Expired,
    /// Revoked: by its id, by a watermark, or with its root key.
    Revoked,
}
