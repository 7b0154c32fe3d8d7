//! Forgeries with keys under which anyone could sign, and with signatures that have a second form.

use bailiwick_testkit::{
    Root,
    forge::{Forge, public},
};
use biscuit_auth::{Algorithm, KeyPair, PrivateKey, format::schema};

use super::{super::keys::SMALL_ORDER, Forgery, forgery};

const UNSUPPORTED: &str = "unsupported";

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let key = |algorithm, key: Vec<u8>| schema::PublicKey { algorithm, key };
    let small = |place: usize| key(0, hex::decode(SMALL_ORDER[place]).expect("hex"));
    let under = |key: schema::PublicKey| Forge::honest(root).append_with_key("check if true;", key);
    // Under such a key, the neutral point with a zero scalar is a valid signature of almost every message.
    let mut signature = vec![0; 64];
    signature[0] = 1;
    let continued = under(small(0)).changed(|token| {
        token.blocks.push(schema::SignedBlock {
            block: vec![0x18, 6],
            next_key: public(&root.key),
            signature,
            external_signature: None,
            version: Some(1),
        });
    });
    let private = PrivateKey::from_bytes(&[5; 32], Algorithm::Secp256r1).expect("a key");
    let p256 = KeyPair::from(&private).public().to_bytes();
    let not_a_point = hex::decode(format!("02{}", "00".repeat(31))).expect("hex");
    let beyond = hex::decode(format!("f0{}7f", "ff".repeat(30))).expect("hex");
    let short = Forge::honest(root)
        .append("check if true;")
        .changed(|token| token.blocks[0].signature.truncate(63));
    let honest = || public(&root.key).key;
    vec![
        forgery(
            "key-neutral",
            "the neutral point as the next key",
            under(small(0)),
            UNSUPPORTED,
        ),
        forgery(
            "key-neutral-continued",
            "the neutral point as the next key, and a block that it signs",
            continued,
            UNSUPPORTED,
        ),
        forgery(
            "key-of-order-2",
            "a next key of order two",
            under(small(1)),
            UNSUPPORTED,
        ),
        forgery(
            "key-of-order-4",
            "a next key of order four",
            under(small(2)),
            UNSUPPORTED,
        ),
        forgery(
            "key-of-order-8",
            "a next key of order eight",
            under(small(4)),
            UNSUPPORTED,
        ),
        forgery(
            "key-of-small-order-not-canonical",
            "a second encoding of a next key of small order",
            under(small(12)),
            UNSUPPORTED,
        ),
        forgery(
            "key-not-canonical",
            "a second encoding of a next key: y + p",
            under(key(0, beyond)),
            UNSUPPORTED,
        ),
        forgery(
            "key-no-point",
            "a next key that is no point of the curve",
            under(key(0, not_a_point)),
            UNSUPPORTED,
        ),
        forgery(
            "key-p256",
            "a P-256 next key",
            under(key(1, p256.clone())),
            UNSUPPORTED,
        ),
        forgery(
            "key-p256-disguised",
            "a P-256 next key that says it is Ed25519",
            under(key(0, p256)),
            UNSUPPORTED,
        ),
        forgery(
            "key-unknown-algorithm",
            "a next key of an unknown algorithm",
            under(key(2, honest())),
            UNSUPPORTED,
        ),
        forgery(
            "key-long",
            "a next key of 33 bytes",
            under(key(0, [honest(), vec![0]].concat())),
            UNSUPPORTED,
        ),
        forgery(
            "signature-malleable",
            "a second form of a signature: s + l",
            malleable(root),
            "bad_signature",
        ),
        forgery(
            "signature-short",
            "a signature of 63 bytes",
            short,
            "malformed",
        ),
    ]
}

fn malleable(root: &Root) -> Forge {
    let order = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let order = hex::decode(order).expect("hex");
    Forge::honest(root)
        .append("check if true;")
        .changed(|token| {
            let mut carry = 0u16;
            for (byte, added) in token.blocks[0].signature[32..].iter_mut().zip(&order) {
                let sum = u16::from(*byte) + u16::from(*added) + carry;
                *byte = u8::try_from(sum & 0xff).expect("a byte");
                carry = sum >> 8;
            }
        })
}
