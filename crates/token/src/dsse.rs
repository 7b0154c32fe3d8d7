//! Signed files: DSSE v1 envelopes with Ed25519.
//!
//! A signature covers the payload's exact bytes and its type (<https://github.com/secure-systems-lab/dsse>,
//! `protocol.md` and `envelope.md`). So a payload is parsed only after its signature has been verified, and
//! needs no canonical form.

use std::fmt;

use base64::{
    Engine,
    alphabet::{STANDARD, URL_SAFE},
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};
use ed25519_dalek::{Signer, SigningKey};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Visitor};

use crate::{escape::code, json, key::PublicKey};

/// The longest envelope that [`Envelope::parse`] reads, in bytes.
pub const MAX_ENVELOPE: usize = 4 << 20;

/// Maximum number of signatures in an envelope, because each costs a verification.
pub const MAX_SIGNATURES: usize = 8;

/// A payload, its type, and signatures over both. Nothing in an envelope can be trusted before
/// [`Envelope::open`] has verified a signature.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Envelope {
    /// The media type of the payload.
    #[serde(rename = "payloadType")]
    pub payload_type: String,
    /// The bytes that were signed.
    #[serde(with = "base64_text")]
    pub payload: Vec<u8>,
    /// The signatures. [`Envelope::open`] accepts the envelope if any one of them verifies.
    pub signatures: Vec<Signature>,
}

/// One signature of an envelope.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signature {
    /// An unsigned hint for people: the text form of the public key. No decision depends on it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub keyid: String,
    /// The 64 bytes of an Ed25519 signature over [`pae`].
    #[serde(with = "base64_text")]
    pub sig: Vec<u8>,
}

impl Envelope {
    /// Reads the JSON form, of at most [`MAX_ENVELOPE`] bytes. Unknown members are ignored, as the
    /// specification requires.
    ///
    /// # Errors
    /// [`EnvelopeError::TooLarge`], [`EnvelopeError::TooManySignatures`] or
    /// [`EnvelopeError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Envelope, EnvelopeError> {
        Envelope::parse_bounded(json, MAX_ENVELOPE)
    }

    /// Like [`Envelope::parse`], but reads at most `limit` bytes.
    ///
    /// # Errors
    /// As for [`Envelope::parse`].
    pub fn parse_bounded(json: &[u8], limit: usize) -> Result<Envelope, EnvelopeError> {
        // Checked before parsing, which allocates in proportion to the text.
        if json.len() > limit {
            return Err(EnvelopeError::TooLarge { limit });
        }
        let envelope: Envelope =
            json::from_slice(json).map_err(|error| EnvelopeError::Malformed {
                looks: looks_like(json, &error),
                message: error.to_string(),
            })?;
        if envelope.signatures.len() > MAX_SIGNATURES {
            return Err(EnvelopeError::TooManySignatures);
        }
        Ok(envelope)
    }

    /// Signs `payload` as a payload of type `payload_type`.
    #[must_use]
    pub fn sign(payload_type: &str, payload: Vec<u8>, key: &SigningKey) -> Envelope {
        let sig = key.sign(&pae(payload_type, &payload)).to_bytes().to_vec();
        let keyid = format!("ed25519/{}", hex::encode(key.verifying_key().as_bytes()));
        Envelope {
            payload_type: payload_type.to_owned(),
            payload,
            signatures: vec![Signature { keyid, sig }],
        }
    }

    /// Returns the payload if `key` signed it with the type `payload_type`.
    ///
    /// # Errors
    /// [`EnvelopeError::WrongType`] or [`EnvelopeError::NotSigned`].
    pub fn open(&self, payload_type: &str, key: &PublicKey) -> Result<&[u8], EnvelopeError> {
        // One key signs keysets, heads and snapshots. The type keeps one from being read as another.
        if self.payload_type != payload_type {
            return Err(EnvelopeError::WrongType {
                found: self.payload_type.clone(),
                expected: payload_type.to_owned(),
            });
        }
        // The key ids are not read: they are unsigned, so each signature is tried against the trusted key.
        // Strict verification refuses weak keys, under which one signature fits many messages.
        let message = pae(payload_type, &self.payload);
        let signed = self
            .signatures
            .iter()
            .take(MAX_SIGNATURES)
            .any(|signature| {
                // A signature of another form may be for another verifier, and does not invalidate the others.
                ed25519_dalek::Signature::from_slice(&signature.sig)
                    .is_ok_and(|sig| key.verifying_key().verify_strict(&message, &sig).is_ok())
            });
        if signed {
            Ok(&self.payload)
        } else {
            Err(EnvelopeError::NotSigned {
                key: key.to_string(),
            })
        }
    }

    /// The JSON form, on one line. Equal envelopes have equal text.
    #[must_use]
    pub fn to_json(&self) -> String {
        // JSON is UTF-8 by construction.
        String::from_utf8(to_json(self)).unwrap_or_default()
    }
}

