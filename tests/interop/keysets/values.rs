//! Numbers, times, lists and texts that some languages read more leniently than others.

use bailiwick_testkit::Root;
use bailiwick_token::{dsse::Envelope, keyset::PAYLOAD_TYPE};
use serde_json::{Value, json};

use super::{
    super::file::ALLOW,
    Case,
    made::{case, signed_text},
    refused::refused_case,
};

pub(super) fn all() -> Vec<Case> {
    let mut all = numbers();
    all.extend(times());
    all.extend(lists());
    all.extend(urls());
    all
}

fn not(name: &str, about: &str, file: &str) -> Case {
    refused_case(name, about, file, "malformed", None)
}

fn numbers() -> Vec<Case> {
    let unknown = format!(
        "\"later\":[-0,-7,1e999,{}],\"version\":1",
        "9".repeat(5_000)
    );
    vec![
        not(
            "version-minus-zero",
            "a version of -0, which some parsers read as the integer 0",
            &signed_text("\"version\":1", "\"version\":-0"),
        ),
        not(
            "refresh-hint-minus-zero",
            "a `refresh_hint` of -0",
            &signed_text("\"refresh_hint\":30", "\"refresh_hint\":-0"),
        ),
        not(
            "longest-life-minus-zero",
            "a `max_token_ttl` of -0",
            &signed_text("\"max_token_ttl\":3600", "\"max_token_ttl\":-0"),
        ),
        case(
            "unknown-numbers",
            "numbers in an unknown member that no type holds, which do not matter",
            &signed_text("\"version\":1", &unknown),
            ALLOW,
        ),
    ]
}

fn times() -> Vec<Case> {
    let end = "2026-11-24T12:00:00Z";
    let revoked = |at: &str| {
        let entry = format!(
            "\"tombstones\":[{{\"id\":\"00000001\",\"revoked_at\":\"{at}\",\"reason\":\"lost\"}}]"
        );
        signed_text("\"tombstones\":[]", &entry)
    };
    vec![
        case(
            "revoked-in-1970",
            "the first second that a time can state",
            &revoked("1970-01-01T00:00:00Z"),
            ALLOW,
        ),
        not(
            "revoked-in-1969",
            "a second before the first one",
            &revoked("1969-12-31T23:59:59Z"),
        ),
        not(
            "revoked-in-year-999",
            "a year of three digits with a zero before it",
            &revoked("0999-12-31T23:59:59Z"),
        ),
        case(
            "expires-in-9999",
            "the last second that a time can state",
            &signed_text(end, "9999-12-31T23:59:59Z"),
            ALLOW,
        ),
        not(
            "expires-in-year-10000",
            "a year of five digits, as some languages write it",
            &signed_text(end, "+010000-01-01T00:00:00Z"),
        ),
        not(
            "expires-in-year-10000-unsigned",
            "a year of five digits without a sign",
            &signed_text(end, "10000-01-01T00:00:00Z"),
        ),
    ]
}

fn lists() -> Vec<Case> {
    let root = Root::fixed();
    let mut keyset = serde_json::to_value(root.keyset()).expect("JSON");
    keyset["keys"] = json!("");
    keyset["tombstones"] = json!("");
    let payload = keyset.to_string().into_bytes();
    let texts = Envelope::sign(PAYLOAD_TYPE, payload, &root.keyset_key).to_json();
    let envelope = root.keyset().sign(&root.keyset_key).to_json();
    let mut envelope: Value = serde_json::from_str(&envelope).expect("JSON");
    envelope["signatures"] = json!({});
    vec![
        not(
            "texts-for-lists",
            "empty texts instead of lists, which some languages iterate over like lists",
            &texts,
        ),
        not(
            "object-for-signatures",
            "an empty object instead of the list of signatures",
            &envelope.to_string(),
        ),
    ]
}

fn urls() -> Vec<Case> {
    let url = |value: &str| {
        let members = format!("\"tombstones\":[],\"revocation_url\":{value}");
        signed_text("\"tombstones\":[]", &members)
    };
    vec![
        case(
            "null-for-revocation-url",
            "null for an address that the issuer does not have",
            &url("null"),
            ALLOW,
        ),
        not(
            "number-for-revocation-url",
            "a `revocation_url` that is not text",
            &url("5"),
        ),
        not(
            "revocation-url-of-half-a-character",
            "a lone surrogate in the `revocation_url`",
            &url("\"https:\\ud800\""),
        ),
    ]
}
