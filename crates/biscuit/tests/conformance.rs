//! Tests with the public test cases of the Biscuit specification, in the folder `$BAILIWICK_CONFORMANCE`.

#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use bailiwick_biscuit::{
    authorize::{self, DEFAULT_FUEL, Error, ErrorKind, Key, Outcome, Report, Unverified},
    datalog::{Code, Term},
    engine::{Authorizer, Externs, Matched, Place, Program, Source},
};
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE},
};
use serde::Deserialize;
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Samples {
    root_public_key: String,
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    title: String,
    filename: String,
    token: Vec<Written>,
    validations: BTreeMap<String, Validation>,
}

/// A block, as a test case states it.
#[derive(Deserialize)]
struct Written {
    version: u32,
    external_key: Option<String>,
    public_keys: Vec<String>,
    code: String,
}

#[derive(Deserialize)]
struct Validation {
    world: Option<World>,
    result: Value,
    authorizer_code: String,
    revocation_ids: Vec<String>,
}

#[derive(Deserialize)]
struct World {
    facts: Vec<Facts>,
}

#[derive(Deserialize)]
struct Facts {
    origin: Vec<Option<usize>>,
    facts: Vec<String>,
}

fn directory() -> Option<PathBuf> {
    let directory = std::env::var_os("BAILIWICK_CONFORMANCE").map(PathBuf::from);
    if directory.is_none() {
        println!("SKIPPED: BAILIWICK_CONFORMANCE names no directory of conformance cases");
    }
    directory
}

/// The only function that a test case needs.
fn externs() -> Externs {
    Externs::default().with(
        "test",
        Arc::new(|left, right| match (left, right) {
            (left, None) => Ok(left),
            (Term::Str(left), Some(Term::Str(right))) if left == right => {
                Ok(Term::Str("equal strings".to_owned()))
            }
            (Term::Str(_), Some(Term::Str(_))) => Ok(Term::Str("different strings".to_owned())),
            _ => Err("unsupported operands".to_owned()),
        }),
    )
}

/// Converts the outcome of a token to the terms of the test cases.
fn outcome(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Allow { policy } => json!({ "Ok": policy }),
        Outcome::Deny { policy, failed } => {
            let policy = policy.map(|policy| match policy {
                Matched::Allow(policy) => json!({ "Allow": policy }),
                Matched::Deny(policy) => json!({ "Deny": policy }),
            });
            let failed = failed.iter().map(|failed| match failed.place {
                Place::Block(block) => json!({"Block": [block, failed.check]}),
                Place::Authorizer => json!({"Authorizer": failed.check}),
            });
            json!({"policy": policy, "checks": failed.collect::<Vec<_>>()})
        }
        Outcome::Error(Error { kind, message }) => match kind {
            ErrorKind::Execution if message == "integer overflow" => {
                json!({"execution": "Overflow"})
            }
            ErrorKind::Execution if message.ends_with("of the wrong type") => {
                json!({"execution": "InvalidType"})
            }
            kind => json!(kind.to_string()),
        },
    }
}

/// The expected result, without the texts of checks, which are only for people.
fn expected(result: &Value) -> Value {
    let logic = &result["Err"]["FailedLogic"];
    let checks = |checks: &Value| -> Vec<Value> {
        let checks = checks.as_array().expect("a list").iter();
        checks
            .map(|check| match check.get("Block") {
                Some(check) => json!({"Block": [check["block_id"], check["check_id"]]}),
                None => json!({"Authorizer": check["Authorizer"]["check_id"]}),
            })
            .collect()
    };
    if let Some(unauthorized) = logic.get("Unauthorized") {
        json!({"policy": unauthorized["policy"], "checks": checks(&unauthorized["checks"])})
    } else if let Some(none) = logic.get("NoMatchingPolicy") {
        json!({"policy": null, "checks": checks(&none["checks"])})
    } else if logic.get("InvalidBlockRule").is_some() {
        json!("rule")
    } else if let Some(execution) = result["Err"].get("Execution") {
        json!({ "execution": execution })
    } else if let Some(format) = result["Err"].get("Format") {
        json!(if format.get("Signature").is_some() {
            "signature"
        } else {
            "format"
        })
    } else {
        result.clone()
    }
}

/// Converts an id. The cases use the signature as it is in the token; here, the id of an ECDSA signature is the
/// lower of its two forms.
fn lower(id: &str) -> Vec<u8> {
    let id = hex::decode(id).expect("hex");
    match p256::ecdsa::Signature::from_der(&id) {
        Ok(signature) => {
            let low = signature.normalize_s().unwrap_or(signature);
            low.to_der().as_bytes().to_vec()
        }
        Err(_) => id,
    }
}

