//! Tests that `openapi.json` agrees with the types: each route, and each member of each request and answer.
//!
//! For each type, the tests have a sample with every member and one with the fewest. Struct literals name all
//! members, and serde reports the members that it reads, so the tests fail if a member is only in the type or
//! only in the description.
#![cfg(test)]

mod openapi {
    pub(crate) mod description;
    pub(crate) mod probe;
    pub(crate) mod samples;
    pub(crate) mod status;
}

use std::{
    any::type_name,
    collections::{BTreeMap, BTreeSet},
};

use bailiwick_api::{
    CLIENT_ASSERTION_TYPE, CLIENT_CREDENTIALS, ChainFault, GuardReason, Health, IssuedTokenType,
    JWT_TOKEN_TYPES, MAX_AUDIT_ROWS, MAX_BODY, MAX_GRANTS, MAX_LISTED_TOKENS, Method,
    OAuthErrorCode, PrivateKeys, ProblemCode, REQUESTED_TOKEN_TYPES, RevokedOutcome, RootKeyState,
    Route, StatusSection, StoreKind, TOKEN_EXCHANGE, TokenParameter, TokenState, TokenType,
    TransitionKind, routes,
};
use openapi::{
    description::{document, names, operation, required, resolved, schema_at, success},
    probe::variants,
    samples,
    samples::{Answer, Place, Request, requests},
    status,
};
use serde_json::{Value, json};

/// All answers, and the objects in them.
fn answers() -> Vec<Answer> {
    let mut all = samples::answers();
    all.extend(status::answers());
    all
}

/// Returns the members of a sample in its JSON form.
fn members(sample: &Value) -> BTreeSet<String> {
    let members = sample.as_object().unwrap();
    members.keys().cloned().collect()
}

#[test]
fn answers_have_the_members_that_are_described() {
    for answer in answers() {
        let Answer {
            pointer,
            fields,
            full,
            least,
            reads,
            ..
        } = &answer;
        let schema = schema_at(pointer);
        if let Some(fields) = fields {
            assert_eq!(*fields, names(schema), "members that are read: {pointer}");
        }
        assert_eq!(
            members(full),
            names(schema),
            "members that are written: {pointer}"
        );
        let always = required(schema);
        assert_eq!(
            members(least),
            always,
            "members that are always written: {pointer}"
        );
        assert!(reads(full) && reads(least), "{pointer}");
        // A newer issuer may send members that this version does not know.
        let mut more = full.clone();
        more["of_a_newer_issuer"] = json!(1);
        assert!(reads(&more), "{pointer}");
        for name in members(full).difference(&always) {
            let mut rest = full.clone();
            rest.as_object_mut().unwrap().remove(name);
            assert!(reads(&rest), "`{name}` of {pointer} can be absent");
        }
    }
}

#[test]
fn requests_have_the_members_that_are_described() {
    for request in requests() {
        let Request {
            pointer,
            fields,
            full,
            reads,
            ..
        } = &request;
        let schema = schema_at(pointer);
        assert_eq!(*fields, names(schema), "members that are read: {pointer}");
        assert_eq!(
            members(full),
            names(schema),
            "members that are written: {pointer}"
        );
        assert!(reads(full), "{pointer}");
        let needed = required(schema);
        for name in members(full) {
            let mut rest = full.clone();
            rest.as_object_mut().unwrap().remove(&name);
            assert_eq!(
                reads(&rest),
                !needed.contains(&name),
                "`{name}` of {pointer}"
            );
        }
        assert_eq!(schema["additionalProperties"], false, "{pointer}");
        let mut more = full.clone();
        more["unknown"] = json!(1);
        assert!(!reads(&more), "{pointer} takes members that nobody knows");
    }
}

/// Every described object corresponds to a type, or is among the few that are not JSON of this crate.
#[test]
fn every_description_of_members_is_held_to_a_type() {
    let mut held: BTreeSet<String> = answers().into_iter().map(|it| it.pointer).collect();
    held.extend(requests().into_iter().map(|it| it.pointer));
    held.extend(
        ["TokenRequest", "Grants", "Grant", "PublicJwk"]
            .map(|name| format!("/components/schemas/{name}")),
    );
    // Some objects have members of any name. A public key has the members of RFC 7517.
    let free = |schema: &Value| schema.get("properties").is_none();
    openapi::description::walk(&mut |pointer, schema| {
        let is_object = match &schema["type"] {
            Value::String(name) => name == "object",
            Value::Array(names) => names.contains(&json!("object")),
            _ => false,
        };
        if is_object && !free(schema) {
            assert!(held.contains(pointer), "no type is held to {pointer}");
        }
    });
}

