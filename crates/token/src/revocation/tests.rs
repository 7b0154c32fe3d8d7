#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use ed25519_dalek::SigningKey;

use super::*;
use crate::{
    dsse::{self, Envelope, EnvelopeError},
    key::PublicKey,
};

const ISSUER: &str = "https://issuer.example";

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(seconds).unwrap()
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    key.verifying_key().try_into().unwrap()
}

fn token(seed: u8) -> Revocation {
    Revocation {
        target: Target::Token(TokenId::from_bytes([seed; 16])),
        expires: Some(at(4_000)),
    }
}

fn buyer() -> Watermark {
    Watermark::new(Party::Agent, "agent:buyer", at(700)).unwrap()
}

/// One statement of each kind.
fn history() -> Vec<Revocation> {
    let of = |party, name| Target::Watermark(Watermark::new(party, name, at(700)).unwrap());
    let forever = |target| Revocation {
        target,
        expires: None,
    };
    vec![
        token(1),
        forever(Target::Block([0xcd; 64])),
        forever(Target::Watermark(buyer())),
        forever(of(Party::Principal, "team:\"procurement\"")),
        Revocation {
            target: of(Party::Tenant, "ä"),
            expires: Some(at(9_000)),
        },
    ]
}

fn lines(history: &[Revocation]) -> Vec<u8> {
    let lines = history.iter().map(|entry| entry.to_line() + "\n");
    lines.collect::<String>().into_bytes()
}

fn position(history: &[Revocation]) -> Position {
    let start = Position::start(Epoch::from_bytes([1; 8]));
    history.iter().fold(start, |position, entry| {
        position.then(entry.to_line().as_bytes()).unwrap()
    })
}

fn head(history: &[Revocation]) -> Head {
    let Position { epoch, seq, digest } = position(history);
    Head {
        issuer: ISSUER.to_owned(),
        epoch,
        seq,
        keyset_version: 12,
        issued_at: at(1_000),
        expires: at(1_300),
        digest,
    }
}

fn base(history: &[Revocation]) -> SnapshotBase {
    SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position: position(history),
        issued_at: at(1_000),
        expires: at(2_000),
    }
}

