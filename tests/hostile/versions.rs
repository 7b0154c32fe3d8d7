//! Tests of each feature of Datalog under each version that a block can declare, compared with biscuit-auth
//! 6.0.0.
//!
//! Known differences: biscuit-auth looks for features of 3.3 in blocks of 3.1 and 3.2 only, and so accepts
//! those marked [`Reference::LaxIn30`] in blocks of 3.0. It derives a version from operators, closures, kinds of
//! checks, null and scopes, and so accepts the features marked [`Reference::Lax`] in blocks of any version.

use bailiwick_biscuit::authorize::{self, DEFAULT_FUEL, ErrorKind, Externs, Outcome, Unverified};
use bailiwick_biscuit::datalog::Code;
use bailiwick_testkit::{
    Root,
    foreign::{Foreign, Pair},
    forge::{AUTHORITY, Forge, block},
    now, scope,
};
use bailiwick_token::grant::Grants;
use bailiwick_verifier::{Call, Reason};
use biscuit_auth::{
    PublicKey,
    datalog::SymbolTable,
    format::{convert::proto_block_to_token_block, schema},
};
use prost::Message;

/// The answer of biscuit-auth to a feature in a block of an older version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reference {
    Refuses,
    LaxIn30,
    Lax,
}

use Reference::{Lax, LaxIn30, Refuses};

