//! Tests of feeds with heads, changes and snapshots that are old, torn, foreign or from two histories.

use bailiwick_testkit::{Root, SERVICE, feed::Feed, forge::Forge, now};
use bailiwick_token::{
    claims::TokenId,
    dsse::Envelope,
    keyset::{self, Keyset},
    revocation::{
        DeltaError, Epoch, HEAD_TYPE, Head, Revocation, SKEW, SNAPSHOT_TYPE, SnapshotBase,
        SnapshotError, Target,
    },
    timestamp::Timestamp,
};
use bailiwick_verifier::{FeedError, RollbackError, Staleness, Trust, Verifier, WhenStale};

use crate::{ALLOW, order};

fn token(seed: u8) -> Revocation {
    Revocation {
        target: Target::Token(TokenId::from_bytes([seed; 16])),
        expires: None,
    }
}

/// A feed of four changes, and a trust that has read three of them at [`now`].
fn scene() -> (Root, Feed, Trust) {
    let root = Root::new();
    let feed = Feed::new(&root, (1..=4).map(token));
    let trust = feed.begin(&root.trust(), 3, now()).expect("a snapshot");
    (root, feed, trust)
}

#[test]
fn heads_that_are_refused() {
    let (root, feed, trust) = scene();
    let (thief, four) = (Root::new(), feed.head(4, now()));
    let offer = |head: &Head| trust.head(feed.signed(head).as_bytes(), now()).map(|_| ());
    assert_eq!(offer(&four), Ok(()));
    let with = |change: fn(&mut Head)| {
        let mut head = four.clone();
        change(&mut head);
        offer(&head)
    };
    let three = |change: fn(&mut Head)| {
        let mut head = feed.head(3, now());
        change(&mut head);
        offer(&head)
    };
    assert_eq!(three(|_| {}), Ok(()));
    assert_eq!(
        with(|head| head.issuer = "https://b.example".to_owned()),
        Err(FeedError::Issuer)
    );
    let ended = Err(FeedError::Expired(now()));
    assert_eq!(
        with(|head| (head.issued_at, head.expires) = (now().minus(1), now())),
        ended
    );
    assert_eq!(with(|head| head.issued_at = now().plus(SKEW)), Ok(()));
    assert_eq!(
        with(|head| head.issued_at = now().plus(SKEW + 1)),
        Err(FeedError::Ahead(now().plus(SKEW + 1)))
    );
    assert_eq!(
        three(|head| head.issued_at = now().minus(1)),
        Err(FeedError::Replay {
            used: now(),
            offered: now().minus(1)
        })
    );
    assert_eq!(
        offer(&feed.head(2, now().plus(1))),
        Err(DeltaError::Replay {
            used: 3,
            offered: 2
        }
        .into())
    );
    let mut other = feed.clone();
    other.changes[2] = token(9);
    assert_eq!(
        offer(&other.head(3, now().plus(1))),
        Err(DeltaError::Fork(3).into())
    );
    // Another history has to be strictly newer.
    let anew = |head: &mut Head| head.epoch = Epoch::from_bytes([2; 8]);
    assert!(matches!(with(anew), Err(FeedError::Replay { .. })));
    let newer = |head: &mut Head| {
        head.epoch = Epoch::from_bytes([2; 8]);
        head.issued_at = now().plus(1);
    };
    assert_eq!(with(newer), Ok(()));

    let signed = |kind: &str, key| {
        let payload = four.sign(&root.keyset_key).payload;
        Envelope::sign(kind, payload, key).to_json()
    };
    let mut unsigned = four.sign(&root.keyset_key);
    unsigned.signatures.clear();
    let mut padded = feed.signed(&four);
    padded.push_str(&" ".repeat(4096));
    for (name, head) in [
        ("signed by another", signed(HEAD_TYPE, &thief.keyset_key)),
        ("signed by the root key", signed(HEAD_TYPE, &root.key)),
        (
            "the type of a keyset",
            signed(keyset::PAYLOAD_TYPE, &root.keyset_key),
        ),
        (
            "the type of a snapshot",
            signed(SNAPSHOT_TYPE, &root.keyset_key),
        ),
        ("unsigned", unsigned.to_json()),
        ("too large", padded),
        ("a keyset", root.keyset().sign(&root.keyset_key).to_json()),
        ("a snapshot", feed.snapshot(4, now())),
        ("nothing", String::new()),
    ] {
        let refused = trust.head(head.as_bytes(), now());
        assert!(
            matches!(refused, Err(FeedError::Head(_))),
            "{name}: {refused:?}"
        );
    }
}

