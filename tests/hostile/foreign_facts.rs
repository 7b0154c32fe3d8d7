//! Tests of facts that the verifier states for tokens outside the profile, and of rules with unbound variables
//! in their heads.

use bailiwick_biscuit::authorize::{
    self, DEFAULT_FUEL, ErrorKind, Externs, Key, Outcome, Unverified,
};
use bailiwick_testkit::foreign::{Foreign, Pair, other_form};

fn outcome(token: &Foreign, root: &Key, code: &str) -> Outcome {
    authorize::authorize(
        &token.bytes(),
        root,
        code,
        &Externs::default(),
        DEFAULT_FUEL,
    )
    .outcome
}

/// Datalog that denies a token whose block with this number has this id.
fn revoking(block: usize, id: &[u8]) -> String {
    let id = hex::encode(id);
    format!("deny if revocation_id({block}, hex:{id}); allow if true;")
}

#[test]
fn revocation_ids_are_facts() {
    let root = Pair::ed25519(1);
    let token = Foreign::authority(&root, "note(1);", Pair::ed25519(2), 1)
        .append("note(2);", Pair::ed25519(3), 1)
        .append_third_party("note(3);", &Pair::ed25519(9), Pair::ed25519(4), 1);
    let ids = Unverified::read(&token.bytes())
        .expect("a container")
        .revocation_ids(Some(&root.key()));
    assert_eq!(ids.len(), 3);
    let allowed = Outcome::Allow { policy: 1 };
    for (block, id) in ids.iter().enumerate() {
        let denied = outcome(&token, &root.key(), &revoking(block, id));
        assert!(
            matches!(denied, Outcome::Deny { .. }),
            "{block}: {denied:?}"
        );
        // The number of another block, and a truncated id.
        let other = outcome(&token, &root.key(), &revoking(block + 1, id));
        assert_eq!(other, allowed, "{block}");
        let cut = outcome(&token, &root.key(), &revoking(block, &id[1..]));
        assert_eq!(cut, allowed, "{block}");
    }
    // There is one fact for each block, and no other.
    let count = "check all revocation_id($block, $id), {0, 1, 2}.contains($block), $id.length() === 64;
        check if revocation_id(0, $id); check if revocation_id(1, $id); check if revocation_id(2, $id);
        reject if revocation_id(3, $id); allow if true;";
    assert_eq!(
        outcome(&token, &root.key(), count),
        Outcome::Allow { policy: 0 }
    );
}

/// Anyone can turn an ECDSA signature into its second form, so a list with either form finds both.
#[test]
fn either_form_of_a_signature_is_found() {
    let root = Pair::p256(1);
    let token = || {
        Foreign::authority(&root, "note(1);", Pair::p256(2), 1).append(
            "note(2);",
            Pair::ed25519(3),
            1,
        )
    };
    let turned = token().changed(|container| {
        let last = container.blocks.last_mut().expect("a block");
        last.signature = other_form(&last.signature);
    });
    let signature = token().last().signature.clone();
    for token in [token(), turned] {
        for id in [signature.clone(), other_form(&signature)] {
            let denied = outcome(&token, &root.key(), &revoking(1, &id));
            assert!(matches!(denied, Outcome::Deny { .. }), "{denied:?}");
        }
        let elsewhere = outcome(&token, &root.key(), &revoking(0, &signature));
        assert_eq!(elsewhere, Outcome::Allow { policy: 1 });
    }
}

/// A fact `revocation_id` costs fuel, like every stated fact.
#[test]
fn stating_revocation_ids_costs_fuel() {
    let root = Pair::ed25519(1);
    let mut token = Foreign::authority(&root, "note(1);", Pair::ed25519(2), 1);
    for _ in 0..100 {
        token = token.append("note(2);", Pair::ed25519(2), 1);
    }
    let code = "check if revocation_id(200, $id); allow if true;";
    let externs = Externs::default();
    let report = authorize::authorize(&token.bytes(), &root.key(), code, &externs, 100);
    let Outcome::Error(error) = report.outcome else {
        panic!("{:?}", report.outcome);
    };
    assert_eq!(error.kind, ErrorKind::Fuel);
}

/// An unbound variable in the head of a rule is found when the token is loaded, even if the rule or the
/// service's Datalog has other faults.
#[test]
fn an_unbound_head_is_a_rule_error() {
    let root = Pair::ed25519(1);
    let unbound = |code: &str, variable: u32| {
        let token = Foreign::authority(&root, "note(1);", Pair::ed25519(2), 1);
        let mut symbols = token.symbols.clone();
        let mut block = bailiwick_testkit::forge::block(code, &mut symbols);
        let head = &mut block.rules[0].head;
        head.terms[0].content = Some(biscuit_auth::format::schema::term::Content::Variable(
            variable,
        ));
        let bytes = prost::Message::encode_to_vec(&block);
        token.append_signed(bytes, None, Pair::ed25519(3), 1)
    };
    // The symbol 0 is `read`, which no body here binds.
    for code in [
        "note($x) <- note($x);",
        "note($x) <- note($x), $x > 1;",
        "note($x) <- note($x), 1 / 0 === 1;",
        "note(1) <- true;",
        "note($x) <- note($x), {1}.any($y -> $y === 1);",
    ] {
        let token = unbound(code, 0);
        let loaded = Unverified::read(&token.bytes()).and_then(|read| read.verify(&root.key()));
        let error = loaded.map(drop).expect_err(code);
        assert_eq!(error.kind, ErrorKind::Rule, "{code}: {error}");
        for policies in [
            "allow if true;",
            "allow if 1 / 0 === 1;",
            "allow if $x > 1;",
            "no Datalog",
        ] {
            let Outcome::Error(error) = outcome(&token, &root.key(), policies) else {
                panic!("{code}");
            };
            assert_eq!(error.kind, ErrorKind::Rule, "{code}, {policies}: {error}");
        }
    }
    // A head that is bound, beside an expression that is not: an error of evaluation, as elsewhere.
    let token = Foreign::authority(&root, "note(1);", Pair::ed25519(2), 1);
    let mut symbols = token.symbols.clone();
    let mut block = bailiwick_testkit::forge::block("note($x) <- note($x), $x > 1;", &mut symbols);
    let op = &mut block.rules[0].expressions[0].ops[0];
    op.content = Some(biscuit_auth::format::schema::op::Content::Value(
        biscuit_auth::format::schema::Term {
            content: Some(biscuit_auth::format::schema::term::Content::Variable(0)),
        },
    ));
    let bytes = prost::Message::encode_to_vec(&block);
    let token = token.append_signed(bytes, None, Pair::ed25519(3), 1);
    let Outcome::Error(error) = outcome(&token, &root.key(), "allow if true;") else {
        panic!("an unbound variable was evaluated");
    };
    assert_eq!(error.kind, ErrorKind::Execution);
}
