//! Keysets that must not be used.

use bailiwick_testkit::{ISSUER, Root};
use bailiwick_token::{
    dsse::Envelope,
    key::KeyId,
    keyset::{KeyState, PAYLOAD_TYPE, RootKey},
    revocation::HEAD_TYPE,
};
use ed25519_dalek::{Signer, SigningKey};

use super::{
    Case,
    made::{case, signed, signed_payload, signed_text, stranger, tombstone},
};

pub(super) fn all() -> Vec<Case> {
    let root = Root::fixed();
    let bare = root.keyset().sign(&root.keyset_key);
    let other_key = root.keyset().sign(&SigningKey::from_bytes(&[9; 32]));
    let mut unsigned = bare.clone();
    unsigned.signatures.clear();
    let mut changed = bare.clone();
    changed.payload = signed_payload("\"version\":1", "\"version\":2");
    let mut payload_only = bare.clone();
    payload_only.signatures[0].sig = root.keyset_key.sign(&bare.payload).to_bytes().to_vec();
    let head = Envelope::sign(HEAD_TYPE, bare.payload.clone(), &root.keyset_key);
    let mut retyped = head.clone();
    retyped.payload_type = PAYLOAD_TYPE.to_owned();
    let fork = signed(|keyset| keyset.refresh_hint = 31);
    let others = signed(|keyset| {
        keyset.issuer = "https://other.example".to_owned();
        keyset.keys[0].id = KeyId::derive(&keyset.issuer, &root.public());
        keyset.version = 9;
    });
    let not = |name, about, file: &str, fault| refused_case(name, about, file, fault, None);
    let instead = |name, about, file: &str, fault, used: &str| {
        refused_case(name, about, file, fault, Some(used.to_owned()))
    };
    vec![
        not(
            "wrong-signature",
            "signed by another key than the one that is configured",
            &other_key.to_json(),
            "not_signed",
        ),
        not(
            "unsigned",
            "no signature",
            &unsigned.to_json(),
            "not_signed",
        ),
        not(
            "changed",
            "the payload was changed after it was signed",
            &changed.to_json(),
            "not_signed",
        ),
        not(
            "payload-signed-alone",
            "a signature over the payload without its type",
            &payload_only.to_json(),
            "not_signed",
        ),
        not(
            "of-another-type",
            "the same key's signature over another type of file",
            &head.to_json(),
            "wrong_type",
        ),
        not(
            "retyped",
            "that signature under the type of a keyset",
            &retyped.to_json(),
            "not_signed",
        ),
        not(
            "no-envelope",
            "the payload without an envelope",
            &String::from_utf8(bare.payload).expect("JSON"),
            "malformed",
        ),
        instead(
            "rolled-back",
            "a lower version than the one in use",
            &signed(|_| ()),
            "rollback",
            &signed(|keyset| keyset.version = 2),
        ),
        instead(
            "fork",
            "the version in use with other bytes",
            &fork,
            "fork",
            &signed(|_| ()),
        ),
        instead(
            "another-issuer",
            "the keyset of another issuer, signed by the same keyset key",
            &others,
            "other_issuer",
            &signed(|_| ()),
        ),
        not(
            "wrong-id",
            "an id that is not derived from issuer and key",
            &signed(|keyset| keyset.keys[0].id = KeyId::from_u32(1)),
            "wrong_id",
        ),
        not(
            "two-active",
            "two active keys",
            &signed(|keyset| {
                keyset.keys.push(RootKey {
                    state: KeyState::Active,
                    ..stranger()
                })
            }),
            "many_active",
        ),
        not(
            "key-twice",
            "one key twice",
            &signed(|keyset| {
                keyset.keys.push(RootKey {
                    state: KeyState::Staged,
                    ..root.listed()
                })
            }),
            "duplicate",
        ),
        not(
            "key-with-tombstone",
            "a key that also has a tombstone",
            &signed(|keyset| keyset.tombstones.push(tombstone(root.key_id()))),
            "duplicate",
        ),
        not(
            "no-life",
            "it expires in the second in which it was issued",
            &signed(|keyset| keyset.expires = keyset.issued_at),
            "no_life",
        ),
        not(
            "no-issuer",
            "no issuer's name",
            &signed_text(ISSUER, ""),
            "malformed",
        ),
        not(
            "unknown-algorithm",
            "a key of another algorithm",
            &signed_text("\"ed25519\"", "\"p256\""),
            "malformed",
        ),
        not(
            "unknown-state",
            "a key in an unknown state",
            &signed_text("\"active\"", "\"dormant\""),
            "malformed",
        ),
    ]
}

pub(super) fn refused_case(
    name: &str,
    about: &str,
    file: &str,
    fault: &str,
    in_use: Option<String>,
) -> Case {
    Case {
        in_use,
        refused: Some(fault.to_owned()),
        decision: None,
        ..case(name, about, file, "")
    }
}
