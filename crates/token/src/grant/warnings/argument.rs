//! The constraint on one argument, as it is written.

use std::collections::BTreeMap;

use super::{
    Warning, WarningKind,
    rewrite::{Form, constraint},
};
use crate::value::Value;

/// Keys that bound a string as a whole, so that any other key in the table can only narrow it further.
pub(super) const WHOLE: [&str; 9] = [
    "exact",
    "exact_json",
    "one_of",
    "matches",
    "email",
    "url",
    "path",
    "ip",
    "equals_arg",
];

/// An argument's constraint as it is written.
pub(super) struct Argument<'v> {
    pub(super) path: String,
    pub(super) name: &'v str,
    pub(super) value: &'v Value,
    pub(super) form: Form,
}

impl<'v> Argument<'v> {
    pub(super) fn new(grant: usize, name: &'v str, value: &'v Value, form: Form) -> Argument<'v> {
        Argument {
            path: argument_path(grant, name),
            name,
            value,
            form,
        }
    }

    /// The constraint, if it is a table.
    pub(super) fn table(&self) -> Option<&'v BTreeMap<String, Value>> {
        match self.value {
            Value::Object(table) => Some(table),
            _ => None,
        }
    }

    /// Returns true if the constraint has one of these keys.
    pub(super) fn has(&self, keys: &[&str]) -> bool {
        self.table()
            .is_some_and(|table| keys.iter().any(|key| table.contains_key(*key)))
    }

    /// The line to write instead, with these members.
    pub(super) fn rewritten(&self, members: &BTreeMap<String, Value>) -> String {
        constraint(self.form, self.name, members)
    }

    pub(super) fn warning(
        &self,
        kind: WarningKind,
        message: impl Into<String>,
        next: impl Into<String>,
        rewrite: Option<String>,
    ) -> Warning {
        Warning {
            kind,
            path: self.path.clone(),
            line: None,
            message: message.into(),
            next: next.into(),
            rewrite,
        }
    }
}

/// The path of an argument in the text.
pub(super) fn argument_path(grant: usize, name: &str) -> String {
    format!("grant[{grant}].args.{name}")
}
