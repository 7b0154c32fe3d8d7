//! The readers of grants: one structure, written as TOML or JSON.
//!
//! A reader continues after a mistake, so that one pass over a text finds all of them.

use std::collections::{BTreeMap, BTreeSet};

mod close;
mod conditions;
mod constraint;
mod read;
mod table;
mod when;

use self::{
    close::close,
    constraint::written,
    read::{at, join, object, string, unknown_key},
    table::Table,
    when::window,
};
use super::{
    Grant, Grants, GrantsError, Pattern, check,
    mistake::{Mistakes, first},
    table::Args,
};
use crate::value::{
    Value,
    toml::{Document, TomlError},
};

/// Maximum length of grants text, in bytes.
const MAX_GRANTS_TEXT: usize = 256 * 1024;

/// Maximum nesting of grants text: the file, the list, a grant, its table, a constraint, and an exact
/// value below it.
const MAX_TEXT_DEPTH: usize = 5 + crate::value::MAX_DEPTH;

impl Grants {
    /// Reads grants from TOML (`[[grant]]` tables).
    ///
    /// # Errors
    /// The first [`GrantsError`], with line and path, unless all grants are well formed.
    pub fn from_toml(text: &str) -> Result<Grants, GrantsError> {
        Grants::parse_toml(text).map_err(first)
    }

    /// Reads grants from JSON of the same structure as the TOML form: `{"grant":[…]}`.
    ///
    /// # Errors
    /// The first [`GrantsError`], with the path, unless all grants are well formed.
    pub fn from_json(text: &str) -> Result<Grants, GrantsError> {
        Grants::parse_json(text).map_err(first)
    }

    /// Reads grants from the structure that both text forms share: an object with the list `grant`.
    ///
    /// # Errors
    /// As for [`Grants::from_json`].
    pub fn from_value(value: &Value) -> Result<Grants, GrantsError> {
        Grants::parse_value(value).map_err(first)
    }

    /// Like [`Grants::from_toml`], but finds all mistakes.
    ///
    /// ```
    /// use bailiwick_token::grant::Grants;
    ///
    /// let text = "[[grant]]\nservice = 'erp'\naction = 'order'\nargs.a = { mx = 1 }\nargs.b = { max = 'x' }\n";
    /// let lines = Grants::parse_toml(text).map_err(|mistakes| {
    ///     mistakes.iter().filter_map(|mistake| mistake.line).collect::<Vec<_>>()
    /// });
    /// assert_eq!(lines, Err(vec![4, 5]));
    /// ```
    ///
    /// # Errors
    /// All mistakes by line, up to a hundred.
    pub fn parse_toml(text: &str) -> Result<Grants, Vec<GrantsError>> {
        bounded(text).map_err(|error| vec![error])?;
        let (document, faults) = Document::parse_all(text);
        let Some(document) = document else {
            return Err(faults.into_iter().map(GrantsError::from).collect());
        };
        let mut mistakes = Mistakes::default();
        let mut faulty = BTreeSet::new();
        for fault in faults {
            faulty.insert(fault.path.clone());
            mistakes.add(fault.into());
        }
        let read = Grants::parse_value(document.value());
        // An item that cannot be a value was read as null and has been reported already.
        let is_known = |path: &str| {
            let item = format!("{path}[");
            faulty
                .iter()
                .any(|faulty| faulty == path || faulty.starts_with(&item))
        };
        let found = read.as_ref().err().into_iter().flatten();
        for mistake in found.filter(|mistake| !is_known(&mistake.path)) {
            mistakes.add(GrantsError {
                line: document.line(&mistake.path),
                ..mistake.clone()
            });
        }
        match (read, mistakes.or(())) {
            (Ok(grants), Ok(())) => Ok(grants),
            (_, Err(mut mistakes)) => {
                mistakes.sort_by_key(|mistake| mistake.line);
                Err(mistakes)
            }
            (Err(mistakes), Ok(())) => Err(mistakes),
        }
    }

