//! Public keys of clients.

use bailiwick_token::timestamp::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::error::{ClientError, MAX_KID};

/// Maximum length of the value of a JWK member, in bytes. The modulus of an RSA key of 8192 bits has 1366.
const MAX_MEMBER: usize = 2_048;

/// Number of bytes of a thumbprint that make up an id.
const ID: usize = 8;

/// A registered public key, with which a client signs its own assertions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClientKey {
    /// The id of the key at this issuer: see [`NewClientKey::id`].
    pub id: String,
    /// The public key as a JSON Web Key (RFC 7517).
    pub jwk: Map<String, Value>,
    /// Time of registration.
    pub created_at: Timestamp,
}

impl ClientKey {
    /// The `kid` by which assertions refer to the key, if it was registered with one.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.jwk.get("kid").and_then(Value::as_str)
    }
}

/// A public key to be registered for a client.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewClientKey {
    id: String,
    jwk: Map<String, Value>,
}

impl NewClientKey {
    /// Takes a JSON Web Key in its plain form: the members that its type requires, all of them text, and
    /// optionally `kid` and `alg`. The caller must have checked that they form a valid public key.
    ///
    /// # Errors
    /// [`ClientError::Key`] for any other form. Members of private keys are never accepted.
    pub fn new(jwk: Map<String, Value>) -> Result<NewClientKey, ClientError> {
        let text = |name: &str| jwk.get(name).and_then(Value::as_str);
        let required: &[&str] = match text("kty") {
            Some("EC") => &["crv", "kty", "x", "y"],
            Some("OKP") => &["crv", "kty", "x"],
            Some("RSA") => &["e", "kty", "n"],
            _ => return Err(ClientError::Key),
        };
        let known =
            |name: &String| required.contains(&name.as_str()) || name == "kid" || name == "alg";
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        // The thumbprint of RFC 7638 puts these texts between quotes, so none may contain characters that must be
        // escaped.
        let sound = |name: &&str| {
            text(name).is_some_and(|text| {
                (1..=MAX_MEMBER).contains(&text.len()) && text.chars().all(plain)
            })
        };
        let named = match jwk.get("kid") {
            None => true,
            Some(Value::String(kid)) => {
                (1..=MAX_KID).contains(&kid.len()) && kid.chars().all(|c| c.is_ascii_graphic())
            }
            Some(_) => false,
        };
        let algorithm = !jwk.contains_key("alg") || sound(&"alg");
        if !jwk.keys().all(known) || !required.iter().all(sound) || !named || !algorithm {
            return Err(ClientError::Key);
        }
        let members = required
            .iter()
            .map(|name| format!("\"{name}\":\"{}\"", text(name).unwrap_or_default()));
        let canonical = format!("{{{}}}", members.collect::<Vec<_>>().join(","));
        let thumbprint = Sha256::digest(canonical);
        let id = hex::encode(thumbprint.get(..ID).unwrap_or_default());
        Ok(NewClientKey { id, jwk })
    }

    /// The beginning of the key's SHA-256 thumbprint (RFC 7638), in hex. The same key has the same id
    /// everywhere, whatever its `kid`.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The key as a JSON Web Key, in its plain form.
    #[must_use]
    pub fn jwk(&self) -> &Map<String, Value> {
        &self.jwk
    }

    /// Converts the key to the form in which it is stored.
    pub(super) fn registered(self, now: Timestamp) -> ClientKey {
        ClientKey {
            id: self.id,
            jwk: self.jwk,
            created_at: now,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn new(jwk: &Value) -> Result<NewClientKey, ClientError> {
        NewClientKey::new(jwk.as_object().unwrap().clone())
    }

    /// The example of RFC 7638, section 3.1, whose thumbprint is known.
    #[test]
    fn ids_are_thumbprints() {
        let modulus = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let jwk =
            json!({ "kty": "RSA", "n": modulus, "e": "AQAB", "alg": "RS256", "kid": "2011-04-29" });
        let key = new(&jwk).unwrap();
        // NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs
        assert_eq!(key.id(), "3736cbb1787cb830");
        assert_eq!(
            key.registered(Timestamp::from_unix(1).unwrap()).kid(),
            Some("2011-04-29")
        );
    }

    #[test]
    fn only_public_members_are_taken() {
        let with = |member: &str, value: Value| {
            let mut jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": "AAAA", "kid": "a" });
            jwk[member] = value;
            jwk
        };
        assert!(new(&with("alg", json!("EdDSA"))).is_ok());
        for jwk in [
            with("d", json!("AAAA")),
            with("use", json!("sig")),
            with("y", json!("AAAA")),
            with("kty", json!("oct")),
            with("kty", json!("EC")),
            with("x", json!("")),
            with("x", json!("A\"")),
            with("x", json!(7)),
            with("x", json!("A".repeat(MAX_MEMBER + 1))),
            with("kid", json!("")),
            with("kid", json!("a b")),
            with("kid", json!("a\n")),
            with("kid", json!("a".repeat(MAX_KID + 1))),
            with("kid", Value::Null),
            with("alg", json!("")),
        ] {
            assert!(matches!(new(&jwk), Err(ClientError::Key)), "{jwk}");
        }
    }
}
