//! Readers of plain values in grants text.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    condition::{ArgPath, ArgPathError},
    grant::{Bound, BoundError, GrantsError},
    value::{Micros, Value},
};

/// Makes the error for a fault at a path.
pub(super) fn at(path: &str, message: impl Into<String>) -> GrantsError {
    GrantsError::at(path, message)
}

pub(super) fn length(path: &str, value: &Value) -> Result<u32, GrantsError> {
    let length = match value {
        Value::Number(number) => number
            .integer()
            .and_then(|length| u32::try_from(length).ok()),
        _ => None,
    };
    length.ok_or_else(|| at(path, "not a whole number from 0 to 4294967295; write one"))
}

pub(super) fn string(path: &str, value: &Value) -> Result<String, GrantsError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a string; write a string", other.kind()),
        )),
    }
}

pub(super) fn array<'a>(path: &str, value: &'a Value) -> Result<&'a [Value], GrantsError> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a list; write a list", other.kind()),
        )),
    }
}

pub(super) fn object<'a>(
    path: &str,
    value: &'a Value,
) -> Result<&'a BTreeMap<String, Value>, GrantsError> {
    match value {
        Value::Object(table) => Ok(table),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a table; write a table", other.kind()),
        )),
    }
}

/// Makes the error for an unknown key.
pub(super) fn unknown_key(path: &str, key: &str, known: &[&str]) -> GrantsError {
    at(
        &join(path, key),
        format!("unknown key; write one of {}", known.join(", ")),
    )
}

pub(super) fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}

/// A list of texts, each once and at least one.
pub(super) fn strings(path: &str, value: &Value) -> Result<BTreeSet<String>, GrantsError> {
    let items = array(path, value)?;
    if items.is_empty() {
        return Err(at(path, "the list is empty; write at least one text"));
    }
    items.iter().map(|item| string(path, item)).collect()
}

/// Reads a switch, which is left out or true.
pub(super) fn yes(path: &str, value: &Value) -> Result<bool, GrantsError> {
    match value {
        Value::Bool(true) => Ok(true),
        _ => Err(at(
            path,
            "the switch is not true; write `true`, or leave it out",
        )),
    }
}

/// A choice between `any`, which is true, and `none`.
pub(super) fn any_or_none(path: &str, value: &Value) -> Result<bool, GrantsError> {
    match string(path, value)?.as_str() {
        "any" => Ok(true),
        "none" => Ok(false),
        _ => Err(at(
            path,
            "not one of the choices; write \"any\" or \"none\"",
        )),
    }
}

/// A number or a date, as a bound.
pub(super) fn bound(path: &str, value: &Value) -> Result<Bound, GrantsError> {
    let parsed = match value {
        Value::String(text) => text.parse(),
        // A decimal written as a TOML or JSON number is read from its text, so it is exact too.
        Value::Number(number) => number.to_string().parse(),
        _ => Err(BoundError),
    };
    parsed.map_err(|error| at(path, error.to_string()))
}

/// A number, as a bound.
pub(super) fn micros(path: &str, value: &Value) -> Result<Micros, GrantsError> {
    match bound(path, value)? {
        Bound::Number(micros) => Ok(micros),
        Bound::Date(_) => Err(at(path, "this is a date and not a number; write a number")),
    }
}

/// The path of another argument.
pub(super) fn arg_path(path: &str, value: &Value) -> Result<ArgPath, GrantsError> {
    let parsed = string(path, value)?.parse();
    parsed.map_err(|error: ArgPathError| at(path, error.to_string()))
}
