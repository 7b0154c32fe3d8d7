//! The writers of grants: one structure, written as TOML or JSON.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    fmt::Write,
};

use serde::{Serialize, Serializer};

mod conditions;

use super::{
    Bound, Constraint, Grant, Grants,
    table::{Args, members},
};
use crate::{
    condition::{Days, During, TimeOfDay, steps_above},
    escape::{name, quote_toml},
    value::{Scalar, Value},
};

impl Grants {
    /// Writes the grants as TOML text, which [`Grants::from_toml`] reads back without loss.
    #[must_use]
    pub fn to_toml(&self) -> String {
        let grants: Vec<String> = self.iter().map(grant_toml).collect();
        grants.join("\n")
    }

    /// Writes the grants as JSON text, which [`Grants::from_json`] reads back without loss.
    #[must_use]
    pub fn to_json(&self) -> String {
        self.to_value().to_string()
    }

    fn to_value(&self) -> Value {
        let grants = self.iter().map(Grant::to_value).collect();
        Value::Object(BTreeMap::from([("grant".to_owned(), Value::Array(grants))]))
    }
}

impl Serialize for Grants {
    /// Serializes the structure of [`Grants::to_json`]. Only `serde_json` serializers are supported.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.to_value().serialize(serializer)
    }
}

impl Grant {
    /// Converts the grant to the table of its text form.
    #[must_use]
    pub fn to_value(&self) -> Value {
        let mut table = BTreeMap::from([
            ("service".to_owned(), Value::from(self.service.as_str())),
            ("action".to_owned(), Value::from(self.action.to_string())),
        ]);
        if let Some(resource) = &self.resource {
            table.insert("resource".to_owned(), Value::from(resource.to_string()));
        }
        if let Some(window) = &self.when {
            table.insert("when".to_owned(), window_value(window));
        }
        if let Some(args) = &self.args {
            table.insert("args".to_owned(), Value::Object(written(args)));
        }
        Value::Object(table)
    }
}

impl fmt::Display for Grant {
    /// Writes the grant in words, on one line: `` erp purchase_order:create (amount: at most 10000; nothing
    /// else) ``. Names that are not plain are quoted, so that no name can be mistaken for the words around it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let action = self.action.to_string();
        write!(f, "{} {}", name(&self.service), name(&action))?;
        if let Some(resource) = &self.resource {
            write!(f, " on {}", name(&resource.to_string()))?;
        }
        if let Some(window) = &self.when {
            write!(f, " {window}")?;
        }
        let Some(args) = &self.args else {
            return Ok(());
        };
        f.write_str(" (")?;
        for (argument, constraint) in args {
            write!(f, "{}: {constraint}; ", name(argument))?;
        }
        f.write_str(if args.is_empty() {
            "no arguments)"
        } else {
            "nothing else)"
        })
    }
}

/// The arguments as the text form writes them. If some members of an object are named and others are allowed
/// too, the text states that.
fn written(args: &Args) -> BTreeMap<String, Value> {
    let mut written: BTreeMap<String, Value> = (args.iter())
        .map(|(name, constraint)| (name.clone(), constraint.to_value()))
        .collect();
    let steps = args.keys().flat_map(|name| steps_above(name));
    let named: BTreeSet<&str> = steps
        .filter(|(_, member)| *member != "*")
        .map(|(parent, _)| parent)
        .collect();
    for parent in named
        .into_iter()
        .filter(|parent| members(args, parent).is_none())
    {
        let open = match args.get(parent) {
            Some(constraint) if !constraint.is_any() => {
                let mut table = constraint.table();
                table.insert("members".to_owned(), Value::from("any"));
                Value::Object(table)
            }
            _ => Value::from("*"),
        };
        written.insert(parent.to_owned(), open);
    }
    written
}

fn window_value(window: &During) -> Value {
    let mut table = BTreeMap::from([("zone".to_owned(), Value::from(window.zone()))]);
    if window.days() != Days::ALL {
        table.insert("days".to_owned(), Value::from(window.days().ranges()));
    }
    if window.start() != TimeOfDay::MIDNIGHT {
        table.insert("from".to_owned(), Value::from(window.start().to_string()));
    }
    if window.end() != TimeOfDay::END {
        table.insert("to".to_owned(), Value::from(window.end().to_string()));
    }
    Value::Object(table)
}

