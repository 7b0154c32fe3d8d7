//! Revocation ids (Biscuit specification, "Revocation identifiers"): the signature of each block.

use bailiwick_token::container::{Algorithm, Container};
use p256::ecdsa;

use super::key::Key;

/// The revocation id of each block, the authority block's first.
///
/// Of an ECDSA signature (r, s) there is a second one, (r, -s), that anyone can compute. Both
/// verify, so an id is the one of the two whose s is the lower. Where `root` is not known, what the
/// authority block's signature looks like tells its algorithm.
pub(crate) fn revocation_ids(container: &Container, root: Option<&Key>) -> Vec<Vec<u8>> {
    const ED25519_BYTES: usize = 64;
    let mut ecdsa = match root {
        Some(Key::Ed25519(_)) => false,
        Some(Key::Secp256r1(_)) => true,
        None => container
            .signed_blocks()
            .next()
            .is_some_and(|authority| authority.signature.len() != ED25519_BYTES),
    };
    let blocks = container.signed_blocks();
    blocks
        .map(|block| {
            let id = match ecdsa {
                true => low_s(&block.signature),
                false => None,
            };
            ecdsa = block.next_key.algorithm == Algorithm::Secp256r1.number();
            id.unwrap_or_else(|| block.signature.clone())
        })
        .collect()
}

/// The lower of the two forms of a signature; `None` where it is none.
fn low_s(signature: &[u8]) -> Option<Vec<u8>> {
    let signature = ecdsa::Signature::from_der(signature).ok()?;
    let low = signature.normalize_s().unwrap_or(signature);
    Some(low.to_der().as_bytes().to_vec())
}
