//! Tests of third parties' blocks outside the profile: forged, moved to other tokens, or presented in another
//! version.

use bailiwick_biscuit::authorize::{ErrorKind, Unverified};
use bailiwick_testkit::{
    foreign::{Foreign, Pair, other_form},
    forge::block,
};
use biscuit_auth::{datalog::SymbolTable, format::schema};
use prost::Message;

use super::foreign_chain::{decided, expect};

const VOUCHED: &str = "group(\"admin\");";

fn root() -> Pair {
    Pair::ed25519(1)
}

/// A token that waits for a third party's block.
fn base(code: &str, next: Pair) -> Foreign {
    Foreign::authority(&root(), code, next, 1)
}

fn content() -> Vec<u8> {
    block(VOUCHED, &mut SymbolTable::new()).encode_to_vec()
}

#[test]
fn a_third_partys_facts_count_where_its_key_is_trusted() {
    for party in [Pair::ed25519(9), Pair::p256(9)] {
        let token = base("user(\"a\");", Pair::ed25519(2)).append_third_party(
            VOUCHED,
            &party,
            Pair::p256(3),
            1,
        );
        let other = Pair::ed25519(8).key();
        for (policy, expected) in [
            (
                format!("allow if group(\"admin\") trusting {};", party.key()),
                "allow",
            ),
            (
                format!("allow if group(\"admin\") trusting {other};"),
                "deny",
            ),
            ("allow if group(\"admin\");".to_owned(), "deny"),
        ] {
            let found = decided(&token.bytes(), &root(), &policy);
            assert_eq!(found, expected, "{policy}");
        }
    }
}

#[test]
fn forged_signatures_of_third_parties() {
    for party in [Pair::ed25519(9), Pair::p256(9)] {
        let other = match party {
            Pair::Ed25519(_) => Pair::ed25519(8),
            Pair::P256(_) => Pair::p256(8),
        };
        let start = base("user(\"a\");", Pair::ed25519(2));
        let honest = start.external(&content(), &party, 1);
        let with = |external: schema::ExternalSignature| {
            start
                .clone()
                .append_signed(content(), Some(external), Pair::ed25519(3), 1)
        };
        let by_other = schema::ExternalSignature {
            public_key: party.public(),
            ..start.external(&content(), &other, 1)
        };
        let over_other = start.external(b"other content", &party, 1);
        let swapped = schema::ExternalSignature {
            public_key: other.public(),
            ..honest.clone()
        };
        let block_signature = schema::ExternalSignature {
            signature: party.sign(&content()),
            ..honest.clone()
        };
        let empty = schema::ExternalSignature {
            signature: Vec::new(),
            ..honest.clone()
        };
        let cut = schema::ExternalSignature {
            signature: honest.signature[..honest.signature.len() - 1].to_vec(),
            ..honest.clone()
        };
        let token = with(honest.clone());
        let changed = |change: &dyn Fn(&mut schema::SignedBlock)| {
            token.clone().changed(|token| change(&mut token.blocks[0]))
        };
        expect(
            &root(),
            [
                ("honest", token.clone(), "allow"),
                ("by another", with(by_other.clone()), "signature"),
                ("over other content", with(over_other), "signature"),
                ("under another key", with(swapped.clone()), "signature"),
                ("over the content alone", with(block_signature), "signature"),
                ("empty", with(empty), "format"),
                ("cut", with(cut), "format"),
                (
                    "exchanged afterwards",
                    changed(&|block| block.external_signature = Some(by_other.clone())),
                    "signature",
                ),
                (
                    "its key exchanged afterwards",
                    changed(&|block| block.external_signature = Some(swapped.clone())),
                    "signature",
                ),
                (
                    "removed afterwards",
                    changed(&|block| block.external_signature = None),
                    "signature",
                ),
                (
                    "added afterwards",
                    start
                        .clone()
                        .append_signed(content(), None, Pair::ed25519(3), 1)
                        .changed(|token| token.blocks[0].external_signature = Some(honest.clone())),
                    "signature",
                ),
                (
                    "on the authority block",
                    start
                        .clone()
                        .changed(|token| token.authority.external_signature = Some(honest.clone())),
                    "format",
                ),
            ],
        );
    }
}

