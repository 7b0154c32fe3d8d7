//! The token as it travels: decoded, not verified.

use std::fmt;

use bailiwick_biscuit::{
    container::{Container, ContainerError, Proof, SignedBlock},
    datalog::{Block, BlockError, Code},
};
use zeroize::Zeroizing;

use crate::{
    claims::TokenId,
    datalog::{self, Authority, AuthorityError},
};

/// A token whose structure has been decoded and whose signatures have not been looked at.
///
/// Holders narrow and inspect it; only a verifier can make more of it. `Debug` shows its id and
/// nothing else: an open token carries the secret to append to it, and all of it is a credential.
#[derive(Clone)]
pub struct Token {
    container: Container,
    code: Code,
}

/// A text or byte string is not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// It is not a container.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A block cannot be decoded.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl Token {
    /// Reads the text form: base64url, with or without padding, white space around it ignored.
    ///
    /// # Errors
    /// When it is not a token, or too long.
    pub fn parse(text: &str) -> Result<Token, TokenError> {
        Token::try_from(Container::parse(text)?)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// When it is not a token, or too long.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Token, TokenError> {
        Token::try_from(Container::from_bytes(bytes)?)
    }

    /// The text form.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        self.container.to_base64()
    }

    /// The binary form, exactly as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.container.as_bytes()
    }

    /// The signed blocks around the Datalog.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The id that the authority block claims. Nothing has verified it.
    #[must_use]
    pub fn token_id(&self) -> Option<TokenId> {
        datalog::claims(&self.code)
            .ok()
            .map(|claims| claims.token_id)
    }

    /// The authority block in the terms of the profile. Nothing has verified it.
    ///
    /// # Errors
    /// When the token is not one of the profile.
    pub fn authority(&self) -> Result<Authority, AuthorityError> {
        datalog::authority(&self.code)
    }

    /// The Datalog of its blocks, as whoever decides works on it.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The blocks for whoever reads them, the authority block first.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        self.code.resolve()
    }

    /// Number of blocks behind the authority block.
    #[must_use]
    pub fn appended_blocks(&self) -> usize {
        self.code.blocks.len().saturating_sub(1)
    }

    /// Whether no block can be appended any more.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        matches!(self.proof(), Some(Proof::Sealed(_)))
    }

    /// The unsigned hint which root key signed it.
    #[must_use]
    pub fn root_key_id(&self) -> Option<u32> {
        self.container.root_key_id()
    }

    /// The signature of each block, which names it in revocations; the authority block's first.
    #[must_use]
    pub fn block_signatures(&self) -> Vec<Vec<u8>> {
        self.signed_blocks()
            .map(|block| block.signature.clone())
            .collect()
    }

    /// The blocks as they were signed, the authority block first, for whoever verifies signatures.
    pub fn signed_blocks(&self) -> impl Iterator<Item = &SignedBlock> {
        self.container.signed_blocks()
    }

    /// What proves that the last block is the last; `None` where the container has none.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        self.container.proof()
    }
}

impl TryFrom<Container> for Token {
    type Error = TokenError;

    /// Decodes the blocks of a container, whether its signatures have been looked at or not.
    fn try_from(container: Container) -> Result<Token, TokenError> {
        let code = Code::of(&container)?;
        Ok(Token { container, code })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token")
            .field("token_id", &self.token_id())
            .finish_non_exhaustive()
    }
}
