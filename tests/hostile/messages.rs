//! Protobuf messages that no builder writes.

use bailiwick_verifier::Reason;
use biscuit_auth::format::schema::{self, Op, op, term::Content};
use prost::Message;

use crate::{
    ALLOW, expect, order,
    support::{
        Root,
        forge::{AUTHORITY, Forge},
    },
};

const MALFORMED: &str = "malformed";

fn term(content: Content) -> schema::Term {
    schema::Term {
        content: Some(content),
    }
}

fn array(terms: Vec<schema::Term>) -> schema::Term {
    term(Content::Array(schema::Array { array: terms }))
}

fn set(terms: Vec<schema::Term>) -> schema::Term {
    term(Content::Set(schema::TermSet { set: terms }))
}

fn map(key: Option<schema::map_key::Content>, value: schema::Term) -> schema::Term {
    let entry = schema::MapEntry {
        key: schema::MapKey { content: key },
        value,
    };
    term(Content::Map(schema::Map {
        entries: vec![entry],
    }))
}

fn value(content: Content) -> Op {
    Op {
        content: Some(op::Content::Value(term(content))),
    }
}

fn unary(kind: i32, ffi_name: Option<u64>) -> Op {
    Op {
        content: Some(op::Content::Unary(schema::OpUnary { kind, ffi_name })),
    }
}

fn binary(kind: i32, ffi_name: Option<u64>) -> Op {
    Op {
        content: Some(op::Content::Binary(schema::OpBinary { kind, ffi_name })),
    }
}

/// An appended block with `check if action($a), true`, changed.
fn changed(root: &Root, change: impl FnOnce(&mut schema::Block)) -> Forge {
    Forge::honest(root).append_changed("f(1); check if action($a), true;", change)
}

fn with_ops(root: &Root, ops: Vec<Op>) -> Forge {
    changed(root, |block| {
        block.checks[0].queries[0].expressions[0].ops = ops
    })
}

fn with_term(root: &Root, term: schema::Term) -> Forge {
    changed(root, |block| block.facts[0].predicate.terms = vec![term])
}

#[test]
fn terms_that_are_none() {
    let root = Root::new();
    let variable = || term(Content::Variable(1025));
    let one = || term(Content::Integer(1));
    let empty = || schema::Term { content: None };
    let key = |index| Some(schema::map_key::Content::String(index));
    let cases = [
        ("an empty term", empty()),
        ("a variable in a fact", variable()),
        (
            "a variable in an array in a fact",
            array(vec![one(), array(vec![variable()])]),
        ),
        (
            "a variable in a map in a fact",
            map(Some(schema::map_key::Content::Integer(1)), variable()),
        ),
        ("a variable in a set", set(vec![variable()])),
        ("a set in a set", set(vec![set(vec![one()])])),
        (
            "a set of several types",
            set(vec![one(), term(Content::Bool(true))]),
        ),
        ("an empty term in a set", set(vec![empty()])),
        ("an empty key", map(None, one())),
        ("an unknown key", map(key(9999), one())),
        ("an unknown string", term(Content::String(9999))),
        ("a string among the reserved ids", term(Content::String(28))),
        ("the largest id", term(Content::String(u64::MAX))),
        (
            "an unknown string in an array",
            array(vec![term(Content::String(9999))]),
        ),
    ];
    expect(
        &root,
        &order(),
        cases.map(|(name, term)| (name, with_term(&root, term), MALFORMED)),
    );
    expect(
        &root,
        &order(),
        [
            ("an empty set", with_term(&root, set(vec![])), ALLOW),
            (
                "a set with one element twice",
                with_term(&root, set(vec![one(), one()])),
                ALLOW,
            ),
            (
                "a date beyond all time",
                with_term(&root, term(Content::Date(u64::MAX))),
                ALLOW,
            ),
            (
                "an unknown name",
                changed(&root, |block| block.facts[0].predicate.name = 9999),
                MALFORMED,
            ),
            (
                "an unknown variable",
                changed(&root, |block| {
                    block.checks[0].queries[0].body[0].terms =
                        vec![term(Content::Variable(u32::MAX))];
                }),
                MALFORMED,
            ),
        ],
    );
}