/// A feature as Datalog, the first version that has it, and biscuit-auth's answer to it in blocks of older
/// versions.
type Case = (&'static str, u32, Reference);

/// A change to a block that no Datalog text can express.
type Change = fn(&mut schema::Block);

/// The versions, as the field `version` encodes them.
const V3_0: u32 = 3;
const V3_1: u32 = 4;
const V3_2: u32 = 5;
const V3_3: u32 = 6;

const WRITTEN: &[Case] = &[
    (
        "note(1); note(\"a\"); note(hex:00); note({1}); note(true);",
        V3_0,
        Refuses,
    ),
    (
        "check if note($x), $x > 1, $x < 2, $x >= 3, $x <= 4;",
        V3_0,
        Refuses,
    ),
    ("check if 1 + 2 - 3 * 4 / 5 === 6;", V3_0, Refuses),
    (
        "check if \"a\".contains(\"b\"), \"a\".starts_with(\"b\"), \"a\".ends_with(\"b\");",
        V3_0,
        Refuses,
    ),
    (
        "check if \"a\".matches(\"b\"), !true, (true), \"a\".length() === 1;",
        V3_0,
        Refuses,
    ),
    (
        "check if {1}.union({2}).intersection({3}) === {4} or note(1);",
        V3_0,
        Refuses,
    ),
    ("note($x) <- note($x, $y), $y === 1;", V3_0, Refuses),
    ("check all note($x), $x > 1;", V3_1, Refuses),
    ("check if 1 & 2 === 3;", V3_1, Refuses),
    ("check if 1 | 2 === 3;", V3_1, Refuses),
    ("check if 1 ^ 2 === 3;", V3_1, Refuses),
    ("check if 1 !== 2;", V3_1, Refuses),
    ("note($x) <- note($x, $y), $y !== 1;", V3_1, Refuses),
    ("check if note(1) or note(2), 1 !== 2;", V3_1, Refuses),
    ("check if note(1) trusting authority;", V3_1, Refuses),
    ("check if note(1) trusting previous;", V3_1, Refuses),
    ("note($x) <- note($x, $y) trusting previous;", V3_1, Refuses),
    ("reject if note(1);", V3_3, Refuses),
    ("note(null);", V3_3, LaxIn30),
    ("check if note(null);", V3_3, LaxIn30),
    ("check if note($x), $x === null;", V3_3, LaxIn30),
    ("note(null) <- note(1);", V3_3, LaxIn30),
    ("note([null]);", V3_3, Lax),
    ("note([1]);", V3_3, Lax),
    ("note([]);", V3_3, Lax),
    ("check if note([1]);", V3_3, Lax),
    ("check if [1].length() === 1;", V3_3, Lax),
    ("note([1]) <- note(1);", V3_3, Lax),
    ("note({\"a\": 1});", V3_3, Lax),
    ("check if {1: 2}.length() === 1;", V3_3, Lax),
    ("check if note($x), $x.get(0) === 1;", V3_3, Lax),
    ("check if {1}.any($x -> $x > 1);", V3_3, LaxIn30),
    ("check if {1}.all($x -> $x > 1);", V3_3, LaxIn30),
    (
        "note($x) <- note($x, $y), $y.any($z -> $z === 1);",
        V3_3,
        LaxIn30,
    ),
    ("check if 1.type() === \"integer\";", V3_3, LaxIn30),
    ("check if 1.extern::f() === 1;", V3_3, LaxIn30),
    ("check if 1.extern::f(2) === 1;", V3_3, LaxIn30),
    ("check if 1 == 2;", V3_3, LaxIn30),
    ("check if 1 != 2;", V3_3, LaxIn30),
    ("check if true && true;", V3_3, LaxIn30),
    ("check if true || true;", V3_3, LaxIn30),
    ("check if (1 / 0 === 1).try_or(true);", V3_3, LaxIn30),
];

/// Features that no Datalog text can express, as changes to the block of `note(1); check if note(1);`.
const CHANGED: &[(Case, Change)] = &[
    (
        ("a check that names its kind, `check if`", V3_1, Refuses),
        |block| {
            block.checks[0].kind = Some(0);
        },
    ),
    (
        ("a block that trusts the authority", V3_1, Refuses),
        |block| {
            let content = Some(schema::scope::Content::ScopeType(0));
            block.scope.push(schema::Scope { content });
        },
    ),
    (("a public key", V3_1, Lax), |block| {
        block.public_keys.push(party().public())
    }),
    (
        ("a check that trusts a public key", V3_1, Refuses),
        |block| {
            block.public_keys.push(party().public());
            let content = Some(schema::scope::Content::PublicKey(0));
            block.checks[0].queries[0]
                .scope
                .push(schema::Scope { content });
        },
    ),
    (("a set of null", V3_3, LaxIn30), |block| {
        use schema::term::Content;
        let null = schema::Term {
            content: Some(Content::Null(schema::Empty {})),
        };
        let set = schema::TermSet { set: vec![null] };
        block.facts[0].predicate.terms[0].content = Some(Content::Set(set));
    }),
    (("`.all()` without a closure", V3_3, LaxIn30), |block| {
        operation(block, 25)
    }),
    (("`.try_or()` without a closure", V3_3, Lax), |block| {
        operation(block, 29)
    }),
];

/// Sets the expression to `true`, `true` and the binary operation with this number.
fn operation(block: &mut schema::Block, kind: i32) {
    use schema::op::Content;
    let value = || schema::Term {
        content: Some(schema::term::Content::Bool(true)),
    };
    let ops = [
        Content::Value(value()),
        Content::Value(value()),
        Content::Binary(schema::OpBinary {
            kind,
            ffi_name: None,
        }),
    ];
    let ops = ops.map(|content| schema::Op {
        content: Some(content),
    });
    block.checks[0].queries[0].expressions = vec![schema::Expression { ops: ops.into() }];
}

fn party() -> Pair {
    Pair::ed25519(9)
}

/// Every case as a block, with its symbols first.
fn cases() -> impl Iterator<Item = (Case, schema::Block)> {
    let written = WRITTEN
        .iter()
        .map(|case| (*case, block(case.0, &mut SymbolTable::new())));
    let changed = CHANGED.iter().map(|(case, change)| {
        let mut block = block("note(1); check if note(1);", &mut SymbolTable::new());
        change(&mut block);
        (*case, block)
    });
    written.chain(changed)
}

/// The versions that a block can declare; `None` leaves the field out.
fn declared() -> impl Iterator<Item = Option<u32>> {
    (0..=7).map(Some).chain([None])
}

fn is_read(version: Option<u32>, since: u32) -> bool {
    version.is_some_and(|version| (since..=V3_3).contains(&version))
}

fn declaring(block: &schema::Block, version: Option<u32>) -> Vec<u8> {
    let block = schema::Block {
        version,
        ..block.clone()
    };
    block.encode_to_vec()
}

#[test]
fn features_and_versions_agree_with_the_reference() {
    let mut differ = Vec::new();
    for ((name, since, reference), block) in cases() {
        for version in declared() {
            let bytes = declaring(&block, version);
            let ours = Code::of_block(&bytes).map(drop);
            assert_eq!(
                ours.is_ok(),
                is_read(version, since),
                "ours, {name} in {version:?}: {ours:?}"
            );
            let read = schema::Block::decode(bytes.as_slice()).expect("a block");
            let theirs = proto_block_to_token_block(&read, None);
            let expected = match reference {
                Refuses => is_read(version, since),
                LaxIn30 => is_read(version, since) || version == Some(V3_0),
                Lax => is_read(version, V3_0),
            };
            if theirs.is_ok() != expected {
                differ.push(format!("{name} in {version:?}: {:?}", theirs.err()));
            }
        }
    }
    assert!(differ.is_empty(), "theirs: {differ:#?}");
}

#[test]
fn third_party_blocks_declare_at_least_3_2() {
    let key = PublicKey::from_proto(&party().public()).expect("a key");
    for version in declared() {
        let block = block("note(1);", &mut SymbolTable::new());
        let bytes = declaring(&block, version);
        let read = schema::Block::decode(bytes.as_slice()).expect("a block");
        let theirs = proto_block_to_token_block(&read, Some(key)).map(drop);
        assert_eq!(theirs.is_ok(), is_read(version, V3_2), "{version:?}");

        let root = Pair::ed25519(1);
        let token = Foreign::authority(&root, "note(2);", Pair::ed25519(2), 1);
        let external = token.external(&bytes, &party(), 1);
        let token = token.append_signed(bytes, Some(external), Pair::ed25519(3), 1);
        let ours = Unverified::read(&token.bytes()).and_then(|read| read.verify(&root.key()));
        let ours = ours.map(drop).map_err(|error| error.kind);
        let expected = match is_read(version, V3_2) {
            true => Ok(()),
            false => Err(ErrorKind::Format),
        };
        assert_eq!(ours, expected, "{version:?}");
    }
}

/// A newer feature in an older block is refused, both in the authority block and in an appended one. The error
/// is `malformed` in the profile; outside the profile, it is `format`, whatever the service's Datalog is.
#[test]
fn newer_features_in_older_blocks_are_refused() {
    let root = Pair::ed25519(1);
    for ((name, since, _), block) in cases().filter(|((_, since, _), _)| *since > V3_0) {
        let bytes = declaring(&block, Some(since - 1));
        let foreign = Foreign::authority(&root, "", Pair::ed25519(2), 1).append_signed(
            bytes.clone(),
            None,
            Pair::ed25519(3),
            1,
        );
        let report = authorize::authorize(
            &foreign.bytes(),
            &root.key(),
            "allow if true;",
            &Externs::default(),
            DEFAULT_FUEL,
        );
        let Outcome::Error(error) = report.outcome else {
            panic!("{name}: {:?}", report.outcome);
        };
        assert_eq!(error.kind, ErrorKind::Format, "{name}: {error}");
        assert!(
            error.message.contains("before Datalog 3."),
            "{name}: {error}"
        );

        let root = Root::new();
        let own = [
            Forge::authority_bytes(&root, bytes.clone()),
            Forge::honest(&root).append_bytes(bytes),
        ];
        for forge in own {
            let request = Call::new("order");
            let decision = root.verifier().check(&forge.text(), &request, now());
            assert_eq!(decision.reason(), Some(Reason::Malformed), "{name}");
        }
    }
}

/// Each block's own version counts, not the highest version in the token.
#[test]
fn each_block_declares_for_itself() {
    let root = Root::new();
    let newer = format!("{AUTHORITY} check all action($a), $a === \"order\";");
    let older = |code: &str| {
        Forge::authority(&root, &newer).append_changed(code, |block| block.version = Some(V3_0))
    };
    let check = |forge: Forge| {
        let request = Call::new("order");
        root.verifier()
            .check(&forge.text(), &request, now())
            .reason()
    };
    assert_eq!(check(older("check if action(\"order\");")), None);
    assert_eq!(
        check(older("check all action($a), $a === \"order\";")),
        Some(Reason::Malformed)
    );
}

/// Minted and appended blocks declare the lowest version that suffices, and the decoder accepts them.
#[test]
fn own_blocks_declare_what_they_use() {
    let root = Root::new();
    for (args, version) in [
        (r#"{"amount": {"max": "5"}, "vendor": "acme"}"#, V3_0),
        (r#"{"vendor": {"not_one_of": ["acme"]}}"#, V3_1),
        (r#"{"tags": ["a", "b"]}"#, V3_3),
        (r#"{"tags": [null, 1]}"#, V3_3),
        (r#"{"tags": []}"#, V3_3),
        (r#"{"tags": {"exact": ["a"], "max_len": 3}}"#, V3_3),
        (r#"{"tags": {"all_of_in": ["a"]}}"#, V3_3),
        (r#"{"note": null}"#, V3_3),
        (r#"{"note": {"exact": {"a": [1]}}}"#, V3_0),
    ] {
        let grant = format!(r#"{{"service": "erp", "action": "order", "args": {args}}}"#);
        let grants = Grants::from_json(&format!(r#"{{"grant": [{grant}]}}"#))
            .unwrap_or_else(|error| panic!("{args}: {error}"));
        let token = root.mint(&grants);
        let narrowed = token
            .attenuate(&scope(grants.clone()))
            .expect("a narrower token");
        let blocks = narrowed.blocks();
        let versions: Vec<u32> = blocks.iter().map(|block| block.version).collect();
        assert_eq!(versions, [version, version], "{args}");
        let read = token.authority().expect("a profile token").grants;
        let read: Option<Vec<_>> = read.into_iter().collect();
        assert_eq!(read, Some(grants.iter().cloned().collect()), "{args}");
    }
}
