#![no_main]
//! Fuzz target for documents that verifiers fetch, signed unchanged: a document that opens survives signing and
//! opening again, and lines of revocations are applied either as a whole or not at all.

use std::sync::LazyLock;

use bailiwick_fuzz::{ISSUER, Root, now};
use bailiwick_token::{
    dsse::Envelope,
    keyset::{self, Keyset},
    report::Report,
    revocation::{
        Digest, Epoch, HEAD_TYPE, Head, Position, Revocation, SNAPSHOT_TYPE, Snapshot,
        SnapshotBase, SnapshotHeader,
    },
};
use bailiwick_verifier::Trust;
use libfuzzer_sys::fuzz_target;

static ROOT: LazyLock<Root> = LazyLock::new(Root::fixed);

fuzz_target!(|data: &[u8]| {
    let Some((kind, bytes)) = data.split_first() else {
        return;
    };
    match kind % 5 {
        0 => keyset(bytes),
        1 => head(bytes),
        2 => header(bytes),
        3 => lines(bytes),
        _ => anyones(bytes),
    }
});

fn signed(kind: &str, bytes: &[u8]) -> Vec<u8> {
    let envelope = Envelope::sign(kind, bytes.to_vec(), &ROOT.keyset_key);
    envelope.to_json().into_bytes()
}

/// Trust without revocations.
fn trust() -> Trust {
    let keyset = ROOT.keyset().sign(&ROOT.keyset_key).to_json();
    Trust::open(keyset.as_bytes(), &ROOT.keyset_public(), None).expect("a signed keyset")
}

fn keyset(bytes: &[u8]) {
    let (key, public) = (&ROOT.keyset_key, ROOT.keyset_public());
    let envelope = signed(keyset::PAYLOAD_TYPE, bytes);
    let Ok(keyset) = Keyset::open(&envelope, &public) else {
        return;
    };
    assert_eq!(Keyset::read_unverified(&envelope).as_ref(), Ok(&keyset));
    assert!(
        Head::open(&envelope, &public).is_err() && Snapshot::open(&envelope, &public).is_err(),
        "the type of a payload is signed"
    );
    let again = keyset.sign(key).to_json();
    assert_eq!(
        Keyset::open(again.as_bytes(), &public).as_ref(),
        Ok(&keyset)
    );
    Trust::open(again.as_bytes(), &public, None).expect("a keyset that opens");
}

fn head(bytes: &[u8]) {
    let (key, public) = (&ROOT.keyset_key, ROOT.keyset_public());
    let envelope = signed(HEAD_TYPE, bytes);
    let Ok(head) = Head::open(&envelope, &public) else {
        return;
    };
    assert!(Keyset::open(&envelope, &public).is_err());
    let again = head.sign(key).to_json();
    assert_eq!(Head::open(again.as_bytes(), &public).as_ref(), Ok(&head));
    let _either = trust().with_delta(&envelope, b"", head.issued_at);
}

/// Opens the bytes as the header of a snapshot without entries.
fn header(bytes: &[u8]) {
    let public = ROOT.keyset_public();
    let mut file = signed(SNAPSHOT_TYPE, bytes);
    file.push(b'\n');
    let opened = Snapshot::open(&file, &public);
    if let Ok(snapshot) = &opened {
        assert_eq!(snapshot.header().entries, 0);
        assert_eq!(snapshot.header().content, Digest::of(b""));
        let header = SnapshotHeader::open(&file, &public).expect("a header");
        assert_eq!(snapshot.header(), &header.0);
    }
    let keyset = ROOT.keyset().sign(&ROOT.keyset_key).to_json();
    let trust = Trust::open(keyset.as_bytes(), &public, Some(&file));
    assert!(opened.is_ok() || trust.is_err());
}

/// Applies lines covered by a signed head, as changes and as a snapshot.
fn lines(bytes: &[u8]) {
    let (key, now) = (&ROOT.keyset_key, now());
    let start = Position::start(Epoch::from_bytes([1; 8]));
    let text = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    let end = text
        .split(|byte| *byte == b'\n')
        .fold(start, |at, line| at.then(line).expect("a short history"));
    let head = |at: Position| Head {
        issuer: ISSUER.to_owned(),
        epoch: at.epoch,
        seq: at.seq,
        keyset_version: 1,
        issued_at: now,
        expires: now.plus(60),
        digest: at.digest,
    };
    let base = |position| SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position,
        issued_at: now,
        expires: now.plus(60),
    };
    let entries: Result<Vec<_>, _> = text
        .split(|byte| *byte == b'\n')
        .map(Revocation::from_line)
        .collect();
    let begun = trust().with_snapshot(
        base(start).write([], key).expect("a snapshot").as_bytes(),
        head(start).sign(key).to_json().as_bytes(),
        b"",
        now,
    );
    let signed = head(end).sign(key).to_json();
    let delta = begun
        .expect("an empty snapshot")
        .with_delta(signed.as_bytes(), bytes, now);
    let whole = bytes.ends_with(b"\n");
    assert_eq!(delta.is_ok(), whole && entries.is_ok());
    let Ok(entries) = entries else { return };
    for entry in &entries {
        assert_eq!(
            Revocation::from_line(entry.to_line().as_bytes()).as_ref(),
            Ok(entry)
        );
    }
    let snapshot = base(end).write(entries, key).expect("a snapshot");
    let read = trust()
        .with_snapshot(snapshot.as_bytes(), signed.as_bytes(), b"", now)
        .expect("a snapshot of what was read");
    if let Ok(delta) = delta {
        assert_eq!(delta.revocation_count(), read.revocation_count());
    }
}

/// Reads bytes of unknown origin without a signature: no reader panics, and each envelope or report has exactly
/// one text.
fn anyones(bytes: &[u8]) {
    let public = ROOT.keyset_public();
    if let Ok(envelope) = Envelope::parse(bytes) {
        let again = Envelope::parse(envelope.to_json().as_bytes()).expect("its own text");
        assert_eq!(again.to_json(), envelope.to_json());
    }
    let _either = (
        Keyset::open(bytes, &public).is_ok(),
        Keyset::read_unverified(bytes).is_ok(),
        Head::open(bytes, &public).is_ok(),
        Snapshot::open(bytes, &public).is_ok(),
    );
    let text = std::str::from_utf8(bytes).unwrap_or_default();
    if let Ok(report) = text.parse::<Report>() {
        assert_eq!(report.to_string(), text, "one report has one text");
    }
}