/// The pre-authentication encoding (`protocol.md`): the bytes that are signed. The encoding is unambiguous,
/// because each part is preceded by its length.
#[must_use]
pub fn pae(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!(
        "DSSEv1 {} {payload_type} {} ",
        payload_type.len(),
        payload.len()
    );
    [head.as_bytes(), payload].concat()
}

/// Writes a value made of structures, lists, text and numbers as JSON, which `serde_json` can always do. If
/// `serde_json` failed nevertheless, the text would be empty, and every reader would refuse it.
pub(crate) fn to_json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// The reason for refusing an envelope.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum EnvelopeError {
    /// The file is too long. Nothing in it was parsed.
    TooLarge {
        /// The limit, in bytes.
        limit: usize,
    },
    /// The text is not the JSON form of an envelope.
    Malformed {
        /// The kind of file that the text seems to be, such as `a token`, if its first bytes show it.
        looks: Option<&'static str>,
        /// The parser's message.
        message: String,
    },
    /// The envelope has more than [`MAX_SIGNATURES`] signatures.
    TooManySignatures,
    /// The signed file is of another kind.
    WrongType {
        /// The type that the envelope states.
        found: String,
        /// The type that the caller expected.
        expected: String,
    },
    /// None of the signatures verifies under the key.
    NotSigned {
        /// The trusted key.
        key: String,
    },
}

impl EnvelopeError {
    /// Returns the message about a file of this kind, such as `keyset`.
    ///
    /// ```
    /// # use bailiwick_token::dsse::Envelope;
    /// let error = Envelope::parse(b"ed25519/d75a").unwrap_err();
    /// assert_eq!(
    ///     error.of("keyset").to_string(),
    ///     "the file is not a signed keyset but looks like a public key; give the signed keyset"
    /// );
    /// ```
    pub fn of<'a>(&'a self, kind: &'a str) -> impl fmt::Display + 'a {
        fmt::from_fn(move |f| match self {
            EnvelopeError::TooLarge { limit } => write!(
                f,
                "the file is longer than the {limit} bytes of the longest signed {kind}; check that it is the right file"
            ),
            EnvelopeError::Malformed {
                looks: Some(looks), ..
            } => write!(
                f,
                "the file is not a signed {kind} but looks like {looks}; give the signed {kind}"
            ),
            EnvelopeError::Malformed { message, .. } => write!(
                f,
                "the file is not a signed {kind} ({message}); check that it is the right file and complete"
            ),
            EnvelopeError::TooManySignatures => write!(
                f,
                "the signed {kind} has more than {MAX_SIGNATURES} signatures; fetch the {kind} again from its issuer"
            ),
            EnvelopeError::WrongType { found, .. } => match kind_of(found) {
                Some(found) => write!(
                    f,
                    "the file is a signed {found} and not a signed {kind}; give the signed {kind}"
                ),
                None => write!(
                    f,
                    "the file is signed data of the type {} and not a signed {kind}; give the signed {kind}",
                    code(found)
                ),
            },
            EnvelopeError::NotSigned { key } => write!(
                f,
                "the {kind} is not signed by `{key}`; check that this is the keyset key of the issuer, and fetch the {kind} again"
            ),
        })
    }
}

impl fmt::Display for EnvelopeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.of("file").fmt(f)
    }
}

impl std::error::Error for EnvelopeError {}

/// The kind of file that a payload type of this product names: `keyset` for `application/vnd.bailiwick.keyset.v1+json`.
fn kind_of(payload_type: &str) -> Option<&str> {
    let kind = payload_type
        .strip_prefix("application/vnd.bailiwick.")?
        .strip_suffix(".v1+json")?;
    match kind {
        "head" => Some("head of the revocations"),
        "snapshot" => Some("snapshot of the revocations"),
        "checkpoint" => Some("checkpoint of the audit"),
        "keyset" | "backup" => Some(kind),
        _ => None,
    }
}

/// The kind of file that the bytes seem to be, where that can be told without parsing them.
fn looks_like(bytes: &[u8], error: &serde_json::Error) -> Option<&'static str> {
    let text = bytes.trim_ascii();
    let is_base64url = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    Some(match text.first()? {
        _ if text.starts_with(b"-----BEGIN ") => "a PEM file",
        _ if text.starts_with(b"ed25519/") => "a public key",
        // A Biscuit is a protobuf message, which begins with field 1 or 2.
        b'C' | b'E' if text.len() > 100 && text.iter().all(is_base64url) => "a token",
        b'{' if error.is_eof() => "a signed file that was cut off",
        b'{' if text.contains(&b'\n') && error.is_syntax() => "a file with several lines of JSON",
        _ => return None,
    })
}

/// Bytes as base64 text, written in the standard alphabet and read in either, as the specification requires.
mod base64_text {
    use super::*;

