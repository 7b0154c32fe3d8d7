//! Tokens with fields that a lenient reader skips or reads in two ways. Signatures do not cover fields outside the
//! blocks, so anyone can add them to a token.

use bailiwick_testkit::{
    Root,
    forge::{self, Forge},
};
use biscuit_auth::format::schema::SignedBlock;
use prost::Message;

use super::{
    Case, Signatures,
    forged::refused,
    honest::{ORDER, buyer, handed_on},
    narrowed::to_buyer,
};

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = doubled(root);
    all.extend(unknown(root));
    all.extend(inside(root));
    all
}

/// A second value for a field that has one already. Libraries that merge messages use the last value, and verify it.
fn doubled(root: &Root) -> Vec<Case> {
    let parts = Parts::of(&handed_on(root, &buyer(root), &to_buyer()));
    let authority = with_name(&parts.authority, "agent:orchestrator", "agent:chief-of-all");
    let delegate = with_name(&parts.block, "agent:buyer", "agent:chief");
    // The forged value comes first, and the signed one follows.
    let before = |forged: Vec<u8>, real: &[u8]| [&forged[..], real].concat();
    let key = |envelope: &SignedBlock| field(2, &envelope.next_key.encode_to_vec());
    let signed = |bytes: &[u8]| SignedBlock::decode(bytes).expect("a signed block");
    let seal = field(4, &field(2, &[0; 64]));
    vec![
        forged(
            "authority-content-twice",
            "an authority block with a second content, which names another agent",
            &Parts {
                authority: before(field(1, &authority.block), &parts.authority),
                ..parts.clone()
            },
        ),
        forged(
            "authority-twice",
            "a second authority block, which names another agent",
            &Parts {
                before: field(2, &authority.encode_to_vec()),
                ..parts.clone()
            },
        ),
        forged(
            "appended-content-twice",
            "an appended block with a second content, which names another delegate",
            &Parts {
                block: before(field(1, &delegate.block), &parts.block),
                ..parts.clone()
            },
        ),
        forged(
            "signature-twice",
            "a second signature, which would make a revocation name another block",
            &Parts {
                block: before(field(3, &[7; 64]), &parts.block),
                ..parts.clone()
            },
        ),
        forged(
            "next-key-twice",
            "a second next key",
            &Parts {
                block: before(key(&signed(&parts.authority)), &parts.block),
                ..parts.clone()
            },
        ),
        forged(
            "key-bytes-twice",
            "a next key with a second key in it",
            &Parts {
                block: before(field(2, &field(2, &[9; 32])), &parts.block),
                ..parts.clone()
            },
        ),
        forged(
            "proof-twice",
            "a seal before the secret: an open token that could be mistaken for a sealed one",
            &Parts {
                before: seal,
                ..parts.clone()
            },
        ),
        forged(
            "proof-of-both",
            "a proof that is both a seal and a secret",
            &Parts {
                proof: before(field(2, &[0; 64]), &parts.proof),
                ..parts.clone()
            },
        ),
        forged(
            "root-key-id-twice",
            "a second root key id",
            &Parts {
                before: vec![0x08, 7],
                ..parts.clone()
            },
        ),
    ]
}

/// Fields that no schema has, and numbers in a longer form than needed.
fn unknown(root: &Root) -> Vec<Case> {
    let parts = Parts::of(&handed_on(root, &buyer(root), &to_buyer()));
    let more = field(15, b"x");
    let after = |bytes: &[u8]| [bytes, &more[..]].concat();
    // A zero byte follows the last byte of the root key id, and does not change its value.
    let mut long = vec![0x08];
    prost::encoding::encode_varint(u64::from(root.key_id().as_u32()), &mut long);
    *long.last_mut().expect("a byte") |= 0x80;
    long.push(0);
    vec![
        forged(
            "unknown-field",
            "an unknown field beside the blocks",
            &Parts {
                before: more.clone(),
                ..parts.clone()
            },
        ),
        forged(
            "unknown-field-beside-a-signature",
            "an unknown field beside a block's signature",
            &Parts {
                block: after(&parts.block),
                ..parts.clone()
            },
        ),
        forged(
            "unknown-field-in-the-proof",
            "an unknown field in the proof",
            &Parts {
                proof: after(&parts.proof),
                ..parts.clone()
            },
        ),
        forged(
            "number-in-a-long-form",
            "the root key id in one byte more than it needs",
            &Parts { id: long, ..parts },
        ),
    ]
}

/// The same faults in the content of a block, which its writer has signed.
fn inside(root: &Root) -> Vec<Case> {
    let block = |bytes: &[u8]| buyer(root).append_bytes(bytes.to_vec());
    [
        (
            "version-twice",
            "a block with a second version",
            block(&[0x18, 6, 0x18, 6]),
        ),
        (
            "unknown-field-in-a-block",
            "an unknown field in a block",
            block(&[0x18, 6, 0x7a, 1, 0]),
        ),
        (
            "number-in-a-long-form-in-a-block",
            "a block whose version takes two bytes",
            block(&[0x18, 0x86, 0x00]),
        ),
    ]
    .map(|(name, about, token)| unreadable(name, about, token.text()))
    .into()
}

/// The fields of a token with one appended block, to which a case adds others.
#[derive(Clone)]
struct Parts {
    id: Vec<u8>,
    /// Fields between the id and the authority block.
    before: Vec<u8>,
    authority: Vec<u8>,
    block: Vec<u8>,
    proof: Vec<u8>,
}

impl Parts {
    fn of(token: &Forge) -> Parts {
        let container = &token.container;
        let mut id = vec![0x08];
        prost::encoding::encode_varint(container.root_key_id.expect("an id").into(), &mut id);
        Parts {
            id,
            before: Vec::new(),
            authority: container.authority.encode_to_vec(),
            block: container.blocks[0].encode_to_vec(),
            proof: container.proof.encode_to_vec(),
        }
    }

    fn text(&self) -> String {
        let fields = [
            self.id.clone(),
            self.before.clone(),
            field(2, &self.authority),
            field(3, &self.block),
            field(4, &self.proof),
        ];
        forge::text(&fields.concat())
    }
}

/// A field with this number that holds bytes.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![(number << 3) | 2];
    prost::encoding::encode_varint(bytes.len() as u64, &mut field);
    field.extend(bytes);
    field
}

/// Replaces a name in the content of a signed block by another of the same length.
fn with_name(envelope: &[u8], from: &str, to: &str) -> SignedBlock {
    assert_eq!(from.len(), to.len(), "lengths are not adjusted");
    let mut envelope = SignedBlock::decode(envelope).expect("a signed block");
    let mut places = envelope.block.windows(from.len());
    let place = places.position(|found| found == from.as_bytes());
    let place = place.expect("the name");
    envelope.block[place..place + to.len()].copy_from_slice(to.as_bytes());
    envelope
}

fn forged(name: &str, about: &str, parts: &Parts) -> Case {
    Case {
        misformed: true,
        ..unreadable(name, about, parts.text())
    }
}

/// A token that a reader must not show, although biscuit-auth verifies it.
fn unreadable(name: &str, about: &str, token: String) -> Case {
    Case {
        unreadable: true,
        ..refused(name, about, token, Signatures::Valid, ORDER, "malformed")
    }
}
