//! Snapshots that are distributed as files.

use bailiwick_testkit::{Root, feed::Feed, now};
use bailiwick_token::revocation::Target;
use ed25519_dalek::SigningKey;

use super::{
    super::file::ALLOW,
    Case,
    made::{STALE, case, file, id, revocation, with_line},
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
    // Nothing is in use, so nothing is admitted.
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
            "a file that has ended: nothing is admitted",
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
        not("head-as-snapshot", "a signed file of another type", head),
        not(
            "unknown-target",
            "an entry whose target no reader knows refuses the file: it could not be honoured",
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
