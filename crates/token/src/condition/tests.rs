//! Accepted and refused values of each condition.

mod calls;
mod canonical;
mod hostile;
mod values;

use std::collections::BTreeMap;

use super::*;
use crate::value::Value;

fn domains(exactly: &[&str], under: &[&str]) -> Domains {
    let set = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    Domains {
        exactly: set(exactly),
        under: set(under),
    }
}

/// Asserts which texts a condition admits.
#[track_caller]
fn admits(holds: impl Fn(&str) -> bool, accepted: &[&str], refused: &[&str]) {
    for text in accepted {
        assert!(holds(text), "{text:?} is refused");
    }
    for text in refused {
        assert!(!holds(text), "{text:?} is accepted");
    }
}

impl Condition {
    fn holds_alone(&self, value: &Value) -> bool {
        let args = BTreeMap::from([("a".to_owned(), value.clone())]);
        let test = Test {
            path: "a".parse().unwrap(),
            condition: self.clone(),
            optional: vec![false],
        };
        test.evaluate(&args).is_ok()
    }
}

fn test(path: &str, text: &str) -> Test {
    Test::parse(path, text).unwrap_or_else(|error| panic!("{path} {text}: {error}"))
}

/// The arguments of a call.
#[track_caller]
fn args(text: &str) -> BTreeMap<String, Value> {
    match Value::parse(text) {
        Ok(Value::Object(args)) => args,
        other => panic!("{text}: {other:?}"),
    }
}
