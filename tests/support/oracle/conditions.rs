//! The conditions beyond plain Datalog, implemented a second time from the table in the reference of grants. Nothing
//! here calls the code that evaluates them for the verifier.

use std::{collections::BTreeMap, net::IpAddr};

use bailiwick_token::{
    condition::{ArgPath, Condition, During, Range, Test},
    grant::{Constraint, List},
    timestamp::Timestamp,
    value::{Micros, Scalar, Value},
};

use super::texts;

type Args = BTreeMap<String, Value>;

/// Returns true if the arguments meet the conditions at this path of a grant, whose whole table is `table`.
pub fn all_met(table: &BTreeMap<String, Constraint>, path: &str, args: &Args) -> bool {
    let Some(meets) = &table[path].meets else {
        return true;
    };
    let is_optional = |path: &str| {
        let constraint = table.get(path);
        let meets = constraint.and_then(|constraint| constraint.meets.as_ref());
        meets.is_some_and(|meets| meets.optional)
    };
    let parts: Vec<&str> = path.split('.').collect();
    let (first, rest) = (parts[0], &parts[1..]);
    let mut values = Vec::new();
    let leads = follow(args.get(first), first, rest, &is_optional, &mut values);
    let is_member = !rest.is_empty();
    let mut conditions = meets.conditions.iter();
    // An optional parent has no conditions of its own, so nothing has to be met.
    meets.conditions.is_empty()
        || (leads && conditions.all(|condition| is_met(condition, &values, args, is_member)))
}

/// Returns true if the arguments meet one condition, as the terms of `meets` state it.
pub fn meets(test: &Test, args: &Args) -> bool {
    let path = test.path.to_string();
    let parts: Vec<&str> = path.split('.').collect();
    let is_optional = |at: &str| test.optional[at.split('.').count() - 1];
    let mut values = Vec::new();
    follow(
        args.get(parts[0]),
        parts[0],
        &parts[1..],
        &is_optional,
        &mut values,
    ) && is_met(&test.condition, &values, args, parts.len() > 1)
}

/// Collects the values that a path leads to. Returns false if a part that is not optional is missing.
fn follow<'v>(
    value: Option<&'v Value>,
    at: &str,
    rest: &[&str],
    is_optional: &dyn Fn(&str) -> bool,
    values: &mut Vec<&'v Value>,
) -> bool {
    let Some(value) = value else {
        return is_optional(at);
    };
    let Some((part, rest)) = rest.split_first() else {
        values.push(value);
        return true;
    };
    let below = format!("{at}.{part}");
    match value {
        Value::Array(items) if *part == "*" => {
            let mut items = items.iter().peekable();
            items.peek().is_some()
                && items.all(|item| follow(Some(item), &below, rest, is_optional, values))
        }
        Value::Object(members) if *part != "*" => {
            follow(members.get(*part), &below, rest, is_optional, values)
        }
        _ => false,
    }
}

/// The values at the path of another argument; `None` if a part of the path is missing.
fn others<'v>(path: &ArgPath, args: &'v Args) -> Option<Vec<&'v Value>> {
    let path = path.to_string();
    let parts: Vec<&str> = path.split('.').collect();
    let mut values = Vec::new();
    let leads = follow(
        args.get(parts[0]),
        parts[0],
        &parts[1..],
        &|_| false,
        &mut values,
    );
    leads.then_some(values)
}

fn is_met(condition: &Condition, values: &[&Value], args: &Args, is_member: bool) -> bool {
    match condition {
        Condition::Sum { min, max, negative } => sum(values, *negative).is_some_and(|sum| {
            min.is_none_or(|min| sum >= i128::from(min.0))
                && max.is_none_or(|max| sum <= i128::from(max.0))
        }),
        _ => values
            .iter()
            .all(|value| is_read_alike(value) && holds(condition, value, args, is_member)),
    }
}

