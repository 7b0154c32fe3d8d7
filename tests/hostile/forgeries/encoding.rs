//! Forgeries of the encoding: protobuf that no builder writes.

use bailiwick_testkit::{
    Root,
    forge::{Forge, text},
};
use biscuit_auth::format::schema::{self, Op, op, term::Content};

use super::{
    super::terms::{MALFORMED, array, changed, map, set, term, unary, value, with_ops, with_term},
    Forgery, forgery,
};

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let mut all = containers(root);
    all.extend(blocks(root));
    all.extend(symbols(root));
    all.extend(nesting(root));
    all
}

fn containers(root: &Root) -> Vec<Forgery> {
    let honest = Forge::honest(root);
    let bytes = honest.bytes();
    let raw = |name, attacks, bytes: &[u8], reason| Forgery {
        text: text(bytes),
        ..forgery(name, attacks, honest.clone(), reason)
    };
    let after = |more: &[u8]| [&bytes[..], more].concat();
    // The root key id with its number in ten bytes, as prost still reads it, and in eleven.
    let id = |length: usize| {
        let mut varint = vec![0x08];
        let mut id = u64::from(root.key_id().as_u32());
        for _ in 1..length {
            varint.push(u8::try_from(id & 0x7f).expect("seven bits") | 0x80);
            id >>= 7;
        }
        varint.push(0);
        after(&varint)
    };
    let narrow = Forge::honest(root)
        .append("check if action(\"nothing\");")
        .bytes();
    vec![
        raw(
            "container-truncated",
            "the last byte missing",
            &bytes[..bytes.len() - 1],
            MALFORMED,
        ),
        raw(
            "container-halved",
            "the second half missing",
            &bytes[..bytes.len() / 2],
            MALFORMED,
        ),
        raw(
            "container-garbage",
            "garbage after the token",
            &after(b"\xff\xff\xff"),
            MALFORMED,
        ),
        raw(
            "container-unknown-field",
            "an unknown field, which no signature covers",
            &after(&[0x7a, 1, 0]),
            MALFORMED,
        ),
        raw(
            "container-groups",
            "a thousand groups, one in another",
            &after(&[0x4b; 1000]),
            MALFORMED,
        ),
        raw(
            "varint-long",
            "a number in ten bytes that fits in five",
            &id(10),
            MALFORMED,
        ),
        raw(
            "varint-too-long",
            "a number in eleven bytes",
            &id(11),
            MALFORMED,
        ),
        raw(
            "length-beyond-the-end",
            "a block of two gigabytes, of which there is nothing",
            &after(&[0x1a, 0xff, 0xff, 0xff, 0xff, 0x07]),
            MALFORMED,
        ),
        raw(
            "root-key-id-twice",
            "a second root key id",
            &after(&[0x08, 1]),
            MALFORMED,
        ),
        raw(
            "token-merged",
            "a narrow token and a wide one behind it",
            &[&narrow[..], &bytes].concat(),
            MALFORMED,
        ),
        raw(
            "token-merged-narrow",
            "a wide token and a narrow one behind it",
            &[&bytes[..], &narrow].concat(),
            MALFORMED,
        ),
        Forgery {
            text: format!("{}A", text(&bytes).trim_end_matches('=')),
            ..raw(
                "text-longer",
                "a character more than base64 takes",
                &bytes,
                MALFORMED,
            )
        },
        Forgery {
            text: "no token at all".to_owned(),
            ..raw("text-none", "text that is no base64", &bytes, MALFORMED)
        },
    ]
}

