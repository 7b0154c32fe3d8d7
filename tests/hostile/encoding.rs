//! Tests of tokens damaged in transport or on purpose, and of all possible texts of one token.

use bailiwick_testkit::{
    Root,
    forge::{Forge, text},
    now,
};
use bailiwick_token::token::Token;
use bailiwick_verifier::{Decision, Verifier};
use biscuit_auth::format::schema;
use prost::Message;

use crate::{ALLOW, expect_texts, order, outcome};

/// Checks that the token is denied, or has exactly the content of the honest one.
fn same_or_denied(verifier: &Verifier, bytes: &[u8], honest: &schema::Biscuit, what: &str) {
    let allowed = match verifier.check(&text(bytes), &order(), now()) {
        Decision::Allow(allow) => allow,
        Decision::Deny(_) => return,
    };
    let token = Token::from_bytes(bytes.to_vec()).expect("an allowed token");
    assert_eq!(
        &schema::Biscuit::decode(token.as_bytes()).expect("a container"),
        honest,
        "{what}"
    );
    assert_eq!(allowed.identity.agent, "agent:orchestrator");
    assert_eq!(allowed.identity.token_id.as_bytes()[15], 15);
}

#[test]
fn no_flipped_bit_is_accepted() {
    let root = Root::new();
    let verifier = root.verifier();
    for forge in [
        Forge::honest(&root).append("check if action(\"order\");"),
        Forge::honest(&root).seal(),
    ] {
        let bytes = forge.bytes();
        assert_eq!(outcome(&verifier, &text(&bytes), &order()), ALLOW);
        for place in 0..bytes.len() {
            for bit in 0..8 {
                let mut flipped = bytes.clone();
                flipped[place] ^= 1 << bit;
                same_or_denied(
                    &verifier,
                    &flipped,
                    &forge.container,
                    &format!("bit {bit} of byte {place}"),
                );
            }
        }
    }
}

#[test]
fn no_part_of_a_token_is_accepted() {
    let root = Root::new();
    let verifier = root.verifier();
    let forge = Forge::honest(&root).append("check if action(\"order\");");
    let bytes = forge.bytes();
    for length in 0..bytes.len() {
        assert_ne!(
            outcome(&verifier, &text(&bytes[..length]), &order()),
            ALLOW,
            "the first {length} bytes"
        );
        assert_ne!(
            outcome(&verifier, &text(&bytes[length + 1..]), &order()),
            ALLOW,
            "all after byte {length}"
        );
        let doubled = [&bytes[..length], &bytes[..]].concat();
        same_or_denied(
            &verifier,
            &doubled,
            &forge.container,
            &format!("after {length} of its own bytes"),
        );
    }
}

/// protobuf merges, field by field, a message that occurs twice, and skips unknown fields. Here, a container
/// has exactly one reading or none.
#[test]
fn repeated_and_unknown_fields() {
    let root = Root::new();
    let forge = Forge::honest(&root).append("check if action(\"nothing\");");
    let narrow = forge.bytes();
    let wide = Forge::honest(&root).bytes();
    let after = |bytes: &[u8], more: &[u8]| text(&[bytes, more].concat());
    let other = Forge::authority(
        &root,
        bailiwick_testkit::forge::AUTHORITY
            .replace("order", "other")
            .as_str(),
    );
    expect_texts(
        &root,
        &order(),
        [
            ("an unknown field", after(&wide, &[0x7a, 1, 0]), "malformed"),
            (
                "another authority block, empty",
                after(&wide, &[0x12, 0]),
                "malformed",
            ),
            (
                "another proof, empty",
                after(&wide, &[0x22, 0]),
                "malformed",
            ),
            ("an empty block", after(&wide, &[0x1a, 0]), "malformed"),
            ("another root key id", after(&wide, &[0x08, 1]), "malformed"),
            (
                "two tokens, one after the other",
                after(&wide, &wide),
                "malformed",
            ),
            (
                "a narrow and a wide one",
                after(&narrow, &wide),
                "malformed",
            ),
            (
                "a wide and a narrow one",
                after(&wide, &narrow),
                "malformed",
            ),
            (
                "under another authority block",
                after(&narrow, &other.bytes()),
                "malformed",
            ),
            ("nothing", String::new(), "malformed"),
            ("a root key id alone", text(&[0x08, 1]), "malformed"),
        ],
    );
}

