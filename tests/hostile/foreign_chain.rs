//! Tests of chains outside the profile: both algorithms, both versions, open and sealed.

use bailiwick_biscuit::authorize::{
    self, DEFAULT_FUEL, Externs, MAX_BLOCKS, MAX_BYTES, MAX_DEPTH, Outcome,
};
use bailiwick_testkit::foreign::{Foreign, Pair, other_form};
use biscuit_auth::format::schema::{SignedBlock, proof::Content};

/// Decides with these policies. Returns `allow`, `deny`, or the kind of the error.
pub(super) fn decided(token: &[u8], root: &Pair, policies: &str) -> String {
    let externs = Externs::default();
    let report = authorize::authorize(token, &root.key(), policies, &externs, DEFAULT_FUEL);
    match report.outcome {
        Outcome::Allow { .. } => "allow".to_owned(),
        Outcome::Deny { .. } => "deny".to_owned(),
        Outcome::Error(error) => error.kind.to_string(),
    }
}

/// Converts the key to biscuit-auth's type.
pub(super) fn their_key(pair: &Pair) -> biscuit_auth::PublicKey {
    biscuit_auth::PublicKey::from_proto(&pair.public()).expect("a key")
}

/// Checks each token with a verifier that trusts `root` and allows every token that verifies. biscuit-auth must
/// verify the same tokens.
pub(super) fn expect<'a>(
    root: &Pair,
    cases: impl IntoIterator<Item = (&'a str, Foreign, &'a str)>,
) {
    for (name, token, expected) in cases {
        let found = decided(&token.bytes(), root, "allow if true;");
        assert_eq!(found, expected, "{name}");
        let theirs = biscuit_auth::Biscuit::from(token.bytes(), their_key(root));
        assert_eq!(theirs.is_ok(), expected == "allow", "{name}: {theirs:?}");
    }
}

fn pairs(seed: u8) -> [Pair; 2] {
    [Pair::ed25519(seed), Pair::p256(seed)]
}

fn chain(root: &Pair, next: &Pair, version: u32) -> Foreign {
    Foreign::authority(root, "user(\"a\");", next.clone(), version)
        .append("check if true;", next.clone(), version)
        .append("check if user($u);", next.clone(), version)
        .append("check if user($u);", next.clone(), version)
}

#[test]
fn honest_chains_of_both_algorithms_and_versions() {
    for root in pairs(1) {
        for next in pairs(2) {
            for last in pairs(3) {
                for version in [0, 1] {
                    let token = || {
                        chain(&root, &next, version)
                            .append_third_party("a(1);", &Pair::p256(9), last.clone(), 1)
                            .append_third_party("a(1);", &Pair::ed25519(9), last.clone(), 1)
                    };
                    expect(
                        &root,
                        [
                            ("open", token(), "allow"),
                            ("sealed", token().seal(), "allow"),
                        ],
                    );
                }
            }
        }
    }
}

#[test]
fn under_another_root() {
    for root in pairs(1) {
        for other in pairs(7) {
            let token = chain(&other, &Pair::ed25519(2), 1);
            let found = decided(&token.bytes(), &root, "allow if true;");
            // A signature of the other algorithm may not even have the right form.
            assert!(["signature", "format"].contains(&found.as_str()), "{found}");
        }
    }
}