#[test]
fn a_line_is_read_as_it_was_written() {
    for entry in history() {
        assert_eq!(Revocation::from_line(entry.to_line().as_bytes()), Ok(entry));
    }
    assert_eq!(
        token(0xab).to_line(),
        format!(r#"{{"token":"{}","expires":4000}}"#, "ab".repeat(16))
    );
    assert_eq!(
        history()[2].to_line(),
        r#"{"agent":"agent:buyer","issued_before":700}"#
    );
    let longest = "\\".repeat(MAX_NAME);
    let longest = Watermark::new(Party::Principal, &longest, Timestamp::MAX).unwrap();
    let longest = Revocation {
        target: Target::Watermark(longest),
        expires: Some(Timestamp::MAX),
    };
    assert_eq!(
        Revocation::from_line(longest.to_line().as_bytes()),
        Ok(longest)
    );
}

#[test]
fn a_line_that_cannot_be_honoured_is_refused() {
    let (id, block) = ("ab".repeat(16), "cd".repeat(64));
    let read = |text: &str| Revocation::from_line(text.as_bytes());
    for good in [
        format!(r#"{{"token":"{id}","later":[1]}}"#),
        format!(r#" {{"block":"{block}","expires":null}} "#),
        r#"{"tenant":"t","issued_before":0,"why":"x"}"#.to_owned(),
    ] {
        assert!(read(&good).is_ok(), "{good}");
    }
    let long = "n".repeat(MAX_NAME + 1);
    for bad in [
        String::new(),
        "{}".to_owned(),
        "[]".to_owned(),
        r#"{"expires":1}"#.to_owned(),
        r#"{"root_key":"6f0c1a2b","expires":1}"#.to_owned(),
        format!(r#"{{"token":"{id}","block":"{block}"}}"#),
        format!(r#"{{"token":"{id}","agent":"a","issued_before":1}}"#),
        format!(r#"{{"token":"{id}","issued_before":1}}"#),
        format!(r#"{{"token":"{id}","token":"{id}"}}"#),
        format!(r#"{{"token":"{}"}}"#, id.to_uppercase()),
        format!(r#"{{"block":"{}"}}"#, block.to_uppercase()),
        format!(r#"["{id}"]"#),
        format!(r#"{{"token":"{id}","expires":"soon"}}"#),
        format!(r#"{{"token":"{id}","expires":-1}}"#),
        format!(r#"{{"token":"{id}","expires":1.5}}"#),
        format!(r#"{{"token":"{id}","expires":999999999999}}"#),
        format!(r#"{{"token":"{id}"}} {{"token":"{id}"}}"#),
        format!(r#"{{"block":"{id}"}}"#),
        r#"{"agent":"a"}"#.to_owned(),
        r#"{"agent":"a","issued_before":null}"#.to_owned(),
        r#"{"agent":"a","principal":"p","issued_before":1}"#.to_owned(),
        r#"{"agent":"","issued_before":1}"#.to_owned(),
        r#"{"agent":"a\nb","issued_before":1}"#.to_owned(),
        format!(r#"{{"agent":"{long}","issued_before":1}}"#),
        format!(r#"{{"token":"{id}","x":"{}"}}"#, "y".repeat(MAX_LINE)),
    ] {
        assert!(read(&bad).is_err(), "{bad}");
    }
}

#[test]
fn a_statement_outlives_its_end_by_the_skew() {
    let entry = token(1);
    assert!(!entry.is_dead(at(4_000 + SKEW)));
    assert!(entry.is_dead(at(4_001 + SKEW)));
    let forever = Revocation {
        expires: None,
        ..entry
    };
    assert!(!forever.is_dead(Timestamp::MAX));
}

/// The expected digests were computed outside this program, so that other implementations can write the chain
/// as well.
#[test]
fn the_chain_is_unchanged() {
    let first = chain(
        &Digest::START,
        br#"{"token":"abababababababababababababababab"}"#,
    );
    assert_eq!(
        first.to_string(),
        "wbeyZN7o0mAbbasrt3r6hUL6XPf1qWg6pVpQJZPXy38"
    );
    let second = chain(&first, b"");
    assert_eq!(
        second.to_string(),
        "MT4Sb2OFOvXpYMBU1sz1K5ua8dbGU6KctU1VTlOZdFA"
    );
    assert_eq!(first.to_string().parse(), Ok(first));
    for bad in ["", "AA", &"A".repeat(44), &"=".repeat(43), &"B".repeat(43)] {
        assert!(bad.parse::<Digest>().is_err(), "{bad}");
    }
    assert_eq!(
        "0123456789abcdef".parse::<Epoch>().unwrap().to_string(),
        "0123456789abcdef"
    );
    for bad in [
        "",
        "0123456789abcde",
        "0123456789ABCDEF",
        "0123456789abcdeg",
    ] {
        assert!(bad.parse::<Epoch>().is_err(), "{bad}");
    }
}

#[test]
fn a_head_is_small_and_read_as_it_was_written() {
    let head = Head {
        issuer: format!("https://{}.example", "i".repeat(48)),
        seq: 99_999_999_999,
        keyset_version: 9_999_999,
        issued_at: at(9_999_999_998),
        expires: at(9_999_999_999),
        ..head(&history())
    };
    assert_eq!(head.issuer.len(), 64);
    let text = head.sign(&key()).to_json();
    assert!(text.len() <= 512, "{} bytes", text.len());
    assert_eq!(Head::open(text.as_bytes(), &public(&key())), Ok(head));
    let other = SigningKey::from_bytes(&[8; 32]);
    assert!(matches!(
        Head::open(text.as_bytes(), &public(&other)),
        Err(HeadError::Envelope(EnvelopeError::NotSigned { .. }))
    ));
}

#[test]
fn impossible_heads_are_refused_though_signed() {
    let refused = |change: fn(&mut Head)| {
        let mut head = head(&history());
        change(&mut head);
        Head::open(head.sign(&key()).to_json().as_bytes(), &public(&key())).unwrap_err()
    };
    assert_eq!(refused(|head| head.issuer.clear()), HeadError::NoIssuer);
    assert_eq!(
        refused(|head| head.expires = head.issued_at),
        HeadError::NoLife
    );
    assert_eq!(refused(|head| head.seq = 0), HeadError::Start);
    let long = Envelope::sign(HEAD_TYPE, vec![b' '; MAX_HEAD], &key()).to_json();
    assert_eq!(
        Head::open(long.as_bytes(), &public(&key())),
        Err(EnvelopeError::TooLarge { limit: MAX_HEAD }.into())
    );
}

#[test]
fn changes_lead_to_the_head_or_are_refused() {
    let history = history();
    let head = head(&history);
    for known in 0..=history.len() {
        let (before, after) = history.split_at(known);
        assert_eq!(
            position(before).follow(&lines(after), &head),
            Ok(after.to_vec())
        );
    }
    let known = position(&history[..2]);
    let missing = lines(&history[2..]);
    for index in 0..missing.len() {
        let mut changed = missing.clone();
        changed[index] ^= 1;
        assert!(known.follow(&changed, &head).is_err(), "byte {index}");
        assert!(
            known.follow(&missing[..index], &head).is_err(),
            "cut {index}"
        );
    }
    let gap = |wanted, found| Err(DeltaError::Gap { wanted, found });
    assert_eq!(known.follow(&lines(&history[3..]), &head), gap(3, 2));
    assert_eq!(known.follow(&lines(&history[1..]), &head), gap(3, 4));
    assert_eq!(known.follow(b"", &head), gap(3, 0));
    let mut reversed = history[2..].to_vec();
    reversed.reverse();
    assert_eq!(
        known.follow(&lines(&reversed), &head),
        Err(DeltaError::Chain(5))
    );
    assert_eq!(
        position(&[token(7), token(8)]).follow(&missing, &head),
        Err(DeltaError::Chain(5))
    );
    let other = [&history[..4], &[token(7)]].concat();
    assert_eq!(
        position(&other).follow(b"", &head),
        Err(DeltaError::Fork(5))
    );
    let further = position(&[&history[..], &[token(7)]].concat());
    assert_eq!(
        further.follow(b"", &head),
        Err(DeltaError::Replay {
            used: 6,
            offered: 5
        })
    );
    let elsewhere = Position {
        epoch: Epoch::from_bytes([2; 8]),
        ..known
    };
    assert_eq!(elsewhere.follow(&missing, &head), Err(DeltaError::Epoch));
    assert_eq!(
        known.follow(&vec![b'\n'; 3 * (MAX_LINE + 1) + 1], &head),
        Err(DeltaError::TooLarge)
    );
}

#[test]
fn an_unknown_signed_change_is_refused() {
    let strange = br#"{"root_key":"6f0c1a2b"}"#;
    let known = position(&history());
    let end = known.then(strange).unwrap();
    let head = Head {
        seq: end.seq,
        digest: end.digest,
        ..head(&history())
    };
    let lines = [&strange[..], b"\n"].concat();
    assert_eq!(
        known.follow(&lines, &head),
        Err(DeltaError::Line {
            number: 6,
            error: LineError::Target
        })
    );
}

#[test]
fn a_snapshot_is_read_as_it_was_written() {
    let history = history();
    let file = base(&history).write(history.clone(), &key()).unwrap();
    let public = public(&key());
    let snapshot = Snapshot::open(file.as_bytes(), &public).unwrap();
    assert_eq!(snapshot.header().position(), position(&history));
    assert_eq!(snapshot.header().entries, 5);
    let entries: Result<Vec<_>, _> = snapshot.entries().collect();
    assert_eq!(entries, Ok(history.clone()));

    let later = SnapshotBase {
        keyset_version: 1,
        issued_at: at(4_001 + SKEW),
        expires: at(9_000),
        ..base(&history)
    };
    let file = later.write(history.clone(), &key()).unwrap();
    let snapshot = Snapshot::open(file.as_bytes(), &public).unwrap();
    let entries: Result<Vec<_>, _> = snapshot.entries().collect();
    assert_eq!(entries, Ok(history[1..].to_vec()));

    let empty = base(&[]).write([], &key()).unwrap();
    let snapshot = Snapshot::open(empty.as_bytes(), &public).unwrap();
    assert_eq!(snapshot.entries().count(), 0);
}

#[test]
fn a_snapshot_that_was_changed_is_refused() {
    let history = history();
    let public = public(&key());
    let file = base(&history).write(history.clone(), &key()).unwrap();
    // The only part that is not signed. No decision depends on it.
    let hint = file.find("keyid").unwrap()..file.find("\",\"sig\"").unwrap();
    let file = file.as_bytes();
    let open = |file: &[u8]| Snapshot::open(file, &public).map(|_| ());
    for index in 0..file.len() {
        let mut changed = file.to_vec();
        changed[index] ^= 1;
        assert!(
            hint.contains(&index) || open(&changed).is_err(),
            "byte {index}"
        );
        assert!(open(&file[..index]).is_err(), "cut {index}");
    }
    for more in [&b"\n"[..], b" ", &lines(&[token(9)])] {
        assert_eq!(open(&[file, more].concat()), Err(SnapshotError::Content));
    }
    // The header of one snapshot with the lines of another.
    let other = base(&history).write([token(1)], &key()).unwrap();
    let header = file.split(|byte| *byte == b'\n').next().unwrap();
    let rest = other.split_once('\n').unwrap().1;
    assert_eq!(
        open(&[header, b"\n", rest.as_bytes()].concat()),
        Err(SnapshotError::Content)
    );
}

#[test]
fn impossible_snapshots_are_refused_though_signed() {
    let public = public(&key());
    let signed = |lines: &[u8], change: fn(&mut SnapshotHeader)| {
        let Position { epoch, seq, digest } = position(&history());
        let mut header = SnapshotHeader {
            issuer: ISSUER.to_owned(),
            epoch,
            seq,
            issued_at: at(1_000),
            expires: at(2_000),
            digest,
            entries: lines.split(|byte| *byte == b'\n').count() as u64 - 1,
            content: Digest::of(lines),
            keyset_version: 1,
        };
        change(&mut header);
        let envelope = Envelope::sign(SNAPSHOT_TYPE, dsse::to_json(&header), &key());
        let file = [envelope.to_json().as_bytes(), b"\n", lines].concat();
        let snapshot = Snapshot::open(&file, &public)?;
        snapshot.entries().collect::<Result<Vec<_>, _>>()
    };
    let good = lines(&history());
    assert!(signed(&good, |_| {}).is_ok());
    let refused = |change| signed(&good, change).unwrap_err();
    assert_eq!(
        refused(|header| header.issuer.clear()),
        SnapshotError::NoIssuer
    );
    assert_eq!(
        refused(|header| header.expires = header.issued_at),
        SnapshotError::NoLife
    );
    assert_eq!(refused(|header| header.seq = 0), SnapshotError::Start);
    assert_eq!(
        refused(|header| header.entries = 4),
        SnapshotError::Count {
            stated: 4,
            found: 5
        }
    );
    assert_eq!(
        refused(|header| header.entries = MAX_ENTRIES as u64 + 1),
        SnapshotError::TooMany
    );
    assert_eq!(
        signed(&good[..good.len() - 1], |_| {}),
        Err(SnapshotError::Content)
    );
    let strange = [&good[..], b"{\"root_key\":\"6f0c1a2b\"}\n"].concat();
    assert_eq!(
        signed(&strange, |_| {}),
        Err(SnapshotError::Line {
            number: 7,
            error: LineError::Target
        })
    );
    assert!(signed(&[&good[..], b"\n"].concat(), |_| {}).is_err());
}

#[test]
fn files_of_another_kind_say_so() {
    let public = public(&key());
    let head = head(&history()).sign(&key()).to_json();
    for file in [head.clone(), head.clone() + "\n", head.clone() + "\n{}\n"] {
        assert_eq!(
            Snapshot::open(file.as_bytes(), &public).unwrap_err(),
            EnvelopeError::WrongType {
                found: HEAD_TYPE.to_owned(),
                expected: SNAPSHOT_TYPE.to_owned(),
            }
            .into()
        );
    }
    let snapshot = base(&[]).write([], &key()).unwrap();
    assert!(Head::open(snapshot.as_bytes(), &public).is_err());
    assert!(Snapshot::open(&vec![b'x'; 100_000], &public).is_err());
}
