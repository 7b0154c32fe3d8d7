//! Narrowings: a token and a scope, and the block that has to be appended.

mod constraints;
mod made;

use bailiwick_testkit::{Root, SERVICE};
use bailiwick_token::{
    caveat::Caveat, grant::Grants, key::PublicKey, timestamp::Timestamp, token::Token,
};
use bailiwick_verifier::{Trust, Verifier};
use biscuit_auth::{UnverifiedBiscuit, builder::BlockBuilder};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::file::{self, Decided, FORMAT, assert_none};

/// The file `narrowings.json`.
#[derive(Serialize, Deserialize)]
pub(super) struct Narrowings {
    format: u32,
    about: String,
    service: String,
    keyset_key: PublicKey,
    keyset: String,
    /// Arguments of the function `narrow` of the implementers' page.
    page: Page,
    pub(super) cases: Vec<Case>,
}

/// The narrowing on the implementers' page.
#[derive(Serialize, Deserialize)]
struct Page {
    time: Timestamp,
    parent: String,
    delegate: String,
    vendor: String,
    amount: String,
    expires: Timestamp,
    /// The bytes of the block that it appends.
    block: String,
    calls: Vec<Decided>,
}

#[derive(Serialize, Deserialize)]
pub(super) struct Case {
    pub(super) name: String,
    time: Timestamp,
    parent: String,
    /// The scope in the JSON form of grants.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    expires: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delegate: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    task: Option<String>,
    /// The values of the exact array in the Datalog, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    array: Option<Value>,
    /// The block as Datalog.
    datalog: String,
    /// The bytes of the block, in hexadecimal digits.
    pub(super) block: String,
    calls: Vec<Decided>,
}

/// From the scope in the file, the product makes the block in the file.
#[test]
fn the_product_writes_the_blocks_of_the_file() {
    for case in &current().cases {
        let caveat = Caveat {
            scope: case.scope.as_ref().map(|scope| {
                Grants::from_json(&scope.to_string())
                    .unwrap_or_else(|error| panic!("{}: {error}", case.name))
            }),
            expires: case.expires,
            delegate: case.delegate.clone(),
            task: case.task.clone(),
        };
        let parent = Token::parse(&case.parent).expect("a token");
        let narrower = parent.attenuate(&caveat).expect("a narrower token");
        assert_eq!(last_block(&narrower), case.block, "{}", case.name);
        assert_eq!(last_text(&narrower), case.datalog, "{}", case.name);
    }
}

/// From the Datalog in the file, the reference implementation makes the same bytes.
#[test]
fn the_datalog_of_the_file_is_that_of_its_blocks() {
    for case in &current().cases {
        let block = BlockBuilder::new().code(&case.datalog);
        let block = block.unwrap_or_else(|error| panic!("{}: {error}", case.name));
        let parent = UnverifiedBiscuit::from_base64(&case.parent).expect("a token");
        let narrower = parent.append(block).expect("a narrower token");
        let narrower = Token::from_bytes(narrower.to_vec().expect("bytes")).expect("a token");
        assert_eq!(last_block(&narrower), case.block, "{}", case.name);
    }
}

#[test]
fn the_product_decides_on_narrowed_tokens_as_the_file_says() {
    let file = current();
    let narrowed = file.cases.iter().map(|case| {
        let parent = UnverifiedBiscuit::from_base64(&case.parent).expect("a token");
        let block = BlockBuilder::new().code(&case.datalog).expect("Datalog");
        let narrower = parent.append(block).expect("a narrower token");
        narrower.to_base64().expect("text")
    });
    let narrowed: Vec<String> = narrowed.collect();
    assert_none(&file.decided_otherwise(|place, _| narrowed[place].clone()));
}

impl Narrowings {
    /// The calls whose decision, made with the narrowed token of the case, differs from the one in the file.
    pub(super) fn decided_otherwise(&self, token: impl Fn(usize, &Case) -> String) -> Vec<String> {
        let verifier = self.verifier();
        let mut wrong = Vec::new();
        for (place, case) in self.cases.iter().enumerate() {
            assert!(!case.calls.is_empty(), "{} has no calls", case.name);
            let token = token(place, case);
            wrong.extend(otherwise(
                &verifier,
                &case.name,
                &token,
                &case.calls,
                case.time,
            ));
        }
        wrong
    }

    /// Returns the unexpected outcomes of a token that the function on the page narrowed, including an unexpected block.
    pub(super) fn page_otherwise(&self, token: &str) -> Vec<String> {
        let page = &self.page;
        let mut wrong = otherwise(&self.verifier(), "page", token, &page.calls, page.time);
        let block = last_block(&Token::parse(token).expect("a token"));
        if block != page.block {
            wrong.push(format!(
                "page: the block is {block}, and {} is expected",
                page.block
            ));
        }
        wrong
    }

    fn verifier(&self) -> Verifier {
        let trust = Trust::open(self.keyset.as_bytes(), &self.keyset_key, None).expect("a keyset");
        Verifier::new(&self.service, trust).expect("a service name")
    }
}

fn otherwise(
    verifier: &Verifier,
    name: &str,
    token: &str,
    calls: &[Decided],
    at: Timestamp,
) -> Vec<String> {
    let wrong = calls.iter().filter_map(|Decided { call, decision }| {
        let found = file::decision(verifier, token, call, at);
        (found != *decision).then(|| format!("{name}, {call}: {decision} expected, {found} found"))
    });
    wrong.collect()
}

pub(super) fn current() -> Narrowings {
    file::current("narrowings", &made())
}

fn made() -> Narrowings {
    let root = Root::fixed();
    Narrowings {
        format: FORMAT,
        about: "Narrowings: a token and a scope, the block that a holder appends for it, and the decision on calls"
            .to_owned(),
        service: SERVICE.to_owned(),
        keyset_key: root.keyset_public(),
        keyset: root.keyset().sign(&root.keyset_key).to_json(),
        page: made::page(&root),
        cases: made::cases(&root),
    }
}

/// The bytes of the last block.
fn last_block(token: &Token) -> String {
    hex::encode(&token.signed_blocks().last().expect("a block").block)
}

/// The last block as text. Parsers take `{true}` for a parameter, so a set of one truth value is written with spaces.
fn last_text(token: &Token) -> String {
    let text = token.blocks().last().expect("a block").to_string();
    text.replace("{true}", "{ true }")
        .replace("{false}", "{ false }")
}
