//! The claims of a token: its authority block without the grants.

use std::{collections::BTreeMap, fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::timestamp::Timestamp;

/// Maximum length of the name of an agent, a principal or a tenant, in bytes. Tokens, profiles, client
/// registrations and watermarks share this limit, so a watermark can name any party of a minted token.
pub const MAX_NAME: usize = 512;

/// Maximum length of the text of any other claim, in bytes.
pub const MAX_TEXT: usize = 1024;

/// Maximum number of claims other than those that the profile defines.
pub const MAX_CLAIMS: usize = 32;

/// Returns true if a text can name an agent, a principal or a tenant: 1 to [`MAX_NAME`] bytes without
/// control characters.
#[must_use]
pub fn is_name(text: &str) -> bool {
    (1..=MAX_NAME).contains(&text.len()) && !text.contains(char::is_control)
}

/// The descriptive facts and time limits that an issuer signs into the authority block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// The issuer's URL, as in its keyset.
    pub issuer: String,
    /// The token's id, for revocation and audit.
    pub token_id: TokenId,
    /// The agent that may act.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// The tenant in which the agent acts.
    pub tenant: Option<String>,
    /// The purpose for which the token was minted, in words.
    pub task: Option<String>,
    /// Further claims, by name.
    pub claims: BTreeMap<String, String>,
    /// Time of issue. For a token that an issuer minted, the time at which the request for it arrived.
    pub issued_at: Timestamp,
    /// The first second in which the token is valid.
    pub not_before: Timestamp,
    /// The first second in which the token is no longer valid.
    pub expires: Timestamp,
    /// Maximum number of blocks that holders may append; `None` if unlimited.
    pub max_depth: Option<u32>,
}

/// The random id of a token: 16 bytes, or 32 lower-case hexadecimal digits as text.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TokenId([u8; 16]);

impl TokenId {
    /// Makes an id from its 16 bytes.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 16]) -> TokenId {
        TokenId(bytes)
    }

    /// Returns the id's 16 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// The error of a text that is not a token id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a token id; write 32 lower-case hexadecimal digits")]
pub struct TokenIdError;

impl FromStr for TokenId {
    type Err = TokenIdError;

    fn from_str(text: &str) -> Result<TokenId, TokenIdError> {
        let mut bytes = [0; 16];
        hex::decode_to_slice(text, &mut bytes).map_err(|_| TokenIdError)?;
        // `hex` reads both cases; an id has one text, so that texts can be compared.
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
