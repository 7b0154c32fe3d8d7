//! Keys and tokens that are trusted no more, and trust that is not what it says.

use bailiwick_token::{
    dsse::Envelope,
    key::KeyId,
    keyset::{self, Keyset, Tombstone},
    revocation::{self, Revocation, RevocationList, Target},
    token::Token,
};
use bailiwick_verifier::{RollbackError, Trust, Verifier};

use crate::{
    ALLOW, expect, order, outcome,
    support::{ISSUER, Root, SERVICE, forge::Forge, now},
};

pub(super) fn keyset_of(root: &Root, change: impl FnOnce(&mut Keyset)) -> String {
    let mut keyset = root.keyset();
    change(&mut keyset);
    keyset.sign(&root.keyset_key).to_json()
}

pub(super) fn list_of(targets: &[Target]) -> RevocationList {
    let entries = targets.iter().map(|target| Revocation {
        target: target.clone(),
        revoked_at: now().minus(60),
        expires: None,
        reason: "leaked".to_owned(),
    });
    RevocationList {
        issuer: ISSUER.to_owned(),
        seq: 5,
        issued_at: now().minus(60),
        expires: now().plus(60),
        entries: entries.collect(),
    }
}

pub(super) fn verifier(root: &Root, keyset: &str, revocations: Option<&str>) -> Verifier {
    let trust = Trust::open(
        keyset.as_bytes(),
        &root.keyset_public(),
        revocations.map(str::as_bytes),
    );
    Verifier::new(SERVICE, trust.expect("signed trust")).expect("a service")
}

#[test]
fn keys_that_are_not_trusted() {
    let root = Root::new();
    let id = root.key_id();
    let with = |change: fn(&mut Keyset)| verifier(&root, &keyset_of(&root, change), None);
    let dead = |keyset: &mut Keyset| {
        let tombstone = Tombstone {
            id: keyset.keys[0].id,
            revoked_at: now(),
            reason: "lost".to_owned(),
        };
        keyset.keys.clear();
        keyset.tombstones.push(tombstone);
    };
    let token = Forge::honest(&root).text();
    for (name, verifier, expected) in [
        ("trusted", with(|_| {}), ALLOW),
        ("revoked", with(dead), "revoked_key"),
        ("gone", with(|keyset| keyset.keys.clear()), "unknown_key"),
        (
            "retired this second",
            with(|keyset| keyset.keys[0].not_after = Some(now())),
            "unknown_key",
        ),
        (
            "retiring",
            with(|keyset| keyset.keys[0].not_after = Some(now().plus(1))),
            ALLOW,
        ),
        (
            "a keyset that ended this second",
            with(|keyset| keyset.expires = now()),
            "stale_keyset",
        ),
    ] {
        assert_eq!(outcome(&verifier, &token, &order()), expected, "{name}");
    }
    let hint = |hint: Option<u32>| Forge::honest(&root).changed(|token| token.root_key_id = hint);
    let other = KeyId::derive(ISSUER, &Root::new().public()).as_u32();
    expect(
        &root,
        &order(),
        [
            ("no hint", hint(None), "unknown_key"),
            ("zero", hint(Some(0)), "unknown_key"),
            ("another key's", hint(Some(other)), "unknown_key"),
            (
                "one more",
                hint(Some(id.as_u32().wrapping_add(1))),
                "unknown_key",
            ),
        ],
    );
}

