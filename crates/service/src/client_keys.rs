//! Public keys of clients: reading them from files, registering them, and verifying assertions with them.

use aws_lc_rs::{rsa::PublicKey as RsaPublicKey, signature::RsaPublicKeyComponents};
use bailiwick_issuer::{ClientError, ClientKey, NewClientKey};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use rustls::pki_types::{SubjectPublicKeyInfoDer, pem::PemObject};
use serde_json::{Map, Value, json};

use crate::provider::jwks::{JwtKey, KeySet};

/// Maximum length of a file with keys, in bytes.
pub const MAX_KEY_FILE: usize = 64 * 1024;

/// The bytes before the key itself in a `SubjectPublicKeyInfo` of Ed25519 (RFC 8410, section 4).
const ED25519: &[u8] = b"\x30\x2a\x30\x05\x06\x03\x2b\x65\x70\x03\x21\x00";

/// The bytes before an uncompressed point of P-256 (RFC 5480, section 2).
const P256: &[u8] =
    b"\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07\x03\x42\x00\x04";

/// The bytes before an uncompressed point of P-384.
const P384: &[u8] =
    b"\x30\x76\x30\x10\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x05\x2b\x81\x04\x00\x22\x03\x62\x00\x04";

/// The error of keys that cannot be registered.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientKeyError {
    /// The file contains none of the accepted forms.
    #[error(
        "it is neither a public key in PEM nor a JSON Web Key (Set); `openssl pkey -in PRIVATE -pubout` writes the public half of a private key"
    )]
    Form,
    /// The file contains a private key, which only the client may have.
    #[error(
        "it contains a private key, which only the client may have; give the public half, which `openssl pkey -in PRIVATE -pubout` writes"
    )]
    Private,
    /// One of several keys cannot be used.
    #[error(
        "key number {place} cannot be registered ({reason}); give the public half of an Ed25519, P-256, P-384 or RSA key for signatures"
    )]
    Unusable {
        /// Position of the key, counted from 1.
        place: usize,
        /// The reason why the key cannot be registered.
        reason: String,
    },
    /// The issuer refuses the key.
    #[error(transparent)]
    Client(#[from] ClientError),
}

/// Reads the keys in a file: a public key in PEM (`SubjectPublicKeyInfo`), a JSON Web Key, or a JSON Web Key Set.
///
/// # Errors
/// [`ClientKeyError`] if the file is none of these, or contains a private key.
pub fn read_file(text: &[u8]) -> Result<Vec<Map<String, Value>>, ClientKeyError> {
    let text = std::str::from_utf8(text).map_err(|_| ClientKeyError::Form)?;
    if text.contains("PRIVATE KEY-----") {
        return Err(ClientKeyError::Private);
    }
    if let Ok(pem) = SubjectPublicKeyInfoDer::from_pem_slice(text.as_bytes()) {
        return Ok(vec![jwk_of(&pem).ok_or(ClientKeyError::Form)?]);
    }
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|_| ClientKeyError::Form)?;
    let Some(keys) = object.get("keys") else {
        return Ok(vec![object]);
    };
    let keys = keys.as_array().ok_or(ClientKeyError::Form)?.iter();
    let objects = keys.map(|key| key.as_object().cloned());
    objects.collect::<Option<_>>().ok_or(ClientKeyError::Form)
}

/// Checks that each key can verify assertions. Unlike in a provider's key set, one unusable key makes all of
/// them fail, because the operator expects every registered key to work.
///
/// # Errors
/// [`ClientKeyError`] for the first key that cannot be used.
pub fn new_keys(keys: Vec<Map<String, Value>>) -> Result<Vec<NewClientKey>, ClientKeyError> {
    let check = |(index, jwk): (usize, Map<String, Value>)| {
        let place = index.saturating_add(1);
        let key = JwtKey::read(&Value::Object(jwk)).map_err(|reason| ClientKeyError::Unusable {
            place,
            reason: reason.to_string(),
        })?;
        let key = NewClientKey::new(key.to_jwk());
        key.map_err(|error| ClientKeyError::Unusable {
            place,
            reason: error.to_string(),
        })
    };
    keys.into_iter().enumerate().map(check).collect()
}

/// Returns the registered keys as a set that verifies a client's assertions, with their ids in the same order.
pub(crate) fn of(keys: &[ClientKey]) -> (Vec<String>, KeySet) {
    // Each key was read in the same way at registration. A key that can no longer be read verifies nothing.
    let read = keys.iter().filter_map(|key| {
        let jwk = JwtKey::read(&Value::Object(key.jwk.clone())).ok()?;
        Some((key.id.clone(), jwk))
    });
    let (ids, keys) = read.unzip();
    (ids, KeySet::of(keys))
}