#[test]
fn operations_that_are_none() {
    let root = Root::new();
    let yes = || value(Content::Bool(true));
    let closure = |params, ops| Op {
        content: Some(op::Content::Closure(schema::OpClosure { params, ops })),
    };
    expect(
        &root,
        &order(),
        [
            (
                "an empty operation",
                with_ops(&root, vec![Op { content: None }]),
                MALFORMED,
            ),
            (
                "an unknown unary",
                with_ops(&root, vec![yes(), unary(5, None)]),
                MALFORMED,
            ),
            (
                "an unknown binary",
                with_ops(&root, vec![yes(), yes(), binary(30, None)]),
                MALFORMED,
            ),
            (
                "a negative kind",
                with_ops(&root, vec![yes(), unary(-1, None)]),
                MALFORMED,
            ),
            (
                "a named negation",
                with_ops(&root, vec![yes(), unary(0, Some(0))]),
                MALFORMED,
            ),
            (
                "a named comparison",
                with_ops(&root, vec![yes(), yes(), binary(4, Some(0))]),
                MALFORMED,
            ),
            (
                "a nameless function",
                with_ops(&root, vec![yes(), unary(4, None)]),
                MALFORMED,
            ),
            (
                "a nameless function of two",
                with_ops(&root, vec![yes(), yes(), binary(28, None)]),
                MALFORMED,
            ),
            (
                "a function of an unknown name",
                with_ops(&root, vec![yes(), unary(4, Some(9999))]),
                MALFORMED,
            ),
            (
                "a closure over an unknown name",
                with_ops(&root, vec![closure(vec![9999], vec![])]),
                MALFORMED,
            ),
            (
                "a closure alone",
                with_ops(&root, vec![closure(vec![], vec![yes()])]),
                "unsupported",
            ),
            (
                "an unbound variable",
                with_ops(&root, vec![value(Content::Variable(1024))]),
                MALFORMED,
            ),
            (
                "nothing on the stack",
                with_ops(&root, vec![]),
                "evaluation_error",
            ),
            (
                "two on the stack",
                with_ops(&root, vec![yes(), yes()]),
                "evaluation_error",
            ),
            (
                "a negation of nothing",
                with_ops(&root, vec![unary(0, None)]),
                "evaluation_error",
            ),
            (
                "a comparison of one",
                with_ops(&root, vec![yes(), binary(4, None)]),
                "evaluation_error",
            ),
            (
                "a comparison of none",
                with_ops(&root, vec![binary(4, None), yes()]),
                "evaluation_error",
            ),
        ],
    );
}

#[test]
fn blocks_that_are_none() {
    let root = Root::new();
    let bytes = |bytes: &[u8]| Forge::honest(&root).append_bytes(bytes.to_vec());
    let kind = |kind| changed(&root, |block| block.checks[0].kind = Some(kind));
    let version = |version| changed(&root, |block| block.version = version);
    let symbols = |names: &[&str]| {
        let names: Vec<String> = names.iter().map(|&name| name.to_owned()).collect();
        changed(&root, |block| block.symbols.extend(names))
    };
    let scope = |content| changed(&root, |block| block.scope = vec![schema::Scope { content }]);
    let head = |name: u64, terms: Vec<schema::Term>| {
        changed(&root, |block| {
            block.checks[0].queries[0].head = schema::Predicate { name, terms }
        })
    };
    use schema::scope::Content::{PublicKey, ScopeType};
    expect(
        &root,
        &order(),
        [
            ("no bytes", bytes(&[]), "unsupported"),
            ("garbage", bytes(b"\xff\xff\xff\xff"), MALFORMED),
            ("text", bytes(b"check if true;"), MALFORMED),
            ("no version", version(None), "unsupported"),
            ("version 0", version(Some(0)), "unsupported"),
            ("version 2", version(Some(2)), "unsupported"),
            ("version 7", version(Some(7)), "unsupported"),
            (
                "the largest version",
                version(Some(u32::MAX)),
                "unsupported",
            ),
            ("an unknown kind of check", kind(3), MALFORMED),
            ("a negative kind of check", kind(-1), MALFORMED),
            ("a kind that is stated", kind(0), ALLOW),
            (
                "a check without alternatives",
                changed(&root, |block| block.checks[0].queries.clear()),
                "caveat",
            ),
            ("a symbol twice", symbols(&["twice", "twice"]), MALFORMED),
            ("a default symbol", symbols(&["time"]), MALFORMED),
            ("another default symbol", symbols(&["query"]), MALFORMED),
            (
                "a symbol of an earlier block",
                symbols(&["order"]),
                MALFORMED,
            ),
            ("an unknown scope", scope(Some(ScopeType(2))), MALFORMED),
            ("an empty scope", scope(None), MALFORMED),
            (
                "a key that is not there",
                scope(Some(PublicKey(-1))),
                MALFORMED,
            ),
            (
                "a key of an unknown kind",
                changed(&root, |block| {
                    block.public_keys = vec![schema::PublicKey {
                        algorithm: 9,
                        key: vec![],
                    }]
                }),
                MALFORMED,
            ),
            (
                "a key",
                changed(&root, |block| {
                    block.public_keys = vec![schema::PublicKey {
                        algorithm: 0,
                        key: vec![7; 32],
                    }]
                }),
                "unsupported",
            ),
            (
                "a key twice",
                changed(&root, |block| {
                    let key = schema::PublicKey {
                        algorithm: 0,
                        key: vec![7; 32],
                    };
                    block.public_keys = vec![key.clone(), key];
                }),
                MALFORMED,
            ),
            (
                "a head that holds a term",
                head(27, vec![term(Content::Bool(true))]),
                MALFORMED,
            ),
            (
                "a head that holds an unbound variable",
                head(27, vec![term(Content::Variable(0))]),
                MALFORMED,
            ),
            ("a head of an unknown name", head(9999, vec![]), MALFORMED),
            ("a head of a reserved name", head(5, vec![]), ALLOW),
        ],
    );
    let unbound = |code: &str| {
        let mut symbols = biscuit_auth::datalog::SymbolTable::new();
        let mut block = crate::support::forge::block(&format!("{AUTHORITY}{code}"), &mut symbols);
        block.rules[1].body.pop();
        Forge::authority_bytes(&root, block.encode_to_vec())
    };
    expect(
        &root,
        &order(),
        [(
            "an unbound head",
            unbound("grant($x) <- service(\"erp\"), action($x);"),
            MALFORMED,
        )],
    );
}

