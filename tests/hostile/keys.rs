//! Tests of keys and signatures that the profile does not accept.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, message},
};
use biscuit_auth::{Algorithm, KeyPair, builder::BiscuitBuilder, format::schema};
use schema::proof::Content;

use crate::{ALLOW, expect, order};

/// Encodings of the eight points of small order, including those that are not canonical.
pub(super) const SMALL_ORDER: [&str; 14] = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "0100000000000000000000000000000000000000000000000000000000000080",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
];

/// Second encodings of points of large order (y + p), and bytes that are not a point.
pub(super) const NOT_A_KEY: [&str; 4] = [
    "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "f1ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0200000000000000000000000000000000000000000000000000000000000000",
    "",
];

#[test]
fn small_order_keys_are_refused_wherever_they_stand() {
    let root = Root::new();
    let cases = SMALL_ORDER.iter().chain(&NOT_A_KEY).flat_map(|hex| {
        let key = schema::PublicKey {
            algorithm: 0,
            key: hex::decode(hex).expect("hex"),
        };
        let last = Forge::honest(&root).append_with_key("check if true;", key.clone());
        // Under such a key, the neutral point with a zero scalar is a valid signature of almost every message.
        let mut signature = vec![0; 64];
        signature[0] = 1;
        let block = schema::SignedBlock {
            block: vec![0x18, 6],
            next_key: bailiwick_testkit::forge::public(&root.key),
            signature: signature.clone(),
            external_signature: None,
            version: Some(1),
        };
        let continued = last.clone().changed(|token| token.blocks.push(block));
        let sealed = last
            .clone()
            .changed(|token| token.proof.content = Some(Content::FinalSignature(signature)));
        let first = Forge::honest(&root).changed(|token| token.authority.next_key = key);
        [
            (format!("{hex} at the end"), last, "unsupported"),
            (format!("{hex}, continued"), continued, "unsupported"),
            (format!("{hex}, sealed"), sealed, "unsupported"),
            (
                format!("{hex} in the authority block"),
                first,
                "unsupported",
            ),
        ]
    });
    expect(&root, &order(), cases);
}

#[test]
fn only_ed25519() {
    let root = Root::new();
    let pair = KeyPair::new_with_algorithm(Algorithm::Secp256r1);
    let p256 = schema::PublicKey {
        algorithm: 1,
        key: pair.public().to_bytes(),
    };
    let disguised = schema::PublicKey {
        algorithm: 0,
        ..p256.clone()
    };
    let unknown = |algorithm| schema::PublicKey {
        algorithm,
        ..bailiwick_testkit::forge::public(&root.key)
    };
    let appended = |key| Forge::honest(&root).append_with_key("check if true;", key);
    let built = BiscuitBuilder::new()
        .code(AUTHORITY)
        .expect("an authority block")
        .root_key_id(root.key_id().as_u32())
        .build(&pair)
        .expect("a token");
    let container = built.container().to_proto();
    let under_p256 = Forge::honest(&root).changed(|token| *token = container);
    expect(
        &root,
        &order(),
        [
            ("a P-256 key", appended(p256), "unsupported"),
            (
                "a P-256 key that says it is Ed25519",
                appended(disguised),
                "unsupported",
            ),
            ("an unknown algorithm", appended(unknown(2)), "unsupported"),
            ("a negative algorithm", appended(unknown(-1)), "unsupported"),
            ("a P-256 root", under_p256, "malformed"),
        ],
    );
}

