//! The signed messages (Biscuit specification, "Signature payload"): the bytes of a block, its next key, and
//! the signature of the previous block.

use super::signer_key::SignerKey;
use crate::container::SignedBlock;

/// A message in parts. The parts are hashed one by one, and joined only for verification.
#[derive(Clone, Copy)]
pub(super) struct Message<'a>([&'a [u8]; PARTS]);

/// The parts of the longest message, that of a third party's block in version 1.
const PARTS: usize = 12;

/// The version number 1, as signed messages contain it.
const VERSION_1: [u8; 4] = 1u32.to_le_bytes();

impl<'a> Message<'a> {
    fn of<const N: usize>(parts: [&'a [u8]; N]) -> Message<'a> {
        // Checked at compile time, so that the `zip` below can never drop a part of a signed message.
        const { assert!(N <= PARTS) };
        let mut message = [[].as_slice(); PARTS];
        for (to, part) in message.iter_mut().zip(parts) {
            *to = part;
        }
        Message(message)
    }

    pub(super) fn parts(&self) -> impl Iterator<Item = &'a [u8]> {
        self.0.into_iter()
    }

    pub(super) fn to_vec(self) -> Vec<u8> {
        self.0.concat()
    }
}

/// The message that a block's signature covers, by the version of the signature; `None` if that version is
/// unknown.
///
/// Version 0 covers the block, the external signature and the next key. Version 1 also labels these parts, and
/// covers the signature of the previous block.
pub(super) fn block<'a>(
    block: &'a SignedBlock,
    next: SignerKey<'a>,
    previous: Option<&'a SignedBlock>,
) -> Option<Message<'a>> {
    let external = block
        .external_signature
        .as_ref()
        .map(|external| external.signature.as_slice());
    let key = &block.next_key.key;
    match version(block) {
        // Version 0 does not cover the previous block: only the chain of keys fixes the order.
        0 => Some(Message::of([
            &block.block,
            external.unwrap_or_default(),
            next.algorithm(),
            key,
        ])),
        1 => {
            let (previous_name, previous) = named(
                b"\0PREVSIG\0",
                previous.map(|block| block.signature.as_slice()),
            );
            let (external_name, external) = named(b"\0EXTERNALSIG\0", external);
            Some(Message::of([
                b"\0BLOCK\0\0VERSION\0",
                &VERSION_1,
                b"\0PAYLOAD\0",
                &block.block,
                b"\0ALGORITHM\0",
                next.algorithm(),
                b"\0NEXTKEY\0",
                key,
                previous_name,
                previous,
                external_name,
                external,
            ]))
        }
        // A guess at an unknown layout would verify something that nobody signed.
        _ => None,
    }
}

/// The message that a third party signs. In version 1, the signature of the previous block binds the message to
/// one token. Version 0 binds it only to the key of the previous block, which a holder can put into another
/// token.
pub(super) fn third_party<'a>(
    block: &'a SignedBlock,
    signer: SignerKey<'a>,
    previous: &'a SignedBlock,
) -> Option<Message<'a>> {
    match version(block) {
        0 => Some(Message::of([
            &block.block,
            signer.algorithm(),
            &previous.next_key.key,
        ])),
        1 => Some(Message::of([
            b"\0EXTERNAL\0\0VERSION\0",
            &VERSION_1,
            b"\0PAYLOAD\0",
            &block.block,
            b"\0PREVSIG\0",
            &previous.signature,
        ])),
        _ => None,
    }
}

/// The message that a seal signs: the last block and its signature.
pub(super) fn seal<'a>(last: &'a SignedBlock, next: SignerKey<'a>) -> Message<'a> {
    Message::of([
        &last.block,
        next.algorithm(),
        &last.next_key.key,
        &last.signature,
    ])
}

/// The version of a block's signatures; 0 if the block states none.
pub(super) fn version(block: &SignedBlock) -> u32 {
    block.version.unwrap_or(0)
}

/// A part and its label. Both are empty if there is no such part.
fn named<'a>(name: &'a [u8], part: Option<&'a [u8]>) -> (&'a [u8], &'a [u8]) {
    part.map_or_else(Default::default, |part| (name, part))
}
