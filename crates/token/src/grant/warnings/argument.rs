//! The constraint on one argument, as it is written.

use std::collections::BTreeMap;

use super::{
    Warning, WarningKind,
    rewrite::{Form, constraint},
};
use crate::{grant::Grants, value::Value};

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
    /// All arguments of the grant, as they are written.
    args: &'v BTreeMap<String, Value>,
}

impl<'v> Argument<'v> {
    pub(super) fn new(
        grant: usize,
        args: &'v BTreeMap<String, Value>,
        (name, value): (&'v str, &'v Value),
        form: Form,
    ) -> Argument<'v> {
        Argument {
            path: argument_path(grant, name),
            name,
            value,
            form,
            args,
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

    /// The line to write instead, with these members; `None` if the grant could then not be read.
    ///
    /// The members that are added may contradict a condition that stays.
    pub(super) fn rewritten(&self, members: &BTreeMap<String, Value>) -> Option<String> {
        let mut args = self.args.clone();
        args.insert(self.name.to_owned(), Value::Object(members.clone()));
        let grant = [
            ("service", Value::from("service")),
            ("action", Value::from("action")),
            ("args", Value::Object(args)),
        ];
        let grant = grant.map(|(key, value)| (key.to_owned(), value));
        let grants = Value::Array(vec![Value::Object(BTreeMap::from(grant))]);
        let file = Value::Object(BTreeMap::from([("grant".to_owned(), grants)]));
        let is_read = Grants::from_value(&file).is_ok();
        is_read.then(|| constraint(self.form, self.name, members))
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
