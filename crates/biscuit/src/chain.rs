//! Verification of all signatures of a container, from the root key to the proof (Biscuit specification,
//! "Signature scheme").
//!
//! Verifying is a pure function of key, message and signature, so a triple that verified once need not be
//! verified again ([`Memo`]): an attenuated token shares all blocks but its last with the token that it was
//! made from. The remaining signatures are verified in one batch where that is cheaper, and one by one
//! otherwise.

use crate::{
    container::Container,
    key::{Key, PublicKey},
};

mod batch;
mod error;
mod link;
mod memo;
mod payload;
mod revocation;
mod signer_key;
#[cfg(test)]
mod tests;

pub use error::{ChainError, Signed};
pub use link::ThirdParties;
pub use memo::Memo;
pub use revocation::{revocation_ids, stated_revocation_ids};

use link::{Link, Readable, chain};

/// Verifies every signature of a container under `root`. Signatures that verified earlier with the same memo
/// are recognized by their digest and skipped. Signatures of third parties in version 0 are refused.
///
/// # Errors
/// The first fault found. The memo then remembers nothing of the container.
pub fn verify_remembering(
    container: &Container,
    root: &PublicKey,
    memo: &Memo,
) -> Result<(), ChainError> {
    let root = Key::Ed25519(*root);
    let chain = chain(container, &root, ThirdParties::Current)?;
    let (unseen, digests): (Vec<&Link<'_>>, Vec<[u8; 32]>) = chain
        .links
        .iter()
        .map(|link| (link, link.digest()))
        .filter(|(_, digest)| !memo.holds(digest))
        .unzip();
    // A link in the memo need not be read again: its digest covers the exact bytes of the key and the
    // signature, and both were read before they verified.
    let unseen = read(unseen.into_iter(), Some(memo))?;
    let last_key = chain.proof()?;
    batch::verify(&unseen)?;
    // Only now has the whole container verified. Remembering earlier would let anyone fill the memo with
    // tokens that no issuer signed.
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

/// Verifies every signature of a container under `root`.
///
/// # Errors
/// The first fault found.
pub fn verify(
    container: &Container,
    root: &Key,
    third_parties: ThirdParties,
) -> Result<(), ChainError> {
    let chain = chain(container, root, third_parties)?;
    let links = read(chain.links.iter(), None)?;
    chain.proof()?;
    batch::verify(&links)
}
