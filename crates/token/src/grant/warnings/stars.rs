//! Stars inside values, where they are plain characters.

use std::collections::BTreeMap;

use super::{Warning, WarningKind, argument::Argument};
use crate::{condition::TextPattern, escape::quote, value::Value};

/// Keys under which a star has a meaning, or is meant literally.
const EXCEPTED: [&str; 8] = [
    "exact",
    "exact_json",
    "matches",
    "equals_arg",
    "differs_from_arg",
    "equals_sum",
    "of",
    "members",
];

/// The warning about an argument with a star in one of its values.
pub(super) fn warning(argument: &Argument<'_>) -> Option<Warning> {
    let (text, rewrite) = match argument.value {
        // The lone star is the wildcard.
        Value::String(star) if star == "*" => return None,
        Value::String(text) if text.contains('*') => (text, instead_of_exact(text)),
        Value::Object(table) => {
            let text = table.iter().find_map(|(key, value)| starred(key, value))?;
            (text, instead_of_table(table))
        }
        _ => return None,
    };
    Some(argument.warning(
        WarningKind::StarInValue,
        format!("the star in {} is a plain character and stands for no other text", quote(text)),
        "say what else is allowed with `prefix`, `matches` or another condition; write `exact` if the star is meant",
        rewrite.and_then(|members| argument.rewritten(&members)),
    ))
}

/// The first text with a star under a key.
fn starred<'v>(key: &str, value: &'v Value) -> Option<&'v String> {
    if EXCEPTED.contains(&key) {
        return None;
    }
    match value {
        Value::String(text) => text.contains('*').then_some(text),
        Value::Array(items) => items.iter().find_map(|item| starred("", item)),
        Value::Object(table) => table.iter().find_map(|(key, value)| starred(key, value)),
        _ => None,
    }
}

fn instead_of_exact(text: &str) -> Option<BTreeMap<String, Value>> {
    let inner = text.trim_matches('*');
    if inner.is_empty() {
        return None;
    }
    let (key, value) = match (text.starts_with('*'), text.ends_with('*')) {
        _ if inner.contains('*') => ("matches", pattern([text])?),
        (false, _) => ("prefix", inner.to_owned()),
        (true, false) => ("suffix", inner.to_owned()),
        (true, true) => ("contains", inner.to_owned()),
    };
    Some(BTreeMap::from([(key.to_owned(), Value::from(value))]))
}

fn instead_of_table(table: &BTreeMap<String, Value>) -> Option<BTreeMap<String, Value>> {
    let mut better = table.clone();
    if let Some(Value::Array(items)) = table.get("one_of") {
        let texts = items.iter().map(|item| match item {
            Value::String(text) => Some(text.as_str()),
            _ => None,
        });
        let texts: Vec<&str> = texts.collect::<Option<_>>()?;
        if texts.iter().any(|text| text.contains('*')) && !table.contains_key("ignore_case") {
            better.remove("one_of");
            better.insert("matches".to_owned(), Value::from(pattern(texts)?));
            return Some(better);
        }
    }
    for key in ["prefix", "suffix", "contains"] {
        if let Some(Value::String(text)) = table.get(key)
            && text.contains('*')
        {
            let inner = text.trim_matches('*');
            if inner.is_empty() || inner.contains('*') {
                return None;
            }
            better.insert(key.to_owned(), Value::from(inner));
            return Some(better);
        }
    }
    None
}

/// A regular expression for the texts, with any characters in place of each star.
fn pattern<'t>(texts: impl IntoIterator<Item = &'t str>) -> Option<String> {
    let texts = texts.into_iter().map(|text| {
        let parts: Vec<String> = text.split('*').map(regex_syntax::escape).collect();
        parts.join(".*")
    });
    let pattern = texts.collect::<Vec<_>>().join("|");
    TextPattern::compiled(&pattern).is_ok().then_some(pattern)
}