fn holds(condition: &Condition, value: &Value, args: &Args, is_member: bool) -> bool {
    let text = match value {
        Value::String(text) => Some(text.as_str()),
        _ => None,
    };
    let is_text = |holds: &dyn Fn(&str) -> bool| text.is_some_and(holds);
    match condition {
        Condition::Present { empty } => {
            *empty || !["null", "\"\"", "[]", "{}"].contains(&value.to_string().as_str())
        }
        Condition::Exact(exact) => exact == value,
        Condition::OneOf {
            values,
            ignore_case,
        } => match (values, text) {
            (List::Strings(set), Some(text)) if *ignore_case => {
                let lower = text.to_ascii_lowercase();
                set.iter().any(|one| one.to_ascii_lowercase() == lower)
            }
            _ => listed(values, value) == Some(true),
        },
        Condition::NotOneOf(list) => listed(list, value) == Some(false),
        Condition::Prefix(part) => is_text(&|text| text.starts_with(part.as_str())),
        Condition::Suffix(part) => is_text(&|text| text.ends_with(part.as_str())),
        Condition::Contains(part) => is_text(&|text| text.contains(part.as_str())),
        Condition::AllOfIn(set) => {
            scalars(value).is_some_and(|items| items.iter().all(|item| set.contains(item)))
        }
        Condition::MaxLen(limit) => match (text, scalars(value)) {
            (Some(text), _) => text.len() <= *limit as usize,
            // Datalog states an array under an argument's name only.
            (None, Some(items)) => !is_member && items.len() <= *limit as usize,
            (None, None) => false,
        },
        Condition::Date { min, max } => is_text(&|text| {
            text.parse::<Timestamp>().is_ok_and(|date| {
                min.is_none_or(|min| date >= min) && max.is_none_or(|max| date <= max)
            })
        }),
        Condition::Number(range) => {
            number(value).is_some_and(|(micros, scale)| in_range(range, micros, scale))
        }
        Condition::Decimal(range) => is_text(&|text| {
            texts::decimal(text).is_some_and(|(micros, scale)| in_range(range, micros, scale))
        }),
        // Days in this form sort like their texts.
        Condition::Day { min, max } => is_text(&|text| {
            texts::is_day(text)
                && min.is_none_or(|min| *text >= *min.to_string())
                && max.is_none_or(|max| *text <= *max.to_string())
        }),
        Condition::Instant { after, before } => is_text(&|text| {
            let bound = |text: String| texts::instant(&text).expect("a bound is an instant");
            texts::instant(text).is_some_and(|found| {
                after.is_none_or(|after| found >= bound(after.to_string()))
                    && before.is_none_or(|before| found < bound(before.to_string()))
            })
        }),
        Condition::Matches(pattern) => is_text(&|text| texts::matches(pattern.as_str(), text)),
        Condition::OneLine(limit) => {
            is_text(&|text| text.len() <= *limit as usize && texts::is_one_line(text))
        }
        Condition::Links(None) => is_text(&|text| !texts::has_link(text)),
        Condition::Links(Some(at)) => is_text(&|text| {
            let mut words = text.split_whitespace();
            words.all(|word| {
                let url = word
                    .trim_start_matches('(')
                    .trim_end_matches([')', '.', ',']);
                texts::is_url(at, url) || !texts::has_link(word)
            })
        }),
        Condition::Email(email) => is_text(&|text| texts::is_email(email, text)),
        Condition::Url(at) => is_text(&|text| texts::is_url(at, text)),
        Condition::Path(path) => is_text(&|text| texts::is_path(path, text)),
        Condition::Ip(ip) => is_text(&|text| {
            let networks = ip.networks().iter().map(ToString::to_string);
            let address = text
                .parse::<IpAddr>()
                .ok()
                .filter(|address| address.to_string() == text);
            address.is_some_and(|address| {
                networks
                    .into_iter()
                    .any(|network| texts::is_in(&network, address))
            })
        }),
        Condition::Count { min, max } => match value {
            Value::Array(items) => {
                min.is_none_or(|min| items.len() >= min as usize)
                    && max.is_none_or(|max| items.len() <= max as usize)
            }
            _ => false,
        },
        Condition::EqualsSum { of, negative } => {
            let total = number(value).map(|(micros, _)| micros);
            let summands = others(of, args).and_then(|values| sum(&values, *negative));
            total.is_some() && total == summands
        }
        Condition::EqualsArg(other) => others(other, args).is_some_and(|values| values == [value]),
        Condition::DiffersFromArg(other) => {
            others(other, args).is_some_and(|values| values.len() == 1 && differ(value, values[0]))
        }
        Condition::Members(names) => match value {
            Value::Object(members) => members.keys().all(|name| names.contains(name)),
            _ => false,
        },
        Condition::Sum { .. } => unreachable!("a sum is of all values"),
        other => panic!("the oracle does not know {other:?}"),
    }
}

