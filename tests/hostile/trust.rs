//! Tests of keys and tokens that are no longer trusted, and of forged or outdated trust.

use bailiwick_testkit::{ISSUER, Root, SERVICE, forge::Forge, now};
use bailiwick_token::{
    dsse::Envelope,
    key::KeyId,
    keyset::{self, Keyset, Tombstone},
    revocation::{
        Digest, Epoch, HEAD_TYPE, Position, Revocation, SKEW, SNAPSHOT_TYPE, SnapshotBase, Target,
    },
    token::Token,
};
use bailiwick_verifier::{RollbackError, Trust, Verifier};

use crate::{ALLOW, expect, order, outcome};

pub(super) fn keyset_of(root: &Root, change: impl FnOnce(&mut Keyset)) -> String {
    let mut keyset = root.keyset();
    change(&mut keyset);
    keyset.sign(&root.keyset_key).to_json()
}

pub(super) fn base() -> SnapshotBase {
    SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position: Position {
            epoch: Epoch::from_bytes([1; 8]),
            seq: 5,
            digest: Digest::of(b"five changes"),
        },
        issued_at: now().minus(60),
        expires: now().plus(60),
    }
}

/// Makes a snapshot with these entries, which never expire.
pub(super) fn snapshot(root: &Root, base: &SnapshotBase, targets: &[Target]) -> String {
    let entries = targets.iter().map(|target| Revocation {
        target: target.clone(),
        expires: None,
    });
    base.write(entries, &root.keyset_key).expect("a snapshot")
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
    let of = |issued_at| {
        let base = SnapshotBase {
            keyset_version: 1,
            issued_at,
            expires: now().plus(SKEW + 60),
            ..base()
        };
        let file = snapshot(&root, &base, &[]);
        verifier(&root, &keyset_of(&root, |_| {}), Some(&file))
    };
    let token = Forge::honest(&root).text();
    for (name, verifier, expected) in [
        // A clock that was set back must not revive expired entries.
        (
            "a keyset of a minute to come",
            with(|keyset| keyset.issued_at = now().plus(SKEW)),
            ALLOW,
        ),
        (
            "a keyset of more than that to come",
            with(|keyset| keyset.issued_at = now().plus(SKEW + 1)),
            "stale_keyset",
        ),
        // A clock that ran ahead must not drop entries that still hold.
        (
            "a snapshot of a minute to come",
            of(now().plus(SKEW)),
            ALLOW,
        ),
        (
            "a snapshot of more than that to come",
            of(now().plus(SKEW + 1)),
            "stale_keyset",
        ),
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

/// A verified token is decided under the current trust, and under the key that signed it.
#[test]
fn verified_tokens_are_decided_under_the_present_trust() {
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
    let list = snapshot(&root, &base(), &[]);
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
    let header = list.lines().next().expect("a header");
    let header = Envelope::parse(header.as_bytes()).expect("an envelope");
    let header_payload = header.payload.clone();
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
        ("the type of a snapshot", signed(SNAPSHOT_TYPE, &payload)),
        (
            "a snapshot as a keyset",
            signed(keyset::PAYLOAD_TYPE, &header_payload),
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
    let token = |seed| Target::Token(bailiwick_token::claims::TokenId::from_bytes([seed; 16]));
    let two = snapshot(&root, &base(), &[token(1), token(2)]);
    let lines: Vec<&str> = two.split_inclusive('\n').collect();
    let with = |header: &Envelope| format!("{}\n", header.to_json());
    let unsigned = Envelope {
        signatures: Vec::new(),
        ..header.clone()
    };
    let other = SnapshotBase {
        keyset_version: 1,
        issuer: "https://b.example".to_owned(),
        ..base()
    };
    for (name, list) in [
        ("signed by another", snapshot(&thief, &base(), &[])),
        ("unsigned", with(&unsigned)),
        (
            "a keyset as a snapshot",
            signed(SNAPSHOT_TYPE, &payload) + "\n",
        ),
        (
            "the type of a keyset",
            signed(keyset::PAYLOAD_TYPE, &header_payload) + "\n",
        ),
        (
            "the type of a head",
            signed(HEAD_TYPE, &header_payload) + "\n",
        ),
        ("another issuer's", snapshot(&root, &other, &[])),
        ("without a line feed", header.to_json()),
        ("an entry added", format!("{}{}", with(&header), lines[1])),
        ("an entry removed", lines[..2].concat()),
        ("all entries removed", lines[0].to_owned()),
        ("an entry twice", [lines[0], lines[1], lines[1]].concat()),
        (
            "entries in another order",
            [lines[0], lines[2], lines[1]].concat(),
        ),
        ("cut off", two[..two.len() - 1].to_owned()),
        ("an empty line more", format!("{two}\n")),
        ("nothing", String::new()),
    ] {
        assert!(!open(&honest, Some(&list)), "{name}");
    }
    assert!(open(&honest, Some(&two)));
}

#[test]
fn trust_does_not_go_back() {
    let root = Root::new();
    let id = bailiwick_token::claims::TokenId::from_bytes([1; 16]);
    let revoked = [Target::Token(id)];
    let used = || {
        let keyset = keyset_of(&root, |keyset| keyset.version = 7);
        verifier(&root, &keyset, Some(&snapshot(&root, &base(), &revoked)))
    };
    let list = |change: fn(&mut SnapshotBase), targets: &[Target]| {
        let mut base = base();
        change(&mut base);
        snapshot(&root, &base, targets)
    };
    let same = list(|_| {}, &revoked);
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
    let next = |base: &mut SnapshotBase| {
        base.position.seq = 6;
        base.position.digest = Digest::of(b"six changes");
    };
    assert_eq!(
        offer(|keyset| keyset.version = 8, Some(&list(next, &revoked))),
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
    let other = Root::new();
    assert_eq!(
        used().replace_trust(other.trust()),
        Err(RollbackError::Version {
            used: 7,
            offered: 1
        })
    );
    for (name, change) in [
        (
            "fewer changes",
            (|base| base.position.seq = 4) as fn(&mut SnapshotBase),
        ),
        ("signed earlier", |base| base.issued_at = now().minus(61)),
        ("another history, no newer", |base| {
            base.position.epoch = Epoch::from_bytes([2; 8]);
        }),
    ] {
        assert_eq!(
            offer(|_| {}, Some(&list(change, &revoked))),
            Err(RollbackError::Revocations),
            "{name}"
        );
    }
    let forked = list(
        |base| base.position.digest = Digest::of(b"others"),
        &revoked,
    );
    assert_eq!(
        offer(|_| {}, Some(&forked)),
        Err(RollbackError::RevocationsFork(5))
    );
    let begun_anew = |base: &mut SnapshotBase| {
        base.position = Position::start(Epoch::from_bytes([2; 8]));
        base.issued_at = now();
    };
    assert_eq!(offer(|_| {}, Some(&list(begun_anew, &[]))), Ok(()));
}
