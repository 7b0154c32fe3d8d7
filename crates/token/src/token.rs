//! Tokens as holders pass them on: decoded, but not verified.

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
/// Holders narrow and inspect tokens; only a verifier can admit one. `Debug` shows the id and nothing else: a
/// token is a credential, and an open one carries the secret for appending blocks.
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

/// The reason why a text or byte string is not a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TokenError {
    /// The input is not a container.
    #[error(transparent)]
    Container(#[from] ContainerError),
    /// A block cannot be decoded.
    #[error(transparent)]
    Block(#[from] BlockError),
}

impl Token {
    /// Reads the text form: base64url, with or without padding. Surrounding white space is ignored.
    ///
    /// # Errors
    /// [`TokenError`] if the text is not a token, or is too long.
    pub fn parse(text: &str) -> Result<Token, TokenError> {
        Token::try_from(Container::parse(text)?)
    }

    /// Reads the binary form.
    ///
    /// # Errors
    /// [`TokenError`] if the bytes are not a token, or are too many.
    pub fn from_bytes(bytes: Vec<u8>) -> Result<Token, TokenError> {
        Token::try_from(Container::from_bytes(bytes)?)
    }

    /// Returns the text form.
    #[must_use]
    pub fn to_base64(&self) -> Zeroizing<String> {
        self.container.to_base64()
    }

    /// Returns the binary form, exactly as it was read.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.container.as_bytes()
    }

    /// The container of signed blocks from which the token was decoded.
    #[must_use]
    pub fn container(&self) -> &Container {
        &self.container
    }

    /// The id that the authority block claims, unverified; `None` if the token does not follow the profile.
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
    /// [`AuthorityError`] if the token does not follow the profile.
    pub fn authority(&self) -> Result<Authority, AuthorityError> {
        datalog::authority(&self.code)
    }

    /// The Datalog of the token's blocks, in the form that decisions are based on.
    #[must_use]
    pub fn code(&self) -> &Code {
        &self.code
    }

    /// The blocks as syntax trees with names as strings, beginning with the authority block.
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

    /// Id of the root key that signed the token. The id itself is not signed, so it is only a hint.
    #[must_use]
    pub fn root_key_id(&self) -> Option<u32> {
        self.container.root_key_id()
    }

    /// The signature of each block, by which revocations refer to it, beginning with the authority block.
    #[must_use]
    pub fn block_signatures(&self) -> Vec<Vec<u8>> {
        self.signed_blocks()
            .map(|block| block.signature.clone())
            .collect()
    }

    /// The signed blocks, for verifying signatures, beginning with the authority block.
    pub fn signed_blocks(&self) -> impl Iterator<Item = &SignedBlock> {
        self.container.signed_blocks()
    }

    /// The proof that no block follows the last one; `None` if the container has none.
    #[must_use]
    pub fn proof(&self) -> Option<Proof<'_>> {
        self.container.proof()
    }
}

impl TryFrom<Container> for Token {
    type Error = TokenError;

    /// Decodes the blocks of a container, whether or not its signatures have been verified.
    fn try_from(container: Container) -> Result<Token, TokenError> {
        // Decoded here, once, so that every `Token` has well-formed Datalog.
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