/// Returns false for a number that binary floating point may change: more than 15 digits, or beyond 10¹⁵.
fn is_read_alike(value: &Value) -> bool {
    let Value::Number(number) = value else {
        return true;
    };
    let text = number.to_string();
    let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    let magnitude: f64 = text.parse().expect("a number");
    digits.trim_matches('0').len() <= 15 && magnitude.abs() <= 1e15
}

/// A number in millionths and the number of its decimals; `None` if binary floating point may change it.
fn number(value: &Value) -> Option<(i128, u8)> {
    let Value::Number(number) = value else {
        return None;
    };
    let Micros(micros) = number.micros().filter(|_| is_read_alike(value))?;
    let all = micros.unsigned_abs().to_string();
    let zeros = match micros {
        0 => 6,
        _ => all.len() - all.trim_end_matches('0').len(),
    };
    let decimals = u8::try_from(6_usize.saturating_sub(zeros)).expect("at most six");
    Some((i128::from(micros), decimals))
}

fn in_range(range: &Range, micros: i128, scale: u8) -> bool {
    range
        .min
        .is_none_or(|Micros(min)| micros >= i128::from(min))
        && range
            .max
            .is_none_or(|Micros(max)| micros <= i128::from(max))
        && range.scale.is_none_or(|most| scale <= most)
        && !(range.positive && micros <= 0)
}

/// The sum of numbers within 64 bits at each step, none of them below zero unless `negative`.
fn sum(values: &[&Value], negative: bool) -> Option<i128> {
    values.iter().try_fold(0, |total: i128, value| {
        let (micros, _) = number(value)?;
        let sum = total + micros;
        let fits = i64::try_from(sum).is_ok() && (negative || micros >= 0);
        fits.then_some(sum)
    })
}

/// Returns true if the value is in the list; `None` if it has another type.
pub(super) fn listed(list: &List, value: &Value) -> Option<bool> {
    match (list, value) {
        (List::Strings(set), Value::String(text)) => Some(set.contains(text)),
        (List::Bools(set), Value::Bool(value)) => Some(set.contains(value)),
        (List::Numbers(set), Value::Number(number)) => {
            number.micros().map(|micros| set.contains(&micros))
        }
        _ => None,
    }
}

pub(super) fn scalars(value: &Value) -> Option<Vec<Scalar>> {
    let Value::Array(items) = value else {
        return None;
    };
    items
        .iter()
        .map(|item| match item {
            Value::Null => Some(Scalar::Null),
            Value::Bool(value) => Some(Scalar::Bool(*value)),
            Value::Number(number) => number.integer().map(Scalar::Integer),
            Value::String(text) => Some(Scalar::String(text.clone())),
            Value::Array(_) | Value::Object(_) => None,
        })
        .collect()
}

/// Returns true if two values of one type differ, strings even after folding. Arrays and objects never count as
/// different.
fn differ(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(value), Value::String(other)) => {
            let are_short = value.len() <= 1024 && other.len() <= 1024;
            are_short && texts::folded(value) != texts::folded(other)
        }
        (Value::Number(_), Value::Number(_)) => is_read_alike(other) && value != other,
        (Value::Bool(value), Value::Bool(other)) => value != other,
        _ => false,
    }
}

/// Returns true if a window is open. The offsets of the zones are those of a November.
pub fn is_open(window: &During, now: Timestamp) -> bool {
    const DAY: i64 = 24 * 60;
    let offset = match window.zone() {
        "Europe/Berlin" => 60,
        "America/New_York" => -5 * 60,
        "Asia/Kolkata" => 5 * 60 + 30,
        other => panic!("the oracle does not know the zone {other}"),
    };
    let local = i64::try_from(now.unix()).expect("a time") / 60 + offset;
    // The first of January 1970 was a Thursday.
    let names = ["thu", "fri", "sat", "sun", "mon", "tue", "wed"];
    let day = names[usize::try_from(local / DAY % 7).expect("a day")];
    let minute = local % DAY;
    let time = format!("{:02}:{:02}", minute / 60, minute % 60);
    // Times in this form sort like their texts.
    window.days().names().any(|name| name == day)
        && window.start().to_string() <= time
        && time < window.end().to_string()
}
