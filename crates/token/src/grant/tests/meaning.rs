//! A second implementation of the meaning of typed grants: the calls that a verifier must allow.

use std::collections::BTreeMap;

use crate::{
    grant::{Bound, Constraint, Grant, Grants, List},
    timestamp::Timestamp,
    value::{Micros, Value},
};

/// The arguments of a call.
pub(super) type Call = BTreeMap<String, Value>;

/// Reads the arguments of a call from JSON.
#[track_caller]
pub(super) fn call(text: &str) -> Call {
    match Value::parse(text) {
        Ok(Value::Object(args)) => args,
        other => panic!("{text}: {other:?}"),
    }
}

/// A Monday at noon in Berlin.
pub(super) fn monday() -> Timestamp {
    "2026-11-30T11:00:00Z".parse().unwrap()
}

/// Returns true if one of the grants allows the call.
pub(super) fn allow(grants: &Grants, call: &Call, now: Timestamp) -> bool {
    grants.iter().any(|grant| allows(grant, call, now))
}

/// Returns true if the grant allows the call.
pub(super) fn allows(grant: &Grant, call: &Call, now: Timestamp) -> bool {
    let in_time = grant.when.as_ref().is_none_or(|window| window.holds(now));
    let Some(args) = &grant.args else {
        return in_time;
    };
    let first = |path: &String| path.split('.').next().unwrap().to_owned();
    let listed: Vec<String> = args.keys().map(first).collect();
    let closed = call.keys().all(|name| listed.contains(name));
    let basic = args.iter().all(|(path, constraint)| {
        constraint.is_any() || constraint.meets.is_some() || meets_basic(constraint, path, call)
    });
    let tests = grant.tests();
    in_time && closed && basic && tests.iter().all(|test| test.evaluate(call).is_ok())
}

fn at<'v>(path: &str, call: &'v Call) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let mut value = call.get(parts.next()?)?;
    for part in parts {
        let Value::Object(members) = value else {
            return None;
        };
        value = members.get(part)?;
    }
    Some(value)
}

fn micros(value: &Value) -> Option<Micros> {
    match value {
        Value::Number(number) => number.micros(),
        _ => None,
    }
}

/// Evaluates the basic conditions without Datalog.
fn meets_basic(constraint: &Constraint, path: &str, call: &Call) -> bool {
    let Some(value) = at(path, call) else {
        return false;
    };
    let is_member = path.contains('.');
    let text = match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let scalars = value.as_scalars().filter(|_| !is_member);
    let listed = |list: &List, wanted: bool| match (list, value) {
        (List::Strings(set), Value::String(text)) => set.contains(text) == wanted,
        (List::Bools(set), Value::Bool(value)) => set.contains(value) == wanted,
        (List::Numbers(set), value) => {
            micros(value).is_some_and(|micros| set.contains(&micros) == wanted)
        }
        _ => false,
    };
    let bound = |bound: Bound| -> Option<std::cmp::Ordering> {
        match bound {
            Bound::Number(bound) => Some(micros(value)?.cmp(&bound)),
            Bound::Date(bound) => Some(text?.parse::<Timestamp>().ok()?.cmp(&bound)),
        }
    };
    let length = text.map(str::len).or(scalars.as_ref().map(Vec::len));
    constraint.exact.as_ref().is_none_or(|exact| exact == value)
        && constraint
            .one_of
            .as_ref()
            .is_none_or(|list| listed(list, true))
        && constraint
            .not_one_of
            .as_ref()
            .is_none_or(|list| listed(list, false))
        && constraint
            .min
            .is_none_or(|min| bound(min).is_some_and(|order| order.is_ge()))
        && constraint
            .max
            .is_none_or(|max| bound(max).is_some_and(|order| order.is_le()))
        && constraint
            .prefix
            .as_ref()
            .is_none_or(|part| text.is_some_and(|text| text.starts_with(part)))
        && constraint
            .suffix
            .as_ref()
            .is_none_or(|part| text.is_some_and(|text| text.ends_with(part)))
        && constraint
            .contains
            .as_ref()
            .is_none_or(|part| text.is_some_and(|text| text.contains(part)))
        && constraint.all_of_in.as_ref().is_none_or(|set| {
            scalars
                .as_ref()
                .is_some_and(|items| items.iter().all(|item| set.contains(item)))
        })
        && constraint
            .max_len
            .is_none_or(|max| length.is_some_and(|length| length <= max as usize))
}
