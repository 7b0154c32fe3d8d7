//! jsonwebtoken as a peer: a signed JSON Web Token with the same grants as claims.
//!
//! The token is decoded and verified, and its times, issuer and audience are checked. A holder cannot narrow
//! it. The service itself must apply its grants to a call, which is not measured.

use std::{
    hint::black_box,
    time::{SystemTime, UNIX_EPOCH},
};

use ed25519_dalek::SigningKey;
use jsonwebtoken::{
    Algorithm, DecodingKey, EncodingKey, Header, Validation, crypto::rust_crypto::DEFAULT_PROVIDER,
    decode, encode,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::{
    sample::{AGENT, ISSUER, PRINCIPAL},
    variant::Variant,
};

pub(crate) const NAME: &str = "jsonwebtoken 11.1.0";

#[derive(Serialize, Deserialize)]
struct Claims {
    iss: String,
    aud: String,
    sub: String,
    agent: String,
    jti: String,
    iat: u64,
    nbf: u64,
    exp: u64,
    /// The grants, as in RFC 9396.
    authorization_details: Vec<Value>,
}

/// Returns true if a token for another service is refused, as it must be.
pub(crate) fn denies() -> bool {
    variant("crm").time(1).is_err()
}

pub(crate) fn variants<'a>() -> Vec<Variant<'a>> {
    vec![variant("erp")]
}

fn variant<'a>(service: &str) -> Variant<'a> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let mut header = Header::new(Algorithm::EdDSA);
    header.kid = Some("5c2e91d7".to_owned());
    let _ = DEFAULT_PROVIDER.install_default();
    let token = encode(&header, &claims(), &signing(&key)).unwrap();
    let public = DecodingKey::from_ed_der(key.verifying_key().as_bytes());
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_audience(&[service]);
    validation.set_issuer(&[ISSUER]);
    validation.validate_nbf = true;
    let wire = token.len();
    Variant::repeated((NAME, "decode, verify"), 0, wire, move || {
        let read = decode::<Claims>(black_box(&token), &public, &validation);
        read.is_ok_and(|read| read.claims.authorization_details.len() == 5)
    })
}

fn claims() -> Claims {
    // The library reads the clock itself.
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    Claims {
        iss: ISSUER.to_owned(),
        aud: "erp".to_owned(),
        sub: PRINCIPAL.to_owned(),
        agent: AGENT.to_owned(),
        jti: "01010101010101010101010101010101".to_owned(),
        iat: now - 60,
        nbf: now - 60,
        exp: now + 900,
        authorization_details: vec![
            json!({
                "service": "erp", "action": "purchase_order:create",
                "args": {
                    "amount": { "min": "0.01", "max": "10000" }, "currency": "EUR",
                    "vendor": { "one_of": ["acme", "globex"] }, "note": "*",
                },
            }),
            json!({ "service": "erp", "action": "purchase_order:read" }),
            json!({ "service": "erp", "action": "invoice:*", "resource": "eu/*" }),
            json!({ "service": "crm", "action": "contact:*" }),
            json!({ "service": "ledger", "action": "entry:read" }),
        ],
    }
}

/// The private key as PKCS#8, the only form that the library accepts: for Ed25519, a constant followed by the
/// key.
fn signing(key: &SigningKey) -> EncodingKey {
    const BEFORE_THE_KEY: [u8; 16] = [
        0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20,
    ];
    EncodingKey::from_ed_der(&[&BEFORE_THE_KEY[..], key.as_bytes()].concat())
}