#[test]
fn a_signed_block_cannot_be_removed_reordered_or_changed() {
    for next in pairs(2) {
        for version in [0, 1] {
            let root = Pair::ed25519(1);
            let token = || {
                let keys = |seed| match next {
                    Pair::Ed25519(_) => Pair::ed25519(seed),
                    Pair::P256(_) => Pair::p256(seed),
                };
                Foreign::authority(&root, "user(\"a\");", keys(2), version)
                    .append("check if true;", keys(3), version)
                    .append("check if false;", keys(4), version)
            };
            for sealed in [false, true] {
                let token = || match sealed {
                    true => token().seal(),
                    false => token(),
                };
                let attack = |change: &dyn Fn(&mut Vec<SignedBlock>)| {
                    token().changed(|token| change(&mut token.blocks))
                };
                let renumbered = if version == 0 { Some(1) } else { None };
                expect(
                    &root,
                    [
                        (
                            "the last dropped",
                            attack(&|blocks| drop(blocks.pop())),
                            "signature",
                        ),
                        ("all dropped", attack(&|blocks| blocks.clear()), "signature"),
                        (
                            "the first dropped",
                            attack(&|b| drop(b.remove(0))),
                            "signature",
                        ),
                        (
                            "reordered",
                            attack(&|blocks| blocks.swap(0, 1)),
                            "signature",
                        ),
                        ("repeated", attack(&|b| b.push(b[1].clone())), "signature"),
                        (
                            "changed",
                            attack(&|b| b[1].block.extend([0x12, 0])),
                            "signature",
                        ),
                        (
                            "renumbered",
                            attack(&|b| b[0].version = renumbered),
                            "signature",
                        ),
                        (
                            "an unknown version",
                            attack(&|b| b[0].version = Some(2)),
                            "format",
                        ),
                        (
                            "a key exchanged",
                            attack(&|b| b[0].next_key = Pair::ed25519(9).public()),
                            if matches!(next, Pair::P256(_)) {
                                "format"
                            } else {
                                "signature"
                            },
                        ),
                    ],
                );
            }
        }
    }
}

#[test]
fn sealed_tokens_are_not_extended_and_proofs_are_the_last_keys() {
    let root = Pair::ed25519(1);
    for next in pairs(2) {
        let open = || chain(&root, &next, 1);
        let sealed = || open().seal();
        let thief = match next {
            Pair::Ed25519(_) => Pair::ed25519(9),
            Pair::P256(_) => Pair::p256(9),
        };
        let proof =
            |content: Option<Content>| open().changed(|token| token.proof.content = content);
        let extended = |keep: bool| {
            let seal = sealed().container.proof;
            let stolen = Foreign {
                signer: thief.clone(),
                ..sealed()
            };
            let stolen = stolen.append("a(1);", thief.clone(), 1);
            stolen.changed(|token| {
                if keep {
                    token.proof = seal;
                }
            })
        };
        let earlier = Foreign::authority(&root, "user(\"a\");", next.clone(), 1).seal();
        expect(
            &root,
            [
                ("extended, the seal kept", extended(true), "signature"),
                ("extended, the seal broken", extended(false), "signature"),
                (
                    "the seal of an earlier block",
                    proof(earlier.container.proof.content),
                    "signature",
                ),
                (
                    "no seal",
                    proof(Some(Content::FinalSignature(Vec::new()))),
                    "format",
                ),
                ("no proof", proof(None), "format"),
                (
                    "the proof of another key",
                    proof(Some(Content::NextSecret(thief.secret()))),
                    "signature",
                ),
                (
                    "a short secret",
                    proof(Some(Content::NextSecret(next.secret()[1..].to_vec()))),
                    "format",
                ),
                (
                    "no secret",
                    proof(Some(Content::NextSecret(Vec::new()))),
                    "format",
                ),
            ],
        );
        for secret in [[0; 32], [0xff; 32]] {
            let token = proof(Some(Content::NextSecret(secret.to_vec())));
            assert_eq!(
                decided(&token.bytes(), &root, "allow if true;"),
                "signature"
            );
        }
    }
}

