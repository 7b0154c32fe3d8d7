//! A snapshot, and heads with changes after it.

use bailiwick_testkit::{Root, feed::Feed, now};
use bailiwick_token::{
    revocation::{Epoch, Head, Revocation, Target},
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;

use super::{
    super::file::ALLOW,
    Case, Offer,
    made::{REVOKED, STALE, case, id, revocation},
};

pub(super) fn all(root: &Root) -> Vec<Case> {
    let feed = Feed::new(
        root,
        [0x41, 0x40, 0x42].map(|token| revocation(Target::Token(id(token)))),
    );
    let fork = Feed::new(
        root,
        [0x41, 0x43, 0x42].map(|token| revocation(Target::Token(id(token)))),
    );
    let restarted = Feed {
        epoch: Epoch::from_bytes([2; 8]),
        ..Feed::new(root, [])
    };
    let ending = Feed::new(
        root,
        [Revocation {
            expires: Some(now().minus(80)),
            ..revocation(Target::Token(id(0x40)))
        }],
    );
    let start = now().minus(30);
    let begun = |feed: &Feed, seq| Offer {
        time: start,
        snapshot: Some(feed.snapshot(seq, start)),
        head: Some(feed.signed(&feed.head(seq, start))),
        changes: String::new(),
    };
    let head = |seq, at| feed.signed(&feed.head(seq, at));
    let change = |head: String, changes: String| Offer {
        time: now(),
        snapshot: None,
        head: Some(head),
        changes,
    };
    let after = |before: &[Offer], case: Case| Case {
        before: before.to_vec(),
        ..case
    };
    let one = [begun(&feed, 1)];
    let two = [begun(&feed, 2)];
    let (lines, first, second) = (feed.lines(1, 3), feed.lines(1, 2), feed.lines(2, 3));
    let older_keyset = Head {
        keyset_version: 0,
        ..restarted.head(0, now())
    };
    let again = |head: &Head| Offer {
        time: now(),
        snapshot: Some(restarted.snapshot(0, now())),
        head: Some(restarted.signed(head)),
        changes: String::new(),
    };
    let not = |name: &str, about: &str, before: &[Offer], offered: Offer| {
        after(before, case(name, about, offered, false, ALLOW))
    };
    vec![
        case(
            "snapshot-and-head",
            "a cold start: the changes after the snapshot lead to the head",
            Offer {
                time: now(),
                snapshot: Some(feed.snapshot(1, now())),
                head: Some(head(3, now())),
                changes: lines.clone(),
            },
            true,
            REVOKED,
        ),
        after(
            &one,
            case(
                "no-changes",
                "a newer head at the same number: nothing is new, and the revocations are fresh",
                change(head(1, now()), String::new()),
                true,
                ALLOW,
            ),
        ),
        after(
            &one,
            case(
                "changes",
                "two changes, the first of which revokes the token",
                change(head(3, now()), lines.clone()),
                true,
                REVOKED,
            ),
        ),
        after(
            &one,
            Case {
                time: now().plus(60),
                ..case(
                    "age-of-a-minute",
                    "a head may be 60 seconds old unless a verifier is told otherwise",
                    change(head(1, now()), String::new()),
                    true,
                    ALLOW,
                )
            },
        ),
        after(
            &one,
            Case {
                time: now().plus(61),
                ..case(
                    "too-old",
                    "a head of 61 seconds",
                    change(head(1, now()), String::new()),
                    true,
                    STALE,
                )
            },
        ),
        not(
            "missing-change",
            "the second change is missing",
            &one,
            change(head(3, now()), first.clone()),
        ),
        not(
            "skipped-change",
            "the first change is missing",
            &one,
            change(head(3, now()), second.clone()),
        ),
        not(
            "changes-swapped",
            "the changes are swapped",
            &one,
            change(head(3, now()), format!("{second}{first}")),
        ),
        not(
            "other-change",
            "another change instead of one of them",
            &one,
            change(head(3, now()), fork.lines(1, 3)),
        ),
        not(
            "torn-change",
            "the last line feed is missing",
            &one,
            change(head(3, now()), lines.trim_end().to_owned()),
        ),
        case(
            "changes-without-snapshot",
            "there are no revocations to which changes could be added",
            change(head(3, now()), lines.clone()),
            false,
            STALE,
        ),
        not(
            "head-of-a-stranger",
            "a head that another key signed",
            &one,
            change(
                Feed {
                    key: SigningKey::from_bytes(&[9; 32]),
                    ..feed.clone()
                }
                .signed(&feed.head(1, now())),
                String::new(),
            ),
        ),
        not(
            "head-that-ended",
            "a head that has expired",
            &one,
            change(head(1, now().minus(3600)), String::new()),
        ),
        not(
            "head-ahead",
            "a head that was signed 61 seconds ahead",
            &one,
            change(head(1, now().plus(61)), String::new()),
        ),
        not(
            "head-signed-earlier",
            "a head at the number in use that was signed before the one in use",
            &one,
            change(head(1, start.minus(1)), String::new()),
        ),
        not(
            "head-of-another-issuer",
            "a head of another issuer, signed by the same keyset key",
            &one,
            change(
                feed.signed(&Head {
                    issuer: "https://b.example".to_owned(),
                    ..feed.head(1, now())
                }),
                String::new(),
            ),
        ),
        not(
            "long-head",
            "a head of more than 4096 bytes",
            &one,
            change(
                format!("{}{}", head(1, now()), " ".repeat(4096)),
                String::new(),
            ),
        ),
        case(
            "head-with-the-digest-of-a-change",
            "a head with `seq` 0 and the digest of one change",
            Offer {
                time: now(),
                snapshot: Some(feed.snapshot(0, now())),
                head: Some(feed.signed(&Head {
                    seq: 0,
                    ..feed.head(1, now())
                })),
                changes: String::new(),
            },
            false,
            STALE,
        ),
        case(
            "snapshot-ahead",
            "a snapshot that was signed 61 seconds ahead, with a good head",
            Offer {
                time: now(),
                snapshot: Some(feed.snapshot(1, now().plus(61))),
                head: Some(head(1, now())),
                changes: String::new(),
            },
            false,
            STALE,
        ),
        case(
            "snapshot-of-another-epoch",
            "a snapshot and a head of two histories",
            Offer {
                time: now(),
                snapshot: Some(restarted.snapshot(0, now())),
                head: Some(head(0, now())),
                changes: String::new(),
            },
            false,
            STALE,
        ),
        after(
            &two,
            case(
                "snapshot-that-lacks-an-entry",
                "a later snapshot of the same history without an entry that has not expired",
                Offer {
                    time: now(),
                    snapshot: Some({
                        let base = feed.base(3, now());
                        let kept = feed.changes[..1].iter().chain(&feed.changes[2..]).cloned();
                        base.write(kept, &root.keyset_key).expect("a snapshot")
                    }),
                    head: Some(head(3, now())),
                    changes: String::new(),
                },
                false,
                REVOKED,
            ),
        ),
        after(
            &one,
            case(
                "change-that-cannot-be-honoured",
                "one change of an unknown kind, which makes a reader refuse all that came with it",
                unknown_change(root, &feed),
                false,
                ALLOW,
            ),
        ),
        after(
            &one,
            Case {
                time: now().plus(120),
                ..case(
                    "newer-keyset-announced",
                    "a head names a newer keyset, which may arrive within two refresh hints and a minute",
                    announcing(&feed, now().plus(90)),
                    true,
                    ALLOW,
                )
            },
        ),
        after(
            &[begun(&feed, 1), announcing(&feed, now())],
            Case {
                time: now().plus(121),
                ..case(
                    "newer-keyset-withheld",
                    "the newer keyset has not arrived two refresh hints and a minute after it was named",
                    announcing(&feed, now().plus(120)),
                    true,
                    STALE,
                )
            },
        ),
        after(
            &[begun(&feed, 1), announcing(&feed, now())],
            Case {
                time: now().plus(120),
                ..case(
                    "newer-keyset-awaited",
                    "the last second in which the newer keyset may arrive",
                    announcing(&feed, now().plus(120)),
                    true,
                    ALLOW,
                )
            },
        ),
        after(
            &two,
            case(
                "another-epoch-of-the-same-second",
                "another history whose head is not newer than the one in use",
                Offer {
                    time: now(),
                    snapshot: Some(restarted.snapshot(0, start)),
                    head: Some(restarted.signed(&restarted.head(0, start))),
                    changes: String::new(),
                },
                false,
                REVOKED,
            ),
        ),
        after(
            &two,
            case(
                "older-head",
                "a head of fewer changes than are in use",
                change(head(1, now()), String::new()),
                false,
                REVOKED,
            ),
        ),
        after(
            &two,
            case(
                "forked-head",
                "a head of the number in use over other changes",
                change(fork.signed(&fork.head(2, now())), String::new()),
                false,
                REVOKED,
            ),
        ),
        after(
            &two,
            case(
                "another-epoch",
                "the issuer was restored: its new history lacks an entry, which is still enforced",
                again(&restarted.head(0, now())),
                true,
                REVOKED,
            ),
        ),
        after(
            &[begun(&ending, 1)],
            case(
                "carried-entry-that-ended",
                "the entry that the new history lacks expired more than 60 seconds before its head",
                again(&restarted.head(0, now())),
                true,
                ALLOW,
            ),
        ),
        after(
            &two,
            case(
                "another-epoch-of-an-older-keyset",
                "another history whose head names an older keyset than the one in use",
                again(&older_keyset),
                false,
                REVOKED,
            ),
        ),
        after(
            &two,
            case(
                "another-epoch-without-snapshot",
                "a reader switches to another history only with a snapshot",
                change(restarted.signed(&restarted.head(0, now())), String::new()),
                false,
                REVOKED,
            ),
        ),
    ]
}

/// A head at the number in use that names a newer keyset.
fn announcing(feed: &Feed, at: Timestamp) -> Offer {
    let head = Head {
        keyset_version: 2,
        ..feed.head(1, at)
    };
    Offer {
        time: at,
        snapshot: None,
        head: Some(feed.signed(&head)),
        changes: String::new(),
    }
}

/// A change of an unknown kind, with a signed head that covers it.
fn unknown_change(root: &Root, feed: &Feed) -> Offer {
    let line = r#"{"device":"7","expires":1795600000}"#;
    let position = feed.position(1).then(line.as_bytes());
    let position = position.expect("another change");
    let head = Head {
        seq: position.seq,
        digest: position.digest,
        ..feed.head(1, now())
    };
    Offer {
        time: now(),
        snapshot: None,
        head: Some(head.sign(&root.keyset_key).to_json()),
        changes: format!("{line}\n"),
    }
}