    const LENIENT: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    const STANDARD_TEXT: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
    const URL_SAFE_TEXT: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD_TEXT.encode(bytes))
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        deserializer.deserialize_str(Text)
    }

    /// Decodes the text in place, without copying it first.
    struct Text;

    impl Visitor<'_> for Text {
        type Value = Vec<u8>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("base64 text")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Vec<u8>, E> {
            STANDARD_TEXT
                .decode(text)
                .or_else(|_| URL_SAFE_TEXT.decode(text))
                .map_err(|_| E::custom("not base64"))
        }
    }
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]
mod tests {
    use super::*;

    fn key() -> (SigningKey, PublicKey) {
        let key = SigningKey::from_bytes(&[7; 32]);
        let public = PublicKey::try_from(key.verifying_key()).unwrap();
        (key, public)
    }

    #[test]
    fn encodes_as_the_specification_shows() {
        let shown = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world";
        assert_eq!(pae("http://example.com/HelloWorld", b"hello world"), shown);
    }

    #[test]
    fn only_the_signed_payload_is_returned() {
        let (key, public) = key();
        let envelope = Envelope::sign("a/b", b"payload".to_vec(), &key);
        let read = Envelope::parse(envelope.to_json().as_bytes()).unwrap();
        assert_eq!(read, envelope);
        assert_eq!(read.open("a/b", &public), Ok(b"payload".as_slice()));
        assert!(matches!(
            read.open("a/c", &public),
            Err(EnvelopeError::WrongType { .. })
        ));

        let other = PublicKey::try_from(SigningKey::from_bytes(&[8; 32]).verifying_key()).unwrap();
        assert_eq!(
            read.open("a/b", &other),
            Err(EnvelopeError::NotSigned {
                key: other.to_string()
            })
        );
        let mut changed = read.clone();
        changed.payload[0] ^= 1;
        assert!(changed.open("a/b", &public).is_err());
        let mut retyped = read.clone();
        retyped.payload_type = "a/c".to_owned();
        assert!(retyped.open("a/c", &public).is_err());
        for cut in 0..64 {
            let mut short = read.clone();
            short.signatures[0].sig.truncate(cut);
            assert!(short.open("a/b", &public).is_err());
        }
        let mut unsigned = read;
        unsigned.signatures.clear();
        assert!(unsigned.open("a/b", &public).is_err());
    }

    #[test]
    fn any_one_signature_is_enough_whatever_its_hint() {
        let (key, public) = key();
        let mut envelope = Envelope::sign("t", vec![1], &SigningKey::from_bytes(&[9; 32]));
        envelope
            .signatures
            .extend(Envelope::sign("t", vec![1], &key).signatures);
        for signature in &mut envelope.signatures {
            signature.keyid.clear();
        }
        assert_eq!(envelope.open("t", &public), Ok([1].as_slice()));
    }

    #[test]
    fn wrong_files_are_named() {
        let token = format!("C{}\n", "Ab-_".repeat(40));
        let keyset = Envelope::sign(
            "application/vnd.bailiwick.keyset.v1+json",
            b"{}".to_vec(),
            &key().0,
        );
        let cut = &keyset.to_json()[..40];
        for (file, found) in [
            (token.as_str(), "looks like a token"),
            ("-----BEGIN PUBLIC KEY-----\n", "looks like a PEM file"),
            ("ed25519/d75a", "looks like a public key"),
            (cut, "looks like a signed file that was cut off"),
            ("{}\n{}\n", "is not a signed head"),
            ("", "is not a signed head"),
            ("issuer = 1", "is not a signed head"),
        ] {
            let error = Envelope::parse(file.as_bytes()).unwrap_err();
            let text = error.of("head").to_string();
            assert!(
                text.contains(found) && text.contains("signed head"),
                "{text}"
            );
        }
        let error = keyset
            .open("application/vnd.bailiwick.head.v1+json", &key().1)
            .unwrap_err();
        assert_eq!(
            error.of("head of the revocations").to_string(),
            "the file is a signed keyset and not a signed head of the revocations; give the signed head of the revocations"
        );
    }

    #[test]
    fn reads_both_alphabets_and_ignores_what_it_does_not_know() {
        let json = br#"{"payload":"_-8","payloadType":"t","x":{},"signatures":[{"sig":"\/+8="}]}"#;
        let envelope = Envelope::parse(json).unwrap();
        assert_eq!(
            (
                envelope.payload.as_slice(),
                envelope.signatures[0].sig.as_slice()
            ),
            (&[255, 239][..], &[255, 239][..])
        );
        for bad in [
            &b"{}"[..],
            b"[]",
            br#"{"payload":"!","payloadType":"","signatures":[]}"#,
            b"{\"payload\":\"\"",
        ] {
            assert!(matches!(
                Envelope::parse(bad),
                Err(EnvelopeError::Malformed { .. })
            ));
        }
        assert!(matches!(
            Envelope::parse_bounded(json, 10),
            Err(EnvelopeError::TooLarge { limit: 10 })
        ));
        let many = Envelope {
            signatures: vec![envelope.signatures[0].clone(); 9],
            ..envelope
        };
        assert_eq!(
            Envelope::parse(many.to_json().as_bytes()),
            Err(EnvelopeError::TooManySignatures)
        );
    }
}