/// A block of an older version that uses what came later is refused by one reader or the other.
#[test]
fn an_older_version_gains_nothing() {
    let root = Root::new();
    for version in 3..=5 {
        for code in [
            "check if [1].contains(1);",
            "check if null == null;",
            "check if 1 != 2;",
            "check all action($a);",
            "check if action($a), $a.type() === \"string\";",
        ] {
            let forge =
                Forge::honest(&root).append_changed(code, |block| block.version = Some(version));
            let decision = root.verifier().check(&forge.text(), &order(), crate::now());
            let refused = matches!(
                decision.reason(),
                Some(Reason::EvaluationError | Reason::Malformed)
            );
            assert!(
                refused || decision.is_allow(),
                "{version} {code} {decision:?}"
            );
        }
    }
}

/// protobuf lets a message nest a hundred deep; what is deeper is not even read.
#[test]
fn deep_nesting() {
    let root = Root::new();
    let nested = |depth: usize| {
        (0..depth).fold(term(Content::Null(schema::Empty {})), |inner, _| {
            array(vec![inner])
        })
    };
    let mapped = |depth: usize| {
        let key = || Some(schema::map_key::Content::Integer(1));
        (0..depth).fold(term(Content::Integer(1)), |inner, _| map(key(), inner))
    };
    let closures = |depth: usize| {
        (0..depth).fold(value(Content::Bool(true)), |inner, _| Op {
            content: Some(op::Content::Closure(schema::OpClosure {
                params: vec![],
                ops: vec![inner],
            })),
        })
    };
    expect(
        &root,
        &order(),
        [
            ("arrays, 40 deep", with_term(&root, nested(40)), ALLOW),
            ("arrays, 99 deep", with_term(&root, nested(99)), MALFORMED),
            ("arrays, 600 deep", with_term(&root, nested(600)), MALFORMED),
            ("maps, 99 deep", with_term(&root, mapped(99)), MALFORMED),
            (
                "closures, 40 deep",
                with_ops(&root, vec![closures(40)]),
                "unsupported",
            ),
            (
                "closures, 99 deep",
                with_ops(&root, vec![closures(99)]),
                MALFORMED,
            ),
            // Groups, which the schema does not use: a start of group 9, a thousand times.
            (
                "groups",
                Forge::honest(&root).append_bytes([&[0x18, 6][..], &[0x4b; 1000]].concat()),
                MALFORMED,
            ),
        ],
    );
}
