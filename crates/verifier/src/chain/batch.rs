//! Verifying a list of signatures: in one batch where that pays, and one by one otherwise.

use ed25519_dalek::{Signature, VerifyingKey};
use p256::ecdsa::signature::Verifier;

use super::{
    error::ChainError,
    link::{Readable, Signed},
};

/// From how many signatures on a batch is cheaper than one by one: two cost the same either way.
const BATCH_FROM: usize = 3;

/// Whether all verify; where one does not, the first that does not is named.
pub(super) fn verify(links: &[Readable<'_>]) -> Result<(), ChainError> {
    let batched = batch_verifies(links);
    let mut message = Vec::new();
    for link in links {
        if !(batched && matches!(link.signed, Signed::Ed25519(..))) {
            link.message.write(&mut message);
            link.verify(&message)?;
        }
    }
    Ok(())
}

/// Whether there are enough Ed25519 signatures for a batch, and all of them verify at once. A batch
/// that fails says nothing about which one does.
///
/// The batch equation lets points of small order pass where `verify_strict` does not. Keys of small
/// order cannot be constructed; signatures with such a point are left to `verify_strict` here.
/// `docs/decisions` says what still differs.
pub(super) fn batch_verifies(links: &[Readable<'_>]) -> bool {
    let ed25519 = || {
        links
            .iter()
            .filter(|link| matches!(link.signed, Signed::Ed25519(..)))
    };
    let count = ed25519().count();
    if count < BATCH_FROM {
        return false;
    }
    let mut messages: Vec<Vec<u8>> = Vec::with_capacity(count);
    let mut signatures: Vec<Signature> = Vec::with_capacity(count);
    let mut keys: Vec<VerifyingKey> = Vec::with_capacity(count);
    for link in ed25519() {
        let Signed::Ed25519(key, signature) = &link.signed else {
            continue;
        };
        if has_small_order(signature) {
            return false;
        }
        messages.push(link.message.to_vec());
        signatures.push(*signature);
        keys.push(*key);
    }
    let messages: Vec<&[u8]> = messages.iter().map(Vec::as_slice).collect();
    ed25519_dalek::verify_batch(&messages, &signatures, &keys).is_ok()
}

/// Whether the point of a signature is of small order. One that is no point fails in the batch.
fn has_small_order(signature: &Signature) -> bool {
    VerifyingKey::from_bytes(signature.r_bytes()).is_ok_and(|point| point.is_weak())
}

impl Readable<'_> {
    fn verify(&self, message: &[u8]) -> Result<(), ChainError> {
        let verified = match &self.signed {
            Signed::Ed25519(key, signature) => key.verify_strict(message, signature).is_ok(),
            Signed::Secp256r1(key, signature) => key.verify(message, signature).is_ok(),
        };
        match verified {
            true => Ok(()),
            false => Err(ChainError::Signature(self.what)),
        }
    }
}
