//! Tests that two readers agree: ours and biscuit-auth's read every block that both accept in the same way.
//!
//! Our reader checks names, limits and language; biscuit-auth's evaluates. If they differed, a token could show
//! each of them a different block.

use std::fmt;

use bailiwick_biscuit::datalog::{Block, BlockError, Code, Kind, Query};
use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, block, text},
    now,
};
use bailiwick_token::{caveat::Caveat, token::Token};
use bailiwick_verifier::Values;
use biscuit_auth::{
    builder::{self, CheckKind, Convert},
    datalog::SymbolTable,
    error,
    format::{convert, schema},
};
use prost::Message;
use rand::{Rng, SeedableRng, rngs::StdRng};

use crate::order;

const SEEDS: [&str; 6] = [
    AUTHORITY,
    r#"check if action($a), $a.starts_with("x") or arg("x", $v), {"a", "b"}.contains($v), num("y", $n), $n <= 5, $n !== 3;"#,
    r#"f({1, 2}, [1, "a", null, true, hex:00ff, [1, {"a": 1, 2: [3]}]], {,}); check all f($x, $y), $x.length() > 0; reject if false;"#,
    r#"check if args($n), {"", "a"}.contains($n), arg("a", $v), $v.all($p -> [1, "x"].contains($p)), $v.type() === "array";"#,
    r#"check if true && (1 + 2 * 3 / 4 - 5 | 6 & 7 ^ 8) == 3, "a" + "b" != "c", [1].get(0) == 1, (true || false).try_or(true), "x".extern::f(1);"#,
    r#"g($x) <- f($x), h($x, $y), $y > 3 trusting previous; check if f(2026-11-23T12:00:00Z) trusting authority; delegate("a");"#,
];

#[test]
fn both_readers_read_alike() {
    let mut rng = StdRng::seed_from_u64(20_261_123);
    let seeds = SEEDS.map(|code| block(code, &mut SymbolTable::new()).encode_to_vec());
    let root = Root::new();
    let verifier = root.verifier();
    let mut both = 0;
    for round in 0..6000 {
        let mut bytes = seeds[rng.gen_range(0..seeds.len())].clone();
        mutate(&mut rng, &mut bytes, &seeds[round % seeds.len()]);
        if let (Ok(ours), Ok(theirs)) = (ours(&bytes), theirs(&bytes)) {
            both += 1;
            assert_alike(&ours, &theirs, &bytes);
        }
        // Whatever the bytes are, nothing panics, and no output could move a cursor.
        let forge = match round % 2 {
            0 => Forge::authority_bytes(&root, bytes),
            _ => Forge::honest(&root).append_bytes(bytes),
        };
        let decision = verifier.check(&forge.text(), &order(), now());
        let shown = [
            decision.explain(Values::Shown).concat(),
            decision.explain(Values::Hidden).concat(),
        ];
        assert!(!shown.concat().contains(char::is_control));
        serde_json::from_str::<serde_json::Value>(&decision.to_json(Values::Shown)).expect("JSON");
        let mut container = forge.bytes();
        mutate(&mut rng, &mut container, &seeds[0]);
        for token in [forge.bytes(), container]
            .map(Token::from_bytes)
            .into_iter()
            .flatten()
        {
            handled(&token);
        }
    }
    assert!(both > 200, "only {both} blocks were read by both");
}

/// Reads a block with our reader.
fn ours(bytes: &[u8]) -> Result<Block, BlockError> {
    let mut blocks = Code::of_block(bytes)?.resolve();
    Ok(blocks.remove(0))
}

/// Performs every operation of a token's holder.
fn handled(token: &Token) {
    let view = token.inspect();
    let _shown = (
        view.to_string(),
        serde_json::to_string(&view),
        format!("{token:?}"),
    );
    if let Ok(effective) = view.effective() {
        let _shown = (effective.to_string(), serde_json::to_string(&effective));
    }
    let caveat = Caveat {
        task: Some("a task".to_owned()),
        ..Caveat::default()
    };
    let _either = (token.attenuate(&caveat).is_ok(), token.seal().is_ok());
    assert_eq!(
        Token::parse(&token.to_base64())
            .expect("its own text")
            .as_bytes(),
        token.as_bytes()
    );
}

