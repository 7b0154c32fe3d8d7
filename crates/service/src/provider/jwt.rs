//! Parsing of JWTs, before anything in them is verified (RFC 7515, RFC 7519).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::error::{AssertionError, MAX_JWT};
use crate::algorithm::algorithm;

/// A JWT whose signature has not been verified.
pub(super) struct Jwt<'a> {
    pub(super) header: Header,
    pub(super) claims: Map<String, Value>,
    /// The signed text: header and claims as they were sent.
    message: &'a str,
    signature: &'a str,
}

/// The members of a JOSE header that are used: the algorithm, and the names of the signing key.
pub(super) struct Header {
    pub(super) alg: Algorithm,
    pub(super) kid: Option<String>,
    pub(super) x5t: Option<String>,
    pub(super) x5t_s256: Option<String>,
}

impl<'a> Jwt<'a> {
    /// Parses a JWT.
    pub(super) fn parse(token: &'a str) -> Result<Jwt<'a>, AssertionError> {
        if token.len() > MAX_JWT {
            return Err(AssertionError::Malformed);
        }
        let (message, signature) = token.rsplit_once('.').ok_or(AssertionError::Malformed)?;
        let (header, claims) = message.split_once('.').ok_or(AssertionError::Malformed)?;
        Ok(Jwt {
            header: Header::read(&object(header)?)?,
            claims: object(claims)?,
            message,
            signature,
        })
    }

    /// Returns true if this key signed it, by the algorithm in its header.
    pub(super) fn is_signed_by(&self, key: &DecodingKey) -> bool {
        let (signature, message) = (self.signature, self.message.as_bytes());
        crypto::verify(signature, message, key, self.header.alg).unwrap_or(false)
    }
}

impl Header {
    fn read(header: &Map<String, Value>) -> Result<Header, AssertionError> {
        let text = |name| match header.get(name) {
            Some(Value::String(text)) => Some(text.clone()).filter(|text| !text.is_empty()),
            // Some providers write the names of keys as numbers.
            Some(Value::Number(number)) => Some(number.to_string()),
            _ => None,
        };
        let alg = text("alg").ok_or(AssertionError::Malformed)?;
        let alg = algorithm(&alg).ok_or(AssertionError::Algorithm)?;
        // Extensions that a recipient must understand or refuse (RFC 7515, section 4.1.11).
        if ["crit", "enc", "zip"]
            .iter()
            .any(|name| header.contains_key(*name))
        {
            return Err(AssertionError::Header);
        }
        Ok(Header {
            alg,
            kid: text("kid"),
            x5t: text("x5t"),
            x5t_s256: text("x5t#S256"),
        })
    }
}

/// Decodes a JSON object in base64url. Of members with the same name the last one counts (RFC 7519, section 4).
fn object(part: &str) -> Result<Map<String, Value>, AssertionError> {
    let json = URL_SAFE_NO_PAD.decode(part);
    let json = json.map_err(|_| AssertionError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| AssertionError::Malformed)
}
