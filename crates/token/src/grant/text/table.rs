//! The reader of one table in grants text.

use std::collections::BTreeMap;

use super::read::{join, object, unknown_key};
use crate::{
    grant::{GrantsError, mistake::Mistakes},
    value::Value,
};

/// A table whose members are read one by one. All mistakes in it are added to the list.
pub(super) struct Table<'a, 'm> {
    path: String,
    members: &'a BTreeMap<String, Value>,
    mistakes: &'m mut Mistakes,
    before: usize,
}

impl<'a, 'm> Table<'a, 'm> {
    /// Opens a table that has no keys but these; `None` if the value is no table.
    pub(super) fn open(
        mistakes: &'m mut Mistakes,
        path: &str,
        value: &'a Value,
        known: &[&str],
    ) -> Option<Table<'a, 'm>> {
        let before = mistakes.count();
        let members = mistakes.take(object(path, value))?;
        // An unknown key may be a misspelt restriction; ignoring it would grant more than its writer meant.
        for key in members.keys().filter(|key| !known.contains(&key.as_str())) {
            mistakes.add(unknown_key(path, key, known));
        }
        Some(Table {
            path: path.to_owned(),
            members,
            mistakes,
            before,
        })
    }

    /// Reads a member; `None` if it is absent or wrong.
    pub(super) fn get<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, GrantsError>,
    ) -> Option<T> {
        let value = self.members.get(key)?;
        self.mistakes.take(read(&join(&self.path, key), value))
    }

    /// Reads a member that is a table itself; `None` if it is absent or wrong.
    pub(super) fn get_table<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&mut Mistakes, &str, &'a Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.members.get(key)?;
        read(self.mistakes, &join(&self.path, key), value)
    }

    /// Reads a member that must be there; `None` if it is absent or wrong.
    pub(super) fn need<T>(
        &mut self,
        key: &str,
        read: impl FnOnce(&str, &Value) -> Result<T, GrantsError>,
    ) -> Option<T> {
        if !self.members.contains_key(key) {
            self.mistakes
                .add(GrantsError::at(join(&self.path, key), "is missing"));
        }
        self.get(key, read)
    }

    /// Returns what was read, unless the table has a mistake.
    pub(super) fn finish<T>(self, read: T) -> Option<T> {
        (self.mistakes.count() == self.before && !self.mistakes.is_full()).then_some(read)
    }
}
