//! Keysets in forms that some parsers repair and no issuer writes.

use bailiwick_testkit::{ISSUER, Root};
use bailiwick_token::{
    dsse::Envelope,
    key::KeyId,
    keyset::{KeyState, PAYLOAD_TYPE, RootKey},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use sha2::{Digest, Sha256};

use super::{
    super::file::ALLOW,
    Case,
    made::{case, listed, signed, signed_payload, signed_text, tombstone},
    refused::refused_case,
};

/// The identity point, which has small order. Under it, this point and a zero scalar are a signature of every message.
const IDENTITY: &str = "0100000000000000000000000000000000000000000000000000000000000000";

pub(super) fn all() -> Vec<Case> {
    let mut all = texts();
    all.extend(members());
    all.extend(keys());
    all
}

fn not(name: &str, about: &str, file: &str) -> Case {
    refused_case(name, about, file, "malformed", None)
}

/// Envelopes.
fn texts() -> Vec<Case> {
    let root = Root::fixed();
    let bare = root.keyset().sign(&root.keyset_key);
    let mut nine = bare.clone();
    nine.signatures = vec![bare.signatures[0].clone(); 9];
    let text = bare.to_json();
    let payload = STANDARD.encode(&bare.payload);
    let replaced = |from: &str, to: &str| {
        assert!(text.contains(from), "{from} is not in {text}");
        text.replacen(from, to, 1)
    };
    // The last character before the padding has bits that belong to no byte.
    let stem = payload.trim_end_matches('=');
    assert!(stem.len() < payload.len(), "no bits are left over");
    let (most, last) = stem.split_at(stem.len() - 1);
    let over = char::from(last.as_bytes()[0] + 1);
    let over = payload.replacen(stem, &format!("{most}{over}"), 1);
    let sig = STANDARD.encode(&bare.signatures[0].sig);
    let mixed = sig.replacen('+', "-", 1);
    assert!(
        mixed != sig && mixed.contains(['+', '/']),
        "{sig} has too few characters of one alphabet"
    );
    vec![
        not("nine-signatures", "one signature too many", &nine.to_json()),
        not(
            "bits-left-over",
            "base64 whose last character has bits that belong to no byte",
            &replaced(&payload, &over),
        ),
        not(
            "white-space-in-base64",
            "white space in base64",
            &replaced(&payload, &payload.replacen('e', "e ", 1)),
        ),
        not(
            "both-alphabets",
            "characters of both alphabets of base64 in one text",
            &replaced(&sig, &mixed),
        ),
        not(
            "payload-twice",
            "an envelope with two payloads",
            &replaced("{", "{\"payload\":\"e30=\","),
        ),
        not(
            "payload-of-another-type",
            "a payload that is a number",
            &replaced(&format!("\"{payload}\""), "5"),
        ),
        not(
            "byte-order-mark",
            "a byte order mark before the file",
            &format!("\u{feff}{text}"),
        ),
        not(
            "text-after-it",
            "text after the envelope",
            &format!("{text}{{}}"),
        ),
        not(
            "nested-deep",
            "arrays, ten thousand deep",
            &"[".repeat(10_000),
        ),
    ]
}

/// Members of the payload.
fn members() -> Vec<Case> {
    let changed = |from: &str, to: &str| signed_text(from, to);
    let issued = "\"2026-11-23T11:00:00Z\"";
    let end = "\"2026-11-24T12:00:00Z\"";
    let id = Root::fixed().key_id();
    let with_tombstone = |id: &str, at: &str| {
        let entry =
            format!("\"tombstones\":[{{\"id\":\"{id}\",\"revoked_at\":{at},\"reason\":\"lost\"}}]");
        changed("\"tombstones\":[]", &entry)
    };
    let stone = || tombstone(KeyId::from_u32(1));
    let mut cases: Vec<Case> = [
        (
            "version-twice",
            "two versions",
            "\"version\":1",
            "\"version\":9,\"version\":1",
        ),
        (
            "version-with-a-point",
            "a version that is not written as an integer",
            "\"version\":1",
            "\"version\":1.0",
        ),
        (
            "version-true",
            "a version that is a boolean",
            "\"version\":1",
            "\"version\":true",
        ),
        (
            "version-below-zero",
            "a negative version",
            "\"version\":1",
            "\"version\":-1",
        ),
        (
            "version-as-text",
            "a version that is text",
            "\"version\":1",
            "\"version\":\"1\"",
        ),
        (
            "version-beyond-64-bits",
            "a version of more than 64 bits",
            "\"version\":1",
            "\"version\":18446744073709551616",
        ),
        (
            "no-refresh-hint",
            "no `refresh_hint`",
            "\"refresh_hint\":30,",
            "",
        ),
        (
            "no-longest-life",
            "no `max_token_ttl`",
            "\"max_token_ttl\":3600,",
            "",
        ),
        ("no-keys", "no `keys`", "\"keys\":", "\"keyz\":"),
        (
            "null-for-tombstones",
            "null instead of a list",
            "\"tombstones\":[]",
            "\"tombstones\":null",
        ),
        (
            "fraction-of-a-second",
            "a time with a fraction of a second",
            end,
            "\"2026-11-24T12:00:00.5Z\"",
        ),
        (
            "time-without-an-offset",
            "a time without an offset",
            end,
            "\"2026-11-24T12:00:00\"",
        ),
        ("date-alone", "a date without a time", end, "\"2026-11-24\""),
        (
            "time-as-people-write-it",
            "a time of another form",
            end,
            "\"Nov 24 2026 12:00:00 UTC\"",
        ),
        (
            "time-as-a-number",
            "a time that is a number",
            end,
            "1795521600",
        ),
        (
            "day-that-is-none",
            "the thirtieth of February",
            end,
            "\"2027-02-30T12:00:00Z\"",
        ),
        (
            "end-of-a-key-as-a-word",
            "a `not_after` that is not a time",
            "\"state\":\"active\"",
            "\"state\":\"active\",\"not_after\":\"soon\"",
        ),
        (
            "half-a-character",
            "a lone surrogate in a name",
            ISSUER,
            "https:\\ud800",
        ),
    ]
    .map(|(name, about, from, to)| not(name, about, &changed(from, to)))
    .into();
    cases.extend([
        not(
            "upper-case-tombstone",
            "the id of a revoked key in upper case, which a comparison of texts would miss",
            &with_tombstone(&id.to_string().to_uppercase(), issued),
        ),
        not(
            "tombstone-of-a-word",
            "a `revoked_at` that is not a time",
            &with_tombstone("00000001", "\"soon\""),
        ),
        not("upper-case-key", "a key in upper case", &{
            let key = Root::fixed().public().to_string();
            let digits = key.trim_start_matches("ed25519/");
            changed(digits, &digits.to_uppercase())
        }),
        refused_case(
            "tombstone-twice",
            "one tombstone twice",
            &signed(|keyset| keyset.tombstones = vec![stone(), stone()]),
            "duplicate",
            None,
        ),
        refused_case(
            "sixty-five-keys",
            "one key too many",
            &signed(|keyset| keyset.keys.extend((10..74).map(staged))),
            "too_many",
            None,
        ),
        case(
            "sixty-four-keys",
            "the largest number of keys",
            &signed(|keyset| keyset.keys.extend((10..73).map(staged))),
            ALLOW,
        ),
        case(
            "nulls",
            "null for optional members",
            &changed(
                "\"state\":\"active\"",
                "\"state\":\"active\",\"not_after\":null",
            ),
            ALLOW,
        ),
        case(
            "largest-version",
            "the largest version of 64 bits",
            &changed("\"version\":1", "\"version\":18446744073709551615"),
            ALLOW,
        ),
    ]);
    cases
}

fn staged(seed: u8) -> RootKey {
    RootKey {
        state: KeyState::Staged,
        ..listed(seed)
    }
}

/// Keys under which anyone can sign.
fn keys() -> Vec<Case> {
    let root = Root::fixed();
    let digest = Sha256::new()
        .chain_update(ISSUER)
        .chain_update(hex::decode(IDENTITY).expect("hex"))
        .finalize();
    let key = root.public().to_string();
    let weak =
        String::from_utf8(signed_payload(&key, &format!("ed25519/{IDENTITY}"))).expect("JSON");
    let weak = weak.replace(&root.key_id().to_string(), &hex::encode(&digest[..4]));
    let weak = Envelope::sign(PAYLOAD_TYPE, weak.into_bytes(), &root.keyset_key).to_json();
    let mut by_nobody = root.keyset().sign(&root.keyset_key);
    let mut signature = hex::decode(IDENTITY).expect("hex");
    signature.extend([0; 32]);
    by_nobody.signatures[0].sig = signature;
    vec![
        not(
            "root-key-of-small-order",
            "a root key under which one signature fits every message",
            &weak,
        ),
        Case {
            keyset_key: format!("ed25519/{IDENTITY}"),
            ..not(
                "keyset-key-of-small-order",
                "a keyset key under which one signature fits every message, which must not be configured",
                &by_nobody.to_json(),
            )
        },
    ]
}
