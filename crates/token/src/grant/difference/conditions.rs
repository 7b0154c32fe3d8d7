//! Conditions joined into one value, and tested on one value.

use std::collections::BTreeMap;

use crate::{
    condition::{ArgPath, Condition, Test},
    value::Value,
};

/// The text that meets a prefix, a suffix and a `contains` together, if there is more than one of them.
pub(super) fn joined(all: &[Condition]) -> Option<Value> {
    let mut parts = [None, None, None];
    let [prefix, contains, suffix] = &mut parts;
    for condition in all {
        match condition {
            Condition::Prefix(text) => *prefix = Some(text.as_str()),
            Condition::Contains(text) => *contains = Some(text.as_str()),
            Condition::Suffix(text) => *suffix = Some(text.as_str()),
            _ => {}
        }
    }
    let parts: Vec<&str> = parts.into_iter().flatten().collect();
    (parts.len() > 1).then(|| Value::from(parts.concat()))
}

/// The other argument that a condition compares with.
pub(super) fn relation(condition: &Condition) -> Option<&ArgPath> {
    match condition {
        Condition::EqualsArg(other) | Condition::DiffersFromArg(other) => Some(other),
        Condition::EqualsSum { of, .. } => Some(of),
        _ => None,
    }
}

/// Returns true if a value meets all conditions that depend on it alone.
pub(super) fn fits(value: &Value, conditions: &[Condition]) -> bool {
    let Ok(path) = "x".parse::<ArgPath>() else {
        return false;
    };
    let args = BTreeMap::from([("x".to_owned(), value.clone())]);
    let mut alone = conditions
        .iter()
        .filter(|condition| relation(condition).is_none());
    alone.all(|condition| {
        let test = Test {
            path: path.clone(),
            condition: condition.clone(),
            optional: vec![false],
        };
        test.evaluate(&args).is_ok()
    })
}
