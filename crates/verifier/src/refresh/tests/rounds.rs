//! Tests of fetches when nothing fails.

use bailiwick_token::revocation::Epoch;

use super::*;

const KEYSET: &str = "/.well-known/bailiwick/keyset";
const HEAD: &str = "/revocations";
const SNAPSHOT: &str = "/revocations/snapshot";
const PAGE: &str = "/revocations/0101010101010101/";

#[tokio::test(start_paused = true)]
async fn a_cold_start_and_a_change() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    assert_eq!(scene.asked(), [KEYSET, HEAD, SNAPSHOT, HEAD]);
    assert_eq!(scene.seq(), Some(3));
    assert!(scene.is_ready(&Default::default(), scene.issuer.state().now));

    scene.issuer.revoke(7);
    scene.pass(5).await;
    assert_eq!(scene.asked(), [HEAD.to_owned(), format!("{PAGE}3-4")]);
    assert_eq!(scene.seq(), Some(4));
    let status = scene.status();
    assert_eq!(
        (status.revocations, status.failures, status.last_error),
        (4, 0, None)
    );

    // Nothing new: one small head.
    scene.pass(5).await;
    assert_eq!(scene.asked(), [HEAD]);
    assert_eq!(
        scene.verifier.trust().revocations_issued_at(),
        Some(scene.issuer.state().now)
    );
    scene.pass(2).await;
    assert_eq!(scene.asked(), [""; 0]);
    // After the refresh hint of 30 seconds, the keyset is fetched as well; it has not changed.
    scene.pass(28).await;
    assert_eq!(scene.asked(), [KEYSET, HEAD]);
    assert_eq!(scene.status().keyset_version, 1);
    let reports = scene.issuer.state().reports.clone();
    assert_eq!(reports[0], "name=\"erp-1\"; service=\"erp\"");
    assert_eq!(
        reports.last().unwrap(),
        "name=\"erp-1\"; service=\"erp\"; keyset=1; epoch=0101010101010101; seq=4"
    );
}

#[tokio::test(start_paused = true)]
async fn many_changes_come_in_pages() {
    let mut scene = Scene::new(Issuer::new(1)).await;
    scene.asked();
    let more = (1..25_001).map(issuer::token);
    scene.issuer.state().changes.extend(more);
    scene.pass(5).await;
    let pages = ["1-10001", "10001-20001", "20001-25001"].map(|page| format!("{PAGE}{page}"));
    assert_eq!(scene.asked(), [&[HEAD.to_owned()][..], &pages].concat());
    assert_eq!(scene.seq(), Some(25_001));
    // Too many changes: the snapshot is fetched, and no other one for a while.
    let more = (0..60_000).map(issuer::token);
    scene.issuer.state().changes.extend(more);
    scene.pass(60).await;
    assert_eq!(scene.asked(), [KEYSET, HEAD, SNAPSHOT, HEAD]);
    assert_eq!(scene.seq(), Some(85_001));
}

#[tokio::test(start_paused = true)]
async fn changes_that_the_issuer_no_longer_has() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.asked();
    scene.issuer.revoke(7);
    scene.issuer.state().forgotten = 4;
    scene.pass(31).await;
    let page = format!("{PAGE}3-4");
    assert_eq!(scene.asked(), [KEYSET, HEAD, &page, SNAPSHOT, HEAD]);
    assert_eq!((scene.seq(), scene.status().failures), (Some(4), 0));
}

#[tokio::test(start_paused = true)]
async fn another_epoch() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.asked();
    {
        let mut state = scene.issuer.state();
        state.epoch = Epoch::from_bytes([2; 8]);
        state.changes.truncate(1);
    }
    scene.pass(31).await;
    assert_eq!(scene.asked(), [KEYSET, HEAD, SNAPSHOT, HEAD]);
    let position = scene.verifier.trust().position().unwrap();
    assert_eq!(
        (position.epoch, position.seq),
        (Epoch::from_bytes([2; 8]), 1)
    );
}

/// Revocations that the issuer lost by a restore stay in force, are reported, and do not hinder later changes
/// or another restore. Once the issuer has revoked them again, no revocation is reported as carried.
#[tokio::test(start_paused = true)]
async fn another_epoch_that_lacks_revocations() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    let carried = |scene: &Scene| {
        let status = scene.status();
        (status.revocations, status.carried_revocations)
    };
    let begin_anew = |scene: &Scene, epoch: u8, changes: &[u64]| {
        let mut state = scene.issuer.state();
        state.epoch = Epoch::from_bytes([epoch; 8]);
        state.changes = changes.iter().copied().map(issuer::token).collect();
    };
    assert_eq!(carried(&scene), (3, 0));
    begin_anew(&scene, 2, &[0]);
    scene.pass(31).await;
    assert_eq!(carried(&scene), (1, 2));
    scene.issuer.revoke(9);
    scene.pass(5).await;
    assert_eq!(carried(&scene), (2, 2));
    begin_anew(&scene, 3, &[0, 2]);
    scene.pass(31).await;
    assert_eq!(carried(&scene), (2, 2));
    assert_eq!(scene.status().rollbacks, 0);
    scene.issuer.revoke(1);
    scene.pass(5).await;
    assert_eq!(carried(&scene), (3, 1));
    begin_anew(&scene, 4, &[0, 1, 2, 9]);
    scene.pass(31).await;
    assert_eq!(carried(&scene), (4, 0));
}

