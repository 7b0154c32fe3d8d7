//! Parsing of JWTs, before anything in them is verified (RFC 7515, RFC 7519).

use bailiwick_token::timestamp::Timestamp;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use super::error::{AssertionError, MAX_JWT};
use crate::algorithm::algorithm;

/// A JWT whose signature has not been verified.
pub(crate) struct Jwt<'a> {
    pub(crate) header: Header,
    pub(crate) claims: Map<String, Value>,
    /// The signed text: header and claims as they were sent.
    message: &'a str,
    signature: &'a str,
}

/// The members of a JOSE header that matter here: the algorithm, and the names of the signing key.
pub(crate) struct Header {
    pub(crate) alg: Algorithm,
    pub(crate) kid: Option<String>,
    pub(crate) x5t: Option<String>,
    pub(crate) x5t_s256: Option<String>,
}

impl<'a> Jwt<'a> {
    /// Parses a JWT.
    pub(crate) fn parse(token: &'a str) -> Result<Jwt<'a>, AssertionError> {
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

    /// Returns a claim that is a string.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.claims.get(name).and_then(Value::as_str)
    }

    /// Returns true if this key signed the JWT with the algorithm in its header.
    pub(crate) fn is_signed_by(&self, key: &DecodingKey) -> bool {
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

/// Decodes a JSON object in base64url. If members have the same name, the last one counts (RFC 7519, section
/// 4).
fn object(part: &str) -> Result<Map<String, Value>, AssertionError> {
    let json = URL_SAFE_NO_PAD.decode(part);
    let json = json.map_err(|_| AssertionError::Malformed)?;
    serde_json::from_slice(&json).map_err(|_| AssertionError::Malformed)
}

/// Reads a claim that is a time, if present.
///
/// # Errors
/// [`AssertionError::Claim`] if the claim is not a time.
pub(crate) fn time(
    claims: &Map<String, Value>,
    name: &'static str,
) -> Result<Option<Timestamp>, AssertionError> {
    match claims.get(name) {
        None => Ok(None),
        // A NumericDate may have a fraction (RFC 7519, section 2), which is cut off here.
        Some(Value::Number(number)) => number
            .as_u64()
            .or_else(|| {
                number
                    .as_f64()
                    .filter(|time| *time >= 0.0)
                    .map(|time| time as u64)
            })
            .and_then(Timestamp::from_unix)
            .map(Some)
            .ok_or(AssertionError::Claim(name)),
        Some(_) => Err(AssertionError::Claim(name)),
    }
}
