//! `openapi.json`, and navigation in it.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use bailiwick_api::{Method, OPENAPI};
use serde_json::Value;

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

pub(crate) fn document() -> &'static Value {
    &DOCUMENT
}

/// Follows references to the value that they point to. Any other value is returned unchanged.
pub(crate) fn resolved(value: &'static Value) -> &'static Value {
    match value.get("$ref") {
        None => value,
        Some(reference) => schema_at(reference.as_str().unwrap().strip_prefix('#').unwrap()),
    }
}

/// The schema at a JSON pointer.
pub(crate) fn schema_at(pointer: &str) -> &'static Value {
    let found = document().pointer(pointer);
    resolved(found.unwrap_or_else(|| panic!("there is nothing at {pointer}")))
}

/// The members that a schema describes.
pub(crate) fn names(schema: &Value) -> BTreeSet<String> {
    let properties = schema["properties"].as_object().unwrap();
    properties.keys().cloned().collect()
}

/// The members that a schema requires.
pub(crate) fn required(schema: &Value) -> BTreeSet<String> {
    let names = schema.get("required").and_then(Value::as_array);
    let names = names.into_iter().flatten();
    names
        .map(|name| name.as_str().unwrap().to_owned())
        .collect()
}

/// The method, in lower case, and the path of each operation.
pub(crate) fn operations() -> impl Iterator<Item = (String, String)> {
    let paths = document()["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let methods = item.as_object().unwrap().keys();
        methods
            .filter(|name| *name != "servers")
            .map(move |method| (method.clone(), path.clone()))
    })
}

pub(crate) fn operation(method: Method, path: &str) -> &'static Value {
    let method = method.as_str().to_lowercase();
    let found = document()["paths"]
        .get(path)
        .and_then(|item| item.get(&method));
    found.unwrap_or_else(|| panic!("{method} {path} is not described"))
}

/// The parameters of an operation in one place (`path` or `query`), with true for those that are required.
pub(crate) fn parameters(operation: &'static Value, place: &str) -> BTreeMap<String, bool> {
    let parameters = operation.get("parameters").and_then(Value::as_array);
    let parameters = parameters.into_iter().flatten().map(resolved);
    parameters
        .filter(|parameter| parameter["in"] == place)
        .map(|parameter| {
            let required = parameter.get("required") == Some(&Value::Bool(true));
            (parameter["name"].as_str().unwrap().to_owned(), required)
        })
        .collect()
}

/// The schema of the successful answer; `None` if it has no body.
pub(crate) fn success(operation: &'static Value) -> Option<&'static Value> {
    let responses = operation["responses"].as_object().unwrap().iter();
    let mut good = responses.filter(|(status, _)| status.starts_with('2'));
    let (_, response) = good.next().unwrap();
    assert!(good.next().is_none(), "there are two good answers");
    let content = resolved(response).get("content")?.as_object().unwrap();
    let (_, media) = content.iter().next().unwrap();
    Some(&media["schema"])
}

/// Calls `show` with each object of the document and its pointer. References are not followed.
pub(crate) fn walk(show: &mut impl FnMut(&str, &'static Value)) {
    fn step(pointer: &str, value: &'static Value, show: &mut impl FnMut(&str, &'static Value)) {
        match value {
            Value::Object(members) => {
                show(pointer, value);
                for (name, member) in members {
                    let name = name.replace('~', "~0").replace('/', "~1");
                    step(&format!("{pointer}/{name}"), member, show);
                }
            }
            Value::Array(items) => {
                for (at, item) in items.iter().enumerate() {
                    step(&format!("{pointer}/{at}"), item, show);
                }
            }
            _ => {}
        }
    }
    step("", document(), show);
}