/// Both forms of an ECDSA signature verify, and the same id revokes the token with either form.
#[test]
fn the_second_form_of_a_signature_has_the_id_of_the_first() {
    let root = Pair::p256(1);
    let token = Foreign::authority(&root, "user(\"a\");", Pair::p256(2), 0).append(
        "check if true;",
        Pair::ed25519(3),
        0,
    );
    let flipped = token.clone().changed(|token| {
        for block in std::iter::once(&mut token.authority).chain(&mut token.blocks) {
            block.signature = other_form(&block.signature);
        }
    });
    assert_ne!(token.bytes(), flipped.bytes());
    let ids = |token: &Foreign| {
        let externs = Externs::default();
        let code = "allow if true;";
        let report =
            authorize::authorize(&token.bytes(), &root.key(), code, &externs, DEFAULT_FUEL);
        assert_eq!(report.outcome, Outcome::Allow { policy: 0 });
        report.revocation_ids.expect("ids")
    };
    assert_eq!(ids(&token), ids(&flipped));
    let unverified = |token: &Foreign| {
        let read = authorize::Unverified::read(&token.bytes()).expect("a container");
        read.revocation_ids(None)
    };
    assert_eq!(unverified(&token), ids(&flipped));
    assert_eq!(unverified(&flipped), ids(&token));
    for id in ids(&token) {
        let signature = p256::ecdsa::Signature::from_der(&id).expect("a signature");
        assert_eq!(signature.normalize_s(), None, "the lower one");
    }
    // In version 1 the next block signs the previous signature, which fixes its form.
    let bound = Foreign::authority(&root, "user(\"a\");", Pair::p256(2), 1)
        .append("check if true;", Pair::ed25519(3), 1)
        .changed(|token| token.authority.signature = other_form(&token.authority.signature));
    expect(&root, [("bound", bound, "signature")]);
}

#[test]
fn truncated_tokens_are_refused() {
    let root = Pair::p256(1);
    let token = chain(&root, &Pair::p256(2), 1)
        .append_third_party("a(1);", &Pair::ed25519(9), Pair::ed25519(3), 1)
        .seal()
        .bytes();
    for end in 0..token.len() {
        let found = decided(&token[..end], &root, "allow if true;");
        assert!(
            ["format", "signature"].contains(&found.as_str()),
            "{end}: {found}"
        );
    }
}

#[test]
fn tokens_beyond_the_limits_are_refused_before_evaluation() {
    let root = Pair::ed25519(1);
    let mut token = Foreign::authority(&root, "user(\"a\");", Pair::ed25519(2), 0);
    while token.container.blocks.len() + 1 < MAX_BLOCKS {
        token = token.append_signed(vec![0x18, 3], None, Pair::ed25519(2), 0);
    }
    assert_eq!(decided(&token.bytes(), &root, "allow if true;"), "allow");
    let more = token
        .clone()
        .append_signed(vec![0x18, 3], None, Pair::ed25519(2), 0);
    assert_eq!(decided(&more.bytes(), &root, "allow if true;"), "format");
    let long = token
        .changed(|token| token.authority.block.resize(MAX_BYTES, 0))
        .bytes();
    assert_eq!(decided(&long, &root, "allow if true;"), "format");
}

/// Messages nest at most `MAX_DEPTH` deep, so terms nest less than half as deep.
#[test]
fn deep_terms_are_refused() {
    let root = Pair::ed25519(1);
    let inside = |tag: u8, content: Vec<u8>| {
        let mut message = vec![tag];
        prost::encoding::encode_varint(content.len() as u64, &mut message);
        message.extend(content);
        message
    };
    for (depth, expected) in [
        (1, "allow"),
        (MAX_DEPTH / 2 - 5, "allow"),
        (MAX_DEPTH / 2, "format"),
    ] {
        // An array in an array, and so on, around the integer 1, as the term of a fact.
        let term = (0..depth).fold(vec![0x10, 1], |term, _| inside(0x4a, inside(0x0a, term)));
        let predicate = [vec![0x08, 0], inside(0x12, term)].concat();
        let block = [vec![0x18, 6], inside(0x22, inside(0x0a, predicate))].concat();
        let token = Foreign::authority(&root, "user(\"a\");", Pair::ed25519(2), 0).append_signed(
            block,
            None,
            Pair::ed25519(3),
            0,
        );
        assert_eq!(
            decided(&token.bytes(), &root, "allow if true;"),
            expected,
            "{depth}"
        );
    }
}