/// If two readers skipped different parts, they would see two different blocks under one signature.
#[test]
fn a_block_has_one_encoding() {
    let root = Root::new();
    let block = |code: &str| {
        let mut symbols = biscuit_auth::datalog::SymbolTable::new();
        bailiwick_testkit::forge::block(code, &mut symbols).encode_to_vec()
    };
    let honest = block("check if true;");
    let appended = |bytes: Vec<u8>| Forge::honest(&root).append_bytes(bytes).text();
    let after = |more: &[u8]| appended([&honest[..], more].concat());
    let version = honest
        .windows(2)
        .position(|pair| pair == [0x18, 6])
        .expect("a version");
    let mut long = honest.clone();
    long.splice(version + 1..version + 2, [0x86, 0x00]);
    expect_texts(
        &root,
        &order(),
        [
            ("as it is", appended(honest.clone()), ALLOW),
            ("an unknown field", after(&[0x7a, 1, 0]), "malformed"),
            (
                "an unknown field that is a number",
                after(&[0x78, 1]),
                "malformed",
            ),
            ("the field number 0", after(&[0x02, 0]), "malformed"),
            ("a second version", after(&[0x18, 6]), "malformed"),
            ("two contexts", after(&[0x12, 0, 0x12, 0]), "malformed"),
            ("a number that is too long", appended(long), "malformed"),
            (
                "a number that never ends",
                after(&[0x18, 0x80]),
                "malformed",
            ),
            ("32 bits", after(&[0x1d, 6, 0, 0, 0]), "malformed"),
            (
                "64 bits",
                after(&[0x19, 6, 0, 0, 0, 0, 0, 0, 0]),
                "malformed",
            ),
            ("a group", after(&[0x1b, 0x1c]), "malformed"),
            (
                "a number where a message belongs",
                after(&[0x20, 1]),
                "malformed",
            ),
            (
                "a message where a number belongs",
                after(&[0x1a, 0]),
                "malformed",
            ),
            (
                "a symbol that is no UTF-8",
                after(&[0x0a, 1, 0xff]),
                "malformed",
            ),
            ("a length beyond its end", after(&[0x12, 5, 0]), "malformed"),
            ("an empty fact", after(&[0x22, 0]), "malformed"),
            (
                "an empty predicate",
                after(&[0x22, 2, 0x0a, 0]),
                "malformed",
            ),
            (
                "a fact with two predicates",
                after(&[0x22, 8, 0x0a, 2, 8, 0, 0x0a, 2, 8, 0]),
                "malformed",
            ),
            (
                "a term that is empty",
                after(&[0x22, 6, 0x0a, 4, 8, 0, 0x12, 0]),
                "malformed",
            ),
            (
                "a term of two kinds",
                after(&[0x22, 10, 0x0a, 8, 8, 0, 0x12, 4, 0x10, 1, 0x10, 2]),
                "malformed",
            ),
            (
                "a boolean that is 2",
                after(&[0x22, 8, 0x0a, 6, 8, 0, 0x12, 2, 0x30, 2]),
                "malformed",
            ),
            (
                "a null that holds something",
                after(&[0x22, 9, 0x0a, 7, 8, 0, 0x12, 3, 0x42, 1, 0]),
                "malformed",
            ),
        ],
    );
}

/// Nesting deeper than other implementations accept is refused before anything recurses on it.
#[test]
fn terms_and_closures_lie_only_so_deep() {
    let root = Root::new();
    let term = |depth: usize| (0..depth).fold(vec![0x10, 1], |inner, _| field(9, field(1, inner)));
    let fact = |depth: usize| {
        let predicate = [vec![8, 0], field(2, term(depth))].concat();
        [vec![0x18, 6], field(4, field(1, predicate))].concat()
    };
    let value = || field(1, vec![0x30, 1]);
    let closures = |depth: usize| {
        let op = (0..depth).fold(value(), |inner, _| field(4, field(2, inner)));
        let query = [field(1, vec![8, 27]), field(3, field(1, op))].concat();
        [vec![0x18, 6], field(6, field(1, query))].concat()
    };
    let appended = |bytes: Vec<u8>| Forge::honest(&root).append_bytes(bytes).text();
    expect_texts(
        &root,
        &order(),
        [
            ("terms", appended(fact(40)), ALLOW),
            ("deep terms", appended(fact(60)), "malformed"),
            ("deeper terms", appended(fact(1200)), "malformed"),
            ("closures", appended(closures(40)), "unsupported"),
            ("deep closures", appended(closures(60)), "malformed"),
            ("deeper closures", appended(closures(1200)), "malformed"),
        ],
    );
}

/// A field that holds a message.
fn field(number: u8, content: Vec<u8>) -> Vec<u8> {
    let mut bytes = vec![number << 3 | 2];
    prost::encoding::encode_varint(content.len() as u64, &mut bytes);
    bytes.extend(content);
    bytes
}

#[test]
fn one_token_has_few_texts() {
    let root = Root::new();
    // A length that needs padding, and characters in which the alphabets differ.
    let mut context = 0;
    let token = loop {
        let mut symbols = biscuit_auth::datalog::SymbolTable::new();
        let mut block =
            bailiwick_testkit::forge::block(bailiwick_testkit::forge::AUTHORITY, &mut symbols);
        block.context = Some("~".repeat(context));
        let text = Forge::authority_bytes(&root, block.encode_to_vec()).text();
        if text.ends_with("==") && text.contains('-') && text.contains('_') {
            break text;
        }
        context += 1;
    };
    let bare = token.trim_end_matches('=');
    // The last character carries four bits that no byte needs.
    let (head, last) = bare.split_at(bare.len() - 1);
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = alphabet.find(last).expect("a character of the alphabet");
    let trailing = format!("{head}{}", &alphabet[place + 1..place + 2]);
    expect_texts(
        &root,
        &order(),
        [
            ("as it is", token.clone(), ALLOW),
            ("without padding", bare.to_owned(), ALLOW),
            ("white space around it", format!(" \t\r\n{token}\n"), ALLOW),
            ("half its padding", format!("{bare}="), ALLOW),
            ("too much padding", format!("{token}="), "malformed"),
            ("trailing bits", trailing, "malformed"),
            (
                "white space inside",
                format!("{} {}", &token[..8], &token[8..]),
                "malformed",
            ),
            (
                "a line break inside",
                format!("{}\n{}", &token[..8], &token[8..]),
                "malformed",
            ),
            ("a NUL at its end", format!("{token}\0"), "malformed"),
            (
                "another space around it",
                format!("\u{a0}{token}"),
                "malformed",
            ),
            (
                "the standard alphabet",
                token.replace('-', "+").replace('_', "/"),
                "malformed",
            ),
            (
                "a scheme before it",
                format!("biscuit:{token}"),
                "malformed",
            ),
            ("twice", format!("{token}{token}"), "malformed"),
            ("padding alone", "==".to_owned(), "malformed"),
            ("no base64", "é".repeat(20), "malformed"),
        ],
    );
}
