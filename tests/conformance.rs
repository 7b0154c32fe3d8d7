//! The public cases of the Biscuit specification, where `$BAILIWICK_CONFORMANCE` says where they lie.

#![cfg(test)]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use bailiwick_token::token::Token;
use bailiwick_verifier::engine::{
    Authorizer, Error, Evaluation, Externs, FailedCheck, Matched, Outcome, Place, Program,
};
use biscuit_auth::{Algorithm, Biscuit, PublicKey, builder::Term};
use serde::Deserialize;
use serde_json::{Value, json};

/// More than any case takes by far.
const FUEL: u64 = 1_000_000;

#[derive(Deserialize)]
struct Samples {
    root_public_key: String,
    testcases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    title: String,
    filename: String,
    validations: BTreeMap<String, Validation>,
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

/// The function that one case asks for.
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

/// What came of a token and an authorizer, in the terms of the cases.
fn outcome(outcome: &Outcome) -> Value {
    let checks = |failed: &[FailedCheck]| -> Vec<Value> {
        let failed = failed.iter();
        failed
            .map(|failed| match failed.place {
                Place::Block(block) => json!({"Block": [block, failed.check]}),
                Place::Authorizer => json!({"Authorizer": failed.check}),
            })
            .collect()
    };
    match outcome {
        Outcome::Allow { policy } => json!({ "Ok": policy }),
        Outcome::Deny { policy, failed } => {
            let policy = policy.map(|policy| match policy {
                Matched::Allow(policy) => json!({ "Allow": policy }),
                Matched::Deny(policy) => json!({ "Deny": policy }),
            });
            json!({"policy": policy, "checks": checks(failed)})
        }
        Outcome::Error(error) if error.is_rule() => json!("rule"),
        Outcome::Error(Error::Overflow) => json!({"Execution": "Overflow"}),
        Outcome::Error(Error::InvalidType) => json!({"Execution": "InvalidType"}),
        Outcome::Error(error) => json!({"Execution": error.to_string()}),
        Outcome::OutOfFuel => json!("fuel"),
    }
}

/// The expected result without the texts of checks, which are for people.
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
        json!({ "Execution": execution })
    } else {
        result.clone()
    }
}

fn evaluate(token: &Token, code: &str) -> Evaluation {
    let program = Authorizer::parse(code)
        .and_then(|authorizer| Program::compile(token.blocks(), &authorizer));
    match program {
        Ok(program) => program.evaluate(&externs(), FUEL),
        Err(error) => Evaluation {
            outcome: Outcome::Error(error),
            burnt: 0,
            facts: Vec::new(),
        },
    }
}

fn case(directory: &Path, case: &Case, root: PublicKey) {
    let bytes = std::fs::read(directory.join(&case.filename)).expect("a token");
    for (name, validation) in &case.validations {
        let title = format!("{}: {name}", case.title);
        if let Some(error) = validation.result["Err"].get("Format") {
            assert!(Biscuit::from(&bytes, root).is_err(), "{title}: {error}");
            continue;
        }
        let verified = Biscuit::from(&bytes, root).expect("a token that verifies");
        let ids = verified.revocation_identifiers().into_iter();
        let ids: Vec<String> = ids.map(hex::encode).collect();
        assert_eq!(ids, validation.revocation_ids, "{title}");

        let token = Token::from_bytes(bytes.clone())
            .unwrap_or_else(|error| panic!("{title}: cannot be decoded: {error}"));
        let evaluation = evaluate(&token, &validation.authorizer_code);
        assert_eq!(
            outcome(&evaluation.outcome),
            expected(&validation.result),
            "{title}"
        );
        assert_eq!(
            evaluation,
            evaluate(&token, &validation.authorizer_code),
            "{title}: the same on every run"
        );
        println!("{title}: as expected, {} units of fuel", evaluation.burnt);

        let Some(world) = &validation.world else {
            continue;
        };
        let facts = |origin: Vec<Place>| {
            let mut origin: Vec<Option<usize>> = origin
                .into_iter()
                .map(|place| match place {
                    Place::Block(block) => Some(block),
                    Place::Authorizer => None,
                })
                .collect();
            origin.sort_unstable();
            origin
        };
        let found: BTreeSet<(Vec<Option<usize>>, String)> = evaluation
            .facts
            .into_iter()
            .map(|(origin, fact)| (facts(origin), fact))
            .collect();
        let wanted = world.facts.iter().flat_map(|facts| {
            let mut origin = facts.origin.clone();
            origin.sort_unstable();
            facts
                .facts
                .iter()
                .map(move |fact| (origin.clone(), fact.clone()))
        });
        assert_eq!(found, wanted.collect(), "{title}");
    }
}

#[test]
fn cases_of_the_specification() {
    let Some(directory) = directory() else {
        return;
    };
    let text = std::fs::read_to_string(directory.join("samples.json")).expect("samples.json");
    let samples: Samples = serde_json::from_str(&text).expect("the cases");
    let root = PublicKey::from_bytes(
        &hex::decode(&samples.root_public_key).expect("hex"),
        Algorithm::Ed25519,
    )
    .expect("a key");
    assert!(samples.testcases.len() >= 27);
    for each in &samples.testcases {
        case(&directory, each, root);
    }
}