/// Checks one route: its request, its query and its answer.
fn check<Q: Place, A: Place>(seen: &mut BTreeSet<(Method, &'static str)>, route: Route<Q, A>) {
    let place = format!("{} {}", route.method(), route.path());
    assert!(seen.insert((route.method(), route.path())), "{place}");
    let operation = operation(route.method(), route.path());
    let query: BTreeMap<String, bool> = openapi::description::parameters(operation, "query");
    let body = operation.get("requestBody").map(|body| {
        let content = body["content"].as_object().unwrap();
        let (_, media) = content.iter().next().unwrap();
        &media["schema"]
    });
    let (asked, described) = match route.method() {
        Method::Get => {
            assert!(body.is_none(), "{place} has a body");
            let fields: BTreeSet<String> = query.keys().cloned().collect();
            assert_eq!(Q::fields(), fields, "the query of {place}");
            assert!(query.values().all(|needed| !needed), "{place}");
            return check_answer::<A>(operation, &place);
        }
        _ => (Q::pointer(), body),
    };
    assert!(query.is_empty(), "{place} has a query");
    match (asked, described) {
        (None, None) => {}
        (Some(pointer), Some(schema)) => {
            assert!(
                std::ptr::eq(schema_at(&pointer), resolved(schema)),
                "{place} does not take {}",
                type_name::<Q>()
            );
        }
        (asked, _) => panic!("the request of {place} is {asked:?}"),
    }
    check_answer::<A>(operation, &place);
}

fn check_answer<A: Place>(operation: &'static Value, place: &str) {
    let schema = success(operation);
    let schema = match (A::IS_LIST, schema) {
        (true, Some(schema)) => {
            assert_eq!(schema["type"], "array", "{place}");
            Some(&schema["items"])
        }
        (_, schema) => schema,
    };
    match (A::pointer(), schema) {
        (Some(pointer), Some(schema)) => {
            assert!(
                std::ptr::eq(schema_at(&pointer), resolved(schema)),
                "{place} does not answer {}",
                type_name::<A>()
            );
        }
        // Text, lines, and signed files.
        (None, Some(schema)) if A::IS_VERBATIM => {
            let envelope = schema_at("/components/schemas/Envelope");
            let schema = resolved(schema);
            let text = ["string", "object"].contains(&schema["type"].as_str().unwrap());
            assert!(std::ptr::eq(schema, envelope) || text, "{place}");
        }
        (None, None) if !A::IS_VERBATIM => {}
        (typed, _) => panic!("the answer of {place} is {typed:?}"),
    }
}

#[test]
fn routes_are_those_that_are_described() {
    let mut seen = BTreeSet::new();
    let it = &mut seen;
    check(it, routes::OAUTH_TOKEN);
    check(it, routes::MINT_TOKEN);
    check(it, routes::LIST_TOKENS);
    check(it, routes::KEYSET);
    check(it, routes::FEED_HEAD);
    check(it, routes::FEED_SNAPSHOT);
    check(it, routes::FEED_DELTA);
    check(it, routes::METADATA);
    check(it, routes::DESCRIPTION);
    check(it, routes::LIST_KEYS);
    check(it, routes::STAGE_KEY);
    check(it, routes::ROTATE_KEYS);
    check(it, routes::ACTIVATE_KEY);
    check(it, routes::RETIRE_KEY);
    check(it, routes::REVOKE_KEY);
    check(it, routes::LIST_REVOCATIONS);
    check(it, routes::REVOKE);
    check(it, routes::LIST_CLIENTS);
    check(it, routes::REGISTER_CLIENT);
    check(it, routes::ROTATE_CLIENT);
    check(it, routes::ADD_CLIENT_KEYS);
    check(it, routes::REMOVE_CLIENT_KEY);
    check(it, routes::DISABLE_CLIENT);
    check(it, routes::LIST_AUDIT);
    check(it, routes::VERIFY_AUDIT);
    check(it, routes::SIGN_CHECKPOINT);
    check(it, routes::LIST_VERIFIERS);
    check(it, routes::FORGET_VERIFIER);
    check(it, routes::LIST_PROFILES);
    check(it, routes::SET_KEYSET);
    check(it, routes::STATUS);
    check(it, routes::LIVE);
    check(it, routes::READY);
    check(it, routes::METRICS);
    let all: BTreeSet<(Method, &str)> = routes::ALL.iter().copied().collect();
    assert_eq!(seen, all);
    assert_eq!(routes::ALL.len(), all.len(), "a route is there twice");
    let described: BTreeSet<(String, String)> = openapi::description::operations().collect();
    let typed: BTreeSet<(String, String)> = all
        .iter()
        .map(|(method, path)| (method.as_str().to_lowercase(), (*path).to_owned()))
        .collect();
    assert_eq!(typed, described);
}

#[test]
fn parameters_of_the_token_endpoint_are_those_that_are_described() {
    let schema = schema_at("/components/schemas/TokenRequest");
    let all: BTreeSet<String> = TokenParameter::ALL
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(all, names(schema));
    assert_eq!(required(schema), BTreeSet::from(["grant_type".to_owned()]));
    for parameter in TokenParameter::ALL {
        let described = &schema["properties"][parameter.as_str()];
        let repeated = described["type"] == "array";
        assert_eq!(repeated, parameter.is_repeatable(), "{parameter}");
    }
    let values = |name: &str| resolved(&schema["properties"][name])["enum"].clone();
    assert_eq!(
        values("grant_type"),
        json!([CLIENT_CREDENTIALS, TOKEN_EXCHANGE])
    );
    assert_eq!(values("requested_token_type"), json!(REQUESTED_TOKEN_TYPES));
    assert_eq!(values("subject_token_type"), json!(JWT_TOKEN_TYPES));
    assert_eq!(values("actor_token_type"), json!(JWT_TOKEN_TYPES));
    assert_eq!(
        schema["properties"]["client_assertion_type"]["const"],
        CLIENT_ASSERTION_TYPE
    );
}

#[test]
fn values_are_those_that_are_described() {
    let schemas = "/components/schemas";
    for (pointer, values) in [
        ("/Problem/properties/code", variants::<ProblemCode>()),
        ("/OAuthError/properties/error", variants::<OAuthErrorCode>()),
        ("/Key/properties/state", variants::<RootKeyState>()),
        ("/Guard/properties/wait", variants::<GuardReason>()),
        (
            "/Changes/items/properties/step",
            variants::<TransitionKind>(),
        ),
        (
            "/RevokeReport/properties/outcome",
            variants::<RevokedOutcome>(),
        ),
        (
            "/TokenPage/properties/tokens/items/properties/state",
            variants::<TokenState>(),
        ),
        ("/Health", variants::<Health>()),
        (
            "/Status/properties/sections/items/properties/section",
            variants::<StatusSection>(),
        ),
        (
            "/Status/properties/due/items/properties/step",
            variants::<TransitionKind>(),
        ),
        ("/Status/properties/private_keys", variants::<PrivateKeys>()),
        (
            "/Status/properties/store/properties/kind",
            variants::<StoreKind>(),
        ),
        (
            "/AuditReport/properties/finding/properties/tampering",
            variants::<ChainFault>(),
        ),
    ] {
        let described = schema_at(&format!("{schemas}{pointer}"))["enum"].clone();
        assert_eq!(described, json!(values), "{pointer}");
    }
    for (name, values) in [
        ("issued_token_type", variants::<IssuedTokenType>()),
        ("token_type", variants::<TokenType>()),
    ] {
        let described = &schema_at("/components/schemas/TokenAnswer")["properties"][name]["const"];
        assert_eq!(json!([described]), json!(values), "{name}");
    }
}

#[test]
fn bounds_are_those_that_are_described() {
    for (path, bound) in [
        (routes::LIST_AUDIT.path(), MAX_AUDIT_ROWS),
        (routes::LIST_TOKENS.path(), MAX_LISTED_TOKENS),
    ] {
        let list = operation(Method::Get, path);
        let limit = list["parameters"].as_array().unwrap().iter();
        let limit = limit
            .map(resolved)
            .find(|parameter| parameter["name"] == "limit");
        assert_eq!(limit.unwrap()["schema"]["maximum"], bound, "{path}");
    }
    for (pointer, bound) in [
        ("/components/responses/TooLarge", MAX_BODY),
        ("/components/schemas/NewToken/properties/grants", MAX_GRANTS),
    ] {
        let described = document().pointer(pointer).unwrap()["description"].as_str();
        let bytes = format!(" {bound} bytes");
        assert!(described.unwrap().contains(&bytes), "{pointer}");
    }
}