#[test]
fn changes_that_are_refused() {
    let (root, feed, trust) = scene();
    let head = feed.signed(&feed.head(4, now()));
    let apply = |trust: &Trust, lines: &str| {
        let applied = trust.with_delta(head.as_bytes(), lines.as_bytes(), now());
        applied.map(|trust| trust.revocation_count())
    };
    assert_eq!(apply(&trust, &feed.lines(3, 4)), Ok(4));
    for (name, lines, wanted) in [
        (
            "none",
            String::new(),
            DeltaError::Gap {
                wanted: 1,
                found: 0,
            },
        ),
        (
            "too many",
            feed.lines(2, 4),
            DeltaError::Gap {
                wanted: 1,
                found: 2,
            },
        ),
        ("another", feed.lines(2, 3), DeltaError::Chain(4)),
        (
            "a part",
            feed.lines(3, 4).trim_end().to_owned(),
            DeltaError::Torn,
        ),
        ("too large", "\n".repeat(5000), DeltaError::TooLarge),
    ] {
        let refused = apply(&trust, &lines);
        assert_eq!(refused, Err(wanted.into()), "{name}");
        assert!(refused.is_err_and(|error| error.wants_snapshot()), "{name}");
    }
    // Without a snapshot there is nothing to add changes to.
    assert_eq!(
        apply(&root.trust(), &feed.lines(0, 4)),
        Err(FeedError::Nothing)
    );
    let mut anew = feed.clone();
    anew.epoch = Epoch::from_bytes([2; 8]);
    let head = anew.signed(&anew.head(4, now().plus(1)));
    let refused = trust.with_delta(head.as_bytes(), feed.lines(3, 4).as_bytes(), now());
    assert_eq!(refused.map(|_| ()), Err(DeltaError::Epoch.into()));
}

#[test]
fn snapshots_that_are_refused() {
    let (root, feed, trust) = scene();
    let read = |file: &str, head: &Head| {
        let head = feed.signed(head);
        let read = trust.with_snapshot(file.as_bytes(), head.as_bytes(), b"", now());
        read.map(|trust| trust.revocation_count())
    };
    let written = |seq: usize, entries: &[u8], change: fn(&mut SnapshotBase)| {
        let mut base = feed.base(seq, now());
        change(&mut base);
        let entries = entries.iter().map(|seed| token(*seed));
        base.write(entries, &root.keyset_key).expect("a snapshot")
    };
    let (three, four) = (feed.head(3, now()), feed.head(4, now()));
    assert_eq!(read(&feed.snapshot(4, now()), &four), Ok(4));
    assert_eq!(read(&feed.snapshot(3, now()), &three), Ok(3));
    // Signed, with the right number, but without an entry that still holds.
    let lost = Err(FeedError::Rollback(RollbackError::RevocationsLost));
    assert_eq!(read(&written(4, &[1, 2, 4], |_| {}), &four), lost);
    let forked = Err(FeedError::Rollback(RollbackError::RevocationsFork(3)));
    assert_eq!(read(&written(3, &[1, 2], |_| {}), &three), forked);
    assert_eq!(read(&written(3, &[1, 2, 3, 4], |_| {}), &three), forked);
    let elsewhere = written(4, &[1, 2, 3, 4], |base| {
        base.issuer = "https://b.example".to_owned();
    });
    assert_eq!(read(&elsewhere, &four), Err(FeedError::Issuer));
    // An issuer whose clock ran ahead may have left out entries that still hold.
    let ahead = written(4, &[1, 2, 3, 4], |base| {
        base.issued_at = now().plus(SKEW + 1);
    });
    assert_eq!(
        read(&ahead, &four),
        Err(FeedError::Ahead(now().plus(SKEW + 1)))
    );
    // A snapshot and a head that do not belong together.
    let gap = DeltaError::Gap {
        wanted: 1,
        found: 0,
    };
    assert_eq!(read(&feed.snapshot(3, now()), &four), Err(gap.into()));
    let mut other = feed.clone();
    other.changes[0] = token(9);
    assert_eq!(
        read(&other.snapshot(4, now()), &four),
        Err(DeltaError::Fork(4).into())
    );
    let snapshot = feed.snapshot(4, now());
    let cut = &snapshot[..snapshot.len() - 1];
    assert_eq!(read(cut, &four), Err(SnapshotError::Content.into()));
    assert!(read(&feed.signed(&four), &four).is_err());
}

