//! Comparison of random containers, intact and damaged: biscuit-auth 6.0.0 and the verifier accept the same
//! ones.
//!
//! In the known differences, which the generator avoids and a test pins, the answers are:
//!
//! | biscuit-auth | the verifier |
//! |---|---|
//! | an uncompressed P-256 key is accepted, so one token has several encodings | such a key is refused |
//! | the Datalog of blocks is decoded when they are evaluated | it is decoded when the token is verified |
//! | `revocation_identifiers` are the signatures unchanged | the id of an ECDSA signature is the lower of its two forms |
//! | more than 127 blocks or 64 KiB are accepted | such a token is refused |

use bailiwick_biscuit::authorize::{ErrorKind, Unverified};
use bailiwick_testkit::foreign::{Foreign, Pair, other_form};
use biscuit_auth::{
    Algorithm, Biscuit, KeyPair, PublicKey,
    builder::{BiscuitBuilder, BlockBuilder},
    format::schema::{self, SignedBlock, proof::Content},
};
use p256::elliptic_curve::sec1::ToEncodedPoint;
use proptest::prelude::*;
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};

fn key_pair(rng: &mut StdRng) -> KeyPair {
    let algorithm = match rng.r#gen() {
        true => Algorithm::Ed25519,
        false => Algorithm::Secp256r1,
    };
    KeyPair::new_with_rng(algorithm, rng)
}

/// A token of up to six blocks, of which third parties may sign some. It may be sealed.
fn token(rng: &mut StdRng, root: &KeyPair) -> Biscuit {
    let code = |rng: &mut StdRng, name: &str| match rng.gen_range(0..3) {
        0 => format!("{name}({});", rng.gen_range(0..9)),
        1 => format!("check if user(\"a\"), {} < 9;", rng.gen_range(0..9)),
        // Datalog 3.3, which requires version 1 of signatures.
        _ => format!("check if [{}].length() == 1;", rng.gen_range(0..9)),
    };
    let next = key_pair(rng);
    let mut token = BiscuitBuilder::new()
        .code("user(\"a\");")
        .expect("Datalog")
        .build_with_key_pair(root, biscuit_auth::datalog::SymbolTable::new(), &next)
        .expect("a token");
    for index in 0..rng.gen_range(0..6) {
        let code = code(rng, &format!("fact{index}"));
        let block = BlockBuilder::new().code(code).expect("Datalog");
        let next = key_pair(rng);
        token = match rng.gen_range(0..3) {
            0 => {
                let party = key_pair(rng);
                let request = token.third_party_request().expect("an open token");
                let block = request
                    .create_block(&party.private(), block)
                    .expect("a block");
                token
                    .append_third_party_with_keypair(party.public(), block, next)
                    .expect("a block")
            }
            _ => token.append_with_keypair(&next, block).expect("a block"),
        };
    }
    match rng.gen_ratio(1, 3) {
        true => token.seal().expect("an open token"),
        false => token,
    }
}

/// Checks that both agree on accepting a container, and returns true if they accept it.
fn accepted(bytes: &[u8], root: &PublicKey) -> std::result::Result<bool, TestCaseError> {
    let key = root.to_string().parse().expect("a root key");
    let ours = Unverified::read(bytes).and_then(|read| read.verify(&key));
    let theirs = Biscuit::from(bytes, *root);
    prop_assert_eq!(
        ours.is_ok(),
        theirs.is_ok(),
        "ours: {:?}, theirs: {:?}, {}",
        ours.as_ref().err(),
        theirs.as_ref().err(),
        hex::encode(bytes)
    );
    if let (Ok(ours), Ok(theirs)) = (&ours, &theirs) {
        let theirs: Vec<Vec<u8>> = theirs
            .revocation_identifiers()
            .iter()
            .map(|id| low(id))
            .collect();
        prop_assert_eq!(ours.revocation_ids(), theirs);
    }
    Ok(ours.is_ok())
}

fn low(id: &[u8]) -> Vec<u8> {
    match p256::ecdsa::Signature::from_der(id) {
        Ok(signature) => match signature.normalize_s() {
            Some(_) => other_form(id),
            None => id.to_vec(),
        },
        Err(_) => id.to_vec(),
    }
}

