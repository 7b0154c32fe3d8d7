//! Tests of the state on disk, and of starting from it.

use std::{fs, os::unix::fs::PermissionsExt, path::Path};

use super::{issuer::Mode, *};

fn kept_in(issuer: &Issuer, directory: &Path) -> Options {
    let mut options = options(issuer);
    options.directory = Some(directory.to_owned());
    options
}

/// A refresher that has followed one change since its snapshot.
async fn changed(directory: &Path) -> (Issuer, Options, Scene) {
    let issuer = Issuer::new(3);
    let options = kept_in(&issuer, directory);
    let mut scene = Scene::with(issuer.clone(), options.clone()).await;
    issuer.revoke(7);
    scene.pass(5).await;
    (issuer, options, scene)
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let mut names: Vec<_> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

fn snapshot(seq: u64) -> String {
    format!("snapshot-0101010101010101-{seq}.ndjson")
}

/// A restart while the issuer is down loses no part of the state in use, including changes.
#[tokio::test(start_paused = true)]
async fn a_start_while_the_issuer_is_down() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (issuer, options, mut scene) = changed(directory).await;
    issuer.revoke(8);
    issuer.publish(|_| {});
    scene.pass(5).await;
    assert_eq!(
        names(directory),
        ["feed.ndjson", "keyset.json", &snapshot(3)]
    );
    for name in names(directory) {
        let mode = fs::metadata(directory.join(&name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
    issuer.set(Mode::Down);
    issuer.asked();
    let mut again = Scene::with(issuer.clone(), options.clone()).await;
    assert_eq!(issuer.asked(), [""; 0]);
    assert_eq!(again.seq(), Some(5));
    assert_eq!(again.verifier.trust().keyset().version, 2);
    // The verifier still refuses answers that would undo this state.
    issuer.set(Mode::Up);
    issuer.state().shown = Some(4);
    again.pass(1).await;
    assert_eq!((again.seq(), again.status().rollbacks), (Some(5), 1));
    // The verifier continues from this state without a snapshot.
    issuer.state().shown = None;
    issuer.revoke(9);
    issuer.asked();
    again.pass(30).await;
    assert!(!issuer.asked().contains(&"/revocations/snapshot".to_owned()));
    let third = Scene::with(issuer, options).await;
    assert_eq!(third.seq(), Some(6));
}

#[tokio::test(start_paused = true)]
async fn a_new_snapshot_replaces_the_old_one() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let issuer = Issuer::new(3);
    let options = kept_in(&issuer, directory);
    let mut scene = Scene::with(issuer.clone(), options.clone()).await;
    // More changes than are worth rewriting each time.
    let more = (10..10_020).map(issuer::token);
    issuer.state().changes.extend(more);
    issuer.asked();
    scene.pass(31).await;
    assert!(issuer.asked().contains(&"/revocations/snapshot".to_owned()));
    assert_eq!(
        names(directory),
        ["feed.ndjson", "keyset.json", &snapshot(10_013)]
    );
    issuer.set(Mode::Down);
    assert_eq!(Scene::with(issuer, options).await.seq(), Some(10_013));
}

#[tokio::test(start_paused = true)]
async fn damaged_files_are_fetched_again() {
    type Spoil = fn(&[u8]) -> &[u8];
    let spoils: [Spoil; 4] = [
        |good| &good[..good.len() / 2],
        |_| b"",
        |_| b"\n",
        |good| &good[1..],
    ];
    for name in ["keyset.json", "feed.ndjson", &snapshot(3)] {
        for spoil in spoils {
            let directory = tempfile::tempdir().unwrap();
            let directory = directory.path();
            let (issuer, options, _) = changed(directory).await;
            let file = directory.join(name);
            let good = fs::read(&file).unwrap();
            fs::write(&file, spoil(&good)).unwrap();
            issuer.asked();
            let again = Scene::with(issuer.clone(), options.clone()).await;
            assert_eq!(again.seq(), Some(4), "{name}");
            assert!(issuer.asked().contains(&"/revocations/snapshot".to_owned()));
            // The files on disk are complete again.
            issuer.set(Mode::Down);
            let third = Scene::with(issuer, options).await;
            assert_eq!(third.seq(), Some(4), "{name}");
        }
    }
}

/// A damaged snapshot is replaced even if the issuer has nothing newer, so that the new one has the same name.
#[tokio::test(start_paused = true)]
async fn a_damaged_snapshot_is_replaced() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let issuer = Issuer::new(3);
    let options = kept_in(&issuer, directory);
    Scene::with(issuer.clone(), options.clone()).await;
    let file = directory.join(snapshot(3));
    let mut spoilt = fs::read(&file).unwrap();
    let last = spoilt.len() - 2;
    spoilt[last] ^= 1;
    fs::write(&file, spoilt).unwrap();
    assert_eq!(
        Scene::with(issuer.clone(), options.clone()).await.seq(),
        Some(3)
    );
    issuer.set(Mode::Down);
    assert_eq!(Scene::with(issuer, options).await.seq(), Some(3));
}

/// A full disk or a removed directory is reported, and decisions continue.
#[tokio::test(start_paused = true)]
async fn a_removed_directory_is_reported_and_decisions_continue() {
    let directory = tempfile::tempdir().unwrap();
    let issuer = Issuer::new(3);
    let options = kept_in(&issuer, &directory.path().join("kept"));
    let mut scene = Scene::with(issuer.clone(), options).await;
    drop(directory);
    issuer.revoke(7);
    scene.pass(5).await;
    assert_eq!((scene.seq(), scene.status().failures), (Some(4), 1));
}

/// Whatever files a crash leaves behind, after the next start the disk has the complete state of the head, and
/// the verifier continues from there.
#[tokio::test(start_paused = true)]
async fn leftovers_of_a_crash_are_cleaned_up() {
    type Leave = fn(&Path);
    let leaves: [(&str, Leave); 2] = [
        ("a newer snapshot, and the feed from before", |directory| {
            let [old, new] = [3, 5].map(|seq| directory.join(snapshot(seq)));
            fs::copy(old, new).unwrap();
        }),
        ("half of a file", |directory| {
            for name in [".feed.ndjson.new", ".snapshot-00-7.ndjson.new"] {
                fs::write(directory.join(name), b"{").unwrap();
            }
        }),
    ];
    for (what, leave) in leaves {
        let directory = tempfile::tempdir().unwrap();
        let directory = directory.path();
        let (issuer, options, _) = changed(directory).await;
        issuer.revoke(8);
        leave(directory);
        issuer.set(Mode::Down);
        let mut again = Scene::with(issuer.clone(), options.clone()).await;
        assert_eq!(again.seq(), Some(4), "{what}");
        issuer.set(Mode::Up);
        issuer.asked();
        again.pass(60).await;
        assert_eq!(again.seq(), Some(5), "{what}");
        let asked = issuer.asked();
        assert!(
            !asked.contains(&"/revocations/snapshot".to_owned()),
            "{what}"
        );
        issuer.set(Mode::Down);
        let third = Scene::with(issuer, options).await;
        assert_eq!(third.seq(), Some(5), "{what}");
        let left = names(directory);
        assert!(!left.iter().any(|name| name.starts_with('.')), "{left:?}");
    }
}

/// A change that could not be written makes later ones on disk useless, so a new snapshot is taken soon.
#[tokio::test(start_paused = true)]
async fn an_unwritten_change_brings_a_new_snapshot() {
    let directory = tempfile::tempdir().unwrap();
    let directory = directory.path();
    let (issuer, options, mut scene) = changed(directory).await;
    fs::write(directory.join("feed.ndjson"), b"{}\n").unwrap();
    issuer.revoke(8);
    scene.pass(5).await;
    assert_eq!((scene.seq(), scene.status().failures), (Some(5), 1));
    issuer.revoke(9);
    scene.pass(5).await;
    assert_eq!((scene.seq(), scene.status().failures), (Some(6), 1));
    issuer.asked();
    scene.pass(600).await;
    assert!(issuer.asked().contains(&"/revocations/snapshot".to_owned()));
    issuer.set(Mode::Down);
    assert_eq!(Scene::with(issuer, options).await.seq(), Some(6));
}
