//! The text of a verified token, kept for details that are seldom needed.

use std::{fmt, sync::Arc};

use bailiwick_token::token::Token;

/// The text of a verified token. Details that most decisions do not need are read from it again.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct TokenText(Arc<str>);

impl TokenText {
    pub(crate) fn new(text: &str) -> TokenText {
        TokenText(text.into())
    }

    pub(crate) fn text(&self) -> &Arc<str> {
        &self.0
    }

    /// Reads the token again. The result is never `None`, since the text has been read before.
    pub(crate) fn token(&self) -> Option<Token> {
        Token::parse(&self.0).ok()
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenText").finish_non_exhaustive()
    }
}
