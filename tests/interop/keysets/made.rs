//! Keysets of the fixed root key, as an issuer signs them and as it would not.

use bailiwick_testkit::{ISSUER, Root, SERVICE, claims, forge::Forge, now, toml};
use bailiwick_token::{
    claims::{Claims, TokenId},
    dsse::Envelope,
    key::KeyId,
    keyset::{Keyset, PAYLOAD_TYPE, RootKey, Tombstone},
};
use ed25519_dalek::SigningKey;

use super::{super::file::FORMAT, Case, Keysets, accepted, refused, strict, values};

pub(super) fn made() -> Keysets {
    let root = Root::fixed();
    let named = Claims {
        token_id: TokenId::from_bytes([0x10; 16]),
        ..claims()
    };
    let grants = toml(&bailiwick_testkit::grant(SERVICE, "order"));
    let mut cases = accepted::all();
    cases.extend(refused::all());
    cases.extend(strict::all());
    cases.extend(values::all());
    Keysets {
        format: FORMAT,
        about: "Signed keysets: whether a verifier accepts each, and what it then decides"
            .to_owned(),
        service: SERVICE.to_owned(),
        token: Forge::copy(&root, &root.mint_with(&named, &grants), 10).text(),
        call: r#"{"action":"order"}"#.to_owned(),
        cases,
    }
}

pub(super) fn case(name: &str, about: &str, file: &str, decision: &str) -> Case {
    Case {
        name: name.to_owned(),
        about: about.to_owned(),
        time: now(),
        keyset_key: Root::fixed().keyset_public().to_string(),
        in_use: None,
        file: file.to_owned(),
        refused: None,
        decision: Some(decision.to_owned()),
    }
}

/// A keyset of the fixed root key, changed and then signed.
pub(super) fn signed(change: impl FnOnce(&mut Keyset)) -> String {
    let root = Root::fixed();
    let mut keyset = root.keyset();
    change(&mut keyset);
    keyset.sign(&root.keyset_key).to_json()
}

/// Like [`signed`], but changed as text, in ways that the type excludes.
pub(super) fn signed_text(from: &str, to: &str) -> String {
    let payload = signed_payload(from, to);
    Envelope::sign(PAYLOAD_TYPE, payload, &Root::fixed().keyset_key).to_json()
}

pub(super) fn signed_payload(from: &str, to: &str) -> Vec<u8> {
    let text = serde_json::to_string(&Root::fixed().keyset()).expect("JSON");
    assert!(text.contains(from), "{from} is not in {text}");
    text.replace(from, to).into_bytes()
}

pub(super) fn stranger() -> RootKey {
    listed(3)
}

/// Another key of the issuer, made from this seed.
pub(super) fn listed(seed: u8) -> RootKey {
    let public = bailiwick_testkit::root::public(&SigningKey::from_bytes(&[seed; 32]));
    RootKey {
        id: KeyId::derive(ISSUER, &public),
        public,
        ..Root::fixed().listed()
    }
}

pub(super) fn tombstone(id: KeyId) -> Tombstone {
    Tombstone {
        id,
        revoked_at: now().minus(600),
        reason: "laptop lost".to_owned(),
    }
}
