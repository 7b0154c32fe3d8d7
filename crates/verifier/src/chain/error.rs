//! Why a chain of signatures does not hold.

use super::key::KeyError;

/// The first thing that is wrong with a chain, with the block where it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ChainError {
    #[error("block {0} names a key that is refused: {1}")]
    Key(usize, KeyError),
    #[error("block {0} has a signature of an unknown version")]
    Version(usize),
    #[error("the authority block is signed by a third party, which only an appended block can be")]
    ThirdPartyAuthority,
    #[error(
        "the third party's signature of block {0} is of version 0, which is not bound to this token: have it signed anew"
    )]
    ThirdPartyVersion(usize),
    #[error("{0} is not of the form that its key asks for")]
    Form(What),
    #[error("the token's proof is missing or of a wrong length")]
    NoProof,
    #[error("{0} does not verify")]
    Signature(What),
    #[error("the proof is not that of the last block")]
    Proof,
}

/// A signature, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    Block(usize),
    ThirdParty(usize),
    Seal,
}

impl ChainError {
    /// Whether it is the container that is wrong, and no signature that was looked at.
    pub(crate) fn is_form(&self) -> bool {
        !matches!(self, ChainError::Signature(_) | ChainError::Proof)
    }
}

impl std::fmt::Display for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            What::Block(block) => write!(f, "the signature of block {block}"),
            What::ThirdParty(block) => write!(f, "the third party's signature of block {block}"),
            What::Seal => f.write_str("the seal"),
        }
    }
}
