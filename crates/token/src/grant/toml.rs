//! TOML text as [`Value`], with exact numbers and the lines that its paths stand on.

use std::collections::BTreeMap;

use ::toml::de::{DeTable, DeValue};

use super::GrantsError;
use crate::value::{Number, Value};

/// The line of each path, counted from 1.
pub(super) struct Lines(BTreeMap<String, usize>);

impl Lines {
    /// The line of `path`, or of the closest table that holds it.
    pub(super) fn nearest(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(line) = self.0.get(path) {
                return Some(*line);
            }
            path = path.rsplit_once(['.', '['])?.0;
        }
    }
}

pub(super) fn read(text: &str) -> Result<(Value, Lines), GrantsError> {
    let table = DeTable::parse(text).map_err(|error| {
        let line = error.span().map(|span| line_at(text, span.start));
        GrantsError {
            path: "grant".into(),
            line,
            message: format!("not valid TOML: {}", error.message()),
        }
    })?;
    let mut reader = Reader {
        text,
        lines: BTreeMap::new(),
    };
    let value = reader.table("", table.get_ref())?;
    Ok((value, Lines(reader.lines)))
}

fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

struct Reader<'a> {
    text: &'a str,
    lines: BTreeMap<String, usize>,
}

impl Reader<'_> {
    // The parser itself bounds how deep values nest, so recursion here is bounded by it.
    fn table(&mut self, path: &str, table: &DeTable<'_>) -> Result<Value, GrantsError> {
        let mut members = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            self.lines
                .insert(path.clone(), line_at(self.text, key.span().start));
            members.insert(name, self.value(&path, value.get_ref())?);
        }
        Ok(Value::Object(members))
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) -> Result<Value, GrantsError> {
        let fail = |lines: &BTreeMap<String, usize>, message: &str| {
            Err(GrantsError {
                line: lines.get(path).copied(),
                ..GrantsError::at(path, message)
            })
        };
        match value {
            DeValue::String(text) => Ok(Value::String(text.to_string())),
            DeValue::Boolean(value) => Ok(Value::Bool(*value)),
            DeValue::Integer(digits) if digits.radix() == 10 => match number(digits.as_str()) {
                Some(number) => Ok(Value::Number(number)),
                None => fail(&self.lines, "not a decimal integer"),
            },
            DeValue::Integer(digits) => {
                match i64::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(value) => Ok(Value::from(value)),
                    Err(_) => fail(&self.lines, "the integer is out of range"),
                }
            }
            DeValue::Float(text) => match number(text.as_str()) {
                Some(number) => Ok(Value::Number(number)),
                None => fail(
                    &self.lines,
                    "not a decimal number: infinity and NaN have no place in a grant",
                ),
            },
            DeValue::Datetime(_) => fail(
                &self.lines,
                "write dates as strings, in quotes: \"2026-11-23T12:00:00Z\"",
            ),
            DeValue::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.lines
                        .insert(path.clone(), line_at(self.text, item.span().start));
                    values.push(self.value(&path, item.get_ref())?);
                }
                Ok(Value::Array(values))
            }
            DeValue::Table(table) => self.table(path, table),
        }
    }
}

/// The number that a TOML literal writes, from its text.
fn number(text: &str) -> Option<Number> {
    let text: String = text.chars().filter(|c| *c != '_').collect();
    text.strip_prefix('+').unwrap_or(&text).parse().ok()
}