/// A third party's signature covers the signature of the previous block, so the block fits only one token, even
/// if a holder gives two tokens the same keys.
#[test]
fn a_third_partys_block_cannot_be_moved() {
    let party = Pair::ed25519(9);
    for (next, again) in [
        (Pair::ed25519(2), Pair::ed25519(2)),
        (Pair::p256(2), Pair::p256(2)),
    ] {
        let from = base("user(\"a\");", next);
        let to = base("user(\"b\");", again);
        let external = from.external(&content(), &party, 1);
        let moved =
            to.clone()
                .append_signed(content(), Some(external.clone()), Pair::ed25519(3), 1);
        let whole = to.clone().changed(|token| {
            let from = from.clone();
            let block = from.append_signed(content(), Some(external.clone()), Pair::ed25519(3), 1);
            token.blocks = block.container.blocks;
            token.proof = block.container.proof;
        });
        let later = from
            .clone()
            .append("other(1);", Pair::ed25519(4), 1)
            .append_signed(content(), Some(external.clone()), Pair::ed25519(3), 1);
        let twice = from
            .clone()
            .append_signed(content(), Some(external.clone()), Pair::ed25519(2), 1)
            .append_signed(content(), Some(external), Pair::ed25519(3), 1);
        expect(
            &root(),
            [
                ("signed anew by the holder of the other", moved, "signature"),
                ("with the holder's signature", whole, "signature"),
                ("behind another block", later, "signature"),
                ("repeated", twice, "signature"),
            ],
        );
    }
}

#[test]
fn versions_of_a_third_partys_signature_are_not_confused() {
    let party = Pair::ed25519(9);
    let start = base("user(\"a\");", Pair::ed25519(2));
    let with = |external_version, version| {
        let external = start.external(&content(), &party, external_version);
        start
            .clone()
            .append_signed(content(), Some(external), Pair::ed25519(3), version)
    };
    let renumbered =
        |forge: Foreign, version| forge.changed(|token| token.blocks[0].version = version);
    expect(
        &root(),
        [
            ("1 in 1", with(1, 1), "allow"),
            ("0 in 1", with(0, 1), "signature"),
            ("0 in 0", with(0, 0), "format"),
            ("1 in 0", with(1, 0), "format"),
            ("2 in 2", with(2, 2), "format"),
            ("2 in 1", with(2, 1), "signature"),
            (
                "1, renumbered to none",
                renumbered(with(1, 1), None),
                "format",
            ),
            (
                "1, renumbered to 0",
                renumbered(with(1, 1), Some(0)),
                "format",
            ),
            (
                "0, renumbered to 1",
                renumbered(with(0, 0), Some(1)),
                "signature",
            ),
        ],
    );
}

/// Version 0 binds a block only to the previous key, which a holder can choose.
#[test]
fn the_deprecated_version_is_read_where_it_is_asked_for() {
    for party in [Pair::ed25519(9), Pair::p256(9)] {
        let from = base("user(\"a\");", Pair::p256(2));
        let to = base("user(\"b\");", Pair::p256(2));
        let external = from.external(&content(), &party, 0);
        let with = |forge: &Foreign, external: &schema::ExternalSignature| {
            let forge = forge.clone();
            forge.append_signed(content(), Some(external.clone()), Pair::ed25519(3), 0)
        };
        let forged = schema::ExternalSignature {
            signature: other_content(&from, &party),
            ..external.clone()
        };
        for (token, deprecated) in [
            (with(&from, &external), Ok(())),
            (with(&to, &external), Ok(())),
            (with(&from, &forged), Err(ErrorKind::Signature)),
            (
                with(&base("user(\"a\");", Pair::p256(7)), &external),
                Err(ErrorKind::Signature),
            ),
        ] {
            let read = || Unverified::read(&token.bytes()).expect("a container");
            let strict = read().verify(&root().key()).map_err(|error| error.kind);
            assert_eq!(strict.map(drop), Err(ErrorKind::Format));
            let found = read().verify_deprecated(&root().key());
            assert_eq!(found.map(drop).map_err(|error| error.kind), deprecated);
            let theirs = biscuit_auth::Biscuit::unsafe_deprecated_deserialize(
                token.bytes(),
                super::foreign_chain::their_key(&root()),
            );
            assert_eq!(theirs.is_ok(), deprecated.is_ok());
        }
    }
}

fn other_content(forge: &Foreign, party: &Pair) -> Vec<u8> {
    forge.external(b"other content", party, 0).signature
}

/// A holder's own signature covers the third party's, so a second form of the third party's signature is
/// refused.
#[test]
fn a_third_partys_signature_has_no_second_form_in_a_signed_block() {
    let start = base("user(\"a\");", Pair::ed25519(2));
    let token = start.append_third_party(VOUCHED, &Pair::p256(9), Pair::ed25519(3), 1);
    let flipped = token.changed(|token| {
        let external = token.blocks[0].external_signature.as_mut().expect("one");
        external.signature = other_form(&external.signature);
    });
    expect(&root(), [("the other form", flipped, "signature")]);
}
