//! The target of a revocation: a whole token, or a block of it.

use std::{convert::Infallible, str::FromStr};

use bailiwick_token::{claims::TokenId, escape::code, text::counted, token::Token};

use crate::{
    exit::{Exit, Failure},
    input::{self, Input},
};

/// The token to revoke, as it is named: by its id, or by its text.
#[derive(Debug, Clone)]
pub(super) enum Named {
    Id(TokenId),
    Token(Input),
}

impl FromStr for Named {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Named, Infallible> {
        Ok(match text.parse() {
            Ok(id) => Named::Id(id),
            Err(_) => {
                let Ok(source) = text.parse();
                Named::Token(source)
            }
        })
    }
}

/// The choice of the block to revoke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BlockChoice {
    Number(usize),
    Last,
}

impl FromStr for BlockChoice {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<BlockChoice, &'static str> {
        match (text, text.parse::<u8>()) {
            ("last", _) => Ok(BlockChoice::Last),
            (_, Ok(number)) => Ok(BlockChoice::Number(number.into())),
            _ => Err("not a block; write its number, which `token inspect` shows, or `last`"),
        }
    }
}

/// The target of the revocation: a token by its id, or a block of a token whose text is known.
pub(super) enum RevokeTarget {
    Token(TokenId),
    Block {
        id: TokenId,
        token: Box<Token>,
        block: usize,
        signature: [u8; 64],
    },
}

impl RevokeTarget {
    /// Finds the target that is named. `whole` means the whole token, even if a narrowed one is named.
    pub(super) fn find(
        named: &Named,
        choice: Option<BlockChoice>,
        whole: bool,
    ) -> Result<RevokeTarget, Failure> {
        let token = match (named, choice) {
            (Named::Id(id), None) => return Ok(RevokeTarget::Token(*id)),
            (Named::Id(_), Some(_)) => {
                return Err(Failure::plain(
                    Exit::Usage,
                    "the blocks of a token cannot be found by its id",
                )
                .hint("name the file of the token instead of its id"));
            }
            (Named::Token(source), _) => {
                let text = input::token_text(source).map_err(|failure| {
                    failure.hint("give the file of the token, or its id of 32 hex digits")
                });
                input::parse_token(&text?)?
            }
        };
        let id = token.token_id().ok_or_else(|| {
            Failure::plain(
                Exit::Local,
                "the token has no id, so it was not minted by a Bailiwick issuer",
            )
            .hint("check it with `bailiwick token inspect`")
        })?;
        match chosen(&token, choice, whole)? {
            Some(block) => block_of(id, token, block),
            None => Ok(RevokeTarget::Token(id)),
        }
    }

    /// The tokens that the revocation ends, and those that it does not end.
    pub(super) fn effect(&self) -> String {
        match self {
            RevokeTarget::Token(id) => {
                format!("revoking the token {id} with every token that was narrowed from it")
            }
            RevokeTarget::Block { id, block: 0, .. } => format!(
                "revoking the token {id} by its block 0, with every token that was narrowed from it"
            ),
            RevokeTarget::Block {
                id, token, block, ..
            } => {
                let blocks = token.inspect().blocks;
                let delegate = blocks.get(*block).and_then(|it| it.delegate.as_deref());
                let delegate = delegate.map_or(String::new(), |delegate| {
                    format!(" (delegate {})", code(delegate))
                });
                format!(
                    "revoking every token that has block {block}{delegate} of the token {id}, \
                     but not the token that this block was appended to"
                )
            }
        }
    }
}

/// The block to revoke, or `None` for the whole token.
///
/// # Errors
/// The file of a narrowed token is ambiguous. One choice would leave tokens valid, and the other would end
/// tokens of other holders, so the command refuses to choose.
fn chosen(
    token: &Token,
    choice: Option<BlockChoice>,
    whole: bool,
) -> Result<Option<usize>, Failure> {
    let last = token.block_signatures().len().saturating_sub(1);
    match choice {
        Some(BlockChoice::Number(block)) => Ok(Some(block)),
        Some(BlockChoice::Last) => Ok(Some(last)),
        None if whole || last == 0 => Ok(None),
        None => Err(Failure::plain(
            Exit::Usage,
            format!(
                "the token in the file was narrowed by {}, so it is not clear whether to revoke it alone or the whole token",
                counted(last, "block")
            ),
        )
        .hint("add --block last to revoke it and every token narrowed from it, or --whole to revoke the minted token and every token narrowed from that")),
    }
}

/// The target that is a block of a token.
fn block_of(id: TokenId, token: Token, block: usize) -> Result<RevokeTarget, Failure> {
    let Some(signature) = token.block_signatures().get(block).cloned() else {
        let missing = format!("the token has no block {block}");
        return Err(Failure::plain(Exit::NotFound, missing)
            .hint("`bailiwick token inspect` shows the blocks of the token"));
    };
    let signature = signature.try_into().map_err(|_| {
        let other =
            format!("block {block} has no Ed25519 signature, so it cannot be revoked by itself");
        Failure::plain(Exit::Local, other).hint("revoke the whole token with --whole")
    })?;
    Ok(RevokeTarget::Block {
        id,
        token: Box::new(token),
        block,
        signature,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_numbers_or_the_last() {
        assert_eq!("last".parse::<BlockChoice>(), Ok(BlockChoice::Last));
        assert_eq!("0".parse::<BlockChoice>(), Ok(BlockChoice::Number(0)));
        assert_eq!("15".parse::<BlockChoice>(), Ok(BlockChoice::Number(15)));
        for wrong in ["", "first", "-1", "256", "Last", "1.5"] {
            assert!(wrong.parse::<BlockChoice>().is_err(), "{wrong}");
        }
    }
}
