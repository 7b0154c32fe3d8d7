//! Runs biscuit-python and biscuit-wasm, with the code of the implementers' page, on the vectors.
//!
//! `BAILIWICK_PYTHON` names a Python interpreter with biscuit-python 0.4.0 and cryptography. `BAILIWICK_NODE_MODULES`
//! names the folder of packages for Node.js, with biscuit-wasm 0.6.0.

use std::{collections::BTreeMap, env, fs, path::PathBuf, process::Command, time::SystemTime};

use bailiwick_testkit::{Root, SERVICE, claims, grant, skip::skipped, toml};
use bailiwick_token::{claims::Claims, keyset::Keyset, timestamp::Timestamp};
use bailiwick_verifier::{Trust, Verifier};
use serde::Deserialize;
use tempfile::TempDir;

use super::{
    file::{self, assert_none},
    keysets, narrowings,
    tokens::{self, Reads, Signatures},
};

/// The findings of another language, by the names of the cases.
#[derive(Deserialize)]
struct Findings {
    keysets: BTreeMap<String, String>,
    tokens: BTreeMap<String, TokenFinding>,
    narrowings: BTreeMap<String, Narrowed>,
    /// The token that the page's function made.
    page: String,
}

#[derive(Deserialize)]
struct TokenFinding {
    signatures: Signatures,
    /// True if the page's function `verified` returned the token.
    verified: bool,
    reads: Option<Reads>,
}

#[derive(Deserialize)]
struct Narrowed {
    token: String,
    block: String,
}

#[test]
fn python_reads_and_narrows_as_the_vectors_say() {
    compare(Language::python());
}

#[test]
fn javascript_reads_and_narrows_as_the_vectors_say() {
    compare(Language::javascript());
}

#[test]
fn python_hands_a_token_on() {
    hand_on(Language::python());
}

#[test]
fn javascript_hands_a_token_on() {
    hand_on(Language::javascript());
}

#[test]
fn python_refuses_wrong_values() {
    misuse(Language::python());
}

#[test]
fn javascript_refuses_wrong_values() {
    misuse(Language::javascript());
}

fn compare(language: Option<Language>) {
    let Some(language) = language else { return };
    // The vectors must be written before another process reads them.
    let expected = Expected::current();
    let mut command = language.command("vectors");
    command.arg(file::folder());
    let text = run(command);
    // biscuit-wasm writes to standard output as well, before its findings.
    let last = text.lines().last().expect("findings");
    expected.compare(&serde_json::from_str(last).expect("findings in JSON"));
}

/// Calls the page's functions with values that no vector can hold, such as an invalid date.
fn misuse(language: Option<Language>) {
    let Some(language) = language else { return };
    narrowings::current();
    let mut command = language.command("misuse");
    command.arg(file::folder());
    let text = run(command);
    assert!(text.ends_with("all wrong values were refused\n"), "{text}");
}

/// Runs the page's program that hands a token on, with a token that is valid now.
fn hand_on(language: Option<Language>) {
    let Some(language) = language else { return };
    let (root, now) = (
        Root::new(),
        Timestamp::try_from(SystemTime::now()).expect("a time"),
    );
    let keyset = Keyset {
        issued_at: now.minus(60),
        expires: now.plus(3600),
        ..root.keyset()
    };
    let keyset = keyset.sign(&root.keyset_key).to_json();
    let claims = Claims {
        // Reverses the direction of writing.
        agent: "agent:orchestrator\u{202e}".to_owned(),
        issued_at: now.minus(60),
        not_before: now.minus(60),
        expires: now.plus(3600),
        ..claims()
    };
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str| folder.path().join(name);
    fs::write(file("keyset.json"), &keyset).expect("a file");
    let command = |claims: &Claims| {
        let token = root.mint_with(claims, &toml(&grant(SERVICE, "*")));
        fs::write(file("token"), format!("{}\n", *token.to_base64())).expect("a file");
        let mut command = language.command("hand_on");
        command
            .arg(file("keyset.json"))
            .arg(root.keyset_public().to_string())
            .args([file("token"), file("buyer.token")]);
        command
    };

    // The same root key may sign for two issuers, and the keyset is of one.
    let others = Claims {
        issuer: "https://other.example".to_owned(),
        ..claims.clone()
    };
    let refused = command(&others).output().expect("a program that runs");
    let errors = String::from_utf8_lossy(&refused.stderr);
    assert!(!refused.status.success(), "another issuer's token passes");
    assert!(errors.contains("of another issuer"), "{errors}");
    assert!(!file("buyer.token").exists(), "a refused token is written");

    let said = run(command(&claims));
    assert!(
        said.contains(r"for team:procurement, by agent:orchestrator\u{202e}, until "),
        "{said}"
    );

    let buyer = fs::read_to_string(file("buyer.token")).expect("the buyer's token");
    let trust = Trust::open(keyset.as_bytes(), &root.keyset_public(), None).expect("a keyset");
    let verifier = Verifier::new(SERVICE, trust).expect("a service name");
    let decided = |amount: &str, after: u64| {
        let call = format!(
            r#"{{"action":"purchase_order:create","args":{{"amount":{amount},"currency":"EUR","vendor":"acme"}}}}"#
        );
        file::decision(&verifier, &buyer, &call, now.plus(after))
    };
    assert_eq!(decided("4200.5", 0), "allow");
    assert_eq!(decided("4200.500001", 0), "caveat");
    // The program narrowed the token a moment after `now`.
    assert_eq!(decided("1", 360), "expired");
}

