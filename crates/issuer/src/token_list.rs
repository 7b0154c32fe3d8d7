//! Lists of minted tokens, by party.

mod revoked;
mod verbs;

pub use verbs::TokenListError;

use bailiwick_token::claims::TokenId;

use crate::mint::TokenInfo;

/// Maximum number of tokens in one page.
pub const MAX_TOKENS: u32 = 1_000;

/// A filter of minted tokens. A token has to match every field that is set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TokenFilter {
    /// Tokens of this agent.
    pub agent: Option<String>,
    /// Tokens on this principal's authority.
    pub principal: Option<String>,
    /// Tokens in this tenant.
    pub tenant: Option<String>,
    /// Tokens that one of these actors asked for, as the audit names them. An empty list stands for all actors.
    pub actors: Vec<String>,
    /// Also list tokens that have expired or are revoked.
    pub all: bool,
    /// The token after which the page begins.
    pub after: Option<TokenId>,
    /// Maximum number of tokens, at most [`MAX_TOKENS`].
    pub limit: u32,
}

/// A page of minted tokens, the latest first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct TokenPage {
    /// The tokens.
    pub tokens: Vec<ListedToken>,
    /// The token after which the next page begins, or `None` on the last page. A page may be empty although
    /// another one follows.
    pub next: Option<TokenId>,
}

/// A minted token and its state.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ListedToken {
    /// The token, as the issuer remembers it.
    pub token: TokenInfo,
    /// Its state.
    pub state: TokenState,
}

/// The state of a minted token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenState {
    /// It has not expired, and is not known to be revoked. The revocation of a block names a signature, which
    /// the issuer does not keep.
    Live,
    /// It has expired.
    Expired,
    /// It was revoked: by its id, by a watermark, or with its root key.
    Revoked,
}
