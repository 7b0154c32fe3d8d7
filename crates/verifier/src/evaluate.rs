//! What grants mean, without Datalog: which condition fails first.
//!
//! The decision is the engine's. This says why, and which grant it was; a property test holds both
//! to the same answer.

use std::fmt::{self, Write};

use bailiwick_token::{
    grant::{Bound, Constraint, Grant, List},
    value::Value,
};

use crate::{
    explain::{Condition, Wanted},
    request::{Stated, Statement},
};

/// The first condition of `grant` that the call does not meet.
pub(crate) fn first_failure(
    grant: &Grant,
    service: &str,
    call: &Statement<'_>,
) -> Option<Condition> {
    if grant.service != service {
        return Some(Condition::Service {
            found: service.to_owned(),
            needed: grant.service.clone(),
        });
    }
    if !grant.action.matches(call.action) {
        return Some(Condition::Action {
            found: call.action.to_owned(),
            needed: grant.action.to_string(),
        });
    }
    if let Some(pattern) = &grant.resource {
        let found = call.resource.map(str::to_owned);
        if !found
            .as_deref()
            .is_some_and(|resource| pattern.matches(resource))
        {
            return Some(Condition::Resource {
                found,
                needed: pattern.to_string(),
            });
        }
    }
    let args = grant.args.as_ref()?;
    let failed = args
        .iter()
        .find_map(|(name, constraint)| argument(name, constraint, call));
    failed.or_else(|| {
        let allowed = |name: &str| {
            grant
                .allowed_names()
                .is_none_or(|mut names| names.any(|allowed| allowed == name))
        };
        let extra = call.names().find(|name| !allowed(name))?;
        Some(Condition::Extra {
            argument: extra.to_owned(),
        })
    })
}

fn argument(name: &str, constraint: &Constraint, call: &Statement<'_>) -> Option<Condition> {
    if constraint.is_any() {
        return None;
    }
    let argument = name.to_owned();
    let Some(stated) = call.get(name) else {
        return Some(Condition::Missing {
            argument,
            needed: constraint.to_string(),
        });
    };
    let wanted = violated(constraint, stated)?;
    let found = || excerpt(stated.value);
    Some(match wanted {
        Violation::Type(needed) => Condition::Type {
            argument,
            found: stated.value.kind(),
            needed,
        },
        Violation::Unrepresentable => Condition::Unrepresentable {
            argument,
            found: found(),
        },
        Violation::Value(needed) => Condition::Value {
            argument,
            found: found(),
            needed,
        },
    })
}

/// The most bytes of a value's text that an explanation keeps: it may do so once for each alternative.
const MAX_EXCERPT: usize = 1024;

/// The value, or the beginning of its text where that is long.
fn excerpt(value: &Value) -> Value {
    let mut text = Beginning(String::new());
    let written = match value {
        Value::String(string) => text.write_str(string),
        other => write!(text, "{other}"),
    };
    match written {
        Ok(()) => value.clone(),
        Err(_) => Value::String(text.0),
    }
}

/// Text up to [`MAX_EXCERPT`] bytes; more is an error, so that no one goes on to write it.
struct Beginning(String);

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = MAX_EXCERPT.saturating_sub(self.0.len());
        let fits = text.floor_char_boundary(left);
        self.0.push_str(text.get(..fits).unwrap_or_default());
        if fits == text.len() {
            return Ok(());
        }
        self.0.push('…');
        Err(fmt::Error)
    }
}

