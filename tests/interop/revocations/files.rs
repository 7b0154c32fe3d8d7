//! Snapshots that are distributed as files.

use bailiwick_testkit::{ISSUER, Root, feed::Feed, now};
use bailiwick_token::revocation::Target;
use ed25519_dalek::SigningKey;

use super::{
    super::file::ALLOW,
    Case,
    made::{STALE, case, file, id, revocation, with_header, with_line},
};

pub(super) fn all(root: &Root) -> Vec<Case> {
    let feed = Feed::new(root, [revocation(Target::Token(id(0x41)))]);
    let good = feed.snapshot(1, now());
    let stranger = Feed {
        key: SigningKey::from_bytes(&[9; 32]),
        ..feed.clone()
    };
    let entry = good.lines().nth(1).expect("an entry").to_owned();
    let header = good.lines().next().expect("a header").to_owned();
    let others = good.replace("41414141", "40404040");
    assert_ne!(good, others, "the entry is not the expected one");
    let head = feed.signed(&feed.head(1, now()));
    // No revocations are in use, so every call is denied.
    let not =
        |name: &str, about: &str, snapshot: String| case(name, about, file(snapshot), false, STALE);
    vec![
        case(
            "ends-next-second",
            "the last second of a file",
            file(feed.snapshot(1, now().minus(3599))),
            true,
            ALLOW,
        ),
        case(
            "file-ended",
            "a file that has expired: every call is denied",
            file(feed.snapshot(1, now().minus(3600))),
            true,
            STALE,
        ),
        case(
            "file-ahead",
            "signed by a clock that is 61 seconds ahead",
            file(feed.snapshot(1, now().plus(61))),
            true,
            STALE,
        ),
        not(
            "wrong-signature",
            "signed by another key than the keyset key",
            stranger.snapshot(1, now()),
        ),
        not(
            "changed-entry",
            "an entry was changed after signing",
            others,
        ),
        not(
            "missing-entry",
            "the entry is missing",
            format!("{header}\n"),
        ),
        not(
            "entry-twice",
            "the entry was added once more",
            format!("{good}{entry}\n"),
        ),
        not(
            "no-line-feed",
            "the last line is cut off",
            good.trim_end().to_owned(),
        ),
        not(
            "another-count",
            "a header that announces two entries, of which one follows",
            with_header(root, &entry, |header| {
                header.replace("\"entries\":1", "\"entries\":2")
            }),
        ),
        not(
            "another-issuer",
            "a snapshot of another issuer, signed by the same keyset key",
            with_header(root, &entry, |header| {
                header.replace(ISSUER, "https://b.example")
            }),
        ),
        not(
            "header-with-a-member-twice",
            "a header with two `seq` members",
            with_header(root, &entry, |header| {
                header.replace("\"seq\":1", "\"seq\":1,\"seq\":1")
            }),
        ),
        not(
            "digest-of-no-changes",
            "a header with `seq` 0 and the digest of one change",
            with_header(root, &entry, |header| {
                header.replace("\"seq\":1", "\"seq\":0")
            }),
        ),
        not(
            "upper-case-epoch",
            "an epoch in upper case",
            with_header(root, &entry, |header| {
                header.replace("0101010101010101", "ABABABABABABABAB")
            }),
        ),
        not(
            "no-life",
            "a snapshot that expires in the second in which it was issued",
            {
                let mut base = feed.base(1, now());
                base.expires = base.issued_at;
                let entries = feed.changes.clone();
                base.write(entries, &root.keyset_key).expect("a snapshot")
            },
        ),
        Case {
            before: vec![file(feed.snapshot(1, now()))],
            ..case(
                "older-file",
                "a file that was signed before the one in use",
                file(feed.snapshot(1, now().minus(1))),
                false,
                ALLOW,
            )
        },
        Case {
            before: vec![file(feed.snapshot(1, now()))],
            ..case(
                "file-of-fewer-changes",
                "a file with fewer changes than are in use",
                file(feed.snapshot(0, now().plus(1))),
                false,
                ALLOW,
            )
        },
        Case {
            before: vec![file(feed.snapshot(1, now()))],
            ..case(
                "newer-file",
                "the same revocations, signed a second later",
                file(feed.snapshot(1, now().plus(1))),
                true,
                ALLOW,
            )
        },
        not("head-as-snapshot", "a signed file of another type", head),
        not(
            "unknown-target",
            "an entry with an unknown target, which no reader can enforce: the file is refused",
            with_line(root, r#"{"device":"7","expires":1764040000}"#),
        ),
        not(
            "two-targets",
            "an entry with two targets",
            with_line(
                root,
                r#"{"agent":"a","principal":"b","issued_before":1764040000}"#,
            ),
        ),
        not(
            "no-time",
            "a watermark without a time",
            with_line(root, r#"{"agent":"a"}"#),
        ),
    ]
}
