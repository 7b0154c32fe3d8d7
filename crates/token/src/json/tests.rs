//! Tests with forged documents, in which structures are arrays.

use std::{collections::BTreeMap, fmt};

use ed25519_dalek::SigningKey;
use serde::{
    Deserialize, Serialize,
    de::{DeserializeOwned, MapAccess, Visitor},
};
use serde_json::{Value, value::RawValue};

use super::*;
use crate::{
    dsse::{Envelope, EnvelopeError},
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, KeysetError, RootKey, Tombstone},
    revocation::{Digest, Epoch, HEAD_TYPE, Head, HeadError, LineError, Revocation},
    timestamp::Timestamp,
};

/// The values of an object, in the order of its text.
struct Values(Vec<Value>);

impl<'de> Deserialize<'de> for Values {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Values, D::Error> {
        struct InOrder;
        impl<'de> Visitor<'de> for InOrder {
            type Value = Values;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Values, A::Error> {
                let mut values = Vec::new();
                while let Some((_, value)) = map.next_entry::<String, Value>()? {
                    values.push(value);
                }
                Ok(Values(values))
            }
        }
        deserializer.deserialize_map(InOrder)
    }
}

/// The array of a structure's values, which serde itself accepts.
fn array<T: Serialize + DeserializeOwned>(value: &T) -> Value {
    let text = serde_json::to_string(value).unwrap();
    let Values(values) = serde_json::from_str(&text).unwrap();
    let array = Value::Array(values);
    assert!(
        serde_json::from_value::<T>(array.clone()).is_ok(),
        "{array}"
    );
    array
}

fn signer() -> SigningKey {
    SigningKey::from_bytes(&[7; 32])
}

