//! Tests of revoked tokens and blocks, and of all tokens derived from them.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
    now,
};
use bailiwick_token::{
    revocation::{Party, SnapshotBase, Target, Watermark},
    token::Token,
};

use super::trust::{base, keyset_of, snapshot, verifier};
use crate::{ALLOW, order, outcome};

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
    let block = |forge: &Forge, index: usize| signature(&forge.container.blocks[index].signature);
    let keyset = keyset_of(&root, |_| {});
    let with =
        |targets: &[Target]| verifier(&root, &keyset, Some(&snapshot(&root, &base(), targets)));
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
            vec![signature(&parent.container.authority.signature)],
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
    let stale = SnapshotBase {
        keyset_version: 1,
        expires: now(),
        ..base()
    };
    let verifier = verifier(&root, &keyset, Some(&snapshot(&root, &stale, &[])));
    assert_eq!(outcome(&verifier, &parent.text(), &order()), "stale_keyset");
}

fn signature(bytes: &[u8]) -> Target {
    Target::Block(bytes.try_into().expect("a signature"))
}

/// A watermark covers the tokens of one party, by exact name and kind, that were issued before a given second.
#[test]
fn watermarks_hold_for_what_was_issued_before() {
    let root = Root::new();
    let tenant = |name: &str| Forge::authority(&root, &format!("{AUTHORITY}tenant(\"{name}\");"));
    let token = tenant("acme").append("check if true;").text();
    let homeless = Forge::honest(&root).text();
    let keyset = keyset_of(&root, |_| {});
    // The time at which the token was issued.
    let issued = now().minus(60);
    for (name, party, of, before, expected) in [
        (
            "the agent",
            Party::Agent,
            "agent:orchestrator",
            issued.plus(1),
            "revoked",
        ),
        (
            "in that second",
            Party::Agent,
            "agent:orchestrator",
            issued,
            ALLOW,
        ),
        (
            "another agent",
            Party::Agent,
            "agent:orchestrato",
            issued.plus(1),
            ALLOW,
        ),
        (
            "the agent's name for a principal",
            Party::Principal,
            "agent:orchestrator",
            now(),
            ALLOW,
        ),
        (
            "the principal",
            Party::Principal,
            "team:procurement",
            now(),
            "revoked",
        ),
        (
            "the principal's name for an agent",
            Party::Agent,
            "team:procurement",
            now(),
            ALLOW,
        ),
        ("the tenant", Party::Tenant, "acme", now(), "revoked"),
        ("another tenant", Party::Tenant, "Acme", now(), ALLOW),
    ] {
        let watermark = Watermark::new(party, of, before).expect("a name");
        let list = snapshot(&root, &base(), &[Target::Watermark(watermark)]);
        let verifier = verifier(&root, &keyset, Some(&list));
        assert_eq!(outcome(&verifier, &token, &order()), expected, "{name}");
        let expected = if party == Party::Tenant {
            ALLOW
        } else {
            expected
        };
        assert_eq!(
            outcome(&verifier, &homeless, &order()),
            expected,
            "{name}, no tenant"
        );
    }
    let watermarks = [issued, issued.plus(1), issued.minus(7)]
        .map(|before| Watermark::new(Party::Tenant, "acme", before).expect("a name"))
        .map(Target::Watermark);
    let list = snapshot(&root, &base(), &watermarks);
    let verifier = verifier(&root, &keyset, Some(&list));
    assert_eq!(outcome(&verifier, &token, &order()), "revoked");
}
