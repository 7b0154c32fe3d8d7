//! The readers of grants: one structure, written as TOML or JSON.

use std::collections::{BTreeMap, BTreeSet};

use super::{Bound, Constraint, Grant, Grants, List, Pattern};
use crate::value::{
    Scalar, Value,
    toml::{Document, TomlError},
};

/// Maximum length of grants text, in bytes.
const MAX_GRANTS_TEXT: usize = 256 * 1024;

/// Maximum nesting of grants text: the file, the list, a grant, its table, a constraint, and an exact
/// value below it.
const MAX_TEXT_DEPTH: usize = 5 + crate::value::MAX_DEPTH;

/// The error of grants that are not well formed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}`{path}`: {message}", .line.map(|line| format!("line {line}, ")).unwrap_or_default())]
pub struct GrantsError {
    /// Path of the fault, such as `grant[0].args.amount.min`.
    pub path: String,
    /// Line of the fault in a TOML text, counted from 1.
    pub line: Option<usize>,
    /// A description of the fault and its correction.
    pub message: String,
}

impl GrantsError {
    pub(super) fn at(path: impl ToString, message: impl Into<String>) -> GrantsError {
        GrantsError {
            path: path.to_string(),
            line: None,
            message: message.into(),
        }
    }
}

impl Grants {
    /// Reads grants from TOML (`[[grant]]` tables).
    ///
    /// # Errors
    /// [`GrantsError`], with line and path, unless all grants are well formed.
    pub fn from_toml(text: &str) -> Result<Grants, GrantsError> {
        bounded(text)?;
        let document = Document::parse(text)?;
        Grants::from_value(document.value()).map_err(|error| GrantsError {
            line: document.line(&error.path),
            ..error
        })
    }

    /// Reads grants from JSON of the same structure as the TOML form: `{"grant":[…]}`.
    ///
    /// # Errors
    /// [`GrantsError`], with the path, unless all grants are well formed.
    pub fn from_json(text: &str) -> Result<Grants, GrantsError> {
        bounded(text)?;
        let value = Value::parse_within(text, MAX_TEXT_DEPTH)
            .map_err(|error| GrantsError::at("grant", error.to_string()))?;
        Grants::from_value(&value)
    }

    /// Reads grants from the structure that both text forms share: an object with the list `grant`.
    ///
    /// # Errors
    /// As for [`Grants::from_json`].
    pub fn from_value(value: &Value) -> Result<Grants, GrantsError> {
        let file = object("", value)?;
        only_keys("", file, &["grant"])?;
        let Some(Value::Array(items)) = file.get("grant") else {
            return Err(GrantsError::at(
                "grant",
                "`grant` is not a list of grants; write `[[grant]]` tables in TOML, or an array in JSON",
            ));
        };
        let grants = items
            .iter()
            .enumerate()
            .map(|(index, item)| grant(&format!("grant[{index}]"), item));
        Grants::new(grants.collect::<Result<Vec<_>, _>>()?)
    }
}

impl From<TomlError> for GrantsError {
    fn from(error: TomlError) -> GrantsError {
        let nowhere = error.path.is_empty();
        GrantsError {
            path: if nowhere {
                "grant".to_owned()
            } else {
                error.path
            },
            line: error.line,
            message: error.message,
        }
    }
}

fn bounded(text: &str) -> Result<(), GrantsError> {
    if text.len() > MAX_GRANTS_TEXT {
        return Err(GrantsError::at(
            "grant",
            format!("the text is longer than {MAX_GRANTS_TEXT} bytes"),
        ));
    }
    Ok(())
}

fn grant(path: &str, value: &Value) -> Result<Grant, GrantsError> {
    let table = object(path, value)?;
    // An unknown key may be a misspelt restriction; ignoring it would grant more than its writer meant.
    only_keys(path, table, &["service", "action", "resource", "args"])?;
    let text = |key: &str| match table.get(key) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str())),
        Some(other) => Err(GrantsError::at(
            join(path, key),
            format!("this is {} and not a string; write a string", other.kind()),
        )),
    };
    let needed =
        |key: &str| text(key)?.ok_or_else(|| GrantsError::at(join(path, key), "is missing"));
    let args = match table.get("args") {
        None => None,
        Some(value) => Some(arguments(&join(path, "args"), value)?),
    };
    Ok(Grant {
        service: needed("service")?.to_owned(),
        action: Pattern::from(needed("action")?),
        resource: text("resource")?.map(Pattern::from),
        args,
    })
}

fn arguments(path: &str, value: &Value) -> Result<BTreeMap<String, Constraint>, GrantsError> {
    let mut args = BTreeMap::new();
    for (name, value) in object(path, value)? {
        let path = join(path, name);
        let constraint = match value {
            Value::String(star) if star == "*" => Constraint::any(),
            Value::Object(table) => constraint(&path, table)?,
            scalar_or_array => Constraint::exact(scalar_or_array.clone()),
        };
        args.insert(name.clone(), constraint);
    }
    Ok(args)
}

