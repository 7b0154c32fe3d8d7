//! A token as it travels: decoded, but not verified.

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

/// A token whose structure has been decoded and whose signatures have not been verified.
///
/// Holders narrow and inspect it; only a verifier can admit it. `Debug` shows its id and nothing else:
/// the token is a credential, and an open one carries the secret that appends to it.
///
/// ```
/// use bailiwick_token::token::Token;
///
/// # fn example(text: &str) -> Result<(), Box<dyn std::error::Error>> {
/// let token = Token::parse(text)?;
/// println!("{} blocks are appended to {:?}", token.appended_blocks(), token.token_id());
/// assert_eq!(Token::from_bytes(token.as_bytes().to_vec())?.token_id(), token.token_id());
/// # Ok(())
/// # }
/// ```
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
    /// Reads the text form: base64url, with or without padding. White space around it is ignored.
    ///
    /// # Errors
    /// [`TokenError`] when the text is not a token, or too long.
    pub fn parse(text: &str) -> Result<Token, TokenError> {
        Token::try_from(Container::parse(text)?)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`TokenError`] when the bytes are not a token, or too many.
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

    /// The id that the authority block claims, unverified. `None` if the token is not one of the profile.
    #[must_use]
    pub fn token_id(&self) -> Option<TokenId> {
        // Errors are dropped on purpose: a foreign Biscuit has no id, and `Debug` must not fail on it.
        datalog::claims(&self.code)
            .ok()
            .map(|claims| claims.token_id)
    }

    /// The authority block in the terms of the profile, unverified.
    ///
    /// # Errors
    /// [`AuthorityError`] when the token is not one of the profile.
    pub fn authority(&self) -> Result<Authority, AuthorityError> {
        datalog::authority(&self.code)
    }

    /// The Datalog of its blocks, in the form on which decisions are made.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The blocks as trees with names as strings, the authority block first.
    #[must_use]
    pub fn blocks(&self) -> Vec<Block> {
        self.code.resolve()
    }

    /// Number of blocks after the authority block.
    #[must_use]
    pub fn appended_blocks(&self) -> usize {
        // Never saturates: a container always has an authority block.
        self.code.blocks.len().saturating_sub(1)
    }

    /// Returns true if the token is sealed, so that no block can be appended.
    #[must_use]
    pub fn is_sealed(&self) -> bool {
        // A container without a proof is not sealed but broken, and every verifier refuses it.
        matches!(self.proof(), Some(Proof::Sealed(_)))
    }

    /// The id of the root key that signed it. It is an unsigned hint.
    #[must_use]
    pub fn root_key_id(&self) -> Option<u32> {
        self.container.root_key_id()
    }

    /// The signature of each block, by which revocations name it, the authority block's first.
    #[must_use]
    pub fn block_signatures(&self) -> Vec<Vec<u8>> {
        self.signed_blocks()
            .map(|block| block.signature.clone())
            .collect()
    }

    /// The blocks as they were signed, for verifying signatures; the authority block first.
    pub fn signed_blocks(&self) -> impl Iterator<Item = &SignedBlock> {
        self.container.signed_blocks()
    }

    /// The proof that the last block is the last; `None` if the container has none.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        self.container.proof()
    }
}

impl TryFrom<Container> for Token {
    type Error = TokenError;

    /// Decodes the blocks of a container, whether or not its signatures have been verified.
    fn try_from(container: Container) -> Result<Token, TokenError> {
        // Decoded here and once, so every `Token` has Datalog that is well formed.
        let code = Code::of(&container)?;
        Ok(Token { container, code })
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The id is safe to log: it cannot be used to call anything.
        f.debug_struct("Token")
            .field("token_id", &self.token_id())
            .finish_non_exhaustive()
    }
}
