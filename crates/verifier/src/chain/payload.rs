//! What is signed: the bytes of a block, its next key, and what it is bound to.

use biscuit_auth::format::schema::{PublicKey, SignedBlock};

/// The message that a block's signature signs, by the version of the signature; `None` where that
/// version is unknown.
///
/// Version 0 signs block, external signature and next key. Version 1 also names its parts and signs
/// the signature of the block before.
pub(super) fn block(block: &SignedBlock, previous: Option<&SignedBlock>) -> Option<Vec<u8>> {
    let external = block
        .external_signature
        .as_ref()
        .map(|external| external.signature.as_slice());
    match block.version.unwrap_or(0) {
        0 => Some(joined([
            &block.block,
            external.unwrap_or_default(),
            &algorithm(&block.next_key),
            &block.next_key.key,
        ])),
        1 => {
            let mut message = joined([
                b"\0BLOCK\0\0VERSION\0",
                &1u32.to_le_bytes(),
                b"\0PAYLOAD\0",
                &block.block,
                b"\0ALGORITHM\0",
                &algorithm(&block.next_key),
                b"\0NEXTKEY\0",
                &block.next_key.key,
            ]);
            if let Some(previous) = previous {
                message.extend_from_slice(b"\0PREVSIG\0");
                message.extend_from_slice(&previous.signature);
            }
            if let Some(external) = external {
                message.extend_from_slice(b"\0EXTERNALSIG\0");
                message.extend_from_slice(external);
            }
            Some(message)
        }
        _ => None,
    }
}

/// The message that a seal signs: the last block with its signature.
pub(super) fn seal(last: &SignedBlock) -> Vec<u8> {
    joined([
        &last.block,
        &algorithm(&last.next_key),
        &last.next_key.key,
        &last.signature,
    ])
}

fn algorithm(key: &PublicKey) -> [u8; 4] {
    key.algorithm.to_le_bytes()
}

fn joined<const N: usize>(parts: [&[u8]; N]) -> Vec<u8> {
    parts.concat()
}
