//! The chain of signatures, from the root key to the proof (Biscuit specification, "Signature
//! scheme"): every signature of a container, verified by us.
//!
//! Verifying is a pure function of key, message and signature, so a triple that verified once is
//! remembered and not computed again: a sub-agent's token shares all but its last block with its
//! parent's. What is left is verified in one batch where that pays, and one by one otherwise.

use bailiwick_token::{key::PublicKey, token::Token};
use biscuit_auth::format::schema::{self, proof::Content, public_key::Algorithm};
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

/// Verifies every signature of an admitted token under `root`.
pub(crate) fn verify(token: &Token, root: &PublicKey, memo: &Memo) -> Result<(), Refused> {
    let links = links(token.container(), root)?;
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

/// The signatures of a container, and the check of an open token's proof, which is none.
fn links(container: &schema::Biscuit, root: &PublicKey) -> Result<Vec<Link>, Refused> {
    let mut links = Vec::with_capacity(container.blocks.len().saturating_add(2));
    let mut key = *root.verifying_key();
    let mut previous: Option<&schema::SignedBlock> = None;
    let signed = std::iter::once(&container.authority).chain(&container.blocks);
    for (index, block) in signed.enumerate() {
        let what = What::Block(index);
        let message = payload::block(block, previous).ok_or_else(|| malformed(index))?;
        links.push(Link {
            key,
            message,
            signature: signature(&block.signature, what)?,
            what,
        });
        key = next_key(&block.next_key).ok_or_else(|| malformed(index))?;
        previous = Some(block);
    }
    match (&container.proof.content, previous) {
        (Some(Content::NextSecret(secret)), _) => {
            let secret: &[u8; 32] = secret.as_slice().try_into().map_err(|_| bad(What::Seal))?;
            // The secret must be that of the last key, or the token could be extended by nobody.
            if SigningKey::from_bytes(secret).verifying_key() != key {
                return Err((
                    Reason::BadSignature,
                    "the proof is not that of the last block".to_owned(),
                ));
            }
        }
        (Some(Content::FinalSignature(seal)), Some(last)) => {
            let signature = signature(seal, What::Seal)?;
            links.push(Link {
                key,
                message: payload::seal(last),
                signature,
                what: What::Seal,
            });
        }
        _ => return Err((Reason::Malformed, "the token has no proof".to_owned())),
    }
    Ok(links)
}

fn signature(bytes: &[u8], what: What) -> Result<Signature, Refused> {
    Signature::from_slice(bytes).map_err(|_| bad(what))
}

fn next_key(key: &schema::PublicKey) -> Option<VerifyingKey> {
    if key.algorithm != Algorithm::Ed25519 as i32 {
        return None;
    }
    let key = PublicKey::from_bytes(&key.key).ok()?;
    Some(*key.verifying_key())
}

fn malformed(index: usize) -> Refused {
    (
        Reason::Malformed,
        format!(
            "block {index} cannot be verified: its key or the version of its signature is unknown"
        ),
    )
}
