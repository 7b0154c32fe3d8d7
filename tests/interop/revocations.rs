//! Revocations: snapshots as files, and a feed that is followed.

mod feeds;
mod files;
mod lines;
mod made;
mod targets;

use bailiwick_testkit::{ISSUER, Root, SERVICE};
use bailiwick_token::{key::PublicKey, timestamp::Timestamp};
use bailiwick_verifier::{Trust, Verifier};
use serde::{Deserialize, Serialize};

use super::file::{self, FORMAT, assert_none};

/// The file `revocations.json`.
#[derive(Serialize, Deserialize)]
struct Revocations {
    format: u32,
    about: String,
    service: String,
    keyset_key: PublicKey,
    keyset: String,
    /// A good token with one appended block, and a call that it allows.
    token: String,
    call: String,
    cases: Vec<Case>,
}

#[derive(Serialize, Deserialize)]
struct Case {
    name: String,
    about: String,
    time: Timestamp,
    /// Offers that are made first, one after the other, and accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    before: Vec<Offer>,
    /// The offer that is tested.
    offered: Offer,
    accepted: bool,
    /// The decision on the token and the call, by the keyset and revocations in use at the end.
    decision: String,
}

/// Files that a verifier is offered together: a snapshot alone, a snapshot and the head that it leads to, or a head and
/// the changes since those in use.
#[derive(Clone, Serialize, Deserialize)]
struct Offer {
    time: Timestamp,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    snapshot: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    head: Option<String>,
    /// The changes up to the head, each line with its line feed.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    changes: String,
}

#[test]
fn the_product_reads_revocations_as_the_file_says() {
    let file = file::current("revocations", &made());
    let mut wrong = Vec::new();
    for case in &file.cases {
        let mut trust = trust(&file, None).expect("a keyset");
        for offer in &case.before {
            trust = take(&file, &trust, offer).expect("revocations in use");
        }
        let taken = take(&file, &trust, &case.offered);
        let accepted = taken.is_some();
        let verifier =
            Verifier::new(&file.service, taken.unwrap_or(trust)).expect("a service name");
        let decision = file::decision(&verifier, &file.token, &file.call, case.time);
        if (accepted, &decision) != (case.accepted, &case.decision) {
            let (name, expected) = (&case.name, (case.accepted, &case.decision));
            wrong.push(format!(
                "{name}: {expected:?} expected, {:?} found",
                (accepted, decision)
            ));
        }
    }
    assert_none(&wrong);
}

/// The trust after the offered files were applied; `None` if they are refused.
fn take(file: &Revocations, trust: &Trust, offer: &Offer) -> Option<Trust> {
    let Offer {
        time,
        snapshot,
        head,
        changes,
    } = offer;
    let (head, changes) = (head.as_ref().map(String::as_bytes), changes.as_bytes());
    let offered = match (snapshot.as_ref().map(String::as_bytes), head) {
        (Some(snapshot), None) => self::trust(file, Some(snapshot))?,
        (Some(snapshot), Some(head)) => trust.with_snapshot(snapshot, head, changes, *time).ok()?,
        (None, Some(head)) => trust.with_delta(head, changes, *time).ok()?,
        (None, None) => panic!("an offer of nothing"),
    };
    // The verifier makes further checks before it replaces its trust.
    let verifier = Verifier::new(&file.service, trust.clone()).expect("a service name");
    verifier.replace_trust(offered).ok()?;
    Some(Trust::clone(&verifier.trust()))
}

/// The keyset of the file, with or without a snapshot. It names a feed, so nothing is admitted without revocations.
fn trust(file: &Revocations, snapshot: Option<&[u8]>) -> Option<Trust> {
    let trust = Trust::open(file.keyset.as_bytes(), &file.keyset_key, snapshot).ok()?;
    assert!(trust.keyset().revocation_url.is_some());
    Some(trust.require_revocations())
}

fn made() -> Revocations {
    let root = Root::fixed();
    let token = made::token(&root);
    let mut keyset = root.keyset();
    keyset.revocation_url = Some(format!("{ISSUER}/.well-known/bailiwick/revocations"));
    Revocations {
        format: FORMAT,
        about: "Revocations: snapshots, heads and changes, whether each is accepted, and the decision on a token"
            .to_owned(),
        service: SERVICE.to_owned(),
        keyset_key: root.keyset_public(),
        keyset: keyset.sign(&root.keyset_key).to_json(),
        call: r#"{"action":"act"}"#.to_owned(),
        cases: made::cases(&root, &token),
        token: token.text(),
    }
}
