//! Keysets that are accepted, whether or not they then trust the token's root key.

use bailiwick_testkit::{Root, now};
use bailiwick_token::{
    keyset::{KeyState, PAYLOAD_TYPE},
    timestamp::Timestamp,
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use ed25519_dalek::SigningKey;

use super::{
    super::file::ALLOW,
    Case,
    made::{case, signed, signed_text, stranger, tombstone},
};

pub(super) fn all() -> Vec<Case> {
    let root = Root::fixed();
    let unknown = signed_text("\"version\":1", "\"later\":[1],\"version\":1");
    let unknown = unknown.replacen('{', "{\"more\":{},", 1);
    let mut two = root.keyset().sign(&SigningKey::from_bytes(&[9; 32]));
    two.signatures
        .extend(root.keyset().sign(&root.keyset_key).signatures);
    let after = |file: &str| Some(file.to_owned());
    let current = signed(|_| ());
    let newer = signed(|keyset| keyset.version = 2);
    vec![
        case("current", "the keyset of the issuer", &current, ALLOW),
        case(
            "unknown-members",
            "members that a reader does not know, in the envelope and in the payload",
            &unknown,
            ALLOW,
        ),
        case(
            "two-signatures",
            "a stranger's signature first: one signature must verify, whatever its `keyid`",
            &two.to_json(),
            ALLOW,
        ),
        case(
            "url-safe-base64",
            "the other alphabet of base64, no padding, no `keyid`",
            &url_safe(),
            ALLOW,
        ),
        Case {
            in_use: after(&current),
            ..case(
                "newer",
                "a higher version than the one in use",
                &newer,
                ALLOW,
            )
        },
        Case {
            in_use: after(&current),
            ..case("again", "the same bytes as those in use", &current, ALLOW)
        },
        case(
            "staged",
            "the key is published and does not sign yet",
            &signed(|keyset| keyset.keys[0].state = KeyState::Staged),
            ALLOW,
        ),
        case(
            "retiring",
            "the key no longer signs, and its tokens are still valid",
            &retiring(now().plus(1)),
            ALLOW,
        ),
        case(
            "retired",
            "the second in which the key's last token has expired",
            &retiring(now()),
            "unknown_key",
        ),
        case(
            "another-key",
            "the keyset lists another key only",
            &signed(|keyset| keyset.keys = vec![stranger()]),
            "unknown_key",
        ),
        case(
            "revoked-key",
            "the key has a tombstone",
            &signed(|keyset| {
                keyset.keys.clear();
                keyset.tombstones.push(tombstone(root.key_id()));
            }),
            "revoked_key",
        ),
        case(
            "last-second",
            "the keyset's last second",
            &ending(now().plus(1)),
            ALLOW,
        ),
        case(
            "expired",
            "the second in which the keyset expires: nothing is trusted",
            &ending(now()),
            "stale_keyset",
        ),
        case(
            "ahead-by-a-minute",
            "signed by a clock that is 60 seconds ahead, which is tolerated",
            &issued(now().plus(60)),
            ALLOW,
        ),
        case(
            "ahead",
            "signed by a clock that is 61 seconds ahead: a clock that was set back must not make old tokens valid",
            &issued(now().plus(61)),
            "stale_keyset",
        ),
    ]
}

fn url_safe() -> String {
    let root = Root::fixed();
    let envelope = root.keyset().sign(&root.keyset_key);
    let payload = URL_SAFE_NO_PAD.encode(&envelope.payload);
    let sig = URL_SAFE_NO_PAD.encode(&envelope.signatures[0].sig);
    assert!(
        sig.contains(['-', '_']),
        "nothing tells the alphabets apart"
    );
    format!(
        r#"{{"payload":"{payload}","payloadType":"{PAYLOAD_TYPE}","signatures":[{{"sig":"{sig}"}}]}}"#
    )
}

fn retiring(until: Timestamp) -> String {
    signed(|keyset| {
        keyset.keys[0].state = KeyState::Retiring;
        keyset.keys[0].not_after = Some(until);
    })
}

fn issued(at: Timestamp) -> String {
    signed(|keyset| keyset.issued_at = at)
}

fn ending(at: Timestamp) -> String {
    signed(|keyset| keyset.expires = at)
}
