//! Revocation ids (Biscuit specification, "Revocation identifiers"): the signature of each block.

use std::ops::Neg;

use p256::ecdsa;

use crate::{
    container::{Container, SignedBlock},
    key::{Algorithm, Key},
};

/// The revocation id of each block, beginning with the authority block.
///
/// From an ECDSA signature (r, s) anyone can compute a second one, (r, -s), which verifies too. The id is the
/// form with the lower s. If `root` is `None`, the algorithm of the authority block's signature is inferred
/// from the signature's length.
#[must_use]
pub fn revocation_ids(container: &Container, root: Option<&Key>) -> Vec<Vec<u8>> {
    let blocks = signatures(container, root);
    let ids = blocks.map(|(signature, ecdsa)| match forms(signature, ecdsa) {
        Some([low, _]) => low,
        None => signature.to_vec(),
    });
    ids.collect()
}

/// The contents of `revocation_id` facts: the number of each block with its id, and for ECDSA both forms of the
/// signature. Both are needed because other libraries list signatures as they appear in the token, and a holder
/// can turn one form into the other.
#[must_use]
pub fn stated_revocation_ids(container: &Container, root: &Key) -> Vec<(usize, Vec<u8>)> {
    let blocks = signatures(container, Some(root)).enumerate();
    let ids = blocks.flat_map(|(block, (signature, ecdsa))| {
        let ids = match forms(signature, ecdsa) {
            Some(forms) => Vec::from(forms),
            None => vec![signature.to_vec()],
        };
        ids.into_iter().map(move |id| (block, id))
    });
    ids.collect()
}

/// The signature of each block, with true if it is an ECDSA signature.
fn signatures<'c>(
    container: &'c Container,
    root: Option<&Key>,
) -> impl Iterator<Item = (&'c [u8], bool)> {
    const ED25519_BYTES: usize = 64;
    let looks_like_ecdsa = |block: &SignedBlock| block.signature.len() != ED25519_BYTES;
    // The DER form of a P-256 signature can be 64 bytes long as well, so the algorithm is only a guess here. It
    // is made only where the root key is not at hand and nothing is decided.
    let mut ecdsa = match root {
        Some(Key::Ed25519(_)) => false,
        Some(Key::Secp256r1(_)) => true,
        None => container
            .signed_blocks()
            .next()
            .is_some_and(looks_like_ecdsa),
    };
    container.signed_blocks().map(move |block| {
        // The key that a block names signs the block after it.
        let next = block.next_key.algorithm == Algorithm::Secp256r1.number();
        (
            block.signature.as_slice(),
            std::mem::replace(&mut ecdsa, next),
        )
    })
}

/// Both forms of an ECDSA signature, the one with the lower s first; `None` if it is not an ECDSA signature.
fn forms(signature: &[u8], ecdsa: bool) -> Option<[Vec<u8>; 2]> {
    if !ecdsa {
        return None;
    }
    let signature = ecdsa::Signature::from_der(signature).ok()?;
    let low = signature.normalize_s().unwrap_or(signature);
    let (r, s) = low.split_scalars();
    let high = ecdsa::Signature::from_scalars(r, s.neg()).ok()?;
    Some([low, high].map(|form| form.to_der().as_bytes().to_vec()))
}