fn mutate(rng: &mut StdRng, bytes: &mut Vec<u8>, other: &[u8]) {
    for _ in 0..rng.gen_range(1..3) {
        let place = rng.gen_range(0..bytes.len().max(1));
        match (rng.gen_range(0..7), bytes.get_mut(place)) {
            (0 | 1, Some(byte)) => *byte ^= 1 << rng.gen_range(0..8),
            (2, Some(byte)) => *byte = byte.wrapping_add(1),
            (3, Some(byte)) => *byte = byte.wrapping_sub(1),
            (4, Some(_)) => drop(bytes.remove(place)),
            (5, Some(_)) => {
                let end = bytes.len().min(place + rng.gen_range(0..40));
                let part = bytes[place..end].to_vec();
                let to = rng.gen_range(0..=bytes.len());
                bytes.splice(to..to, part);
            }
            _ => bytes.extend(&other[rng.gen_range(0..other.len())..]),
        }
    }
}

struct Theirs {
    facts: Vec<builder::Fact>,
    rules: Vec<builder::Rule>,
    checks: Vec<builder::Check>,
}

/// Reads a block with biscuit-auth's reader, for evaluation.
fn theirs(bytes: &[u8]) -> Result<Theirs, error::Format> {
    let message = schema::Block::decode(bytes)
        .map_err(|error| error::Format::DeserializationError(error.to_string()))?;
    let block = convert::proto_block_to_token_block(&message, None)?;
    let symbols = SymbolTable::from(message.symbols)?;
    Ok(Theirs {
        facts: block
            .facts
            .iter()
            .map(|fact| builder::Fact::convert_from(fact, &symbols))
            .collect::<Result<_, _>>()?,
        rules: block
            .rules
            .iter()
            .map(|rule| builder::Rule::convert_from(rule, &symbols))
            .collect::<Result<_, _>>()?,
        checks: block
            .checks
            .iter()
            .map(|check| builder::Check::convert_from(check, &symbols))
            .collect::<Result<_, _>>()?,
    })
}

fn assert_alike(ours: &Block, theirs: &Theirs, bytes: &[u8]) {
    let bytes = hex::encode(bytes);
    let facts: Vec<_> = theirs
        .facts
        .iter()
        .map(|fact| fact.predicate.clone())
        .collect();
    assert_same(&ours.facts, &facts, &bytes);
    assert_eq!(ours.rules.len(), theirs.rules.len(), "{bytes}");
    for (ours, theirs) in ours.rules.iter().zip(&theirs.rules) {
        assert_same(&ours.head, &theirs.head, &bytes);
        assert_query(&ours.query, theirs, &bytes);
    }
    assert_eq!(ours.checks.len(), theirs.checks.len(), "{bytes}");
    for (ours, theirs) in ours.checks.iter().zip(&theirs.checks) {
        let kind = match theirs.kind {
            CheckKind::One => Kind::One,
            CheckKind::All => Kind::All,
            CheckKind::Reject => Kind::Reject,
        };
        assert_eq!(ours.kind, kind, "{bytes}");
        assert_eq!(ours.queries.len(), theirs.queries.len(), "{bytes}");
        ours.queries
            .iter()
            .zip(&theirs.queries)
            .for_each(|(ours, theirs)| assert_query(ours, theirs, &bytes));
    }
}

/// Asserts that both trees are equal. Their types have the same names, and so equal trees have equal `Debug`
/// output.
fn assert_same(ours: &impl fmt::Debug, theirs: &impl fmt::Debug, bytes: &str) {
    assert_eq!(format!("{ours:?}"), format!("{theirs:?}"), "{bytes}");
}

fn assert_query(ours: &Query, theirs: &builder::Rule, bytes: &str) {
    assert_same(&ours.body, &theirs.body, bytes);
    let expressions: Vec<_> = theirs
        .expressions
        .iter()
        .map(|expression| expression.ops.clone())
        .collect();
    assert_same(&ours.expressions, &expressions, bytes);
    assert_eq!(ours.scopes.len(), theirs.scopes.len(), "{bytes}");
}

/// A map in which a key occurs twice is the same map for both readers, and is shown in the form that is
/// compared.
#[test]
fn repeated_elements_and_keys() {
    let key = |value: i64| schema::MapEntry {
        key: schema::MapKey {
            content: Some(schema::map_key::Content::Integer(1)),
        },
        value: schema::Term {
            content: Some(schema::term::Content::Integer(value)),
        },
    };
    let map = schema::term::Content::Map(schema::Map {
        entries: vec![key(1), key(2)],
    });
    let mut block = block("f(1);", &mut SymbolTable::new());
    block.facts[0].predicate.terms = vec![schema::Term { content: Some(map) }];
    let bytes = block.encode_to_vec();
    let ours = ours(&bytes).expect("a block");
    assert_alike(&ours, &theirs(&bytes).expect("a block"), &bytes);
    assert_eq!(ours.facts[0].to_string(), "f({1: 2})");
    assert!(!text(&bytes).is_empty());
}
