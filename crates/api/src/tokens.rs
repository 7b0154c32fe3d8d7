//! Tokens with explicit grants: `POST /v1/tokens`.

use std::{collections::BTreeMap, fmt};

use bailiwick_token::{claims::TokenId, key::KeyId, timestamp::Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A request for a token. An agent gets grants within its profile; an operator states `agent`, `principal`,
/// `ttl` and `grants` itself.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MintTokenRequest {
    /// The profile. By default, the only one that the caller may use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The JWT of the principal on whose authority the agent acts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject_token: Option<Zeroizing<String>>,
    /// A client assertion, instead of HTTP Basic.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub client_assertion: Option<Zeroizing<String>>,
    /// Grants within those of the profile, as JSON of at most [`MAX_GRANTS`](crate::MAX_GRANTS) bytes. They
    /// stay text here, since parsing them may take long.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grants: Option<Box<RawValue>>,
    /// Services at which the token shall have grants. By default, all services of the profile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<Vec<String>>,
    /// The life in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ttl: Option<u64>,
    /// The task, in words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Maximum number of times that it may be narrowed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_depth: Option<u32>,
    /// The agent, if an operator asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agent: Option<String>,
    /// The principal, if an operator asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The tenant, if an operator asks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<String>,
    /// Further claims, if an operator asks.
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

/// A minted token and its record.
#[derive(Clone, Serialize, Deserialize)]
pub struct MintedToken {
    /// The token as base64url, which is a secret of its holder.
    pub token: Zeroizing<String>,
    /// The profile that it was minted under, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub profile: Option<String>,
    /// The record.
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

/// The record of a minted token. It holds no secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct MintReceipt {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The root key that signed it.
    pub key: KeyId,
    /// The issuer.
    pub issuer: String,
    /// The agent.
    pub agent: String,
    /// The principal on whose authority it acts.
    pub principal: String,
    /// Time at which the request for it arrived.
    pub issued_at: Timestamp,
    /// The first second of its life.
    pub not_before: Timestamp,
    /// The first second after its life.
    pub expires: Timestamp,
    /// The row of the audit.
    pub audit_seq: u64,
}
