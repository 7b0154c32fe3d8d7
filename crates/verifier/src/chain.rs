//! The chain of signatures, from the root key to the proof (Biscuit specification, "Signature
//! scheme"): every signature of a container, verified by us.
//!
//! The profile and the Biscuits outside of it share all of this; the profile admits less of it, and
//! remembers. Verifying is a pure function of key, message and signature, so a triple that verified
//! once is not computed again: a sub-agent's token shares all but its last block with its parent's.
//! What is left is verified in one batch where that pays, and one by one otherwise.

use bailiwick_token::{container::Container, key::PublicKey, token::Token};

use crate::{admit::Refused, decision::Reason};

mod batch;
mod error;
mod key;
mod link;
mod memo;
mod payload;
mod revocation;
#[cfg(test)]
mod tests;

pub(crate) use error::ChainError;
pub use key::{Key, KeyError, P256Key};
pub(crate) use memo::Memo;
pub(crate) use revocation::{revocation_ids, stated_revocation_ids};

use link::{Link, Readable, chain};

/// Verifies every signature of an admitted token under `root`; answers the signatures of its blocks.
pub(crate) fn verify(
    token: &Token,
    root: &PublicKey,
    memo: &Memo,
) -> Result<Box<[[u8; 64]]>, Refused> {
    remembered(token.container(), &Key::Ed25519(*root), memo).map_err(|error| {
        let reason = match error {
            ChainError::Key(..) => Reason::Unsupported,
            _ => Reason::BadSignature,
        };
        (reason, error.to_string())
    })?;
    let signatures = token.signed_blocks().map(|block| {
        let signature = block.signature.as_slice().try_into();
        signature.map_err(|_| {
            (
                Reason::Malformed,
                "a signature is not 64 bytes long".to_owned(),
            )
        })
    });
    signatures.collect()
}

fn remembered(container: &Container, root: &Key, memo: &Memo) -> Result<(), ChainError> {
    let chain = chain(container, root, ThirdParties::Current)?;
    let (unseen, digests): (Vec<&Link<'_>>, Vec<[u8; 32]>) = chain
        .links
        .iter()
        .map(|link| (link, memo::digest(link)))
        .filter(|(_, digest)| !memo.holds(digest))
        .unzip();
    let unseen = read(unseen.into_iter(), Some(memo))?;
    let last_key = chain.proof()?;
    batch::verify(&unseen)?;
    if let Some(key) = last_key {
        memo.remember_key(key);
    }
    for digest in digests {
        memo.remember(digest);
    }
    Ok(())
}

fn read<'a, 'l>(
    links: impl Iterator<Item = &'l Link<'a>>,
    memo: Option<&Memo>,
) -> Result<Vec<Readable<'a>>, ChainError>
where
    'a: 'l,
{
    links.map(|link| link.read(memo)).collect()
}

/// Which signatures of third parties count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ThirdParties {
    /// Those of version 1, which name the signature of the block before.
    Current,
    /// Those of version 0 as well, which the specification no longer supports.
    Deprecated,
}

/// Verifies every signature of any Biscuit under `root`.
pub(crate) fn verify_any(
    container: &Container,
    root: &Key,
    third_parties: ThirdParties,
) -> Result<(), ChainError> {
    let chain = chain(container, root, third_parties)?;
    let links = read(chain.links.iter(), None)?;
    chain.proof()?;
    batch::verify(&links)
}