/// The head names the newest keyset, so a revoked key is known within seconds.
#[tokio::test(start_paused = true)]
async fn a_head_tells_of_a_newer_keyset() {
    let mut scene = Scene::new(Issuer::new(0)).await;
    scene.asked();
    scene.issuer.publish(|keyset| keyset.keys.clear());
    scene.pass(5).await;
    assert_eq!(scene.asked(), [HEAD, KEYSET]);
    assert_eq!(scene.verifier.trust().keyset().version, 2);
    // A cache that still has the old keyset is asked again at growing intervals, and the failure is reported.
    let old = scene.issuer.state().keyset.clone();
    scene.issuer.publish(|_| {});
    let old = old.sign(&ed25519_dalek::SigningKey::from_bytes(&[9; 32]));
    scene.issuer.forge_answer(KEYSET, old.to_json());
    let failures = scene.status().failures;
    for _ in 0..6 {
        scene.pass(5).await;
    }
    let asked = scene.asked();
    let keysets = asked.iter().filter(|path| *path == KEYSET).count();
    assert!((2..=5).contains(&keysets), "{asked:?}");
    assert_eq!(scene.status().failures, failures + keysets as u64);
    assert_eq!(scene.verifier.trust().keyset().version, 2);
    scene.issuer.be_honest();
    scene.pass(30).await;
    assert_eq!(scene.verifier.trust().keyset().version, 3);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_begins_later() {
    let issuer = Issuer::new(2);
    let url = issuer.state().keyset.revocation_url.take();
    let mut scene = Scene::new(issuer).await;
    assert_eq!(
        (scene.asked(), scene.seq()),
        (vec![KEYSET.to_owned()], None)
    );
    scene.issuer.publish(|keyset| keyset.revocation_url = url);
    scene.pass(30).await;
    assert_eq!(scene.asked(), [KEYSET, HEAD, SNAPSHOT, HEAD, HEAD]);
    assert_eq!(scene.seq(), Some(2));
    // A feed that is removed leaves the revocations in use.
    scene.issuer.publish(|keyset| keyset.revocation_url = None);
    scene.pass(30).await;
    assert_eq!(scene.verifier.trust().keyset().version, 3);
    assert_eq!(scene.seq(), Some(2));
    assert!(!scene.is_ready(&Default::default(), scene.issuer.state().now.plus(61)));
}

/// A token with an unknown key triggers a fetch of the keyset immediately. For the next 30 seconds, no token
/// triggers another fetch.
#[tokio::test(start_paused = true)]
async fn an_unknown_key() {
    let issuer = Issuer::new(0);
    let scene = Scene::new(issuer.clone()).await;
    let verifier = Arc::clone(&scene.verifier);
    let running = tokio::spawn(scene.refresher.run(Arc::clone(&verifier)));
    let settle = async || {
        // The paused clock advances on its own whenever all tasks wait.
        tokio::time::sleep(Duration::from_millis(100)).await;
    };
    settle().await;
    issuer.asked();
    let keysets = |asked: Vec<String>| asked.iter().filter(|path| *path == KEYSET).count();
    verifier.unknown_key.notify_one();
    settle().await;
    assert_eq!(keysets(issuer.asked()), 1);
    for _ in 0..100 {
        verifier.unknown_key.notify_one();
        settle().await;
    }
    assert_eq!(keysets(issuer.asked()), 0);
    // A notification that arrived meanwhile is not lost, and many count as one.
    tokio::time::sleep(Duration::from_secs(22)).await;
    assert!(keysets(issuer.asked()) <= 2);
    running.abort();
}

/// The announced keyset is fetched soon, even if the regular interval is long and the issuer is down for a
/// moment.
#[tokio::test(start_paused = true)]
async fn a_newer_keyset_is_asked_for_until_it_comes() {
    let issuer = Issuer::new(0);
    issuer.state().keyset.refresh_hint = 3_600;
    let mut scene = Scene::new(issuer).await;
    let old = scene.issuer.state().keyset.clone();
    scene.issuer.publish(|_| {});
    let old = old.sign(&ed25519_dalek::SigningKey::from_bytes(&[9; 32]));
    scene.issuer.forge_answer(KEYSET, old.to_json());
    for round in 0..120 {
        let mode = match round {
            60 => issuer::Mode::Down,
            _ => issuer::Mode::Up,
        };
        scene.issuer.set(mode);
        scene.pass(5).await;
    }
    scene.asked();
    for _ in 0..60 {
        scene.pass(5).await;
    }
    let asked = scene.asked();
    let keysets = asked.iter().filter(|path| *path == KEYSET).count();
    assert!(keysets >= 4, "{keysets} in five minutes");
    scene.issuer.be_honest();
    for _ in 0..13 {
        scene.pass(5).await;
    }
    assert_eq!(scene.verifier.trust().keyset().version, 2);
}
