//! Verification of a list of signatures: in one batch if that is cheaper, one by one otherwise.

use ed25519_dalek::{Signature, VerifyingKey};
use p256::ecdsa::signature::Verifier;

use super::{
    error::ChainError,
    link::{Readable, SignedBy},
};
use crate::small_order::is_small_order;

/// Minimum number of signatures for which a batch is cheaper than verifying each. Two cost the same either way.
const BATCH_FROM: usize = 3;

/// Checks that all signatures verify. The error names a signature that does not.
pub(super) fn verify(links: &[Readable<'_>]) -> Result<(), ChainError> {
    let (ed25519, others): (Vec<&Readable<'_>>, Vec<&Readable<'_>>) = links
        .iter()
        .partition(|link| matches!(link.signed, SignedBy::Ed25519(..)));
    all(&ed25519)?;
    others.into_iter().try_for_each(Readable::verify)
}

/// Verifies Ed25519 signatures. A failed batch does not tell which signature is wrong, and an attacker can make
/// batches fail, so the suspects are halved until one is left. The search costs less than the batch did.
fn all(links: &[&Readable<'_>]) -> Result<(), ChainError> {
    if links.len() < BATCH_FROM {
        return links.iter().try_for_each(|link| link.verify());
    }
    // Verified by itself, such a signature is certain to fail; in a batch it might pass.
    if let Some(weak) = links.iter().find(|link| link.has_small_order()) {
        return Err(weak.wrong());
    }
    if batch(links) {
        return Ok(());
    }
    let mut suspects = links;
    while let Some((first, second)) = suspects.split_at_checked(suspects.len() / 2)
        && !first.is_empty()
    {
        let good = match first.len() < BATCH_FROM {
            true => first.iter().all(|link| link.verify().is_ok()),
            false => batch(first),
        };
        suspects = if good { second } else { first };
    }
    // The whole batch failed, so the token is refused even if the smaller batches passed.
    Err(suspects
        .first()
        .map_or(ChainError::Proof, |link| link.wrong()))
}

/// Returns true if all signatures verify in one batch.
///
/// The batch equation accepts points of small order, and `verify_strict` does not. Keys of small order cannot
/// be constructed, and signatures with such a point never get here. `docs/decisions` lists the differences that
/// remain.
pub(super) fn batch(links: &[&Readable<'_>]) -> bool {
    let messages: Vec<Vec<u8>> = links.iter().map(|link| link.message.to_vec()).collect();
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    let (signatures, keys): (Vec<Signature>, Vec<VerifyingKey>) = links
        .iter()
        .filter_map(|link| match &link.signed {
            SignedBy::Ed25519(key, signature) => Some((*signature, *key)),
            SignedBy::Secp256r1(..) => None,
        })
        .unzip();
    // Also fails if there are fewer signatures or keys than messages.
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

impl Readable<'_> {
    fn verify(&self) -> Result<(), ChainError> {
        let message = self.message.to_vec();
        let verified = match &self.signed {
            // As strict as `verify_strict`, which computes the signature's point to learn its order. Here the
            // bytes of the point show its order, and the equation compares bytes, so no second encoding passes.
            SignedBy::Ed25519(key, signature) => {
                !self.has_small_order() && key.verify(&message, signature).is_ok()
            }
            SignedBy::Secp256r1(key, signature) => key.verify(&message, signature).is_ok(),
        };
        match verified {
            true => Ok(()),
            false => Err(self.wrong()),
        }
    }

    /// Returns true if the signature's point is of small order.
    fn has_small_order(&self) -> bool {
        match &self.signed {
            SignedBy::Ed25519(_, signature) => is_small_order(*signature.r_bytes()),
            SignedBy::Secp256r1(..) => false,
        }
    }

    fn wrong(&self) -> ChainError {
        ChainError::Signature(self.what)
    }
}