fn blocks(root: &Root) -> Vec<Forgery> {
    let bytes = |bytes: &[u8]| Forge::honest(root).append_bytes(bytes.to_vec());
    let version = |version| changed(root, |block| block.version = version);
    let yes = || value(Content::Bool(true));
    vec![
        forgery(
            "block-no-bytes",
            "a block without a version",
            bytes(&[]),
            "unsupported",
        ),
        forgery(
            "block-truncated",
            "a field that ends before its length",
            bytes(&[0x18, 6, 0x22, 0x20, 0x0a]),
            MALFORMED,
        ),
        forgery(
            "block-version-0",
            "a version of Datalog before the first",
            version(Some(0)),
            "unsupported",
        ),
        forgery(
            "block-version-2",
            "a version of Datalog that is none any more",
            version(Some(2)),
            "unsupported",
        ),
        forgery(
            "block-version-7",
            "a version of Datalog to come",
            version(Some(7)),
            "unsupported",
        ),
        forgery(
            "block-version-twice",
            "a second version, of which protobuf takes the last",
            bytes(&[0x18, 6, 0x18, 7]),
            MALFORMED,
        ),
        forgery(
            "check-unknown-kind",
            "a kind of check that an older reader would pass over",
            changed(root, |block| block.checks[0].kind = Some(3)),
            MALFORMED,
        ),
        forgery(
            "check-without-alternatives",
            "a check that nothing can satisfy",
            changed(root, |block| block.checks[0].queries.clear()),
            "caveat",
        ),
        forgery(
            "term-empty",
            "a term without content",
            with_term(root, schema::Term { content: None }),
            MALFORMED,
        ),
        forgery(
            "fact-with-variable",
            "a fact that holds a variable, and so would match all",
            with_term(root, term(Content::Variable(1025))),
            MALFORMED,
        ),
        forgery(
            "set-in-set",
            "a set of sets",
            with_term(root, set(vec![set(vec![term(Content::Integer(1))])])),
            MALFORMED,
        ),
        forgery(
            "set-of-several-types",
            "a set of several types",
            with_term(
                root,
                set(vec![term(Content::Integer(1)), term(Content::Bool(true))]),
            ),
            MALFORMED,
        ),
        forgery(
            "map-without-key",
            "a member of a map without a key",
            with_term(root, map(None, term(Content::Integer(1)))),
            MALFORMED,
        ),
        forgery(
            "operation-unknown",
            "an operation of a version to come",
            with_ops(root, vec![yes(), unary(5, None)]),
            MALFORMED,
        ),
        forgery(
            "operation-of-nothing",
            "a negation of nothing",
            with_ops(root, vec![unary(0, None)]),
            "evaluation_error",
        ),
        forgery(
            "operation-none",
            "an expression without operations",
            with_ops(root, vec![]),
            "evaluation_error",
        ),
        forgery(
            "operation-left-over",
            "two values left on the stack",
            with_ops(root, vec![yes(), yes()]),
            "evaluation_error",
        ),
        forgery(
            "variable-unbound",
            "a variable that nothing binds",
            with_ops(root, vec![value(Content::Variable(1024))]),
            MALFORMED,
        ),
    ]
}

fn symbols(root: &Root) -> Vec<Forgery> {
    let adds = |name: &str| {
        changed(root, |block| {
            block.symbols.extend(
                [name.to_owned(), name.to_owned()]
                    .into_iter()
                    .take(if name == "twice" { 2 } else { 1 }),
            )
        })
    };
    let string = |index| with_term(root, term(Content::String(index)));
    vec![
        forgery(
            "symbol-twice",
            "a symbol that stands twice, so that two ids name it",
            adds("twice"),
            MALFORMED,
        ),
        forgery(
            "symbol-default",
            "a symbol that every table begins with",
            adds("time"),
            MALFORMED,
        ),
        forgery(
            "symbol-of-an-earlier-block",
            "a symbol that an earlier block added",
            adds("order"),
            MALFORMED,
        ),
        forgery(
            "symbol-out-of-range",
            "a string that no table holds",
            string(9999),
            MALFORMED,
        ),
        forgery(
            "symbol-reserved",
            "a string in the gap between default symbols and others",
            string(28),
            MALFORMED,
        ),
        forgery(
            "symbol-largest",
            "the largest id of a string",
            string(u64::MAX),
            MALFORMED,
        ),
        forgery(
            "predicate-out-of-range",
            "a fact whose name no table holds",
            changed(root, |block| block.facts[0].predicate.name = 9999),
            MALFORMED,
        ),
        forgery(
            "head-out-of-range",
            "a name that is not looked at, and that no table holds",
            changed(root, |block| block.checks[0].queries[0].head.name = 9999),
            MALFORMED,
        ),
    ]
}

fn nesting(root: &Root) -> Vec<Forgery> {
    let arrays =
        |depth: usize| (0..depth).fold(term(Content::Integer(1)), |inner, _| array(vec![inner]));
    let maps = |depth: usize| {
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
    vec![
        forgery(
            "arrays-deep",
            "arrays, forty deep",
            with_term(root, arrays(40)),
            "allow",
        ),
        forgery(
            "arrays-too-deep",
            "arrays, six hundred deep",
            with_term(root, arrays(600)),
            MALFORMED,
        ),
        forgery(
            "maps-too-deep",
            "maps, ninety-nine deep",
            with_term(root, maps(99)),
            MALFORMED,
        ),
        forgery(
            "closures-deep",
            "closures, forty deep",
            with_ops(root, vec![closures(40)]),
            "unsupported",
        ),
        forgery(
            "closures-too-deep",
            "closures, ninety-nine deep",
            with_ops(root, vec![closures(99)]),
            MALFORMED,
        ),
    ]
}
