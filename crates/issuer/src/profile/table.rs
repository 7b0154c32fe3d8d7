//! Access to a TOML table and its keys.

use std::{collections::BTreeMap, ops::RangeInclusive};

use bailiwick_token::{text::is_path_segment, value::Value};

use super::error::ProfileFault;

/// Maximum length of the name of a profile or a source, in bytes.
const MAX_KEY: usize = 64;

/// A table, and its path in the file.
pub(super) struct TomlTable<'v> {
    pub(super) path: String,
    members: &'v BTreeMap<String, Value>,
}

impl<'v> TomlTable<'v> {
    pub(super) fn new(path: &str, value: &'v Value) -> Result<TomlTable<'v>, ProfileFault> {
        match value {
            Value::Object(members) => Ok(TomlTable {
                path: path.to_owned(),
                members,
            }),
            other => Err(ProfileFault::at(
                path,
                format!("this is {} and not a table; write a table", other.kind()),
            )),
        }
    }

    pub(super) fn path_of(&self, key: &str) -> String {
        match self.path.as_str() {
            "" => key.to_owned(),
            path => format!("{path}.{key}"),
        }
    }

    pub(super) fn members(&self) -> impl Iterator<Item = (&'v str, &'v Value)> + use<'v> {
        self.members
            .iter()
            .map(|(name, value)| (name.as_str(), value))
    }

    pub(super) fn get(&self, key: &str) -> Option<&'v Value> {
        self.members.get(key)
    }

    pub(super) fn only(&self, known: &[&str]) -> Result<(), ProfileFault> {
        match self
            .members
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            None => Ok(()),
            Some(key) => Err(ProfileFault::at(
                self.path_of(key),
                format!("unknown key; write one of {}", known.join(", ")),
            )),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'v str>, ProfileFault> {
        match self.get(key) {
            None => Ok(None),
            Some(Value::String(text)) => Ok(Some(text)),
            Some(other) => Err(ProfileFault::at(
                self.path_of(key),
                format!("this is {} and not a string; write a string", other.kind()),
            )),
        }
    }

    pub(super) fn needed_text(&self, key: &str) -> Result<&'v str, ProfileFault> {
        let text = self.text(key)?;
        text.ok_or_else(|| ProfileFault::at(self.path_of(key), "is missing"))
    }

    /// Returns a name that needs no quoting anywhere, in particular in OAuth's `scope` and in URLs.
    pub(super) fn needed_name(&self, key: &str) -> Result<&'v str, ProfileFault> {
        let name = self.needed_text(key)?;
        let right = |byte: u8| byte.is_ascii_alphanumeric() || b"_.:-".contains(&byte);
        let fits = (1..=MAX_KEY).contains(&name.len()) && name.bytes().all(right);
        if !fits || !is_path_segment(name) {
            return Err(ProfileFault::at(
                self.path_of(key),
                format!(
                    "the name is not valid; write 1 to {MAX_KEY} letters, digits, `_`, `.`, `:` and `-`, and not only dots"
                ),
            ));
        }
        Ok(name)
    }

    pub(super) fn table(&self, key: &str) -> Result<Option<TomlTable<'v>>, ProfileFault> {
        let value = self.get(key);
        value
            .map(|value| TomlTable::new(&self.path_of(key), value))
            .transpose()
    }

    pub(super) fn needed_table(&self, key: &str) -> Result<TomlTable<'v>, ProfileFault> {
        let table = self.table(key)?;
        table.ok_or_else(|| ProfileFault::at(self.path_of(key), "is missing"))
    }

    pub(super) fn whole(
        &self,
        key: &str,
        range: RangeInclusive<u32>,
    ) -> Result<Option<u32>, ProfileFault> {
        let Some(value) = self.get(key) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(number) => number.integer().and_then(|whole| u32::try_from(whole).ok()),
            _ => None,
        };
        let number = number.filter(|number| range.contains(number));
        number.map(Some).ok_or_else(|| {
            let (least, most) = (range.start(), range.end());
            ProfileFault::at(
                self.path_of(key),
                format!("not a whole number from {least} to {most}; write one"),
            )
        })
    }
}