/// Another history must begin with a snapshot, which may lack any earlier entries.
#[test]
fn another_epoch() {
    let (root, feed, trust) = scene();
    let mut anew = Feed::new(&root, [token(7)]);
    anew.epoch = Epoch::from_bytes([2; 8]);
    let began = anew.begin(&trust, 1, now().plus(1)).expect("newer");
    assert_eq!(began.revocation_count(), 1);
    assert!(matches!(
        anew.begin(&trust, 1, now()),
        Err(FeedError::Replay { .. })
    ));
    // A head that names an older keyset is refused.
    let older = Head {
        keyset_version: 0,
        ..anew.head(1, now().plus(1))
    };
    assert!(matches!(
        trust.head(anew.signed(&older).as_bytes(), now().plus(1)),
        Err(FeedError::Keyset { offered: 0, .. })
    ));
    // There is no way back to the old history, even if it continues.
    assert!(matches!(
        feed.begin(&began, 4, now().plus(1)),
        Err(FeedError::Replay { .. })
    ));
    let verifier = Verifier::new(SERVICE, began).expect("a service");
    assert_eq!(
        verifier.replace_trust(trust),
        Err(RollbackError::Revocations)
    );
}

#[test]
fn stale_revocations() {
    let (root, feed, trust) = scene();
    // A token that lives for 16 minutes, from a minute before now.
    let token = Forge::honest(&root).text();
    let outcome = |staleness: Option<Staleness>, at: Timestamp| {
        let verifier = Verifier::new(SERVICE, trust.clone()).expect("a service");
        let verifier = match staleness {
            None => verifier,
            Some(staleness) => verifier.staleness(staleness),
        };
        let decision = verifier.check(&token, &order(), at);
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    let stale = "stale_keyset";
    assert_eq!(outcome(None, now().plus(60)), ALLOW);
    assert_eq!(outcome(None, now().plus(61)), stale);
    // The signed time is in the future: the clock was set back, so the head's age is unknown.
    assert_eq!(outcome(None, now().minus(SKEW)), ALLOW);
    assert_eq!(outcome(None, now().minus(SKEW + 1)), stale);
    let admitting = |life| {
        Some(Staleness {
            after: 10,
            then: WhenStale::AdmitShortLived { life },
        })
    };
    assert_eq!(outcome(admitting(960), now().plus(11)), ALLOW);
    assert_eq!(outcome(admitting(959), now().plus(11)), stale);
    assert_eq!(outcome(admitting(959), now().plus(10)), ALLOW);
    // The signed expiry holds under any policy.
    let short = Head {
        expires: now().plus(100),
        ..feed.head(4, now())
    };
    let (head, lines) = (feed.signed(&short), feed.lines(3, 4));
    let ending = trust
        .with_delta(head.as_bytes(), lines.as_bytes(), now())
        .expect("changes");
    let verifier = Verifier::new(SERVICE, ending)
        .expect("a service")
        .staleness(admitting(100_000).expect("a policy"));
    let code = |at| {
        let decision = verifier.check(&token, &order(), at);
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    assert_eq!(
        (code(now().plus(99)), code(now().plus(100))),
        (ALLOW, stale)
    );
}

/// An attacker who lets heads through but withholds the keyset, which may revoke a key, gains two refresh intervals and
/// a minute. A later head that names an older keyset does not extend that time.
#[test]
fn a_keyset_that_is_withheld() {
    let (root, feed, mut trust) = scene();
    let token = Forge::honest(&root).text();
    let outcome = |trust: &Trust, at| {
        let verifier = Verifier::new(SERVICE, trust.clone()).expect("a service");
        let decision = verifier.check(&token, &order(), at);
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    let wait = 60 + 2 * 30;
    for (after, told) in [(0, 2), (30, 1), (wait - 5, 3), (wait, 1), (wait + 1, 1)] {
        let (at, known) = (
            now().plus(after),
            trust.position().expect("revocations").seq,
        );
        let head = Head {
            keyset_version: told,
            ..feed.head(4, at)
        };
        let lines = feed.lines(known as usize, 4);
        trust = trust
            .with_delta(feed.signed(&head).as_bytes(), lines.as_bytes(), at)
            .expect("changes");
        let wanted = if after > wait { "stale_keyset" } else { ALLOW };
        assert_eq!(outcome(&trust, at), wanted, "after {after} s");
    }
    let with = |version, issued_at| {
        let keyset = Keyset {
            version,
            issued_at,
            ..root.keyset()
        };
        let keyset = keyset.sign(&root.keyset_key).to_json();
        trust.with_keyset(keyset.as_bytes()).expect("a keyset")
    };
    let then = now().plus(wait + 1);
    assert_eq!(outcome(&with(3, now()), then), ALLOW);
    // A keyset that is not the newest restarts the period at its own signing time.
    for (signed, after, wanted) in [
        (0, 0, "stale_keyset"),
        (wait, 0, ALLOW),
        (wait, wait - 1, ALLOW),
        (wait, wait, "stale_keyset"),
    ] {
        let (mut trust, at) = (with(2, now().plus(signed)), then.plus(after));
        for at in [then, at] {
            let head = Head {
                keyset_version: 3,
                ..feed.head(4, at)
            };
            trust = trust
                .with_delta(feed.signed(&head).as_bytes(), b"", at)
                .expect("changes");
        }
        assert_eq!(
            outcome(&trust, at),
            wanted,
            "signed {signed}, {after} s more"
        );
    }
}

/// A clock that runs ahead loses no entries, because they expire by the signed time.
#[test]
fn entries_end_by_the_signed_time() {
    let root = Root::new();
    let forge = Forge::honest(&root);
    let id = bailiwick_token::token::Token::from_bytes(forge.bytes())
        .expect("a token")
        .token_id()
        .expect("an id");
    let ends = Revocation {
        target: Target::Token(id),
        expires: Some(now()),
    };
    let feed = Feed::new(&root, [ends]);
    let lenient = Staleness {
        after: 1_000_000,
        then: WhenStale::Deny,
    };
    let outcome = |signed: Timestamp, at: Timestamp| {
        let began = feed
            .begin(&root.trust(), 0, now().minus(100))
            .expect("a snapshot");
        let trust = feed.advance(&began, 1, now().minus(50)).expect("changes");
        let trust = feed.advance(&trust, 1, signed).expect("a head");
        let verifier = Verifier::new(SERVICE, trust).expect("a service");
        let decision = verifier
            .staleness(lenient)
            .check(&forge.text(), &order(), at);
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    assert_eq!(outcome(now(), now().plus(600)), "revoked");
    assert_eq!(outcome(now().plus(SKEW), now().plus(600)), "revoked");
    assert_eq!(outcome(now().plus(SKEW + 1), now().plus(600)), ALLOW);
}

/// If a feed is configured, no token is admitted before the feed has been read.
#[test]
fn trust_that_needs_revocations() {
    let root = Root::new();
    let token = Forge::honest(&root).text();
    let verifier = Verifier::new(SERVICE, root.trust().require_revocations()).expect("a service");
    let code = |verifier: &Verifier| {
        let decision = verifier.check(&token, &order(), now());
        decision.reason().map_or(ALLOW, |reason| reason.code())
    };
    assert_eq!(code(&verifier), "stale_keyset");
    // The requirement cannot be undone.
    assert_eq!(
        verifier.replace_trust(root.trust()),
        Err(RollbackError::Revocations)
    );
    let feed = Feed::new(&root, []);
    let trust = feed.begin(&verifier.trust(), 0, now()).expect("a snapshot");
    verifier.replace_trust(trust).expect("newer trust");
    assert_eq!(code(&verifier), ALLOW);
}
