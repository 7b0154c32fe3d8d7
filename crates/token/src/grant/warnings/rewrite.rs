//! Constraints as text, in the form of the file.

use std::collections::BTreeMap;

use crate::{
    grant::print::{toml_key, value_toml},
    value::Value,
};

/// The form of the text under review.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Toml,
    Json,
}

/// Keys that people expect before all others.
const FIRST: [&str; 4] = ["as", "under", "min", "max"];

/// The line of an argument with a constraint that has these members.
pub(super) fn constraint(form: Form, name: &str, members: &BTreeMap<String, Value>) -> String {
    match form {
        Form::Toml => format!("{} = {}", toml_key(name), table(members)),
        Form::Json => {
            let text = Value::Object(BTreeMap::from([(
                name.to_owned(),
                Value::Object(members.clone()),
            )]));
            let text = text.to_string();
            // Without its braces, the object is a member that can be pasted.
            let inner = text
                .strip_prefix('{')
                .and_then(|rest| rest.strip_suffix('}'));
            inner.unwrap_or(&text).to_owned()
        }
    }
}

/// The line that sets a key to a text.
pub(super) fn text(form: Form, key: &str, text: &str) -> String {
    let value = Value::from(text);
    match form {
        Form::Toml => format!("{} = {}", toml_key(key), value_toml(&value)),
        Form::Json => format!("{}:{value}", Value::from(key)),
    }
}

fn table(members: &BTreeMap<String, Value>) -> String {
    let rank = |key: &str| {
        FIRST
            .iter()
            .position(|first| *first == key)
            .unwrap_or(FIRST.len())
    };
    let mut members: Vec<(&String, &Value)> = members.iter().collect();
    members.sort_by_key(|(key, _)| rank(key));
    let members = members.into_iter().map(|(key, value)| {
        let value = match value {
            Value::Object(inner) => table(inner),
            value => value_toml(value),
        };
        format!("{} = {value}", toml_key(key))
    });
    format!("{{ {} }}", members.collect::<Vec<_>>().join(", "))
}
