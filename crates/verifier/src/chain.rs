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

pub(crate) use error::ChainError;
pub use key::{Key, KeyError, P256Key};
pub(crate) use memo::Memo;
pub(crate) use revocation::revocation_ids;

use key::KeyRef;
use link::{Keys, Link, links};

/// Verifies every signature of an admitted token under `root`; `next_keys` are those that its blocks
/// name, as `admit` read them.
pub(crate) fn verify(
    token: &Token,
    root: &PublicKey,
    next_keys: &[PublicKey],
    memo: &Memo,
) -> Result<(), Refused> {
    let keys = next_keys.iter().map(|key| Keys {
        next: KeyRef::from(key),
        third_party: None,
    });
    remembered(token.container(), root.into(), keys, memo)
        .map_err(|error| (Reason::BadSignature, error.to_string()))
}

fn remembered<'a>(
    container: &'a Container,
    root: KeyRef<'a>,
    keys: impl ExactSizeIterator<Item = Keys<'a>>,
    memo: &Memo,
) -> Result<(), ChainError> {
    let links = links(container, root, keys, ThirdParties::Current)?;
    let (unseen, digests): (Vec<&Link<'_>>, Vec<[u8; 32]>) = links
        .iter()
        .map(|link| (link, memo::digest(link)))
        .filter(|(_, digest)| !memo.holds(digest))
        .unzip();
    batch::verify(&unseen)?;
    for digest in digests {
        memo.remember(digest);
    }
    Ok(())
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
    let keys = container
        .signed_blocks()
        .enumerate()
        .map(|(index, block)| {
            let of = |key| Key::read(key).map_err(|error| ChainError::Key(index, error));
            let third_party = block.external_signature.as_ref();
            Ok((
                of(&block.next_key)?,
                third_party
                    .map(|signed| of(&signed.public_key))
                    .transpose()?,
            ))
        })
        .collect::<Result<Vec<(Key, Option<Key>)>, ChainError>>()?;
    let keys = keys.iter().map(|(next, third_party)| Keys {
        next: next.into(),
        third_party: third_party.as_ref().map(KeyRef::from),
    });
    let links = links(container, root.into(), keys, third_parties)?;
    let links: Vec<&Link<'_>> = links.iter().collect();
    batch::verify(&links)
}
