//! Tests with calls of real agents: grants made from a task's own calls allow the task, and none of the calls
//! that an injected text asks for.
//!
//! The folder in `BAILIWICK_TRACES` contains files of JSON lines, with one call per line.

use std::{collections::BTreeMap, path::Path};

use bailiwick_testkit::{Root, now, skip::skipped};
use bailiwick_token::{
    grant::{Constraint, Grant, Grants},
    limits::TokenLimits,
    value::Value,
};
use bailiwick_verifier::{Call, Reason, Verifier};
use serde::Deserialize;
use serde_json::value::RawValue;

#[derive(Deserialize)]
struct Line<'a> {
    task: String,
    kind: String,
    service: String,
    action: String,
    #[serde(borrow)]
    args: &'a RawValue,
}

#[derive(Clone, PartialEq)]
struct TracedCall {
    service: String,
    action: String,
    args: BTreeMap<String, Value>,
    text: String,
}

/// The calls of each user task, by name, and all injected calls.
fn read(file: &Path) -> (BTreeMap<String, Vec<TracedCall>>, Vec<TracedCall>) {
    let text = std::fs::read_to_string(file).expect("a file of traces");
    let (mut tasks, mut injections) = (BTreeMap::<String, Vec<TracedCall>>::new(), Vec::new());
    for line in text.lines() {
        let line: Line<'_> = serde_json::from_str(line).expect("a call");
        let text = line.args.get().to_owned();
        let Value::Object(args) = Value::parse(&text).expect("arguments") else {
            panic!("arguments are an object")
        };
        let call = TracedCall {
            service: line.service,
            action: line.action,
            args,
            text,
        };
        match line.kind.as_str() {
            "user" => tasks.entry(line.task).or_default().push(call),
            "injection" => injections.push(call),
            other => panic!("unknown kind {other}"),
        }
    }
    (tasks, injections)
}

/// Grants that allow exactly these calls.
fn grants_of(calls: &[TracedCall]) -> Grants {
    let mut grants: Vec<Grant> = Vec::new();
    for call in calls {
        let mut grant = Grant::new(&call.service, &call.action).closed();
        for (name, value) in &call.args {
            grant = grant.arg(name, Constraint::exact(value.clone()));
        }
        if !grants.contains(&grant) {
            grants.push(grant);
        }
    }
    Grants::new(grants).expect("well-formed grants")
}

fn same(a: &TracedCall, b: &TracedCall) -> bool {
    (&a.service, &a.action, &a.args) == (&b.service, &b.action, &b.args)
}

fn try_file(name: &str) {
    let Ok(folder) = std::env::var("BAILIWICK_TRACES") else {
        skipped(
            &format!("the traces of `{name}`"),
            "let BAILIWICK_TRACES name their folder",
        );
        return;
    };
    let (tasks, injections) = read(&Path::new(&folder).join(format!("{name}.jsonl")));
    let root = Root::new();
    let services: std::collections::BTreeSet<&String> = tasks
        .values()
        .flatten()
        .chain(&injections)
        .map(|call| &call.service)
        .collect();
    let verifiers: BTreeMap<&String, Verifier> = services
        .into_iter()
        .map(|name| (name, Verifier::new(name, root.trust()).expect("a service")))
        .collect();
    let (mut allowed, mut denied) = (0, 0);
    for (task, calls) in &tasks {
        let token = root.mint(&grants_of(calls));
        TokenLimits::default()
            .check(&token)
            .unwrap_or_else(|error| panic!("{name} {task}: {error}"));
        let decide = |call: &TracedCall| {
            let request =
                Call::from_args_json(&call.action, None, Some(&call.text)).expect("a call");
            verifiers[&call.service].check(&token.to_base64(), &request, now())
        };
        for call in calls {
            let decision = decide(call);
            assert!(
                decision.is_allow(),
                "{name} {task}: {} {}: {decision:?}",
                call.action,
                call.text
            );
            allowed += 1;
        }
        for call in injections
            .iter()
            .filter(|injected| !calls.iter().any(|call| same(call, injected)))
        {
            let decision = decide(call);
            let undecided = matches!(
                decision.reason(),
                Some(Reason::EvaluationError | Reason::OutOfFuel | Reason::BadRequest)
            );
            assert!(
                !decision.is_allow() && !undecided,
                "{name} {task}: {} {}: {decision:?}",
                call.action,
                call.text
            );
            denied += 1;
        }
    }
    assert!(allowed > 0 && denied > 0);
    println!(
        "{name}: {} tasks, {allowed} of {allowed} calls allowed, {denied} of {denied} injected calls denied",
        tasks.len()
    );
}

#[test]
fn banking() {
    try_file("banking");
}

#[test]
fn slack() {
    try_file("slack");
}
