use bailiwick_token::{
    claims::TokenId,
    revocation::{Head, Party, Position, Revocation, Snapshot, SnapshotHeader, Target, Watermark},
};

use super::*;

fn token(n: u8) -> Target {
    Target::Token(TokenId::from_bytes([n; 16]))
}

async fn head(issuer: &Issuer, now: u64) -> Head {
    let published = issuer.head(at(now)).await.unwrap();
    let head = Head::open(published.envelope.as_bytes(), issuer.keyset_key()).unwrap();
    assert_eq!(
        (head.seq, head.issued_at),
        (published.seq, published.issued_at)
    );
    head
}

#[tokio::test]
async fn a_reader_follows_from_any_place_to_the_head() {
    let (_dir, issuer) = issuer().await;
    let start = head(&issuer, 0).await;
    assert_eq!(start.position(), Position::start(start.epoch));
    let mut positions = vec![start.position()];
    for n in 1..=5 {
        issuer
            .revoke(token(n), None, "x", at(u64::from(n)))
            .await
            .unwrap();
        positions.push(head(&issuer, u64::from(n)).await.position());
    }
    let last = head(&issuer, 5).await;
    let epoch = last.epoch.to_string();
    for position in positions {
        let lines = issuer
            .delta(&epoch, position.seq, last.seq)
            .await
            .unwrap()
            .unwrap();
        let changes = position.follow(lines.as_bytes(), &last).unwrap();
        assert_eq!(changes.len() as u64, last.seq - position.seq);
    }
    for (epoch, after, to) in [
        (epoch.as_str(), 0, 6),
        (epoch.as_str(), 3, 2),
        ("0000000000000000", 0, 5),
        (epoch.as_str(), u64::MAX, u64::MAX),
    ] {
        assert_eq!(issuer.delta(epoch, after, to).await.unwrap(), None);
    }
}

#[tokio::test]
async fn the_head_is_signed_when_something_changed_and_every_few_seconds() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let first = one.head(at(0)).await.unwrap();
    assert!(first.envelope.len() <= 512, "{}", first.envelope.len());
    assert_eq!(two.head(at(4)).await.unwrap(), first);
    assert_eq!(two.head(at(5)).await.unwrap().issued_at, at(5));
    // With a clock that is behind, the head's time does not go back.
    assert_eq!(one.head(at(6)).await.unwrap().issued_at, at(5));
    two.revoke(token(1), None, "x", at(6)).await.unwrap();
    let changed = one.head(at(6)).await.unwrap();
    assert_eq!((changed.seq, changed.issued_at), (1, at(6)));
    one.stage(at(7)).await.unwrap();
    let keyset = two.head(at(7)).await.unwrap();
    assert_eq!(keyset.keyset_version, changed.keyset_version + 1);
    // The published files are served without the passphrase.
    let locked = Issuer::open(one.home()).await.unwrap();
    assert!(locked.head(at(8)).await.is_ok());
    assert!(locked.head(at(20)).await.is_err());
}

#[tokio::test]
async fn a_snapshot_holds_what_still_matters() {
    let (_dir, issuer) = issuer().await;
    let minted = issuer
        .mint(&request(), at(0))
        .await
        .unwrap()
        .receipt
        .token_id;
    for target in [
        Target::Token(minted),
        token(2),
        token(2),
        Target::Block([3; 64]),
    ] {
        issuer.revoke(target, None, "x", at(1)).await.unwrap();
    }
    for (now, entries) in [(2, 3), (600 + 61, 2)] {
        let published = issuer.snapshot(at(now)).await.unwrap();
        let snapshot = Snapshot::open(published.file.as_bytes(), issuer.keyset_key()).unwrap();
        assert_eq!(
            (
                snapshot.header().entries,
                published.entries,
                published.position.seq
            ),
            (entries, entries, 3)
        );
        assert_eq!(
            snapshot.header().position(),
            head(&issuer, now).await.position()
        );
    }
}