/// A token that was verified is decided under the trust of now, and under the key that signed it.
#[test]
fn what_was_verified_is_looked_at_again() {
    let (root, other) = (Root::new(), Root::new());
    let ours = root.verifier();
    let token = Token::parse(&Forge::honest(&root).text()).expect("a token");
    let verified = ours.verify(&token, now()).expect("verified");
    assert!(ours.decide(&verified, &order(), now()).is_allow());
    let code = |verifier: &Verifier| {
        let decision = verifier.decide(&verified, &order(), now());
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    assert_eq!(code(&other.verifier()), "unknown_key");
    let newer = keyset_of(&root, |keyset| {
        keyset.version = 2;
        keyset.keys.clear();
    });
    let newer = Trust::open(newer.as_bytes(), &root.keyset_public(), None).expect("signed trust");
    ours.replace_trust(newer).expect("newer trust");
    assert_eq!(code(&ours), "unknown_key");
}

#[test]
fn forged_trust_is_refused() {
    let (root, thief) = (Root::new(), Root::new());
    let honest = keyset_of(&root, |_| {});
    let list = list_of(&[]).sign(&root.keyset_key).to_json();
    let open = |keyset: &str, list: Option<&str>| {
        Trust::open(
            keyset.as_bytes(),
            &root.keyset_public(),
            list.map(str::as_bytes),
        )
        .is_ok()
    };
    assert!(open(&honest, None) && open(&honest, Some(&list)));
    let payload = serde_json::to_vec(&root.keyset()).expect("JSON");
    let list_payload = serde_json::to_vec(&list_of(&[])).expect("JSON");
    let signed = |kind: &str, payload: &[u8]| {
        Envelope::sign(kind, payload.to_vec(), &root.keyset_key).to_json()
    };
    let unsigned = Envelope {
        signatures: Vec::new(),
        ..root.keyset().sign(&root.keyset_key)
    }
    .to_json();
    let mut changed = root.keyset().sign(&root.keyset_key);
    changed.payload.push(b' ');
    for (name, keyset) in [
        (
            "signed by another",
            root.keyset().sign(&thief.keyset_key).to_json(),
        ),
        (
            "signed by the root key",
            root.keyset().sign(&root.key).to_json(),
        ),
        ("unsigned", unsigned),
        ("changed", changed.to_json()),
        (
            "the type of a revocation list",
            signed(revocation::PAYLOAD_TYPE, &payload),
        ),
        (
            "a revocation list as a keyset",
            signed(keyset::PAYLOAD_TYPE, &list_payload),
        ),
        (
            "a keyset without its envelope",
            String::from_utf8(payload.clone()).expect("text"),
        ),
        ("nothing", String::new()),
        (
            "an id that is not the key's",
            keyset_of(&root, |keyset| keyset.keys[0].id = KeyId::from_u32(1)),
        ),
        (
            "a key that is dead as well",
            keyset_of(&root, |keyset| {
                let id = keyset.keys[0].id;
                keyset.tombstones.push(Tombstone {
                    id,
                    revoked_at: now(),
                    reason: String::new(),
                });
            }),
        ),
    ] {
        assert!(!open(&keyset, None), "{name}");
    }
    for (name, list) in [
        (
            "signed by another",
            list_of(&[]).sign(&thief.keyset_key).to_json(),
        ),
        (
            "a keyset as a list",
            signed(revocation::PAYLOAD_TYPE, &payload),
        ),
        (
            "the type of a keyset",
            signed(keyset::PAYLOAD_TYPE, &list_payload),
        ),
        (
            "another issuer's",
            RevocationList {
                issuer: "https://b.example".to_owned(),
                ..list_of(&[])
            }
            .sign(&root.keyset_key)
            .to_json(),
        ),
        ("nothing", String::new()),
    ] {
        assert!(!open(&honest, Some(&list)), "{name}");
    }
}

#[test]
fn trust_does_not_go_back() {
    let root = Root::new();
    let used = || {
        let keyset = keyset_of(&root, |keyset| keyset.version = 7);
        let id = bailiwick_token::claims::TokenId::from_bytes([1; 16]);
        verifier(
            &root,
            &keyset,
            Some(
                &list_of(&[Target::Token(id)])
                    .sign(&root.keyset_key)
                    .to_json(),
            ),
        )
    };
    let list = |seq: u64, targets: &[Target]| {
        RevocationList {
            seq,
            ..list_of(targets)
        }
        .sign(&root.keyset_key)
        .to_json()
    };
    let id = bailiwick_token::claims::TokenId::from_bytes([1; 16]);
    let same = list(5, &[Target::Token(id)]);
    let offer = |change: fn(&mut Keyset), list: Option<&str>| {
        let keyset = keyset_of(&root, |keyset| {
            keyset.version = 7;
            change(keyset);
        });
        let trust = Trust::open(
            keyset.as_bytes(),
            &root.keyset_public(),
            list.map(str::as_bytes),
        );
        used().replace_trust(trust.expect("signed trust"))
    };
    assert_eq!(offer(|_| {}, Some(&same)), Ok(()));
    assert_eq!(
        offer(|keyset| keyset.version = 8, Some(&list(6, &[]))),
        Ok(())
    );
    let rolled_back = RollbackError::Version {
        used: 7,
        offered: 6,
    };
    assert_eq!(
        offer(|keyset| keyset.version = 6, Some(&same)),
        Err(rolled_back)
    );
    assert_eq!(
        offer(|keyset| keyset.refresh_hint = 31, Some(&same)),
        Err(RollbackError::Fork(7))
    );
    assert_eq!(offer(|_| {}, None), Err(RollbackError::Revocations));
    assert_eq!(
        offer(|_| {}, Some(&list(4, &[]))),
        Err(RollbackError::Revocations)
    );
    // The same number and one entry less: a fork, which would undo a revocation.
    assert_eq!(
        offer(|_| {}, Some(&list(5, &[]))),
        Err(RollbackError::RevocationsFork(5))
    );
    let other = Root::new();
    assert_eq!(
        used().replace_trust(other.trust()),
        Err(RollbackError::Version {
            used: 7,
            offered: 1
        })
    );
}
