//! Tests that no secret appears in `Debug` output.
#![cfg(test)]

use bailiwick_api::{
    ClientRegistration, ClientWithSecret, IssuedTokenType, MintTokenRequest, MintedToken,
    TokenRequest, TokenResponse, TokenType, routes,
};
use serde_json::json;

const SECRET: &str = "hush";

#[test]
fn debug_shows_no_secret() {
    let minted: MintedToken = serde_json::from_value(json!({
        "token": SECRET, "token_id": "ab".repeat(16), "key": "0a1b2c3d", "issuer": "https://issuer.example",
        "agent": "a", "principal": "b", "issued_at": "2026-11-23T12:00:00Z", "not_before": "2026-11-23T12:00:00Z",
        "expires": "2026-11-23T12:00:00Z", "audit_seq": 1,
    }))
    .unwrap();
    let with_secret: ClientWithSecret = serde_json::from_value(json!({
        "client": { "name": "a", "principal": "b", "profiles": [], "claims": {},
                    "created_at": "2026-11-23T12:00:00Z", "secrets": [] },
        "secret": SECRET,
    }))
    .unwrap();
    let registered = ClientRegistration {
        client: with_secret.client.clone(),
        secret: Some(SECRET.to_owned().into()),
    };
    let request = MintTokenRequest {
        subject_token: Some(SECRET.to_owned().into()),
        client_assertion: Some(SECRET.to_owned().into()),
        ..MintTokenRequest::default()
    };
    let response = TokenResponse {
        access_token: SECRET.to_owned().into(),
        issued_token_type: IssuedTokenType::Biscuit,
        token_type: TokenType::Bearer,
        expires_in: 1,
        scope: "buyer".to_owned(),
    };
    let form = TokenRequest::parse(format!("client_secret={SECRET}").as_bytes()).unwrap();
    let sent = routes::MINT_TOKEN.outgoing(&[], &request).unwrap();
    for shown in [
        format!("{minted:?}"),
        format!("{with_secret:?}"),
        format!("{registered:?}"),
        format!("{request:?}"),
        format!("{response:?}"),
        format!("{form:?}"),
        format!("{sent:?}"),
    ] {
        assert!(!shown.contains(SECRET), "{shown}");
    }
}
