//! Tests of keys that even a Biscuit outside the profile may not name.

use bailiwick_biscuit::authorize::Key;
use bailiwick_testkit::foreign::{Foreign, Pair};
use biscuit_auth::format::schema::{self, proof::Content};

use super::{
    foreign_chain::decided,
    keys::{NOT_A_KEY, SMALL_ORDER},
};

fn root() -> Pair {
    Pair::ed25519(1)
}

/// The encodings of a point other than the compressed one (SEC 1, section 2.3.3).
fn other_encodings(pair: &Pair) -> Vec<Vec<u8>> {
    let Pair::P256(key) = pair else {
        return Vec::new();
    };
    let long = key
        .verifying_key()
        .to_encoded_point(false)
        .as_bytes()
        .to_vec();
    let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    vec![
        long.clone(),
        tagged(5, &long[1..33]),
        tagged(6, &long[1..]),
        tagged(7, &long[1..]),
        tagged(2, &long[1..]),
        long[1..33].to_vec(),
        long[1..].to_vec(),
        vec![0],
        vec![],
    ]
}

#[test]
fn a_key_has_one_encoding() {
    for bytes in other_encodings(&Pair::p256(2)) {
        let key = schema::PublicKey {
            algorithm: 1,
            key: bytes.clone(),
        };
        let tokens = named(&key, &Pair::p256(2));
        for (name, token) in tokens {
            let found = decided(&token.bytes(), &root(), "allow if true;");
            assert_eq!(found, "format", "{name}: {}", hex::encode(&bytes));
        }
        let text = format!("secp256r1/{}", hex::encode(&bytes));
        assert!(text.parse::<Key>().is_err(), "{text}");
    }
}

/// Tokens that name another encoding of a key: one for the last block's key, and one for a third party's.
fn named(key: &schema::PublicKey, last: &Pair) -> [(&'static str, Foreign); 2] {
    let start = || Foreign::authority(&root(), "user(\"a\");", last.clone(), 1);
    let party = start().append_third_party("a(1);", last, Pair::ed25519(3), 1);
    [
        (
            "next",
            start().changed(|token| token.authority.next_key = key.clone()),
        ),
        (
            "third party",
            party.changed(|token| {
                let external = token.blocks[0].external_signature.as_mut().expect("one");
                external.public_key = key.clone();
            }),
        ),
    ]
}

#[test]
fn small_order_keys_are_refused_wherever_they_stand() {
    // Under such a key, the neutral point with a zero scalar is a valid signature of almost every message.
    let mut neutral = vec![0; 64];
    neutral[0] = 1;
    for hex in SMALL_ORDER.iter().chain(&NOT_A_KEY) {
        let key = schema::PublicKey {
            algorithm: 0,
            key: hex::decode(hex).expect("hex"),
        };
        let start = || Foreign::authority(&root(), "user(\"a\");", Pair::ed25519(2), 1);
        let external = schema::ExternalSignature {
            signature: neutral.clone(),
            public_key: key.clone(),
        };
        let by_weak = start().append_signed(vec![0x18, 3], Some(external), Pair::ed25519(3), 1);
        let sealed = start().changed(|token| {
            token.authority.next_key = key.clone();
            token.proof.content = Some(Content::FinalSignature(neutral.clone()));
        });
        for token in [by_weak, sealed] {
            let found = decided(&token.bytes(), &root(), "allow if true;");
            assert_eq!(found, "format", "{hex}");
        }
        assert!(format!("ed25519/{hex}").parse::<Key>().is_err(), "{hex}");
    }
}

/// A batch would accept a signature whose point is of small order.
#[test]
fn small_order_signatures_are_refused() {
    let mut neutral = vec![0; 64];
    neutral[0] = 1;
    let token = Foreign::authority(&root(), "user(\"a\");", Pair::ed25519(2), 1)
        .append("check if true;", Pair::ed25519(3), 1)
        .append("check if true;", Pair::ed25519(4), 1)
        .changed(|token| token.blocks[1].signature = neutral);
    assert_eq!(
        decided(&token.bytes(), &root(), "allow if true;"),
        "signature"
    );
}

#[test]
fn algorithms_are_not_confused() {
    for (pair, other) in [(Pair::ed25519(2), 1), (Pair::p256(2), 0)] {
        for algorithm in [other, 2, -1, i32::MAX] {
            let key = schema::PublicKey {
                algorithm,
                ..pair.public()
            };
            for (name, token) in named(&key, &pair) {
                let found = decided(&token.bytes(), &root(), "allow if true;");
                assert_eq!(found, "format", "{name} {algorithm}");
            }
        }
    }
}

#[test]
fn root_keys_have_one_text() {
    let key = Pair::p256(2).key();
    let text = key.to_string();
    assert_eq!(text.parse(), Ok(key));
    assert_eq!(format!("{key:?}"), text);
    let ed25519 = Pair::ed25519(2).key().to_string();
    let digits = text.trim_start_matches("secp256r1/");
    let uncompressed = |pair: &Pair| match pair {
        Pair::P256(key) => hex::encode(key.verifying_key().to_encoded_point(false).as_bytes()),
        Pair::Ed25519(_) => String::new(),
    };
    for text in [
        String::new(),
        "secp256r1/".to_owned(),
        "ed25519/".to_owned(),
        digits.to_owned(),
        format!("ed25519/{digits}"),
        format!("secp256k1/{digits}"),
        format!("secp256r1/{}", digits.to_uppercase()),
        format!("secp256r1/{}", &digits[2..]),
        format!(" {text}"),
        format!("{text} "),
        format!("secp256r1/{}", uncompressed(&Pair::p256(2))),
        ed25519.replace("ed25519", "secp256r1"),
    ] {
        assert!(text.parse::<Key>().is_err(), "{text}");
    }
    // A point that is not on the curve.
    let off = format!("secp256r1/02{}", "ff".repeat(32));
    assert!(off.parse::<Key>().is_err());
}