fn case(directory: &Path, case: &Case, root: &Key) {
    let bytes = std::fs::read(directory.join(&case.filename)).expect("a token");
    // The file of that case has its blocks in another order.
    if case.title != "reordered blocks" {
        blocks(case, &bytes);
    }
    for (name, validation) in &case.validations {
        let title = format!("{}: {name}", case.title);
        let decide = |input: &[u8]| -> Report {
            let code = &validation.authorizer_code;
            authorize::authorize(input, root, code, &externs(), DEFAULT_FUEL)
        };
        let report = decide(&bytes);
        assert_eq!(
            outcome(&report.outcome),
            expected(&validation.result),
            "{title}"
        );
        assert_eq!(report, decide(&bytes), "{title}: the same on every run");
        assert_eq!(
            report,
            decide(URL_SAFE.encode(&bytes).as_bytes()),
            "{title}: as text"
        );
        // The standard alphabet is refused, unless the text has no character that tells the two apart.
        let standard = decide(STANDARD_NO_PAD.encode(&bytes).as_bytes());
        match URL_SAFE.encode(&bytes).contains(['-', '_']) {
            true => assert_eq!(outcome(&standard.outcome), json!("format"), "{title}"),
            false => assert_eq!(report, standard, "{title}"),
        }
        println!("{title}: as expected");

        // The cases name no ids of a token that does not verify.
        let ids = report.revocation_ids.expect("a container that can be read");
        if !validation.revocation_ids.is_empty() {
            let wanted = validation.revocation_ids.iter().map(|id| lower(id));
            assert_eq!(ids, wanted.collect::<Vec<_>>(), "{title}");
        }
        if let Some(world) = &validation.world {
            let unverified = Unverified::read(&bytes).expect("a container");
            let code = unverified.decode().expect("blocks");
            facts(&title, &code, &validation.authorizer_code, world);
        }
    }
}

/// Asserts that each block has the content that the case states.
fn blocks(case: &Case, bytes: &[u8]) {
    let code = Unverified::read(bytes).and_then(|token| token.decode());
    let blocks = code.expect("a token").resolve();
    assert_eq!(blocks.len(), case.token.len(), "{}", case.title);
    for (block, written) in blocks.iter().zip(&case.token) {
        let title = format!("{}: {}", case.title, written.code);
        assert_eq!(block.version, written.version, "{title}");
        let external_key = block.external_key.as_ref().map(ToString::to_string);
        assert_eq!(external_key, written.external_key, "{title}");
        let keys: Vec<String> = block.public_keys.iter().map(ToString::to_string).collect();
        assert_eq!(keys, written.public_keys, "{title}");

        let wanted = Source::parse(&written.code).expect("Datalog").statements;
        assert_eq!(block.scopes, wanted.scopes, "{title}");
        assert_eq!(block.facts, wanted.facts, "{title}");
        assert_eq!(block.rules, wanted.rules, "{title}");
        assert_eq!(block.checks, wanted.checks, "{title}");
    }
}

/// Converts a fact from the form in the cases to the form that is printed here.
fn read(fact: &str) -> String {
    let source = Source::parse(&format!("{fact};")).expect("a fact");
    source.statements.facts[0].to_string()
}

/// Checks that the engine ends with the facts of the case.
fn facts(title: &str, blocks: &Code, policies: &str, world: &World) {
    let authorizer = Authorizer::parse(policies).expect("Datalog");
    let program = Program::compile(blocks, &authorizer).expect("Datalog that compiles");
    let sorted = |mut origin: Vec<Option<usize>>| {
        origin.sort_unstable();
        origin
    };
    let found = program.evaluate(&externs(), DEFAULT_FUEL).facts.into_iter();
    let found: BTreeSet<(Vec<Option<usize>>, String)> = found
        .map(|(origin, fact)| {
            let origin = origin.into_iter().map(|place| match place {
                Place::Block(block) => Some(block),
                Place::Authorizer => None,
            });
            (sorted(origin.collect()), fact.to_string())
        })
        .collect();
    let wanted = world.facts.iter().flat_map(|facts| {
        let origin = sorted(facts.origin.clone());
        let facts = facts.facts.iter().map(|fact| read(fact));
        facts.map(move |fact| (origin.clone(), fact))
    });
    assert_eq!(found, wanted.collect(), "{title}");
}

#[test]
fn cases_of_the_specification() {
    let Some(directory) = directory() else {
        return;
    };
    let text = std::fs::read_to_string(directory.join("samples.json")).expect("samples.json");
    let samples: Samples = serde_json::from_str(&text).expect("the cases");
    let root: Key = format!("ed25519/{}", samples.root_public_key)
        .parse()
        .expect("a key");
    assert!(samples.testcases.len() >= 27);
    for each in &samples.testcases {
        case(&directory, each, &root);
    }
}
