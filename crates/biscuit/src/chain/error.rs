//! Errors of verifying a chain of signatures.

use crate::key::KeyError;

/// The first fault of a chain, with the number of its block.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ChainError {
    /// A block names a key that cannot be used.
    #[error("the key of block {0} is refused ({1}); get the token again from its issuer")]
    Key(usize, KeyError),
    /// The signature of a block has a version that the specification does not define.
    #[error("block {0} has a signature of an unknown version")]
    Version(usize),
    /// The authority block carries the signature of a third party.
    #[error("a third party signed the authority block, but can sign only appended blocks")]
    ThirdPartyAuthority,
    /// A third party's signature has the deprecated version 0.
    #[error(
        "the third party's signature of block {0} has version 0, which is not bound to this token; have the third party sign the block again"
    )]
    ThirdPartyVersion(usize),
    /// A signature does not have the form that the algorithm of its key requires.
    #[error("{0} does not have the form that its key requires")]
    Form(Signed),
    /// There is no proof, or it has a wrong length.
    #[error("the token's proof is missing or has the wrong length")]
    NoProof,
    /// A signature does not verify.
    #[error("{0} does not verify")]
    Signature(Signed),
    /// The secret of the proof does not belong to the key that the last block names.
    #[error("the proof does not belong to the last block")]
    Proof,
}

/// The subject of a signature. Blocks are identified by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signed {
    /// A block.
    Block(usize),
    /// A block, signed by a third party.
    ThirdParty(usize),
    /// The whole token, by the seal after its last block.
    Seal,
}

impl ChainError {
    /// Returns true if the container is malformed rather than wrongly signed.
    #[must_use]
    pub fn is_form(&self) -> bool {
        // All other faults are found before any signature is verified.
        !matches!(self, ChainError::Signature(_) | ChainError::Proof)
    }
}

impl std::fmt::Display for Signed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Signed::Block(block) => write!(f, "the signature of block {block}"),
            Signed::ThirdParty(block) => write!(f, "the third party's signature of block {block}"),
            Signed::Seal => f.write_str("the seal"),
        }
    }
}
