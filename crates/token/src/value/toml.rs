//! TOML text as a [`Value`], with exact numbers and the line of each path.

use std::collections::BTreeMap;

use ::toml::de::{DeTable, DeValue};

use super::{Number, Value};

/// Maximum number of errors to list.
const MAX_ERRORS: usize = 100;

/// A TOML text and the value read from it.
#[derive(Debug, Clone)]
pub struct Document<'t> {
    text: &'t str,
    value: Value,
    /// Position of each path in the text, in bytes.
    offsets: BTreeMap<String, usize>,
}

/// The error of a text that is not TOML, or that contains something that [`Value`] cannot represent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct TomlError {
    /// Path of the fault, such as `grant[0].args.amount`; empty if the text is not TOML at all.
    pub path: String,
    /// The line, counted from 1.
    pub line: Option<usize>,
    /// A description of the fault and its correction.
    pub message: String,
}

impl TomlError {
    fn nowhere(message: &str) -> TomlError {
        TomlError {
            path: String::new(),
            line: None,
            message: message.to_owned(),
        }
    }
}

impl<'t> Document<'t> {
    /// Reads a text. The parser bounds the nesting of values; the caller must bound the length of the text.
    ///
    /// # Errors
    /// The first [`TomlError`] if the text is not TOML, or contains a date, an infinity or an integer beyond 64 bits.
    pub fn parse(text: &'t str) -> Result<Document<'t>, TomlError> {
        let (document, mut errors) = Document::parse_all(text);
        match document {
            Some(document) if errors.is_empty() => Ok(document),
            // If there is no document, there is an error.
            _ => Err(match errors.is_empty() {
                true => TomlError::nowhere("not valid TOML"),
                false => errors.swap_remove(0),
            }),
        }
    }

    /// Reads a text and finds all errors. A value that cannot be represented is read as null. There is no document if
    /// the text is not TOML at all.
    #[must_use]
    pub fn parse_all(text: &'t str) -> (Option<Document<'t>>, Vec<TomlError>) {
        let (table, errors) = DeTable::parse_recoverable(text);
        if !errors.is_empty() {
            let errors = errors.iter().take(MAX_ERRORS).map(|error| TomlError {
                line: error.span().map(|span| line_at(text, span.start)),
                ..TomlError::nowhere(&format!("not valid TOML: {}", error.message()))
            });
            return (None, errors.collect());
        }
        let mut reader = Reader {
            text,
            offsets: BTreeMap::new(),
            errors: Vec::new(),
        };
        let value = reader.table("", table.get_ref());
        let document = Document {
            text,
            value,
            offsets: reader.offsets,
        };
        (Some(document), reader.errors)
    }

    /// The value of the whole text.
    #[must_use]
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// Line number of `path`, or of the closest table that contains it, counted from 1.
    #[must_use]
    pub fn line(&self, path: &str) -> Option<usize> {
        let mut path = path;
        loop {
            if let Some(offset) = self.offsets.get(path) {
                return Some(line_at(self.text, *offset));
            }
            path = path.rsplit_once(['.', '['])?.0;
        }
    }
}

/// Line number of a byte, counted from 1.
fn line_at(text: &str, offset: usize) -> usize {
    let before = text.as_bytes().iter().take(offset);
    before
        .filter(|byte| **byte == b'\n')
        .count()
        .saturating_add(1)
}

struct Reader<'t> {
    text: &'t str,
    offsets: BTreeMap<String, usize>,
    errors: Vec<TomlError>,
}

impl Reader<'_> {
    // The parser bounds the nesting of values, and so the recursion here.
    fn table(&mut self, path: &str, table: &DeTable<'_>) -> Value {
        let mut members = BTreeMap::new();
        for (key, value) in table {
            let name = key.get_ref().to_string();
            let path = if path.is_empty() {
                name.clone()
            } else {
                format!("{path}.{name}")
            };
            self.offsets.insert(path.clone(), key.span().start);
            members.insert(name, self.value(&path, value.get_ref()));
        }
        Value::Object(members)
    }

    fn value(&mut self, path: &str, value: &DeValue<'_>) -> Value {
        match value {
            DeValue::String(text) => Value::String(text.to_string()),
            DeValue::Boolean(value) => Value::Bool(*value),
            DeValue::Integer(digits) if digits.radix() == 10 => match number(digits.as_str()) {
                Some(number) => Value::Number(number),
                None => self.refuse(path, "not a decimal integer"),
            },
            DeValue::Integer(digits) => {
                match i64::from_str_radix(digits.as_str(), digits.radix()) {
                    Ok(value) => Value::from(value),
                    Err(_) => self.refuse(path, "the integer is out of range"),
                }
            }
            // Read from its text, because a binary float would not be exact.
            DeValue::Float(text) => match number(text.as_str()) {
                Some(number) => Value::Number(number),
                None => self.refuse(
                    path,
                    "not a decimal number; leave out infinity and NaN, which cannot be compared exactly",
                ),
            },
            DeValue::Datetime(_) => self.refuse(
                path,
                "the date is not in quotes; write it as a string, as in \"2026-11-23T12:00:00Z\"",
            ),
            DeValue::Array(items) => {
                let mut values = Vec::with_capacity(items.len());
                for (index, item) in items.iter().enumerate() {
                    let path = format!("{path}[{index}]");
                    self.offsets.insert(path.clone(), item.span().start);
                    values.push(self.value(&path, item.get_ref()));
                }
                Value::Array(values)
            }
            DeValue::Table(table) => self.table(path, table),
        }
    }

    /// Adds an error, and returns null in place of the value.
    fn refuse(&mut self, path: &str, message: &str) -> Value {
        if self.errors.len() < MAX_ERRORS {
            let offset = self.offsets.get(path);
            self.errors.push(TomlError {
                path: path.to_owned(),
                line: offset.map(|offset| line_at(self.text, *offset)),
                message: message.to_owned(),
            });
        }
        Value::Null
    }
}

/// The number that a TOML literal denotes.
fn number(text: &str) -> Option<Number> {
    let text: String = text.chars().filter(|c| *c != '_').collect();
    text.strip_prefix('+').unwrap_or(&text).parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_and_everything_below_it_have_a_line() {
        let document =
            Document::parse("a = 1\n[b]\nc = { d = 98.70 }\n[[e]]\n[[e]]\nf = [\n 1,\n 2]\n");
        let document = document.unwrap();
        for (path, line) in [
            ("a", Some(1)),
            ("b.c.d", Some(3)),
            ("b.c.missing.deep", Some(3)),
            ("e[1].f[1]", Some(8)),
            ("e[1].missing", Some(5)),
            ("missing", None),
        ] {
            assert_eq!(document.line(path), line, "{path}");
        }
        let text = document.value().to_string();
        assert_eq!(text, r#"{"a":1,"b":{"c":{"d":98.7}},"e":[{},{"f":[1,2]}]}"#);
    }

    #[test]
    fn a_value_out_of_range_is_refused_with_its_line() {
        for (text, line) in [
            ("a = 1\nb = inf\n", 2),
            ("\n\na = 2026-01-01\n", 3),
            ("a = [\n1,\n0xffffffffffffffffff]\n", 3),
            ("a = 1\na = 2\n", 2),
            ("a = \n", 1),
        ] {
            assert_eq!(
                Document::parse(text).unwrap_err().line,
                Some(line),
                "{text}"
            );
        }
    }
}
