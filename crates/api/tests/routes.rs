//! Tests of requests in the form that clients send.
#![cfg(test)]

use bailiwick_api::{AuditQuery, ForceRequest, Nothing, OutgoingError, routes};

#[test]
fn no_path_has_dot_segments() {
    let path = |name| routes::FORGET_VERIFIER.filled(&[name]);
    assert_eq!(path("a.b/c").unwrap(), "/v1/verifiers/a%2Eb%2Fc");
    for bad in ["", ".", "..", "..."] {
        assert_eq!(path(bad), Err(OutgoingError::Segment(bad.to_owned())));
    }
}

#[test]
fn each_place_takes_one_value() {
    for values in [&[][..], &["a", "b"]] {
        let wrong = routes::ROTATE_CLIENT.filled(values).unwrap_err();
        assert_eq!(
            wrong,
            OutgoingError::Places("/v1/clients/{name}/rotate"),
            "{values:?}"
        );
    }
    assert_eq!(
        routes::FEED_DELTA.filled(&["00", "0-1"]).unwrap(),
        "/.well-known/bailiwick/revocations/00/0-1"
    );
}

#[test]
fn a_query_has_the_members_that_are_set() {
    let query = AuditQuery {
        agent: Some("agent:buyer & co".to_owned()),
        limit: Some(20),
        ..AuditQuery::default()
    };
    let sent = routes::LIST_AUDIT.outgoing(&[], &query).unwrap();
    assert_eq!(sent.target, "/v1/audit?agent=agent%3Abuyer+%26+co&limit=20");
    assert_eq!(sent.body, None);
    let sent = routes::LIST_KEYS.outgoing(&[], &Nothing {}).unwrap();
    assert_eq!(sent.target, "/v1/keys");
}

#[test]
fn a_body_is_json() {
    let force = ForceRequest { force: true };
    let sent = routes::RETIRE_KEY.outgoing(&["0a1b2c3d"], &force).unwrap();
    assert_eq!(sent.target, "/v1/keys/0a1b2c3d/retire");
    assert_eq!(sent.body.unwrap().as_slice(), br#"{"force":true}"#);
    let sent = routes::STAGE_KEY.outgoing(&[], &Nothing {}).unwrap();
    assert_eq!(sent.body.unwrap().as_slice(), b"{}");
}
