//! A snapshot, and heads with changes after it.

use bailiwick_testkit::{Root, feed::Feed, now};
use bailiwick_token::revocation::{Epoch, Head, Target};
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
                "a newer head of the same place: nothing is new, and the revocations are fresh",
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
            "the changes have changed places",
            &one,
            change(head(3, now()), format!("{second}{first}")),
        ),
        not(
            "other-change",
            "another change in the place of one",
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
            "there is nothing that changes could be added to",
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
            "a head that has ended",
            &one,
            change(head(1, now().minus(3600)), String::new()),
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
                "the issuer was restored: its new history lacks an entry, which is still honoured",
                again(&restarted.head(0, now())),
                true,
                REVOKED,
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
                "another history is entered by a snapshot only",
                change(restarted.signed(&restarted.head(0, now())), String::new()),
                false,
                REVOKED,
            ),
        ),
    ]
}