/// Changes some bytes at any position.
fn damaged(rng: &mut StdRng, mut bytes: Vec<u8>) -> Vec<u8> {
    for _ in 0..rng.gen_range(1..4) {
        let at = rng.gen_range(0..bytes.len());
        match rng.gen_range(0..5) {
            0 => bytes[at] ^= 1 << rng.gen_range(0..8),
            1 => bytes[at] = rng.r#gen(),
            2 => drop(bytes.remove(at)),
            3 => bytes.insert(at, rng.r#gen()),
            _ => bytes.truncate(at.max(1)),
        }
    }
    bytes
}

/// Changes the content of the container but keeps it well formed.
fn rearranged(
    rng: &mut StdRng,
    mut container: schema::Biscuit,
    other: &schema::Biscuit,
) -> Vec<u8> {
    let count = container.blocks.len();
    let donor = |rng: &mut StdRng, of: &schema::Biscuit| -> SignedBlock {
        let index = rng.gen_range(0..=of.blocks.len());
        of.blocks.get(index).unwrap_or(&of.authority).clone()
    };
    let from = match rng.r#gen() {
        true => donor(rng, other),
        false => donor(rng, &container.clone()),
    };
    let at = rng.gen_range(0..=count);
    let block = match at.checked_sub(1) {
        Some(index) => &mut container.blocks[index],
        None => &mut container.authority,
    };
    match rng.gen_range(0..12) {
        0 => block.signature = from.signature,
        1 => block.next_key = from.next_key,
        2 => block.external_signature = from.external_signature,
        3 => block.block = from.block,
        4 => block.version = [None, Some(0), Some(1), Some(2)][rng.gen_range(0..4)],
        5 => block.next_key.algorithm = rng.gen_range(-1..3),
        6 => {
            // Either form of an ECDSA signature is valid, unless a later signature covers it.
            if block.signature.len() != 64 {
                block.signature = other_form(&block.signature);
            }
        }
        7 => {
            if let Some(external) = &mut block.external_signature {
                external.public_key = from.next_key;
            }
        }
        8 => drop(container.blocks.pop()),
        9 => container.blocks.insert(at.min(count), from),
        10 => container.proof = other.proof.clone(),
        _ => {
            let content = match rng.gen_range(0..3) {
                0 => Some(Content::FinalSignature(from.signature)),
                1 => Some(Content::NextSecret(vec![
                    rng.r#gen();
                    rng.gen_range(31..34)
                ])),
                _ => None,
            };
            container.proof.content = content;
        }
    }
    container.encode_to_vec()
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(150),
        rng_seed: proptest::test_runner::RngSeed::Fixed(8),
        ..ProptestConfig::default()
    })]

    #[test]
    fn both_accept_the_same(seed in any::<u64>()) {
        let rng = &mut StdRng::seed_from_u64(seed);
        let root = key_pair(rng);
        let biscuit = token(rng, &root);
        let bytes = biscuit.to_vec().expect("bytes");
        prop_assert!(accepted(&bytes, &root.public())?, "an honest token");
        let other_root = key_pair(rng);
        prop_assert!(!accepted(&bytes, &other_root.public())?, "another root");
        let container = schema::Biscuit::decode(bytes.as_slice()).expect("a container");
        let other = token(rng, &root).to_vec().expect("bytes");
        let other = schema::Biscuit::decode(other.as_slice()).expect("a container");
        for _ in 0..10 {
            let damaged = damaged(rng, bytes.clone());
            accepted(&damaged, &root.public())?;
            let rearranged = rearranged(rng, container.clone(), &other);
            accepted(&rearranged, &root.public())?;
        }
    }
}

/// If every changed container were refused, agreement would prove little.
#[test]
fn the_generator_reaches_both_outcomes() {
    let (mut accept, mut refuse) = (0, 0);
    for seed in 0..60 {
        let rng = &mut StdRng::seed_from_u64(seed);
        let root = key_pair(rng);
        let bytes = token(rng, &root).to_vec().expect("bytes");
        let container = schema::Biscuit::decode(bytes.as_slice()).expect("a container");
        for _ in 0..10 {
            let changed = rearranged(rng, container.clone(), &container);
            match accepted(&changed, &root.public()).expect("agreement") {
                true => accept += 1,
                false => refuse += 1,
            }
        }
    }
    println!("accepted {accept}, refused {refuse}");
    assert!(accept >= 30 && refuse >= 30);
}

/// Pins both answers to each known difference, so that a change on either side is noticed.
#[test]
fn the_known_differences() {
    let root = Pair::ed25519(1);
    let start = |next: Pair| Foreign::authority(&root, "user(\"a\");", next, 1);
    let long = |pair: &Pair| match pair {
        Pair::P256(key) => key
            .verifying_key()
            .as_affine()
            .to_encoded_point(false)
            .as_bytes()
            .to_vec(),
        Pair::Ed25519(_) => Vec::new(),
    };
    let uncompressed =
        start(Pair::p256(2)).changed(|token| token.authority.next_key.key = long(&Pair::p256(2)));
    let third_party = start(Pair::ed25519(2))
        .append_third_party("a(1);", &Pair::p256(9), Pair::ed25519(3), 1)
        .changed(|token| {
            let external = token.blocks[0].external_signature.as_mut().expect("one");
            external.public_key.key = long(&Pair::p256(9));
        });
    // A block that cannot be evaluated: a fact that names an undefined symbol.
    let unknown_symbol = start(Pair::ed25519(2)).append_signed(
        vec![0x18, 3, 0x22, 5, 0x0a, 3, 0x08, 0xff, 0x7f],
        None,
        Pair::ed25519(3),
        1,
    );
    let mut many = start(Pair::ed25519(2));
    for _ in 0..127 {
        many = many.append_signed(vec![0x18, 3], None, Pair::ed25519(2), 1);
    }
    for (name, token) in [
        ("an uncompressed key", uncompressed),
        ("a third party's uncompressed key", third_party),
        ("an unknown symbol", unknown_symbol),
        ("128 blocks", many),
    ] {
        let theirs = PublicKey::from_proto(&root.public()).expect("a key");
        assert!(
            Biscuit::from(token.bytes(), theirs).is_ok(),
            "theirs: {name}"
        );
        let ours = Unverified::read(&token.bytes()).and_then(|read| read.verify(&root.key()));
        let kind = ours.map(drop).map_err(|error| error.kind);
        assert_eq!(kind, Err(ErrorKind::Format), "ours: {name}");
    }
}
