//! Tokens and blocks that are revoked, and all that was derived from them.

use bailiwick_token::{
    revocation::{RevocationList, Target},
    token::Token,
};

use super::trust::{keyset_of, list_of, verifier};
use crate::{
    ALLOW, order, outcome,
    support::{
        Root,
        forge::{AUTHORITY, Forge},
        now,
    },
};

#[test]
fn revocations_hold_for_all_that_was_derived() {
    let root = Root::new();
    let parent = Forge::honest(&root).append("check if true;");
    let child = parent.clone().append("check if action(\"order\");");
    let sibling = Forge::honest(&root).append("check if service(\"erp\");");
    let fresh = Forge::authority(&root, &AUTHORITY.replace("0e0f", "0e10"));
    let id = Token::from_bytes(parent.bytes())
        .expect("a token")
        .token_id()
        .expect("an id");
    let block = |forge: &Forge, index: usize| {
        Target::Block(forge.container.blocks[index].signature.clone())
    };
    let keyset = keyset_of(&root, |_| {});
    let with = |targets: &[Target]| {
        verifier(
            &root,
            &keyset,
            Some(&list_of(targets).sign(&root.keyset_key).to_json()),
        )
    };
    for (name, targets, [parents, childs, siblings, others]) in [
        ("nothing", vec![], [ALLOW, ALLOW, ALLOW, ALLOW]),
        (
            "the token",
            vec![Target::Token(id)],
            ["revoked", "revoked", "revoked", ALLOW],
        ),
        (
            "a block",
            vec![block(&parent, 0)],
            ["revoked", "revoked", ALLOW, ALLOW],
        ),
        (
            "the last block",
            vec![block(&child, 1)],
            [ALLOW, "revoked", ALLOW, ALLOW],
        ),
        (
            "the authority block",
            vec![Target::Block(parent.container.authority.signature.clone())],
            ["revoked", "revoked", "revoked", ALLOW],
        ),
    ] {
        let verifier = with(&targets);
        let found = [&parent, &child, &sibling, &fresh]
            .map(|forge| outcome(&verifier, &forge.text(), &order()));
        assert_eq!(found, [parents, childs, siblings, others], "{name}");
        let sealed = child.clone().seal().text();
        assert_eq!(
            outcome(&verifier, &sealed, &order()),
            childs,
            "{name}, sealed"
        );
    }
    let stale = RevocationList {
        expires: now(),
        ..list_of(&[])
    };
    let verifier = verifier(
        &root,
        &keyset,
        Some(&stale.sign(&root.keyset_key).to_json()),
    );
    assert_eq!(outcome(&verifier, &parent.text(), &order()), "stale_keyset");
}