/// Converts the key in a `SubjectPublicKeyInfo` to a JSON Web Key.
fn jwk_of(spki: &[u8]) -> Option<Map<String, Value>> {
    let text = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
    let point = |curve: &str, point: &[u8]| {
        let (x, y) = point.split_at(point.len() / 2);
        json!({ "kty": "EC", "crv": curve, "x": text(x), "y": text(y) })
    };
    let jwk = if let Some(key) = spki.strip_prefix(ED25519) {
        json!({ "kty": "OKP", "crv": "Ed25519", "x": text(key) })
    } else if let Some(key) = spki.strip_prefix(P256) {
        point("P-256", key)
    } else if let Some(key) = spki.strip_prefix(P384) {
        point("P-384", key)
    } else {
        let key = RsaPublicKey::from_der(spki).ok()?;
        let RsaPublicKeyComponents { n, e } = RsaPublicKeyComponents::<Vec<u8>>::from(&key);
        json!({ "kty": "RSA", "n": text(&n), "e": text(&e) })
    };
    jwk.as_object().cloned()
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// The example keys of RFC 8410 (section 10.1) and RFC 9500 (section 2.3).
    const PEMS: [(&str, &str); 2] = [
        (
            "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n-----END PUBLIC KEY-----\n",
            "OKP",
        ),
        (
            "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQiVI+I+3gv+17KN0RFLHKh5Vj71vc75eSOkyMsxFxbFsTNEMTLjVuKFxOelIgsiZJXKZNCX0FBmrfpCkKklCcg==\n-----END PUBLIC KEY-----\n",
            "EC",
        ),
    ];

    #[test]
    fn public_keys_are_read_in_each_form() {
        for (pem, kty) in PEMS {
            let jwks = read_file(pem.as_bytes()).unwrap();
            let jwk = jwks.first().unwrap();
            assert_eq!(jwk["kty"], kty);
            let key = new_keys(jwks.clone()).unwrap().remove(0);
            // All of these forms contain the same key, whatever else they state.
            for text in [
                json!(jwk).to_string(),
                json!({ "keys": [jwk] }).to_string(),
                format!("\n{}", json!({ "keys": [jwk], "more": 1 })),
            ] {
                let again = new_keys(read_file(text.as_bytes()).unwrap()).unwrap();
                assert_eq!(again, std::slice::from_ref(&key));
            }
            let mut named = jwk.clone();
            named.extend([
                ("kid".to_owned(), json!("2026-11")),
                ("use".to_owned(), json!("sig")),
                ("x5c".to_owned(), json!(["..."])),
            ]);
            let named = new_keys(vec![named]).unwrap().remove(0);
            assert_eq!(named.id(), key.id());
            assert_ne!(named, key);
        }
    }

    #[test]
    fn unusable_keys_are_refused() {
        for (text, says) in [
            ("", "neither a public key"),
            (
                "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
                "neither a public key",
            ),
            (
                "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
                "neither a public key",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n",
                "contains a private key",
            ),
            (
                "-----BEGIN EC PRIVATE KEY-----\nAAAA\n-----END EC PRIVATE KEY-----\n",
                "contains a private key",
            ),
            ("[]", "neither a public key"),
            (r#"{"keys":{}}"#, "neither a public key"),
            (r#"{"keys":[1]}"#, "neither a public key"),
            (
                r#"{"kty":"oct","k":"AAAA"}"#,
                "number 1 cannot be registered (it is a shared secret",
            ),
            (
                r#"{"keys":[{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE"},{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE","d":"AAAA"}]}"#,
                "number 2 cannot be registered (its private half",
            ),
            (
                r#"{"kty":"EC","crv":"P-521","x":"AAAA","y":"AAAA"}"#,
                "the curve `P-521`",
            ),
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE","use":"enc"}"#,
                "not for signatures",
            ),
            (
                r#"{"kty":"OKP","crv":"Ed25519","x":"Gb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE","kid":"a b"}"#,
                "visible ASCII",
            ),
        ] {
            let error = match read_file(text.as_bytes()) {
                Ok(keys) => new_keys(keys).unwrap_err(),
                Err(error) => error,
            };
            assert!(error.to_string().contains(says), "{text}: {error}");
        }
    }
}