fn entries(issuer: &Issuer, file: &str) -> Vec<Revocation> {
    let snapshot = Snapshot::open(file.as_bytes(), issuer.keyset_key()).unwrap();
    snapshot.entries().collect::<Result<_, _>>().unwrap()
}

/// A snapshot made from the last one has the same content as a new one.
#[tokio::test]
async fn a_snapshot_from_the_last_one() {
    let (_dir, issuer) = issuer().await;
    let buyer = |before| {
        Target::Watermark(Watermark::new(Party::Agent, "agent:buyer", at(before)).unwrap())
    };
    let steps = [
        (1, token(1), Some(100)),
        (2, token(2), Some(1_000)),
        (3, buyer(3), None),
        (4, token(1), Some(400)),
        (50, token(3), None),
        (200, buyer(200), None),
        (300, Target::Block([3; 64]), Some(5_000)),
        (700, token(4), None),
        (2_000, token(5), None),
    ];
    let mut last = issuer.snapshot(at(0)).await.unwrap().file;
    for (now, target, expires) in steps {
        issuer
            .revoke(target, expires.map(at), "x", at(now))
            .await
            .unwrap();
        let anew = issuer.snapshot(at(now)).await.unwrap();
        let after = issuer.snapshot_after(last, at(now)).await.unwrap();
        let header = |file: &str| {
            let (header, _) = SnapshotHeader::open(file.as_bytes(), issuer.keyset_key()).unwrap();
            (header.position(), header.issued_at, header.expires)
        };
        assert_eq!(header(&after.file), header(&anew.file));
        let [held, wanted] = [&after, &anew].map(|made| entries(&issuer, &made.file));
        assert_eq!(after.entries, held.len() as u64);
        assert_eq!(sorted(held), sorted(wanted), "{now}");
        last = after.file;
    }
    assert_eq!(entries(&issuer, &last).len(), 5);
}

fn sorted(entries: Vec<Revocation>) -> Vec<String> {
    let mut lines: Vec<String> = entries.iter().map(Revocation::to_line).collect();
    lines.sort();
    lines
}

/// A file is used as the basis only if it is a snapshot of this history and has no future time.
#[tokio::test]
async fn a_snapshot_from_what_does_not_lead_to_it() {
    let (_dir, issuer) = issuer().await;
    issuer
        .revoke(token(1), Some(at(300)), "x", at(1))
        .await
        .unwrap();
    let anew = issuer.snapshot(at(2)).await.unwrap();
    let (_other_dir, other) = super::issuer().await;
    other.revoke(token(2), None, "x", at(1)).await.unwrap();
    let ahead = issuer.snapshot(at(10_000)).await.unwrap();
    assert_eq!(ahead.entries, 0);
    let mut cut = anew.file.clone();
    cut.truncate(cut.len() - 2);
    let foreign = other.snapshot(at(2)).await.unwrap().file;
    for last in [foreign, ahead.file, cut, "{}".to_owned(), String::new()] {
        let after = issuer.snapshot_after(last, at(2)).await.unwrap();
        assert_eq!(entries(&issuer, &after.file), entries(&issuer, &anew.file));
    }

    // The store loses its last change, and its history takes another course.
    let keep = "CREATE TABLE earlier AS SELECT feed_digest FROM issuer";
    issuer.store.tamper(keep).await;
    issuer.revoke(token(3), None, "x", at(3)).await.unwrap();
    let lost = issuer.snapshot(at(3)).await.unwrap().file;
    let back = "DELETE FROM revocation WHERE seq > 1; DELETE FROM feed_head;
        UPDATE issuer SET feed_seq = 1, feed_digest = (SELECT feed_digest FROM earlier)";
    issuer.store.tamper(back).await;
    for n in 4..=5 {
        issuer.revoke(token(n), None, "x", at(4)).await.unwrap();
    }
    let anew = issuer.snapshot(at(5)).await.unwrap();
    let after = issuer.snapshot_after(lost, at(5)).await.unwrap();
    assert_eq!(
        sorted(entries(&issuer, &after.file)),
        sorted(entries(&issuer, &anew.file))
    );
}
