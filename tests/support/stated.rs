//! The facts that the profile prescribes for a call, to be given to biscuit-auth. This is written from the
//! profile's text, independently of the verifier.

use std::collections::BTreeSet;

use bailiwick_testkit::{SERVICE, now};
use bailiwick_token::{grant::Grants, timestamp::Timestamp, value::Value};
use biscuit_auth::builder::{Fact, Term};

use super::{oracle, random::RandomCall};

/// All facts about a call with a token of this many appended blocks.
pub fn facts(call: &RandomCall, depth: usize) -> Vec<Fact> {
    let text = |text: &str| Term::Str(text.to_owned());
    let names: BTreeSet<Term> = std::iter::once("")
        .chain(call.args.keys().map(String::as_str))
        .map(text)
        .collect();
    let mut facts = vec![
        fact("time", [Term::Date(now().unix())]),
        fact("service", [text(SERVICE)]),
        fact("action", [text(&call.action)]),
        fact("depth", [Term::Integer(depth as i64)]),
        fact("args", [Term::Set(names)]),
    ];
    facts.extend(
        call.resource
            .as_deref()
            .map(|resource| fact("resource", [text(resource)])),
    );
    for (name, value) in &call.args {
        argument(name, value, &mut facts);
        members(name, value, &mut facts);
    }
    facts
}

/// The facts about conditions beyond plain Datalog: one for each condition of these grants that the call meets
/// according to the oracle.
pub fn natives<'g>(grants: impl IntoIterator<Item = &'g Grants>, call: &RandomCall) -> Vec<Fact> {
    let text = |text: String| Term::Str(text);
    let mut facts = Vec::new();
    for grant in grants.into_iter().flatten() {
        for test in grant.tests() {
            if oracle::meets(&test, &call.args) {
                facts.push(fact(
                    "meets",
                    [text(test.path.to_string()), text(test.text())],
                ));
            }
        }
        if let Some(window) = &grant.when
            && oracle::is_open(window, now())
        {
            facts.push(fact("during", [text(window.text())]));
        }
    }
    facts
}

fn fact<const N: usize>(name: &str, terms: [Term; N]) -> Fact {
    Fact::new(name.to_owned(), terms.to_vec())
}

/// Adds the facts about a value under its name or path.
fn argument(path: &str, value: &Value, facts: &mut Vec<Fact>) {
    let mut say = |name, term| facts.push(fact(name, [Term::Str(path.to_owned()), term]));
    match value {
        Value::Array(items) => match items.iter().map(scalar).collect::<Option<Vec<Term>>>() {
            Some(items) => say("arg", Term::Array(items)),
            None => say("json", Term::Str(value.to_string())),
        },
        Value::Object(_) => say("json", Term::Str(value.to_string())),
        one => {
            if let Some(term) = scalar(one) {
                say("arg", term);
            }
        }
    }
    match value {
        Value::Number(number) => {
            if let Some(micros) = number.micros() {
                say("num", Term::Integer(micros.0));
            }
        }
        Value::String(text) => {
            if let Ok(date) = text.parse::<Timestamp>() {
                say("date", Term::Date(date.unix()));
            }
        }
        _ => {}
    }
}

/// Adds the facts about the scalar members of objects, by their path.
fn members(path: &str, value: &Value, facts: &mut Vec<Fact>) {
    let nested = |value: &Value| matches!(value, Value::Array(_) | Value::Object(_));
    match value {
        Value::Object(all) => {
            for (name, member) in all {
                let path = format!("{path}.{name}");
                match nested(member) {
                    true => members(&path, member, facts),
                    false => argument(&path, member, facts),
                }
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                members(&format!("{path}.{index}"), item, facts);
            }
        }
        _ => {}
    }
}

fn scalar(value: &Value) -> Option<Term> {
    match value {
        Value::Null => Some(Term::Null),
        Value::Bool(value) => Some(Term::Bool(*value)),
        Value::String(text) => Some(Term::Str(text.clone())),
        Value::Number(number) => number.integer().map(Term::Integer),
        Value::Array(_) | Value::Object(_) => None,
    }
}
