//! The chain of signatures, from the root key to the proof (Biscuit specification, "Signature
//! scheme"): every signature of a container, verified by us.
//!
//! Verifying is a pure function of key, message and signature, so a triple that verified once is
//! remembered and not computed again: a sub-agent's token shares all but its last block with its
//! parent's. What is left is verified in one batch where that pays, and one by one otherwise.

use bailiwick_token::{
    key::PublicKey,
    token::{Proof, Token},
};
use ed25519_dalek::{Signature, SigningKey, VerifyingKey};

use crate::{admit::Refused, decision::Reason};

mod memo;
mod payload;

pub(crate) use memo::Memo;

/// From how many signatures on a batch is cheaper than one by one: two cost the same either way.
const BATCH_FROM: usize = 3;

/// One signature to verify.
struct Link {
    key: VerifyingKey,
    message: Vec<u8>,
    signature: Signature,
    /// What is signed, for messages.
    what: What,
}

#[derive(Clone, Copy)]
enum What {
    Block(usize),
    Seal,
}

/// Verifies every signature of an admitted token under `root`; `next_keys` are those that its blocks
/// name, as `admit` read them.
pub(crate) fn verify(
    token: &Token,
    root: &PublicKey,
    next_keys: &[PublicKey],
    memo: &Memo,
) -> Result<(), Refused> {
    let links = links(token, root, next_keys)?;
    let unseen: Vec<(&Link, [u8; 32])> = links
        .iter()
        .map(|link| {
            (
                link,
                memo::digest(&link.key, &link.message, &link.signature),
            )
        })
        .filter(|(_, digest)| !memo.holds(digest))
        .collect();
    if !(unseen.len() >= BATCH_FROM && batch_verifies(&unseen)) {
        for (link, _) in &unseen {
            link.verify()?;
        }
    }
    for (_, digest) in unseen {
        memo.remember(digest);
    }
    Ok(())
}

/// Whether all verify at once. A batch that fails says nothing about which one does.
///
/// The batch equation lets points of small order pass where `verify_strict` does not. Keys of small
/// order were refused before, by `admit` and by the keyset; signatures with such a point are left
/// to `verify_strict` here. `docs/decisions` says what still differs.
fn batch_verifies(links: &[(&Link, [u8; 32])]) -> bool {
    let messages: Vec<&[u8]> = links
        .iter()
        .map(|(link, _)| link.message.as_slice())
        .collect();
    let signatures: Vec<Signature> = links.iter().map(|(link, _)| link.signature).collect();
    let keys: Vec<VerifyingKey> = links.iter().map(|(link, _)| link.key).collect();
    if signatures.iter().any(has_small_order) {
        return false;
    }
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

/// Whether the point of a signature is of small order. One that is no point fails in the batch.
fn has_small_order(signature: &Signature) -> bool {
    VerifyingKey::from_bytes(signature.r_bytes()).is_ok_and(|point| point.is_weak())
}

impl Link {
    fn new(
        key: &PublicKey,
        message: Vec<u8>,
        signature: &[u8],
        what: What,
    ) -> Result<Link, Refused> {
        Ok(Link {
            key: *key.verifying_key(),
            message,
            signature: Signature::from_slice(signature).map_err(|_| bad(what))?,
            what,
        })
    }

    fn verify(&self) -> Result<(), Refused> {
        self.key
            .verify_strict(&self.message, &self.signature)
            .map_err(|_| bad(self.what))
    }
}

fn bad(what: What) -> Refused {
    let detail = match what {
        What::Block(block) => format!("the signature of block {block} does not verify"),
        What::Seal => "the seal does not verify".to_owned(),
    };
    (Reason::BadSignature, detail)
}

/// The signatures of a token, and the check of an open token's proof, which is none.
fn links(token: &Token, root: &PublicKey, next_keys: &[PublicKey]) -> Result<Vec<Link>, Refused> {
    let mut links = Vec::with_capacity(next_keys.len().saturating_add(1));
    let mut key = root;
    let mut last = None;
    for (index, (block, next_key)) in token.signed_blocks().zip(next_keys).enumerate() {
        let what = What::Block(index);
        let message = payload::block(block, last).ok_or_else(|| bad(what))?;
        links.push(Link::new(key, message, &block.signature, what)?);
        (key, last) = (next_key, Some(block));
    }
    match (token.proof(), last) {
        (Some(Proof::Open(secret)), _) => {
            let secret: &[u8; 32] = secret.try_into().map_err(|_| bad(What::Seal))?;
            // A proof that is not the last key's could extend nothing, and proves nothing.
            if SigningKey::from_bytes(secret).verifying_key() != *key.verifying_key() {
                return Err((
                    Reason::BadSignature,
                    "the proof is not that of the last block".to_owned(),
                ));
            }
        }
        (Some(Proof::Sealed(seal)), Some(last)) => {
            links.push(Link::new(key, payload::seal(last), seal, What::Seal)?);
        }
        _ => return Err(bad(What::Seal)),
    }
    // Each block has its link, or something was left unverified.
    if links.len() < token.blocks().len() {
        return Err(bad(What::Seal));
    }
    Ok(links)
}