    /// Like [`Grants::from_json`], but finds all mistakes.
    ///
    /// # Errors
    /// All mistakes, up to a hundred.
    pub fn parse_json(text: &str) -> Result<Grants, Vec<GrantsError>> {
        let value = bounded(text).and_then(|()| {
            Value::parse_within(text, MAX_TEXT_DEPTH)
                .map_err(|error| GrantsError::at("grant", error.to_string()))
        });
        Grants::parse_value(&value.map_err(|error| vec![error])?)
    }

    /// Like [`Grants::from_value`], but finds all mistakes.
    ///
    /// # Errors
    /// All mistakes, up to a hundred.
    pub fn parse_value(value: &Value) -> Result<Grants, Vec<GrantsError>> {
        let mut mistakes = Mistakes::default();
        let grants = file(&mut mistakes, value);
        let grants = mistakes.or(grants)?;
        Grants::new(grants).map_err(|error| vec![error])
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
        return Err(at(
            "grant",
            format!("the text is longer than {MAX_GRANTS_TEXT} bytes"),
        ));
    }
    Ok(())
}

fn file(mistakes: &mut Mistakes, value: &Value) -> Vec<Grant> {
    let Some(file) = mistakes.take(object("", value)) else {
        return Vec::new();
    };
    for key in file.keys().filter(|key| *key != "grant") {
        mistakes.add(unknown_key("", key, &["grant"]));
    }
    let Some(Value::Array(items)) = file.get("grant") else {
        mistakes.add(at(
            "grant",
            "`grant` is not a list of grants; write `[[grant]]` tables in TOML, or an array in JSON",
        ));
        return Vec::new();
    };
    let grants = items.iter().enumerate();
    let grants = grants.take_while(|(index, _)| *index <= super::MAX_GRANTS);
    let mut read = Vec::new();
    for (index, item) in grants {
        read.extend(grant(mistakes, index, item));
    }
    read
}

const KEYS: [&str; 5] = ["service", "action", "resource", "args", "when"];

fn grant(mistakes: &mut Mistakes, index: usize, value: &Value) -> Option<Grant> {
    let before = mistakes.count();
    let mut table = Table::open(mistakes, &format!("grant[{index}]"), value, &KEYS)?;
    let service = table.need("service", string);
    let action = table
        .need("action", string)
        .map(|text| Pattern::from(text.as_str()));
    let resource = table
        .get("resource", string)
        .map(|text| Pattern::from(text.as_str()));
    let when = table.get_table("when", window);
    let args = table.get_table("args", |mistakes, path, value| {
        arguments(mistakes, index, path, value)
    });
    if let Some(service) = &service {
        check::service(mistakes, index, service);
    }
    if let Some(action) = &action {
        check::action(mistakes, index, action);
    }
    if let Some(resource) = &resource {
        check::resource(mistakes, index, resource);
    }
    let grant = Grant {
        service: service?,
        action: action?,
        resource,
        args,
        when,
    };
    (mistakes.count() == before && !mistakes.is_full()).then_some(grant)
}

fn arguments(mistakes: &mut Mistakes, index: usize, path: &str, value: &Value) -> Option<Args> {
    let before = mistakes.count();
    let mut args = BTreeMap::new();
    let mut open = BTreeSet::new();
    for (name, value) in mistakes.take(object(path, value))? {
        let Some(written) = written(mistakes, &join(path, name), value) else {
            continue;
        };
        check::argument(mistakes, index, name, &written.constraint);
        if written.is_open {
            open.insert(name.clone());
        }
        args.insert(name.clone(), written.constraint);
    }
    // With a mistake, the checks between arguments are skipped: the argument that is missing could be one that
    // another names.
    if mistakes.count() > before || mistakes.is_full() {
        return None;
    }
    close(mistakes, path, &mut args, &open);
    check::arguments(mistakes, index, &mut args);
    Some(args)
}
