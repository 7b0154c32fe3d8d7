//! Tests of protobuf messages in blocks that no builder writes.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};
use biscuit_auth::format::schema::{self, Op, op, term::Content};
use prost::Message;

use super::terms::{MALFORMED, array, changed, map, term, value, with_ops, with_term};
use crate::{ALLOW, expect, order};

#[test]
fn malformed_blocks_are_refused() {
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
                "keys",
                changed(&root, |block| {
                    block.public_keys = vec![schema::PublicKey {
                        algorithm: 9,
                        key: vec![],
                    }]
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
        let mut block =
            bailiwick_testkit::forge::block(&format!("{AUTHORITY}{code}"), &mut symbols);
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

/// protobuf allows a nesting depth of a hundred messages; anything deeper is not even read.
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
