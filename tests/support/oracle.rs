//! The meaning of grants, implemented a second time from the profile as plainly as possible. It shares no code
//! with the verifier, so that the two can be compared.

use bailiwick_token::{
    grant::{Bound, Constraint, Grant},
    timestamp::Timestamp,
    value::Value,
};

mod conditions;
pub mod texts;

pub use conditions::{is_open, meets};
use conditions::{listed, scalars};

/// A call as the oracle sees it.
pub struct Call<'a> {
    pub service: &'a str,
    pub action: &'a str,
    pub resource: Option<&'a str>,
    pub args: &'a Value,
    pub now: Timestamp,
}

pub fn allows(grant: &Grant, call: &Call<'_>) -> bool {
    let Value::Object(args) = call.args else {
        return false;
    };
    let resource_fits = match (&grant.resource, call.resource) {
        (None, _) => true,
        (Some(pattern), Some(resource)) => pattern.matches(resource),
        (Some(_), None) => false,
    };
    let args_fit = match &grant.args {
        None => true,
        Some(granted) => {
            let listed = |name: &str| {
                granted
                    .keys()
                    .any(|path| path.split('.').next() == Some(name))
            };
            args.keys().all(|name| listed(name))
                && granted.iter().all(|(path, constraint)| {
                    let basic = Constraint {
                        meets: None,
                        ..constraint.clone()
                    };
                    let basic_fits = basic == Constraint::any()
                        || lookup(call.args, path).is_some_and(|value| basic_meets(&basic, value));
                    basic_fits && conditions::all_met(granted, path, args)
                })
        }
    };
    let is_open = grant
        .when
        .as_ref()
        .is_none_or(|window| is_open(window, call.now));
    grant.service == call.service
        && grant.action.matches(call.action)
        && resource_fits
        && args_fit
        && is_open
}

/// Returns the value at a path: a top-level argument, or a scalar member of nested objects.
fn lookup<'a>(args: &'a Value, path: &str) -> Option<&'a Value> {
    let mut value = args;
    let mut parent_is_object = true;
    for part in path.split('.') {
        (value, parent_is_object) = match value {
            Value::Object(members) => (members.get(part)?, true),
            Value::Array(items) => {
                let index: usize = part.parse().ok()?;
                if index.to_string() != part {
                    return None;
                }
                (items.get(index)?, false)
            }
            _ => return None,
        };
    }
    let scalar = !matches!(value, Value::Array(_) | Value::Object(_));
    (!path.contains('.') || (scalar && parent_is_object)).then_some(value)
}

fn basic_meets(constraint: &Constraint, value: &Value) -> bool {
    let is = |condition: &Option<String>, test: fn(&str, &str) -> bool| match (condition, value) {
        (None, _) => true,
        (Some(wanted), Value::String(found)) => test(found, wanted),
        _ => false,
    };
    constraint
        .exact
        .as_ref()
        .is_none_or(|wanted| wanted == value)
        && constraint
            .one_of
            .as_ref()
            .is_none_or(|list| listed(list, value) == Some(true))
        && constraint
            .not_one_of
            .as_ref()
            .is_none_or(|list| listed(list, value) == Some(false))
        && constraint
            .min
            .is_none_or(|min| compared(value, min).is_some_and(|found| found >= min))
        && constraint
            .max
            .is_none_or(|max| compared(value, max).is_some_and(|found| found <= max))
        && is(&constraint.prefix, |found, wanted| {
            found.starts_with(wanted)
        })
        && is(&constraint.suffix, |found, wanted| found.ends_with(wanted))
        && is(&constraint.contains, |found, wanted| found.contains(wanted))
        && constraint.all_of_in.as_ref().is_none_or(|set| {
            scalars(value).is_some_and(|items| items.iter().all(|item| set.contains(item)))
        })
        && constraint.max_len.is_none_or(|limit| {
            let length = match value {
                Value::String(text) => Some(text.len()),
                _ => scalars(value).map(|items| items.len()),
            };
            length.is_some_and(|length| length <= limit as usize)
        })
}

fn compared(value: &Value, bound: Bound) -> Option<Bound> {
    match (bound, value) {
        (Bound::Number(_), Value::Number(number)) => number.micros().map(Bound::Number),
        (Bound::Date(_), Value::String(text)) => text.parse().ok().map(Bound::Date),
        _ => None,
    }
}