enum Violation {
    /// The value is of another type.
    Type(&'static str),
    /// The value is a number that is not a whole number of millionths.
    Unrepresentable,
    /// The value is of the right type and not what is wanted.
    Value(Wanted),
}

fn violated(constraint: &Constraint, stated: &Stated<'_>) -> Option<Violation> {
    let checks = [
        constraint
            .exact
            .as_ref()
            .and_then(|value| exact(value, stated)),
        constraint
            .one_of
            .as_ref()
            .and_then(|list| member(list, stated, true)),
        constraint
            .not_one_of
            .as_ref()
            .and_then(|list| member(list, stated, false)),
        constraint.min.and_then(|min| bounded(min, stated, true)),
        constraint.max.and_then(|max| bounded(max, stated, false)),
        constraint.prefix.as_ref().and_then(|text| {
            string(
                stated,
                |found| found.starts_with(text),
                || Wanted::Prefix(text.clone()),
            )
        }),
        constraint.suffix.as_ref().and_then(|text| {
            string(
                stated,
                |found| found.ends_with(text),
                || Wanted::Suffix(text.clone()),
            )
        }),
        constraint.contains.as_ref().and_then(|text| {
            string(
                stated,
                |found| found.contains(text),
                || Wanted::Contains(text.clone()),
            )
        }),
        constraint
            .all_of_in
            .as_ref()
            .and_then(|set| match stated.array() {
                None => Some(Violation::Type(
                    "an array of strings, booleans and integers",
                )),
                Some(items) if items.iter().all(|item| set.contains(item)) => None,
                Some(_) => Some(Violation::Value(Wanted::AllOfIn(
                    set.iter().cloned().map(Value::from).collect(),
                ))),
            }),
        constraint
            .max_len
            .and_then(|length| bounded_length(length, stated)),
    ];
    // A wrong type says more than that some value is not what is wanted.
    let mut failed: Vec<Violation> = checks.into_iter().flatten().collect();
    let first_type = failed
        .iter()
        .position(|violation| !matches!(violation, Violation::Value(_)));
    match first_type {
        Some(index) => Some(failed.swap_remove(index)),
        None => failed.into_iter().next(),
    }
}

fn exact(wanted: &Value, stated: &Stated<'_>) -> Option<Violation> {
    let value = || Some(Violation::Value(Wanted::Exactly(wanted.clone())));
    match wanted {
        Value::Number(number) => match (number.micros(), stated.value) {
            (Some(micros), Value::Number(_)) if stated.num() == Some(micros) => None,
            (None, Value::Number(found)) if found.integer() == number.integer() => None,
            (_, Value::Number(found)) if stated.num().is_none() && found.integer().is_none() => {
                Some(Violation::Unrepresentable)
            }
            (_, Value::Number(_)) => value(),
            _ => Some(Violation::Type("a number")),
        },
        _ if std::mem::discriminant(wanted) != std::mem::discriminant(stated.value) => {
            Some(Violation::Type(wanted.kind()))
        }
        // Equal values are stated alike, so comparing values is comparing facts.
        _ if wanted == stated.value => None,
        _ => value(),
    }
}

fn member(list: &List, stated: &Stated<'_>, inside: bool) -> Option<Violation> {
    if !list.has_type_of(stated.value) {
        return Some(match (list, stated.value) {
            (List::Numbers(_), Value::Number(_)) => Violation::Unrepresentable,
            (List::Numbers(_), _) => Violation::Type("a number"),
            (List::Strings(_), _) => Violation::Type("a string"),
            (List::Bools(_), _) => Violation::Type("a boolean"),
        });
    }
    if list.holds(stated.value) == inside {
        return None;
    }
    Some(Violation::Value(if inside {
        Wanted::OneOf(list.values())
    } else {
        Wanted::NotOneOf(list.values())
    }))
}

fn bounded(bound: Bound, stated: &Stated<'_>, is_min: bool) -> Option<Violation> {
    let found = match bound {
        Bound::Number(_) => stated.num().map(Bound::Number),
        Bound::Date(_) => stated.date().map(Bound::Date),
    };
    let Some(found) = found else {
        return Some(match (bound, stated.value) {
            (Bound::Number(_), Value::Number(_)) => Violation::Unrepresentable,
            (Bound::Number(_), _) => Violation::Type("a number"),
            (Bound::Date(_), _) => Violation::Type("a date-time such as `2026-11-23T12:00:00Z`"),
        });
    };
    let holds = if is_min {
        found >= bound
    } else {
        found <= bound
    };
    (!holds).then_some({
        Violation::Value(if is_min {
            Wanted::Min(bound)
        } else {
            Wanted::Max(bound)
        })
    })
}

fn string(
    stated: &Stated<'_>,
    holds: impl Fn(&str) -> bool,
    wanted: impl Fn() -> Wanted,
) -> Option<Violation> {
    match stated.text() {
        Some(text) if holds(text) => None,
        Some(_) => Some(Violation::Value(wanted())),
        None => Some(Violation::Type("a string")),
    }
}

fn bounded_length(limit: u32, stated: &Stated<'_>) -> Option<Violation> {
    let length = match (stated.text(), stated.array()) {
        (Some(text), _) => text.len(),
        (_, Some(items)) => items.len(),
        _ => {
            return Some(Violation::Type(
                "a string, or an array of strings, booleans and integers",
            ));
        }
    };
    let holds = u32::try_from(length).is_ok_and(|length| length <= limit);
    (!holds).then_some(Violation::Value(Wanted::MaxLen {
        found: length,
        limit,
    }))
}