fn constraint(path: &str, table: &BTreeMap<String, Value>) -> Result<Constraint, GrantsError> {
    // It would allow any value, which a writer must ask for by name.
    if table.is_empty() {
        return Err(GrantsError::at(
            path,
            "the constraint is empty; write \"*\" for any value",
        ));
    }
    let mut constraint = Constraint::default();
    for (key, value) in table {
        let path = join(path, key);
        match key.as_str() {
            "exact" => set(&path, &mut constraint.exact, value.clone())?,
            "exact_json" => set(&path, &mut constraint.exact, exact_json(&path, value)?)?,
            "one_of" => constraint.one_of = Some(list(&path, value)?),
            "not_one_of" => constraint.not_one_of = Some(list(&path, value)?),
            "min" => constraint.min = Some(bound(&path, value)?),
            "max" => constraint.max = Some(bound(&path, value)?),
            "prefix" => constraint.prefix = Some(string(&path, value)?),
            "suffix" => constraint.suffix = Some(string(&path, value)?),
            "contains" => constraint.contains = Some(string(&path, value)?),
            "all_of_in" => constraint.all_of_in = Some(scalars(&path, value)?),
            "max_len" => constraint.max_len = Some(length(&path, value)?),
            _ => {
                return Err(GrantsError::at(
                    &path,
                    "unknown constraint; write exact, one_of, not_one_of, min, max, prefix, suffix, contains, all_of_in or max_len, or name a member of an object by its quoted path, as in \"address.city\"",
                ));
            }
        }
    }
    Ok(constraint)
}

fn set(path: &str, slot: &mut Option<Value>, value: Value) -> Result<(), GrantsError> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(GrantsError::at(
            path,
            "`exact` and `exact_json` have the same meaning; write only one of them",
        )),
    }
}

/// Reads the JSON text of an exact value. TOML uses this form for values that contain null, which TOML cannot
/// write.
fn exact_json(path: &str, value: &Value) -> Result<Value, GrantsError> {
    Value::parse(&string(path, value)?).map_err(|error| GrantsError::at(path, error.to_string()))
}

fn bound(path: &str, value: &Value) -> Result<Bound, GrantsError> {
    let parsed = match value {
        Value::String(text) => text.parse(),
        // A decimal written as a TOML or JSON number is read from its text, so it is exact too.
        Value::Number(number) => number.to_string().parse(),
        _ => Err(super::BoundError),
    };
    parsed.map_err(|error| GrantsError::at(path, error.to_string()))
}

fn list(path: &str, value: &Value) -> Result<List, GrantsError> {
    let items = array(path, value)?;
    List::from_values(items).map_err(|error| GrantsError::at(path, error.to_string()))
}

fn scalars(path: &str, value: &Value) -> Result<BTreeSet<Scalar>, GrantsError> {
    let items = array(path, value)?;
    items
        .iter()
        .map(|item| {
            item.as_scalar().ok_or_else(|| {
                GrantsError::at(path, format!("`{item}` cannot be compared inside an array; use strings, booleans and integers of 64 bits"))
            })
        })
        .collect()
}

fn length(path: &str, value: &Value) -> Result<u32, GrantsError> {
    let length = match value {
        Value::Number(number) => number
            .integer()
            .and_then(|length| u32::try_from(length).ok()),
        _ => None,
    };
    length
        .ok_or_else(|| GrantsError::at(path, "not a whole number from 0 to 4294967295; write one"))
}

fn string(path: &str, value: &Value) -> Result<String, GrantsError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a string; write a string", other.kind()),
        )),
    }
}

fn array<'a>(path: &str, value: &'a Value) -> Result<&'a [Value], GrantsError> {
    match value {
        Value::Array(items) => Ok(items),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a list; write a list", other.kind()),
        )),
    }
}

fn object<'a>(path: &str, value: &'a Value) -> Result<&'a BTreeMap<String, Value>, GrantsError> {
    match value {
        Value::Object(table) => Ok(table),
        other => Err(GrantsError::at(
            path,
            format!("this is {} and not a table; write a table", other.kind()),
        )),
    }
}

fn only_keys(
    path: &str,
    table: &BTreeMap<String, Value>,
    known: &[&str],
) -> Result<(), GrantsError> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => Err(GrantsError::at(
            join(path, key),
            format!("unknown key; write one of {}", known.join(", ")),
        )),
    }
}

fn join(path: &str, key: &str) -> String {
    if path.is_empty() {
        key.to_owned()
    } else {
        format!("{path}.{key}")
    }
}
