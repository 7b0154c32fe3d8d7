//! Who may act, for whom, from when until when: the authority block without its grants.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// The longest name of an agent, a principal or a tenant, in bytes, wherever one stands: in a token, a
/// profile, a client's registration or a watermark. So a watermark can name whatever was minted.
pub const MAX_NAME: usize = 512;

/// The longest text of any other claim, in bytes, wherever one stands.
pub const MAX_TEXT: usize = 1024;

/// The most further claims.
pub const MAX_CLAIMS: usize = 32;

/// Returns whether a text can name an agent, a principal or a tenant: 1 to [`MAX_NAME`] bytes without
/// control characters.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control)
}

/// The descriptive facts and the limits in time that an issuer signs into the authority block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer's URL, as in its keyset.
    pub issuer: String,
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The agent that may act.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// What the token was minted for, in words.
    pub task: Option<String>,
    /// Further claims by name.
    pub claims: BTreeMap<String, String>,
    /// When the token was minted.
    pub issued_at: Timestamp,
    /// The first second of its life.
    pub not_before: Timestamp,
    /// The first second after its life.
    pub expires: Timestamp,
    /// How many blocks may be appended, where that is limited.
    pub max_depth: Option<u32>,
}

/// The random identity of a token, 16 bytes; 32 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 16]);

impl TokenId {
    /// From its 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> TokenId {
        TokenId(bytes)
    }

    /// Its 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The text is not a token id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a token id: 32 lower-case hexadecimal digits are expected")]
pub struct TokenIdError;

impl FromStr for TokenId {
    type Err = TokenIdError;

    fn from_str(text: &str) -> Result<TokenId, TokenIdError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| TokenIdError)?;
        // One id, one text.
        let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
        lower.then_some(TokenId(bytes)).ok_or(TokenIdError)
    }
}

impl fmt::Display for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

impl fmt::Debug for TokenId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Serialize for TokenId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for TokenId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}
