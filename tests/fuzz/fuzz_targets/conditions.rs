#![no_main]
//! Fuzz target for conditions: a path, two conditions on it, and the arguments of a call, each on a line.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use bailiwick_token::{
    condition::Test,
    grant::{Constraint, Grant, Grants},
    value::Value,
};
use libfuzzer_sys::fuzz_target;

type Args = BTreeMap<String, Value>;

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let mut lines = text.splitn(4, '\n');
    let mut line = || lines.next().unwrap_or_default();
    let (path, first, second, args) = (line(), line(), line(), line());
    let Ok(Value::Object(args)) = Value::parse(args) else {
        return;
    };
    let tests: Vec<Test> = [first, second]
        .into_iter()
        .filter_map(|text| read(path, text))
        .collect();
    for test in &tests {
        evaluate(test, &args);
    }
    let [first, second] = &tests[..] else {
        return;
    };
    let grants = [&[first][..], &[second], &[first, second]].map(granted);
    let decided = grants.each_ref().map(|grants| {
        let grants = grants.as_ref()?;
        Some((grants, allows(grants, &args)?))
    });
    let [first, second, both] = decided;
    // Adding a condition never widens.
    never_wider(both, first);
    never_wider(both, second);
    // A proof that one grant is within another is never refuted by a call.
    for (narrow, wide) in [(first, second), (second, first)] {
        if let (Some((a, _)), Some((b, _))) = (narrow, wide)
            && a.is_within(b)
        {
            never_wider(narrow, wide);
        }
    }
});

/// Reads a condition, and checks that it has no other text.
fn read(path: &str, text: &str) -> Option<Test> {
    let test = Test::parse(path, text).ok()?;
    assert_eq!(test.text(), text);
    assert_eq!(test.path.to_string(), path);
    let _words = test.condition.to_string();
    let kept = format!("{text} ");
    assert!(Test::parse(path, &kept).is_err());
    Some(test)
}

/// Evaluates a condition twice, in a time that its cost allows.
fn evaluate(test: &Test, args: &Args) {
    let cost = u32::try_from(test.cost(args)).expect("a cost of 32 bits");
    let start = Instant::now();
    let met = test.evaluate(args).is_ok();
    let time = start.elapsed();
    // Hundreds of times the usual time for a step, because other programs may use this machine too.
    let limit = Duration::from_millis(500) + Duration::from_micros(10) * cost;
    assert!(time <= limit, "{time:?} for a cost of {cost}");
    assert_eq!(test.evaluate(args).is_ok(), met);
}

/// A grant with these conditions on one argument; `None` if it would not be well formed.
fn granted(tests: &[&Test]) -> Option<Grants> {
    let [first, ..] = tests else { return None };
    let mut constraint = tests.iter().fold(Constraint::any(), |constraint, test| {
        constraint.also(test.condition.clone())
    });
    // Only the last part of a path can be optional by the argument's own constraint.
    let (last, above) = first.optional.split_last()?;
    if above.contains(&true) {
        return None;
    }
    if *last {
        constraint = constraint.optional();
    }
    let grant = Grant::new("erp", "order").arg(&first.path.to_string(), constraint);
    let grants = Grants::new([grant]).ok()?;
    let (toml, json) = (grants.to_toml(), grants.to_json());
    assert_eq!(Grants::from_toml(&toml).as_ref(), Ok(&grants), "{toml}");
    assert_eq!(Grants::from_json(&json).as_ref(), Ok(&grants), "{json}");
    Some(grants)
}

/// The decision on a call with these arguments; `None` for a grant with constraints in plain Datalog.
fn allows(grants: &Grants, args: &Args) -> Option<bool> {
    let grant = grants.iter().next()?;
    let mut constraints = grant.args.iter().flat_map(BTreeMap::values);
    if constraints.any(|constraint| constraint.meets.is_none() && !constraint.is_any()) {
        return None;
    }
    let names: Vec<&str> = grant.allowed_names()?.collect();
    let named = args.keys().all(|name| names.contains(&name.as_str()));
    Some(named && grant.tests().iter().all(|test| test.evaluate(args).is_ok()))
}

fn never_wider(narrow: Option<(&Grants, bool)>, wide: Option<(&Grants, bool)>) {
    if let (Some((narrow, allows)), Some((wide, wider))) = (narrow, wide) {
        assert!(!allows || wider, "{} {}", narrow.to_toml(), wide.to_toml());
    }
}