impl Constraint {
    /// Converts the constraint to its text form: a bare value if that is enough, a table otherwise.
    fn to_value(&self) -> Value {
        if self.is_any() {
            return Value::from("*");
        }
        if self.meets.is_some() {
            return Value::Object(self.table());
        }
        let members = self.table();
        match (&self.exact, members.len()) {
            (Some(Value::Object(_)), _) => Value::Object(members),
            (Some(Value::String(star)), _) if star == "*" => Value::Object(members),
            (Some(value), 1) => value.clone(),
            _ => Value::Object(members),
        }
    }

    /// The table of the text form.
    fn table(&self) -> BTreeMap<String, Value> {
        if let Some(meets) = &self.meets {
            return conditions::members(meets);
        }
        let text = |text: &Option<String>| text.as_deref().map(Value::from);
        let bound = |bound: Option<Bound>| bound.map(|bound| Value::from(bound.to_string()));
        let scalars = |set: &std::collections::BTreeSet<Scalar>| {
            Value::Array(set.iter().cloned().map(Value::from).collect())
        };
        [
            ("exact", self.exact.clone()),
            (
                "one_of",
                self.one_of.as_ref().map(|list| Value::Array(list.values())),
            ),
            (
                "not_one_of",
                self.not_one_of
                    .as_ref()
                    .map(|list| Value::Array(list.values())),
            ),
            ("min", bound(self.min)),
            ("max", bound(self.max)),
            ("prefix", text(&self.prefix)),
            ("suffix", text(&self.suffix)),
            ("contains", text(&self.contains)),
            ("all_of_in", self.all_of_in.as_ref().map(scalars)),
            (
                "max_len",
                self.max_len.map(|length| Value::from(i64::from(length))),
            ),
        ]
        .into_iter()
        .filter_map(|(key, value)| value.map(|value| (key.to_owned(), value)))
        .collect()
    }
}

fn grant_toml(grant: &Grant) -> String {
    let mut text = String::from("[[grant]]\n");
    let mut line = |key: &str, value: String| {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{key} = {value}");
    };
    line("service", toml_string(&grant.service));
    line("action", toml_string(&grant.action.to_string()));
    if let Some(resource) = &grant.resource {
        line("resource", toml_string(&resource.to_string()));
    }
    if let Some(window) = &grant.when {
        line("when", value_toml(&window_value(window)));
    }
    if let Some(args) = &grant.args {
        text.push_str("[grant.args]\n");
        for (name, value) in written(args) {
            let _ = writeln!(text, "{} = {}", toml_key(&name), constraint_toml(&value));
        }
    }
    text
}

fn constraint_toml(value: &Value) -> String {
    match value {
        Value::Object(members) => {
            let members = members.iter().map(|(key, value)| member_toml(key, value));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
        value if holds_null(value) => format!("{{ {} }}", member_toml("exact", value)),
        value => value_toml(value),
    }
}

fn member_toml(key: &str, value: &Value) -> String {
    // TOML has no null, so a value that contains one is written as its JSON text.
    if key == "exact" && holds_null(value) {
        return format!("exact_json = {}", toml_string(&value.to_string()));
    }
    format!("{key} = {}", value_toml(value))
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(items) => items.iter().any(holds_null),
        Value::Object(members) => members.values().any(holds_null),
        _ => false,
    }
}

pub(super) fn value_toml(value: &Value) -> String {
    match value {
        // Only exact values contain nulls, and `member_toml` writes those as JSON text.
        Value::Null => toml_string("null"),
        Value::Bool(value) => value.to_string(),
        Value::Number(number) => {
            let text = number.to_string();
            let is_integer = number.integer().is_some();
            if is_integer || text.contains(['.', 'e']) {
                text
            } else {
                format!("{text}.0")
            }
        }
        Value::String(text) => toml_string(text),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(value_toml).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(key, value)| format!("{} = {}", toml_key(key), value_toml(value)));
            format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
        }
    }
}

pub(super) fn toml_key(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        toml_string(name)
    }
}

fn toml_string(text: &str) -> String {
    quote_toml(text).to_string()
}
