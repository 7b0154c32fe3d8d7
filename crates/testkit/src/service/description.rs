//! Checks that answers conform to `openapi.json`.

use std::sync::LazyLock;

use bailiwick_api::OPENAPI;
use reqwest::Method;
use serde_json::Value;

use super::Answer;

static DESCRIPTION: LazyLock<Value> = LazyLock::new(|| serde_json::from_str(OPENAPI).unwrap());

/// An operation in the description.
pub struct Operation {
    pub path: &'static str,
    pub method: Method,
    pub value: &'static Value,
}

pub fn all() -> &'static Value {
    &DESCRIPTION
}

pub fn operations() -> impl Iterator<Item = Operation> {
    let paths = DESCRIPTION["paths"].as_object().unwrap().iter();
    paths.flat_map(|(path, item)| {
        let members = item.as_object().unwrap().iter();
        members
            .filter(|(name, _)| !["servers", "parameters"].contains(&name.as_str()))
            .map(move |(method, value)| Operation {
                path,
                method: method.to_uppercase().parse().unwrap(),
                value,
            })
    })
}

/// Follows references to the value that they point to. Any other value is returned unchanged.
pub fn resolve(value: &'static Value) -> &'static Value {
    match value.get("$ref") {
        None => value,
        Some(reference) => {
            let reference = reference.as_str().unwrap();
            let pointer = reference.strip_prefix('#').unwrap();
            let found = DESCRIPTION.pointer(pointer);
            resolve(found.unwrap_or_else(|| panic!("`{reference}` leads nowhere")))
        }
    }
}

fn fits(template: &str, path: &str) -> bool {
    let path = path.split('?').next().unwrap();
    let (mut left, mut right) = (template.split('/'), path.split('/'));
    loop {
        match (left.next(), right.next()) {
            (None, None) => return true,
            (Some(left), Some(right)) if left == right => {}
            (Some(left), Some(right)) if left.starts_with('{') && !right.is_empty() => {}
            _ => return false,
        }
    }
}

/// Checks that an answer conforms to the description. Requests that are not described must get 404 or 405.
pub fn check(method: &Method, path: &str, answer: &Answer) {
    // Of several paths that fit, the one with the fewest parameters is meant.
    let found = operations()
        .filter(|it| it.method == *method && fits(it.path, path))
        .min_by_key(|it| it.path.matches('{').count());
    let Some(operation) = found else {
        assert!(
            [404, 405].contains(&answer.status),
            "{method} {path}: {answer:?}"
        );
        return;
    };
    let place = format!("{method} {}: {answer:?}", operation.path);
    let responses = &operation.value["responses"];
    let response = responses.get(answer.status.to_string());
    let response =
        resolve(response.unwrap_or_else(|| panic!("the status is not described: {place}")));
    let headers = response.get("headers").and_then(Value::as_object);
    for (name, header) in headers.into_iter().flatten() {
        // The challenge is sent only if HTTP Basic failed.
        if name == "WWW-Authenticate" && operation.path == "/v1/token" {
            continue;
        }
        let value = answer
            .header(name)
            .unwrap_or_else(|| panic!("no `{name}`: {place}"));
        let value = match resolve(header)["schema"]["type"].as_str() {
            Some("integer") => Value::from(value.parse::<u64>().unwrap()),
            _ => Value::from(value),
        };
        conforms(&resolve(header)["schema"], &value, name);
    }
    let Some(content) = response.get("content") else {
        assert_eq!(answer.text, "", "a body is not described: {place}");
        return;
    };
    let media = answer.header("content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap();
    let described = content.get(media);
    let described = described.unwrap_or_else(|| panic!("the media type is not described: {place}"));
    if ["application/json", "application/problem+json"].contains(&media) {
        conforms(&described["schema"], &answer.json(), &place);
    }
}

/// Checks a value against a schema. Only the parts of JSON Schema that the description uses are implemented.
pub fn conforms(schema: &'static Value, value: &Value, place: &str) {
    let schema = resolve(schema);
    if let Some(constant) = schema.get("const") {
        assert_eq!(value, constant, "{place}");
    }
    if let Some(values) = schema.get("enum") {
        let values = values.as_array().unwrap();
        assert!(
            values.contains(value),
            "{value} is none of {values:?}: {place}"
        );
    }
    let is = |name: &str| match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("`{other}` is not looked at here"),
    };
    match schema.get("type") {
        None => {}
        Some(Value::String(name)) => assert!(is(name), "{value} is no {name}: {place}"),
        Some(names) => {
            let mut names = names.as_array().unwrap().iter();
            let one = names.any(|name| is(name.as_str().unwrap()));
            assert!(one, "{value} is of another type: {place}");
        }
    }
    if let Value::Array(items) = value
        && let Some(schema) = schema.get("items")
    {
        for item in items {
            conforms(schema, item, place);
        }
    }
    let Value::Object(members) = value else {
        return;
    };
    let required = schema.get("required").and_then(Value::as_array);
    for name in required.into_iter().flatten() {
        let name = name.as_str().unwrap();
        assert!(members.contains_key(name), "`{name}` is missing: {place}");
    }
    for (name, member) in members {
        match schema.get("properties").and_then(|known| known.get(name)) {
            Some(schema) => conforms(schema, member, place),
            None => assert_ne!(
                schema.get("additionalProperties"),
                Some(&Value::Bool(false)),
                "`{name}` is not described: {place}"
            ),
        }
    }
}
