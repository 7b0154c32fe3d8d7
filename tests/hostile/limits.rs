//! Tests of each limit of the profile: a token at the limit is accepted, and one above it is refused.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, block, text},
    now,
};
use bailiwick_token::{attenuate::AttenuateError, limits::TokenLimits, token::Token};
use bailiwick_verifier::Values;
use biscuit_auth::{
    datalog::SymbolTable,
    format::schema::{Block, Op, OpUnary, op},
};
use prost::Message;

use crate::{ALLOW, expect, expect_texts, order};

const LARGE: &str = "too_large";

/// A token of exactly this many bytes, padded by the context of the authority block.
fn of_bytes(root: &Root, bytes: usize) -> Forge {
    let mut symbols = SymbolTable::new();
    let mut block: Block = block(AUTHORITY, &mut symbols);
    let mut length = bytes - 600;
    loop {
        block.context = Some("x".repeat(length));
        let forge = Forge::authority_bytes(root, block.encode_to_vec());
        match bytes.checked_sub(forge.bytes().len()) {
            Some(0) => return forge,
            Some(missing) => length += missing,
            None => panic!("{bytes} bytes cannot be reached"),
        }
    }
}

fn repeated(root: &Root, statement: &str, count: usize) -> Forge {
    Forge::honest(root).append(&statement.repeat(count))
}

/// `check if action($a), …`, with one expression of this many operations, all of them parentheses around `true`.
fn operations(root: &Root, count: usize) -> Forge {
    let parens = Op {
        content: Some(op::Content::Unary(OpUnary {
            kind: 1,
            ffi_name: None,
        })),
    };
    Forge::honest(root).append_changed("check if true;", |block| {
        let ops = &mut block.checks[0].queries[0].expressions[0].ops;
        ops.resize(count, parens);
    })
}

/// A seal takes 64 bytes instead of 32, but sealing never makes a token that verifiers refuse for its size.
#[test]
fn a_token_is_sealed_within_its_limits() {
    let root = Root::new();
    let most = TokenLimits::default().token_bytes;
    let seal = |bytes: usize| {
        let open = Token::parse(&of_bytes(&root, bytes).text()).expect("a token");
        open.seal()
    };
    // A sealed token is 32 bytes longer, and two lengths around the signature may take another byte each.
    assert!(seal(most - 34).is_ok());
    for bytes in [most - 31, most] {
        let refused = seal(bytes).expect_err("a token of too many bytes");
        assert!(matches!(refused, AttenuateError::Limit(_)), "{refused}");
    }
}

#[test]
fn each_limit_holds() {
    let root = Root::new();
    let blocks = |count: usize| {
        (1..count).fold(Forge::honest(&root), |forge, _| {
            forge.append("check if true;")
        })
    };
    let alternatives = |count: usize| {
        Forge::honest(&root).append(&format!("check if {};", vec!["true"; count].join(" or ")))
    };
    let predicates = |count: usize| {
        Forge::honest(&root).append(&format!(
            "check if {};",
            vec!["action(\"order\")"; count].join(", ")
        ))
    };
    let facts = |count: usize| {
        let facts: String = (0..count).map(|index| format!("f({index});")).collect();
        Forge::honest(&root).append(&facts)
    };
    let expressions = |count: usize| {
        Forge::honest(&root).append(&format!("check if {};", vec!["true"; count].join(", ")))
    };
    let long = "x".repeat(2000);
    let resolved = |count: usize| repeated(&root, &format!("f(\"{long}\");"), count);
    let grants = |count: usize| {
        let grants: String = (1..count)
            .map(|_| "grant(\"order\") <- action(\"order\");")
            .collect();
        Forge::authority(&root, &format!("{AUTHORITY}{grants}"))
    };
    expect(
        &root,
        &order(),
        [
            ("8192 bytes", of_bytes(&root, 8192), ALLOW),
            ("8193 bytes", of_bytes(&root, 8193), LARGE),
            ("60000 bytes", of_bytes(&root, 60_000), LARGE),
            ("16 blocks", blocks(16), ALLOW),
            ("17 blocks", blocks(17), LARGE),
            ("64 alternatives", alternatives(63), ALLOW),
            ("65 alternatives", alternatives(64), LARGE),
            ("64 checks", repeated(&root, "check if true;", 63), ALLOW),
            ("65 checks", repeated(&root, "check if true;", 64), LARGE),
            ("64 grants", grants(64), ALLOW),
            ("65 grants", grants(65), LARGE),
            (
                "64 grants and a scope",
                grants(64).append("check if true;"),
                LARGE,
            ),
            (
                "limits in time are no alternatives",
                repeated(&root, "check if time($t), $t < 2027-01-01T00:00:00Z;", 70),
                ALLOW,
            ),
            ("512 statements", facts(503), ALLOW),
            ("513 statements", facts(504), LARGE),
            ("32 predicates", predicates(32), ALLOW),
            ("33 predicates", predicates(33), LARGE),
            ("256 operations", operations(&root, 256), ALLOW),
            ("257 operations", operations(&root, 257), LARGE),
            ("256 expressions", expressions(256), ALLOW),
            ("257 expressions", expressions(257), LARGE),
            ("a long string named 32 times", resolved(32), ALLOW),
            ("a long string named 33 times", resolved(33), LARGE),
        ],
    );
}

/// Strings are resolved before the limits on them can be checked, so resolving is limited as well.
#[test]
fn a_string_named_a_thousand_times_is_not_even_resolved() {
    let root = Root::new();
    let long = "x".repeat(4000);
    let named = Forge::honest(&root).append_changed(&format!("f(\"{long}\");"), |block| {
        let terms = &mut block.facts[0].predicate.terms;
        *terms = vec![terms[0].clone(); 700];
    });
    let decision = root.verifier().check(&named.text(), &order(), now());
    assert_eq!(decision.reason().map(|reason| reason.code()), Some(LARGE));
    assert_eq!(
        decision.explain(Values::Shown),
        ["block 1 refers to long strings too often"]
    );
}

#[test]
fn texts_too_long_to_be_a_token_are_not_decoded() {
    let root = Root::new();
    let text = |bytes: usize| text(&vec![0x0a; bytes]);
    expect_texts(
        &root,
        &order(),
        [
            ("8192 bytes of garbage", text(8192), "malformed"),
            ("9000 bytes of garbage", text(9000), LARGE),
            ("a megabyte of garbage", text(1 << 20), LARGE),
            ("a megabyte of text", "!".repeat(1 << 20), LARGE),
        ],
    );
}
