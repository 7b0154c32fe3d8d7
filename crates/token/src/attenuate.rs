//! Narrowing and sealing a token, offline.

use bailiwick_biscuit::{build, container::Container};

use crate::{
    caveat::Caveat,
    datalog::{DatalogError, appended_block, max_depth},
    limits::{LimitError, TokenLimits},
    text::counted,
    token::{Token, TokenError},
};

/// The reason why a token could not be narrowed or sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttenuateError {
    /// The token is sealed, so no block can be appended.
    #[error(
        "the token is sealed and cannot be narrowed or sealed again; ask whoever sealed it for a narrower token"
    )]
    Sealed,
    /// The caveat restricts nothing.
    #[error("the caveat is empty; give a scope, an expiry, a delegate or a task")]
    Empty,
    /// The token already has as many appended blocks as its own checks allow. With one more block, it would
    /// allow no call.
    #[error(
        "the token is at its limit of {}; ask its holder for a token with fewer blocks",
        counted(*.limit, "appended block")
    )]
    Depth {
        /// Number of blocks that are already appended.
        appended: usize,
        /// Maximum number that the token allows.
        limit: u32,
    },
    /// The caveat cannot be written as a block of the profile.
    #[error(transparent)]
    Datalog(#[from] DatalogError),
    /// The narrowed or sealed token would be larger than verifiers accept.
    #[error(
        "the narrowed token would be too large: {0}; narrow in fewer steps, or with fewer grants"
    )]
    Limit(#[from] LimitError),
    /// The token's container cannot carry another block.
    #[error("the token is damaged and cannot be narrowed; get it again from its issuer")]
    Damaged,
    /// The new token could not be read back.
    #[error(transparent)]
    Token(#[from] TokenError),
}

impl Token {
    /// Narrows the token by appending one block. This takes no root key and no network.
    ///
    /// ```
    /// # use bailiwick_token::{caveat::Caveat, grant::{Grant, Grants}, token::Token};
    /// # fn example(token: Token) -> Result<(), Box<dyn std::error::Error>> {
    /// let scope = Grants::new([Grant::new("erp", "purchase_order:read")])?;
    /// let caveat = Caveat::new().scope(scope).delegate("agent:invoice-checker");
    /// let narrowed = token.attenuate(&caveat)?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// [`AttenuateError`] if the token is sealed, the caveat is empty, or the result would exceed the token's
    /// own limit on blocks or the profile's limits.
    pub fn attenuate(&self, caveat: &Caveat) -> Result<Token, AttenuateError> {
        // An empty block would spend one of the token's blocks and narrow nothing.
        if *caveat == Caveat::default() {
            return Err(AttenuateError::Empty);
        }
        self.check_depth()?;
        let block = appended_block(caveat)?;
        let narrowed = build::append(self.open()?, &block).map_err(|_| AttenuateError::Damaged)?;
        // Another implementation wrote these bytes. They are read back, so that no holder passes on a
        // token that a verifier's stricter decoder refuses.
        let narrowed = Token::try_from(narrowed)?;
        TokenLimits::default().check(&narrowed)?;
        Ok(narrowed)
    }

    /// Seals the token: the result can still be used and passed on, but no longer narrowed.
    ///
    /// # Errors
    /// [`AttenuateError`] if the token is already sealed or damaged, or would exceed the profile's limits: a
    /// seal takes more bytes than the key that it replaces.
    pub fn seal(&self) -> Result<Token, AttenuateError> {
        let sealed = build::seal(self.open()?).map_err(|_| AttenuateError::Damaged)?;
        let sealed = Token::try_from(sealed)?;
        TokenLimits::default().check(&sealed)?;
        Ok(sealed)
    }

    /// Refuses to append a block if a verifier would then deny every call.
    fn check_depth(&self) -> Result<(), AttenuateError> {
        // The limit is a check in the token, so every verifier applies it; this only tells the holder early.
        let appended = self.appended_blocks();
        match max_depth(self.code()) {
            Some(limit) if u32::try_from(appended).is_ok_and(|appended| appended < limit) => Ok(()),
            Some(limit) => Err(AttenuateError::Depth { appended, limit }),
            None => Ok(()),
        }
    }

    fn open(&self) -> Result<&Container, AttenuateError> {
        match self.is_sealed() {
            true => Err(AttenuateError::Sealed),
            false => Ok(self.container()),
        }
    }
}
