//! Tests with hostile tokens as files, for any verifier: each token is refused for the reason in the manifest, and uses
//! the fuel in the manifest.
//!
//! `BAILIWICK_BLESS=1` rewrites the files from `forgeries`, which states the reasons; only fuel is measured.
//! The tests always read the files.

use std::{collections::BTreeMap, fs, path::PathBuf, sync::Once};

use bailiwick_biscuit::engine::{Authorizer, Externs, Outcome, Program};
use bailiwick_testkit::Root;
use bailiwick_token::token::Token;
use bailiwick_verifier::{Call, Limits, Verifier};
use serde::{Deserialize, Serialize};

use super::forgeries::{self, Forgery};
use crate::outcome;

const OUT_OF_FUEL: &str = "out_of_fuel";

/// The manifest's entry for one file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// The attack, in one line.
    attacks: String,
    /// The call that the token is tried with, at 2026-11-23T12:00:00Z.
    request: String,
    /// The verifier's answer: `allow`, or the code of the denial.
    reason: String,
    /// The least fuel that leads to this answer; the whole limit if the token runs out of fuel, and `None` if
    /// the token is refused before it is evaluated.
    fuel: Option<u64>,
    /// The result of the engine alone, as for tokens outside the profile, if only the profile refuses the
    /// token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    engine: Option<Engine>,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Engine {
    outcome: String,
    fuel: u64,
}

/// The entries, by file name.
type Manifest = BTreeMap<String, Entry>;

#[test]
fn each_file_comes_out_as_its_manifest_says() {
    let manifest = manifest();
    assert!(manifest.len() >= 40);
    let mut wrong = Vec::new();
    for (name, entry) in &manifest {
        let text = fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"));
        let request = Call::from_json(&entry.request).expect("a call");
        let mut expect = |fuel: u64, expected: &str| {
            let found = outcome(&fueled(fuel), &text, &request);
            if found != expected {
                wrong.push(format!(
                    "{name}, {fuel} units: {expected} expected, {found} found"
                ));
            }
        };
        match entry.fuel {
            None => expect(0, &entry.reason),
            Some(least) if entry.reason != OUT_OF_FUEL => {
                expect(least, &entry.reason);
                expect(least - 1, OUT_OF_FUEL);
            }
            Some(all) => assert_eq!(all, Limits::default().fuel, "{name}"),
        }
        expect(Limits::default().fuel, &entry.reason);
        if entry.engine.is_some() {
            assert_eq!(engine(&text), entry.engine, "{name}");
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_file_is_in_the_manifest() {
    let listed: Vec<String> = manifest().into_keys().collect();
    let files = fs::read_dir(folder()).expect("the corpus");
    let names = files.filter_map(|file| {
        let name = file.expect("a file").file_name();
        let name = name.to_str().expect("a name of ours");
        name.strip_suffix(".token").map(str::to_owned)
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    assert_eq!(names, listed);
}

/// The files: name, text, and the call that each is tried with.
pub fn all() -> impl Iterator<Item = (String, String, String)> {
    manifest().into_iter().map(|(name, entry)| {
        let text = fs::read_to_string(file(&name)).expect("a file of the manifest");
        (name, text, entry.request)
    })
}

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("hostile/corpus")
}

fn file(name: &str) -> PathBuf {
    folder().join(format!("{name}.token"))
}

fn manifest() -> Manifest {
    static BLESSED: Once = Once::new();
    BLESSED.call_once(|| {
        if std::env::var_os("BAILIWICK_BLESS").is_some() {
            bless();
        }
    });
    let text = fs::read_to_string(folder().join("manifest.json")).expect("the manifest");
    serde_json::from_str(&text).expect("a manifest")
}

fn fueled(fuel: u64) -> Verifier {
    Root::fixed().verifier().limits(Limits {
        fuel,
        ..Limits::default()
    })
}

/// The call that an honest token allows, as facts for the engine alone.
const CALL: &str = r#"
time(2026-11-23T12:00:00Z); service("erp"); action("order"); args({""}); depth(1);
allow if action($a), grant($a);
"#;

/// Enough fuel for tokens that only the profile refuses, such as those with a regular expression.
const ENGINE_FUEL: u64 = 1_000_000;

/// The outcome of the engine without the profile, and the fuel that it uses.
fn engine(text: &str) -> Option<Engine> {
    let token = Token::parse(text).ok()?;
    let authorizer = Authorizer::parse(CALL).expect("Datalog");
    let program = Program::compile(token.code(), &authorizer).ok()?;
    let evaluation = program.evaluate(&Externs::default(), ENGINE_FUEL);
    let outcome = match evaluation.outcome {
        Outcome::Allow { .. } => "allow",
        Outcome::Deny { .. } => "deny",
        Outcome::Error(_) => "error",
        Outcome::OutOfFuel | Outcome::OutOfMemory => OUT_OF_FUEL,
    };
    Some(Engine {
        outcome: outcome.to_owned(),
        fuel: evaluation.burnt,
    })
}

fn bless() {
    let mut manifest = Manifest::new();
    let mut wrong = Vec::new();
    for forgery in forgeries::all() {
        fs::write(file(forgery.name), format!("{}\n", forgery.text)).expect("a file");
        let entry = Entry {
            fuel: least_fuel(&forgery),
            engine: forgery.engine.map(|outcome| {
                let found = engine(&forgery.text).expect("a program");
                if found.outcome != outcome {
                    wrong.push(format!("{}: {} found", forgery.name, found.outcome));
                }
                found
            }),
            attacks: forgery.attacks.to_owned(),
            request: forgery.request,
            reason: forgery.reason.to_owned(),
        };
        let twice = manifest.insert(forgery.name.to_owned(), entry);
        assert!(twice.is_none(), "`{}` names two", forgery.name);
    }
    assert!(wrong.is_empty(), "by itself: {}", wrong.join("; "));
    let text = serde_json::to_string_pretty(&manifest).expect("JSON");
    fs::write(folder().join("manifest.json"), text + "\n").expect("the manifest");
}

fn least_fuel(forgery: &Forgery) -> Option<u64> {
    let request = Call::from_json(&forgery.request).expect("a call");
    let suffices = |fuel: u64| outcome(&fueled(fuel), &forgery.text, &request) != OUT_OF_FUEL;
    let (mut low, mut high) = (0, Limits::default().fuel);
    if suffices(0) {
        return None;
    }
    while suffices(high) && low + 1 < high {
        let middle = low.midpoint(high);
        if suffices(middle) {
            high = middle;
        } else {
            low = middle;
        }
    }
    Some(high)
}
