//! Tokens at the limits of the profile, and one beyond each limit.

use bailiwick_testkit::{
    Root,
    forge::{self, AUTHORITY, Forge},
};
use biscuit_auth::{
    datalog::SymbolTable,
    format::schema::{Op, OpUnary, op},
};
use prost::Message;

use super::{Case, Signatures, forged::refused, honest::case};

/// The only call that tokens of [`AUTHORITY`] grant.
const SMALL_ORDER: &str = r#"{"action":"order"}"#;

pub(super) fn all(root: &Root) -> Vec<Case> {
    let mut all = at_the_limit(root);
    all.extend(beyond(root));
    all
}

/// A check with this number of alternatives, which hold for every call.
fn alternatives(count: usize) -> String {
    format!("check if {};", vec!["true"; count].join(" or "))
}

/// A check with this number of predicates, which hold for the only call.
fn predicates(count: usize) -> String {
    format!("check if {};", vec!["action(\"order\")"; count].join(", "))
}

/// This number of distinct facts.
fn facts(count: usize) -> String {
    (0..count).map(|index| format!("f({index});")).collect()
}

fn blocks(root: &Root, count: usize) -> Forge {
    (1..count).fold(Forge::honest(root), |token, _| token.append(""))
}

fn at_the_limit(root: &Root) -> Vec<Case> {
    let honest = || Forge::honest(root);
    let allowed = |name, about, token: &Forge| case(name, about, token, &[(SMALL_ORDER, "allow")]);
    vec![
        allowed(
            "sixteen-blocks",
            "the largest number of blocks",
            &blocks(root, 16),
        ),
        allowed(
            "sixty-four-alternatives",
            "sixty-three alternatives beside a grant; time limits do not count",
            &honest().append(&format!(
                "{}check if time($t), $t < 2026-11-23T12:05:00Z;",
                alternatives(63)
            )),
        ),
        allowed(
            "thirty-two-predicates",
            "the largest number of predicates in a body",
            &honest().append(&predicates(32)),
        ),
        // The authority block has six facts, two checks and a rule.
        allowed(
            "statements-512",
            "the largest number of facts, rules and checks",
            &honest().append(&facts(503)),
        ),
    ]
}

fn beyond(root: &Root) -> Vec<Case> {
    let append = |code: &str| Forge::honest(root).append(code);
    let grants = "grant(\"order\") <- action(\"order\");".repeat(64);
    let mut long = forge::block(AUTHORITY, &mut SymbolTable::new());
    long.context = Some("x".repeat(7800));
    let parens = Op {
        content: Some(op::Content::Unary(OpUnary {
            kind: 1,
            ffi_name: None,
        })),
    };
    let operations = Forge::honest(root).append_changed("check if true;", |block| {
        let expressions = &mut block.checks[0].queries[0].expressions;
        expressions[0].ops.resize(257, parens);
    });
    let large = |name, about, token: &Forge| {
        refused(
            name,
            about,
            token.text(),
            Signatures::Valid,
            SMALL_ORDER,
            "too_large",
        )
    };
    vec![
        Case {
            misformed: true,
            ..large(
                "more-than-8-kib",
                "a container of more than 8192 bytes",
                &Forge::authority_bytes(root, long.encode_to_vec()),
            )
        },
        large(
            "sixty-five-grants",
            "one grant too many",
            &Forge::authority(root, &format!("{AUTHORITY}{grants}")),
        ),
        large(
            "sixty-five-alternatives",
            "sixty-four alternatives beside a grant",
            &append(&alternatives(64)),
        ),
        large(
            "statements-513",
            "one fact, rule or check too many",
            &append(&facts(504)),
        ),
        large(
            "thirty-three-predicates",
            "one predicate too many in a body",
            &append(&predicates(33)),
        ),
        large(
            "seventeen-terms",
            "one term too many in a predicate",
            &append(&format!("f({});", ["1"; 17].join(", "))),
        ),
        large(
            "expressions-257",
            "one expression too many in a body",
            &append(&format!("check if {};", ["true"; 257].join(", "))),
        ),
        large(
            "operations-257",
            "one operation too many in an expression",
            &operations,
        ),
        large(
            "resolved-bytes",
            "a symbol of 2000 bytes that is used 33 times",
            &append(&format!("f(\"{}\");", "x".repeat(2000)).repeat(33)),
        ),
        refused(
            "out-of-fuel",
            "a check over a hundred million combinations, of which none holds",
            append(&format!(
                "{}check if f($a), f($b), f($c), f($d), $a + $b + $c + $d < 0;",
                facts(100)
            ))
            .text(),
            Signatures::Valid,
            SMALL_ORDER,
            "out_of_fuel",
        ),
    ]
}
