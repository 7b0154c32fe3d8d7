//! The rules for the basic conditions of one argument.

use super::place::Place;
use crate::{
    grant::{Bound, Constraint, GrantsError, List},
    value::{MAX_DEPTH, Scalar, Value},
};

/// Checks the basic conditions of one argument.
pub(super) fn constraint_form(
    path: Place<'_>,
    name: &str,
    constraint: &Constraint,
) -> Result<(), GrantsError> {
    let nested = name.contains('.');
    let of = |key| Place {
        key: Some(key),
        ..path
    };
    let at = |key, message: &str| Err(GrantsError::at(of(key), message));
    if let Some(value) = &constraint.exact {
        exact(of("exact"), nested, value)?;
    }
    for (key, list) in [
        ("one_of", &constraint.one_of),
        ("not_one_of", &constraint.not_one_of),
    ] {
        if list.as_ref().is_some_and(List::is_empty) {
            return at(key, "the list is empty");
        }
    }
    match (constraint.min, constraint.max) {
        (Some(Bound::Number(min)), Some(Bound::Number(max))) if min > max => {
            return at(
                "max",
                "the range is empty, because `min` is greater than `max`",
            );
        }
        (Some(Bound::Date(min)), Some(Bound::Date(max))) if min > max => {
            return at(
                "max",
                "the range is empty, because `min` is later than `max`",
            );
        }
        (Some(Bound::Number(_)), Some(Bound::Date(_)))
        | (Some(Bound::Date(_)), Some(Bound::Number(_))) => {
            return at(
                "max",
                "`min` and `max` have different types; write two numbers or two dates",
            );
        }
        _ => {}
    }
    let texts = [
        ("prefix", &constraint.prefix),
        ("suffix", &constraint.suffix),
        ("contains", &constraint.contains),
    ];
    for (key, text) in texts {
        if text.as_ref().is_some_and(String::is_empty) {
            return at(key, "the text is empty, so every string would match it");
        }
    }
    if let Some(set) = &constraint.all_of_in {
        if set.is_empty() {
            return at("all_of_in", "the list is empty");
        }
        if set.contains(&Scalar::Null) {
            return at(
                "all_of_in",
                "null cannot be in a list; use strings, booleans and integers of 64 bits",
            );
        }
        if nested {
            return at("all_of_in", NO_NESTED_ARRAYS);
        }
    }
    Ok(())
}

const NO_NESTED_ARRAYS: &str = "arrays and objects inside an object cannot be constrained by path; constrain the whole argument with `exact`";

fn exact(path: Place<'_>, nested: bool, value: &Value) -> Result<(), GrantsError> {
    match value {
        Value::Number(number) if number.micros().is_none() && number.integer().is_none() => {
            Err(GrantsError::at(
                path,
                format!(
                    "`{number}` cannot be compared exactly; use at most six decimal places and at most 9223372036854.775807, or an integer of 64 bits"
                ),
            ))
        }
        Value::Array(_) | Value::Object(_) if nested => {
            Err(GrantsError::at(path, NO_NESTED_ARRAYS))
        }
        // The arguments object is the first container, so a value in it has one less.
        Value::Array(_) | Value::Object(_) if value.depth() >= MAX_DEPTH => Err(GrantsError::at(
            path,
            format!("containers nest more than {MAX_DEPTH} deep, so no call can carry this value"),
        )),
        _ => Ok(()),
    }
}