/// An interpreter, and the place of the code for it.
enum Language {
    Python(String),
    JavaScript(TempDir),
}

impl Language {
    fn python() -> Option<Language> {
        let found = env::var("BAILIWICK_PYTHON").ok();
        if found.is_none() {
            skipped(
                "the code for Python in the documentation",
                "let BAILIWICK_PYTHON name a Python that has biscuit-python 0.4.0 and cryptography",
            );
        }
        found.map(Language::Python)
    }

    fn javascript() -> Option<Language> {
        let Ok(modules) = env::var("BAILIWICK_NODE_MODULES") else {
            skipped(
                "the code for JavaScript in the documentation",
                "run `npm ci` in a copy of examples/javascript, and let BAILIWICK_NODE_MODULES name its node_modules",
            );
            return None;
        };
        // Node.js looks for packages beside the code that imports them.
        let folder = tempfile::tempdir().expect("a folder");
        let copy = |from: PathBuf| {
            let to = folder.path().join(from.file_name().expect("a name"));
            fs::copy(&from, to).unwrap_or_else(|error| panic!("{}: {error}", from.display()));
        };
        for name in ["hand_on.mjs", "keyset.mjs", "narrow.mjs", "read.mjs"] {
            copy(tests().join("../examples/javascript").join(name));
        }
        copy(tests().join("interop/vectors.mjs"));
        copy(tests().join("interop/misuse.mjs"));
        std::os::unix::fs::symlink(modules, folder.path().join("node_modules")).expect("a link");
        Some(Language::JavaScript(folder))
    }

    /// A run of `vectors`, of `misuse` or of the program `hand_on`.
    fn command(&self, script: &str) -> Command {
        match self {
            Language::Python(python) => {
                let folder = match script {
                    "vectors" | "misuse" => "interop",
                    _ => "../examples/python",
                };
                let mut command = Command::new(python);
                command
                    // Otherwise Python would leave compiled code beside the examples.
                    .env("PYTHONDONTWRITEBYTECODE", "1")
                    .arg(tests().join(folder).join(format!("{script}.py")));
                command
            }
            Language::JavaScript(folder) => {
                let mut command = Command::new("node");
                command
                    .args(["--no-warnings", "--experimental-wasm-modules"])
                    .arg(folder.path().join(format!("{script}.mjs")));
                command
            }
        }
    }
}

/// The results that the files state.
struct Expected {
    keysets: keysets::Keysets,
    tokens: tokens::Tokens,
    narrowings: narrowings::Narrowings,
}

impl Expected {
    fn current() -> Expected {
        Expected {
            keysets: keysets::current(),
            tokens: tokens::current(),
            narrowings: narrowings::current(),
        }
    }

    /// Panics with every case in which the findings differ from the files, a missing one included.
    fn compare(&self, found: &Findings) {
        let mut wrong = Vec::new();
        for case in &self.keysets.cases {
            let (expected, found) = (Some(case.result()), found.keysets.get(&case.name).cloned());
            if found != expected {
                wrong.push(format!(
                    "{}: {expected:?} expected, {found:?} found",
                    case.name
                ));
            }
        }
        for case in &self.tokens.cases {
            let finding = &found.tokens[&case.name];
            if finding.signatures != case.signatures {
                let (name, expected) = (&case.name, case.signatures);
                wrong.push(format!(
                    "{name}: {expected:?} expected, {:?} found",
                    finding.signatures
                ));
            }
            let is_verified = case.signatures == Signatures::Valid && !case.misformed;
            if finding.verified != is_verified {
                let name = &case.name;
                wrong.push(format!(
                    "{name}: `verified` returns it: {is_verified} expected, {} found",
                    finding.verified
                ));
            }
            if finding.reads != case.reads {
                let (name, expected) = (&case.name, &case.reads);
                wrong.push(format!(
                    "{name}: {expected:?} expected, {:?} found",
                    finding.reads
                ));
            }
        }
        for case in &self.narrowings.cases {
            let block = &found.narrowings[&case.name].block;
            if *block != case.block {
                wrong.push(format!(
                    "{}: the block is {block}, and {} is expected",
                    case.name, case.block
                ));
            }
        }
        let narrowed = |_, case: &narrowings::Case| found.narrowings[&case.name].token.clone();
        wrong.extend(self.narrowings.decided_otherwise(narrowed));
        wrong.extend(self.narrowings.page_otherwise(&found.page));
        assert_none(&wrong);
    }
}

/// Runs a program to its end. Returns its output.
fn run(mut command: Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {errors}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

fn tests() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}
