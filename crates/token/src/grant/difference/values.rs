//! Values at the edges of conditions.

use std::collections::BTreeMap;

use super::{numbers, pattern, texts};
use crate::{
    condition::{Condition, Range},
    value::{Micros, Number, Value},
};

/// Maximum length of a text or an array that is made to reach a bound.
const MAX_LENGTH: u32 = 4096;

/// Returns true if two values differ for every receiver.
pub(super) fn is_apart(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(value), Value::String(other)) => {
            let folded = |text: &str| text.trim().trim_start_matches('0').to_lowercase();
            folded(value) != folded(other)
        }
        (value, other) => value.kind() == other.kind() && value != other,
    }
}

/// The sum of numbers; `None` if one of the values is no number.
pub(super) fn number_sum(values: &[&Value]) -> Option<Value> {
    let mut total = 0_i64;
    for value in values {
        let Value::Number(number) = value else {
            return None;
        };
        total = total.checked_add(number.micros()?.0)?;
    }
    Some(Value::Number(Micros(total).into()))
}

/// Values of all types, for an argument that a grant does not constrain.
pub(super) fn of_each_type() -> Vec<Value> {
    vec![
        Value::from("x"),
        Value::from(1),
        Value::from(true),
        Value::Null,
        Value::from(""),
        Value::from("0"),
        Value::from(0),
        Value::from(-1),
        Value::Array(Vec::new()),
        Value::from(vec!["x"]),
        Value::Object(BTreeMap::new()),
        Value::Object(BTreeMap::from([("other".to_owned(), Value::from("x"))])),
        Value::from("two\nlines"),
        Value::from("see https://other.example/x"),
    ]
}

/// Values that meet a condition at its edges, and values that just do not.
pub(super) fn pool(condition: &Condition) -> Vec<Value> {
    let strings = |texts: Vec<String>| texts.into_iter().map(Value::from).collect();
    match condition {
        Condition::Present { .. } => of_each_type(),
        Condition::Exact(value) => around(value),
        Condition::OneOf { values, .. } | Condition::NotOneOf(values) => {
            let values = values.values();
            let near = values.first().map(around).unwrap_or_default();
            values.into_iter().chain(near).collect()
        }
        Condition::Prefix(text) | Condition::Suffix(text) | Condition::Contains(text) => {
            strings(texts::around(text))
        }
        Condition::AllOfIn(set) => {
            let all: Vec<Value> = set.iter().cloned().map(Value::from).collect();
            let one = all.first().cloned().into_iter().collect();
            let outside = all.iter().cloned().chain([Value::from("other")]).collect();
            [all, one, outside, Vec::new()].map(Value::Array).to_vec()
        }
        Condition::MaxLen(length) => {
            let lengths = [*length, length.saturating_add(1), length.saturating_sub(1)];
            let lengths = lengths.into_iter().filter(|length| *length <= MAX_LENGTH);
            lengths
                .flat_map(|length| [text_of(length), array_of(length)])
                .collect()
        }
        Condition::Date { min, max } => strings(numbers::date_times(
            min.map(|t| t.to_string()),
            max.map(|t| t.to_string()),
        )),
        Condition::Number(range) => {
            let numbers = numbers::around(range).into_iter();
            numbers.map(|micros| Value::Number(micros.into())).collect()
        }
        Condition::Decimal(range) => strings(numbers::decimals(range)),
        Condition::Day { min, max } => strings(numbers::days(
            min.map(|day| day.to_string()),
            max.map(|day| day.to_string()),
        )),
        Condition::Instant { after, before } => strings(numbers::date_times(
            after.map(|instant| instant.to_string()),
            before.map(|instant| instant.to_string()),
        )),
        Condition::Matches(pattern) => strings(pattern::around(pattern.as_str())),
        Condition::OneLine(length) => {
            let lengths = [*length, length.saturating_add(1)];
            let lengths = lengths.into_iter().filter(|length| *length <= MAX_LENGTH);
            strings(texts::lines())
                .into_iter()
                .chain(lengths.map(text_of))
                .collect()
        }
        Condition::Links(at) => strings(texts::links(at.as_ref())),
        Condition::Email(email) => strings(texts::emails(email)),
        Condition::Url(at) => strings(texts::urls(at)),
        Condition::Path(path) => strings(texts::paths(path)),
        Condition::Ip(ip) => strings(texts::addresses(ip)),
        Condition::Count { min, max } => {
            let edges = [*min, *max].into_iter().flatten();
            let lengths =
                edges.flat_map(|edge| [edge, edge.saturating_add(1), edge.saturating_sub(1)]);
            lengths
                .filter(|length| *length <= MAX_LENGTH)
                .map(array_of)
                .collect()
        }
        Condition::Sum { min, max, .. } => {
            let range = Range {
                min: *min,
                max: *max,
                ..Range::default()
            };
            let numbers = numbers::around(&range).into_iter();
            numbers.map(|micros| Value::Number(micros.into())).collect()
        }
        Condition::Members(names) => {
            let object = |names: Vec<&str>| {
                let members = names
                    .into_iter()
                    .map(|name| (name.to_owned(), Value::from("x")));
                Value::Object(members.collect())
            };
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let more = names.iter().copied().chain(["other"]).collect();
            vec![
                object(Vec::new()),
                object(names),
                object(more),
                object(vec!["other"]),
            ]
        }
        // Values that meet these conditions come from the other argument.
        Condition::EqualsSum { .. } | Condition::EqualsArg(_) | Condition::DiffersFromArg(_) => {
            vec![Value::from(2), Value::from("y"), Value::from("z")]
        }
    }
}

/// A value and its neighbours.
fn around(value: &Value) -> Vec<Value> {
    let mut near = vec![value.clone()];
    match value {
        Value::String(text) => near.extend(texts::around(text).into_iter().map(Value::from)),
        Value::Number(number) => {
            near.extend(number.micros().into_iter().flat_map(|micros| {
                let range = Range {
                    min: Some(micros),
                    ..Range::default()
                };
                numbers::around(&range)
                    .into_iter()
                    .map(|micros| Value::Number(micros.into()))
            }));
            near.push(Value::from(number.to_string()));
        }
        Value::Bool(value) => near.push(Value::Bool(!value)),
        Value::Array(items) => {
            let mut more = items.clone();
            more.push(Value::from("other"));
            let mut fewer = items.clone();
            fewer.pop();
            near.extend([Value::Array(more), Value::Array(fewer)]);
            near.extend(items.first().cloned());
        }
        Value::Object(members) => {
            let mut more = members.clone();
            more.insert("other".to_owned(), Value::from("x"));
            near.push(Value::Object(more));
        }
        Value::Null => {}
    }
    near
}

fn text_of(length: u32) -> Value {
    Value::from("a".repeat(usize::try_from(length).unwrap_or_default()))
}

fn array_of(length: u32) -> Value {
    let length = usize::try_from(length).unwrap_or_default();
    Value::Array(vec![Value::Number(Number::from(1)); length])
}