fn signed(payload_type: &str, payload: &Value) -> Vec<u8> {
    let payload = serde_json::to_vec(payload).unwrap();
    let envelope = Envelope::sign(payload_type, payload, &signer());
    envelope.to_json().into_bytes()
}

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn key() -> PublicKey {
    signer().verifying_key().try_into().unwrap()
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Outer {
    name: String,
    inner: Inner,
    many: Vec<Inner>,
    named: BTreeMap<String, Inner>,
    choice: Choice,
    maybe: Option<Inner>,
    pair: (u8, String),
    raw: Box<RawValueText>,
}

/// A raw value that can be compared.
#[derive(Debug, Serialize, Deserialize)]
#[serde(transparent)]
struct RawValueText(Box<RawValue>);

impl PartialEq for RawValueText {
    fn eq(&self, other: &RawValueText) -> bool {
        self.0.get() == other.0.get()
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Inner {
    number: u64,
    text: String,
}

#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Choice {
    Nothing,
    One(Inner),
    Named { inner: Inner, flag: bool },
}

fn outer(choice: Choice) -> Outer {
    let inner = Inner {
        number: 1,
        text: "a".to_owned(),
    };
    Outer {
        name: "outer".to_owned(),
        inner: inner.clone(),
        many: vec![inner.clone()],
        named: [("x".to_owned(), inner.clone())].into(),
        choice,
        maybe: Some(inner),
        pair: (1, "two".to_owned()),
        raw: Box::new(RawValueText(
            RawValue::from_string("[ 1,2]".to_owned()).unwrap(),
        )),
    }
}

#[test]
fn objects_are_read_as_ever() {
    let inner = Inner {
        number: u64::MAX,
        text: "\u{1f600}\n".to_owned(),
    };
    let named = Choice::Named {
        inner: inner.clone(),
        flag: true,
    };
    for choice in [Choice::Nothing, Choice::One(inner), named] {
        let value = outer(choice);
        let text = serde_json::to_string(&value).unwrap();
        assert_eq!(from_str::<Outer>(&text).unwrap(), value);
        assert_eq!(from_slice::<Outer>(text.as_bytes()).unwrap(), value);
        assert!(from_str::<Outer>(&format!("{text} x")).is_err());
    }
}

#[test]
fn no_structure_is_an_array() {
    let text = serde_json::to_value(outer(Choice::Nothing)).unwrap();
    for place in ["/inner", "/many/0", "/named/x", "/maybe"] {
        let mut forged = text.clone();
        *forged.pointer_mut(place).unwrap() = serde_json::json!([1, "a"]);
        let forged = forged.to_string();
        assert!(serde_json::from_str::<Outer>(&forged).is_ok(), "{place}");
        let error = from_str::<Outer>(&forged).unwrap_err().to_string();
        assert!(error.contains("invalid type: sequence"), "{place}: {error}");
    }
    for choice in [
        r#"{"one":[1,"a"]}"#,
        r#"{"named":[{"number":1,"text":"a"},true]}"#,
        r#"{"named":{"inner":[1,"a"],"flag":true}}"#,
    ] {
        assert!(serde_json::from_str::<Choice>(choice).is_ok(), "{choice}");
        assert!(from_str::<Choice>(choice).is_err(), "{choice}");
    }
    let whole = array(&outer(Choice::Nothing)).to_string();
    assert!(from_str::<Outer>(&whole).is_err());
}

#[test]
fn envelopes_are_objects() {
    let envelope = Envelope::sign("text/plain", b"a".to_vec(), &signer());
    let whole = array(&envelope).to_string();
    let mut inner = serde_json::to_value(&envelope).unwrap();
    inner["signatures"][0] = array(&envelope.signatures[0]);
    for forged in [whole, inner.to_string()] {
        let refused = Envelope::parse(forged.as_bytes());
        assert!(
            matches!(refused, Err(EnvelopeError::Malformed { .. })),
            "{forged}: {refused:?}"
        );
    }
    assert_eq!(Envelope::parse(envelope.to_json().as_bytes()), Ok(envelope));
}

#[test]
fn keysets_are_objects() {
    let issuer = "https://issuer.example";
    let keyset = Keyset {
        issuer: issuer.to_owned(),
        version: 3,
        issued_at: at(1_000),
        expires: at(2_000),
        refresh_hint: 30,
        max_token_ttl: 3_600,
        keys: vec![RootKey {
            id: KeyId::derive(issuer, &key()),
            alg: Algorithm::Ed25519,
            public: key(),
            state: KeyState::Active,
            not_after: Some(at(9_000)),
        }],
        tombstones: vec![Tombstone {
            id: KeyId::from_u32(7),
            revoked_at: at(900),
            reason: "laptop lost".to_owned(),
        }],
        revocation_url: Some("https://issuer.example/revocations".to_owned()),
    };
    let kind = keyset.sign(&signer()).payload_type;
    let honest = serde_json::to_value(&keyset).unwrap();
    assert!(Keyset::open(&signed(&kind, &honest), &key()).is_ok());
    let (mut root, mut tombstone) = (honest.clone(), honest);
    root["keys"][0] = array(&keyset.keys[0]);
    tombstone["tombstones"][0] = array(&keyset.tombstones[0]);
    for forged in [array(&keyset), root, tombstone] {
        let refused = Keyset::open(&signed(&kind, &forged), &key());
        assert!(
            matches!(refused, Err(KeysetError::Malformed(_))),
            "{forged}: {refused:?}"
        );
    }
}

#[test]
fn heads_are_objects() {
    let head = Head {
        issuer: "https://issuer.example".to_owned(),
        epoch: Epoch::from_bytes([1; 8]),
        seq: 4,
        keyset_version: 12,
        issued_at: at(1_000),
        expires: at(1_300),
        digest: Digest::from_bytes([2; 32]),
    };
    let honest = serde_json::to_value(&head).unwrap();
    assert_eq!(
        Head::open(&signed(HEAD_TYPE, &honest), &key()),
        Ok(head.clone())
    );
    let refused = Head::open(&signed(HEAD_TYPE, &array(&head)), &key());
    assert!(
        matches!(refused, Err(HeadError::Malformed(_))),
        "{refused:?}"
    );
}

#[test]
fn revocations_are_objects() {
    let line = format!(r#"["{}",null,null,null,null,null,null]"#, "0".repeat(32));
    let refused = Revocation::from_line(line.as_bytes());
    assert!(
        matches!(refused, Err(LineError::Malformed(_))),
        "{refused:?}"
    );
}
