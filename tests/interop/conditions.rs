//! Comparison of conditions on arguments with a second implementation in Python.
//!
//! `conditions/*.py` was written from the reference alone and shares no code with ours. Random values, honest and
//! hostile, must meet a condition in both implementations or in neither. Runs the interpreter that `BAILIWICK_PYTHON`
//! names.

mod samples;

use std::{
    collections::BTreeMap,
    env,
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

use bailiwick_testkit::skip::skipped;
use bailiwick_token::{condition::Test, value::Value};
use rand::{SeedableRng, rngs::StdRng};
use samples::{Pieces, Sample};
use serde_json::json;

/// Values for each condition.
const VALUES: usize = 2_000;

#[test]
fn python_reads_conditions_alike() {
    let Ok(python) = env::var("BAILIWICK_PYTHON") else {
        skipped(
            "the second reading of conditions",
            "let BAILIWICK_PYTHON name a Python of 3.11 or later",
        );
        return;
    };
    let cases = cases();
    let answers = second_reading(&python, &cases);
    assert_eq!(answers.len(), cases.len());

    let mut counts: BTreeMap<&str, Counts> = BTreeMap::new();
    let mut differences = vec![];
    for (case, answer) in cases.iter().zip(&answers) {
        let here = case.holds();
        let counts = counts.entry(&case.text).or_default();
        match answer.as_str() {
            "unsure" => counts.unsure += 1,
            "yes" => counts.yes += 1,
            _ => counts.no += 1,
        }
        if answer != "unsure" && (answer == "yes") != here {
            differences.push(format!(
                "{} {} on {}: {}",
                case.path,
                case.text,
                case.args,
                if here { "we accept" } else { "we refuse" }
            ));
        }
    }
    assert!(
        differences.is_empty(),
        "{} differences:\n{}",
        differences.len(),
        differences.join("\n")
    );
    for (text, counts) in &counts {
        // If few values meet or few miss the condition, the values are not near its edge.
        assert!(counts.yes >= VALUES / 50, "{text}: {counts:?}");
        assert!(counts.no >= VALUES / 50, "{text}: {counts:?}");
        assert!(counts.unsure <= VALUES / 20, "{text}: {counts:?}");
    }
}

#[derive(Debug, Default)]
struct Counts {
    yes: usize,
    no: usize,
    unsure: usize,
}

/// A condition and the arguments of a call.
struct Case {
    path: String,
    text: String,
    args: String,
}

impl Case {
    fn holds(&self) -> bool {
        let test = Test::parse(&self.path, &self.text)
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.path, self.text));
        match Value::parse(&self.args) {
            Ok(Value::Object(args)) => test.evaluate(&args).is_ok(),
            // The arguments are not JSON, for example because a number has leading zeros.
            _ => false,
        }
    }
}

fn cases() -> Vec<Case> {
    let mut random = StdRng::seed_from_u64(20_261_130);
    let pieces = Pieces::all();
    let mut cases = vec![];
    for sample in Sample::all() {
        let optional: Vec<bool> = sample.path.split('.').map(|_| false).collect();
        let mut text = sample.condition.clone();
        text.insert("optional".to_owned(), json!(optional));
        let text = serde_json::to_string(&text).expect("JSON");
        cases.extend((0..VALUES).map(|_| Case {
            path: sample.path.clone(),
            text: text.clone(),
            args: sample.args(&pieces, &mut random),
        }));
    }
    cases
}

/// The answer of the Python program to each case.
fn second_reading(python: &str, cases: &[Case]) -> Vec<String> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("interop/conditions/read.py");
    let mut child = Command::new(python)
        .arg(script)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("a Python interpreter");
    let job: Vec<[&str; 3]> = cases
        .iter()
        .map(|case| [&*case.path, &case.text, &case.args])
        .collect();
    let job = serde_json::to_vec(&job).expect("JSON");
    let mut input = child.stdin.take().expect("its input");
    // The program reads everything before it writes, so neither process waits for the other.
    input.write_all(&job).expect("cases written");
    drop(input);
    let output = child.wait_with_output().expect("its output");
    assert!(output.status.success(), "the second reading failed");
    serde_json::from_slice(&output.stdout).expect("JSON")
}
