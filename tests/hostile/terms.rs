//! Tests of terms and operations, as protobuf messages, that no builder writes.

use bailiwick_testkit::{Root, forge::Forge};
use biscuit_auth::format::schema::{self, Op, op, term::Content};

use crate::{ALLOW, expect, order};

pub(super) const MALFORMED: &str = "malformed";

pub(super) fn term(content: Content) -> schema::Term {
    schema::Term {
        content: Some(content),
    }
}

pub(super) fn array(terms: Vec<schema::Term>) -> schema::Term {
    term(Content::Array(schema::Array { array: terms }))
}

pub(super) fn set(terms: Vec<schema::Term>) -> schema::Term {
    term(Content::Set(schema::TermSet { set: terms }))
}

pub(super) fn map(key: Option<schema::map_key::Content>, value: schema::Term) -> schema::Term {
    let entry = schema::MapEntry {
        key: schema::MapKey { content: key },
        value,
    };
    term(Content::Map(schema::Map {
        entries: vec![entry],
    }))
}

pub(super) fn value(content: Content) -> Op {
    Op {
        content: Some(op::Content::Value(term(content))),
    }
}

pub(super) fn unary(kind: i32, ffi_name: Option<u64>) -> Op {
    Op {
        content: Some(op::Content::Unary(schema::OpUnary { kind, ffi_name })),
    }
}

fn binary(kind: i32, ffi_name: Option<u64>) -> Op {
    Op {
        content: Some(op::Content::Binary(schema::OpBinary { kind, ffi_name })),
    }
}

/// Appends a block with `check if action($a), true`, changed before it is signed.
pub(super) fn changed(root: &Root, change: impl FnOnce(&mut schema::Block)) -> Forge {
    Forge::honest(root).append_changed("f(1); check if action($a), true;", change)
}

pub(super) fn with_ops(root: &Root, ops: Vec<Op>) -> Forge {
    changed(root, |block| {
        block.checks[0].queries[0].expressions[0].ops = ops
    })
}

pub(super) fn with_term(root: &Root, term: schema::Term) -> Forge {
    changed(root, |block| block.facts[0].predicate.terms = vec![term])
}

#[test]
fn malformed_terms_are_refused() {
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
fn malformed_operations_are_refused() {
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