#[test]
fn signatures_and_proofs_of_wrong_lengths_and_versions() {
    let root = Root::new();
    let honest = || Forge::honest(&root).append("check if true;");
    let mut cases: Vec<(String, Forge, &'static str)> = Vec::new();
    for length in [0, 1, 32, 63, 65, 128] {
        let signature = vec![7; length];
        let authority = honest().changed(|token| token.authority.signature = signature.clone());
        let appended = honest().changed(|token| token.blocks[0].signature = signature.clone());
        let sealed = honest()
            .changed(|token| token.proof.content = Some(Content::FinalSignature(signature)));
        cases.extend(
            [authority, appended, sealed]
                .map(|forge| (format!("{length} bytes"), forge, "malformed")),
        );
    }
    for length in [0, 31, 33, 64] {
        let proof = Some(Content::NextSecret(vec![7; length]));
        let forge = honest().changed(|token| token.proof.content = proof);
        cases.push((format!("a secret of {length} bytes"), forge, "malformed"));
    }
    for version in [2, 3, 99, u32::MAX] {
        let authority = honest().changed(|token| token.authority.version = Some(version));
        let appended = Forge::honest(&root).append_signed(vec![0x18, 6], Some(version));
        cases.extend(
            [authority, appended].map(|forge| (format!("version {version}"), forge, "unsupported")),
        );
    }
    let proof = |content| honest().changed(|token| token.proof.content = content);
    cases.push(("no proof".to_owned(), proof(None), "malformed"));
    cases.push((
        "another secret".to_owned(),
        proof(Some(Content::NextSecret(vec![7; 32]))),
        "bad_signature",
    ));
    // s + l, the second signature that lenient verifiers accept.
    let order_of_the_group = "edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010";
    let group = hex::decode(order_of_the_group).expect("hex");
    let malleable = honest().changed(|token| {
        let mut carry = 0u16;
        for (byte, added) in token.blocks[0].signature[32..].iter_mut().zip(&group) {
            let sum = u16::from(*byte) + u16::from(*added) + carry;
            *byte = u8::try_from(sum & 0xff).expect("a byte");
            carry = sum >> 8;
        }
    });
    cases.push((
        "a second form of the signature".to_owned(),
        malleable,
        "bad_signature",
    ));
    let old = Forge::honest(&root).append_signed(vec![0x18, 6], Some(0));
    cases.push(("version 0, written out".to_owned(), old, ALLOW));
    expect(&root, &order(), cases);
}

/// A holder can make a signature whose point is the neutral element. The batch equation accepts such a
/// signature, and strict verification does not. The verifier's answer must not depend on which of the two it
/// uses.
#[test]
fn a_point_of_small_order_in_a_signature_is_refused_in_a_batch_and_alone() {
    use curve25519_dalek::scalar::{Scalar, clamp_integer};
    use ed25519_dalek::{Signature, Verifier, verify_batch};
    use sha2::{Digest, Sha512};

    let root = Root::new();
    let chain = || {
        (0..4).fold(Forge::honest(&root), |forge, _| {
            forge.append("check if true;")
        })
    };
    let signer = ed25519_dalek::SigningKey::from_bytes(&[103; 32]);
    let neutral = [&[1][..], &[0; 31]].concat();
    let forged = chain().changed(|token| {
        let [.., before, last] = token.blocks.as_mut_slice() else {
            panic!("four blocks");
        };
        let message = message(
            &last.block,
            &last.next_key,
            Some(&before.signature),
            last.version,
        );
        let expanded = Sha512::digest(signer.to_bytes());
        let secret = clamp_integer(expanded[..32].try_into().expect("32 bytes"));
        let hash = Sha512::new()
            .chain_update(&neutral)
            .chain_update(signer.verifying_key().as_bytes())
            .chain_update(&message)
            .finalize();
        let hash = Scalar::from_bytes_mod_order_wide(&hash.into());
        let response = hash * Scalar::from_bytes_mod_order(secret);
        last.signature = [&neutral[..], response.as_bytes()].concat();
        // Lenient verification accepts it.
        let signature = Signature::from_slice(&last.signature).expect("64 bytes");
        let key = signer.verifying_key();
        assert!(key.verify(&message, &signature).is_ok());
        assert!(verify_batch(&[&message], &[signature], &[key]).is_ok());
    });
    expect(
        &root,
        &order(),
        [
            // First, so that the verifier has seen none of its signatures yet.
            ("a neutral point", forged.clone(), "bad_signature"),
            ("an honest chain", chain(), ALLOW),
            // By now it has seen all but the last signature, which is verified by itself.
            ("a neutral point alone", forged, "bad_signature"),
        ],
    );
}
