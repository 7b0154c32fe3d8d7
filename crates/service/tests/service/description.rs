//! Tests that `openapi.json` describes the service. `bailiwick-api` tests that the description matches the
//! routes and types.

use std::collections::BTreeSet;

use bailiwick_api::ProblemCode;
use bailiwick_issuer::AuditEvent;
use bailiwick_testkit::service::{
    Auth, Service,
    description::{self, Operation},
};
use reqwest::Method;
use serde_json::{Value, json};

/// Returns the path with a value for each of its parameters.
fn filled(operation: &Operation) -> String {
    let path = operation.path.split('/').map(|segment| match segment {
        "{id}" => "00000000",
        "{epoch}" => "0123456789abcdef",
        "{range}" => "0-0",
        "{name}" => "somebody",
        segment => segment,
    });
    path.collect::<Vec<_>>().join("/")
}

#[tokio::test]
async fn described_routes_are_served() {
    let service = Service::start().await;
    let served = service.get("/v1/openapi.json", Auth::None).await;
    assert_eq!(served.json(), *description::all());
    for operation in description::operations() {
        let path = filled(&operation);
        let answer = service
            .send(operation.method.clone(), &path, Auth::None, &[], "")
            .await;
        let place = format!("{} {path}: {answer:?}", operation.method);
        assert_ne!(answer.status, 405, "{place}");
        assert!(!answer.text.contains("nothing at this path"), "{place}");
    }
}

#[tokio::test]
async fn undescribed_routes_are_not_served() {
    let service = Service::start().await;
    for path in [
        "/",
        "/v1",
        "/v1/nothing",
        "/v1/keys/",
        "/metrics/x",
        "//v1/keys",
    ] {
        let answer = service.get(path, Auth::None).await;
        answer.is_problem(404, ProblemCode::NotFound);
    }
    let paths: BTreeSet<&str> = description::operations().map(|it| it.path).collect();
    for operation in description::operations() {
        if operation.value["tags"] == json!(["operations"]) || !paths.contains(operation.path) {
            continue;
        }
        let answer = service
            .send(Method::PUT, &filled(&operation), Auth::None, &[], "")
            .await;
        answer.is_problem(405, ProblemCode::BadRequest);
        let allowed = answer.header("allow").unwrap().to_owned();
        assert!(allowed.contains(operation.method.as_str()), "{allowed}");
    }
}

#[test]
fn the_description_is_whole() {
    fn walk(value: &'static Value) {
        match value {
            Value::Array(items) => items.iter().for_each(walk),
            Value::Object(members) => {
                if members.contains_key("$ref") {
                    description::resolve(value);
                }
                members.values().for_each(walk);
            }
            _ => {}
        }
    }
    walk(description::all());
    assert_eq!(description::all()["openapi"], "3.1.0");
    let mut names = BTreeSet::new();
    for operation in description::operations() {
        let place = format!("{} {}", operation.method, operation.path);
        let name = operation.value["operationId"].as_str().unwrap();
        assert!(names.insert(name), "`{name}` is there twice");
        // Each parameter in the path is described, and no other is.
        let parameters = operation.value.get("parameters").and_then(Value::as_array);
        let parameters = parameters.into_iter().flatten().map(description::resolve);
        let stated: BTreeSet<String> = parameters
            .filter(|parameter| parameter["in"] == "path")
            .map(|parameter| format!("{{{}}}", parameter["name"].as_str().unwrap()))
            .collect();
        let places = operation.path.split('/');
        let places = places.filter(|segment| segment.starts_with('{'));
        assert_eq!(stated, places.map(str::to_owned).collect(), "{place}");
        // A route that needs a token names its action, and lists the refusals.
        let bearer = operation.value.get("security") == Some(&json!([{ "bearer": [] }]));
        let action = operation.value.get("x-bailiwick-action");
        assert!(!bearer || action.is_some(), "{place}");
        for status in ["401", "403"] {
            let refused = operation.value["responses"].get(status);
            assert!(!bearer || refused.is_some(), "{place}: {status}");
        }
    }
    let unused: Vec<String> = ["schemas", "responses", "parameters", "headers"]
        .into_iter()
        .flat_map(|kind| {
            let all = description::all()["components"][kind].as_object().unwrap();
            all.keys()
                .map(move |name| format!("#/components/{kind}/{name}"))
        })
        .filter(|reference| {
            !description::all()
                .to_string()
                .contains(&format!("\"{reference}\""))
        })
        .collect();
    assert_eq!(unused, Vec::<String>::new());
}

/// The interface has events as text; their names come from the issuer.
#[test]
fn events_are_those_of_the_issuer() {
    let described = &description::all()["components"]["schemas"]["AuditEvent"]["enum"];
    let events: Vec<&str> = AuditEvent::ALL.iter().map(|it| it.as_str()).collect();
    assert_eq!(*described, json!(events));
}
