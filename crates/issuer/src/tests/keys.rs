use bailiwick_token::keyset::KeyState;

use super::*;
use crate::{ImportedKey, RootKeyError, State, Step, TransitionError, VerifierInfo, Wait};

fn states(keyset: &Keyset) -> Vec<KeyState> {
    let mut keys = keyset.keys.clone();
    keys.sort_by_key(|key| key.not_after.is_none());
    keys.iter().map(|key| key.state).collect()
}

#[tokio::test]
async fn every_change_is_a_new_keyset_that_its_key_signed() {
    let (_dir, issuer) = issuer().await;
    let first = keyset(&issuer).await;
    assert_eq!((first.version, first.expires), (1, at(86_400)));
    assert_eq!(first.keys.len(), 2);
    let spare = first
        .keys
        .iter()
        .find(|key| key.state == KeyState::Staged)
        .unwrap()
        .id;

    let early = issuer.activate(spare, false, at(119)).await.unwrap_err();
    let guard = early.guard().unwrap();
    assert_eq!((guard.wait, guard.until), (Wait::Publication, at(120)));
    assert_eq!(keyset(&issuer).await, first);

    let report = issuer.activate(spare, false, at(120)).await.unwrap();
    let steps: Vec<Step> = report.changes.iter().map(|change| change.step).collect();
    assert_eq!(steps, [Step::Supersede, Step::Activate, Step::Stage]);
    let second = keyset(&issuer).await;
    assert_eq!((second.version, report.keyset_version), (2, 2));
    assert_eq!(second.active().unwrap().id, spare);
    assert_eq!(states(&second).first(), Some(&KeyState::Retiring));
    assert_eq!(second.keys.len(), 3);
}

#[tokio::test]
async fn private_halves_go_with_their_keys() {
    let (_dir, issuer) = issuer().await;
    let sealed = async || {
        issuer
            .store
            .read()
            .await
            .unwrap()
            .sealed_names()
            .await
            .unwrap()
    };
    let active = keyset(&issuer).await.active().unwrap().id;
    assert!(sealed().await.contains(&active.to_string()));
    let mut tx = issuer.store.read().await.unwrap();
    let secret = tx.sealed(&active.to_string()).await.unwrap();
    drop(tx);
    let on_disk = |secret: &[u8]| {
        ["issuer.db", "issuer.db-wal"].iter().any(|file| {
            let bytes = std::fs::read(issuer.home().join(file)).unwrap_or_default();
            bytes.windows(secret.len()).any(|window| window == secret)
        })
    };
    assert!(on_postgres() || on_disk(&secret));
    let report = issuer
        .revoke_key(active, "laptop stolen", at(5))
        .await
        .unwrap();
    assert!(!on_disk(&secret));
    let steps: Vec<Step> = report.changes.iter().map(|change| change.step).collect();
    assert_eq!(steps, [Step::Revoke, Step::Activate, Step::Stage]);
    assert!(!sealed().await.contains(&active.to_string()));
    assert_eq!(
        sealed().await.len(),
        3,
        "the keyset key, the active key, the spare"
    );

    let keyset = keyset(&issuer).await;
    assert_eq!(keyset.tombstones.first().map(|dead| dead.id), Some(active));
    assert!(keyset.active().is_some_and(|key| key.id != active));
    let again = issuer.revoke_key(active, "again", at(6)).await.unwrap();
    assert_eq!(
        (again.changes.len(), again.keyset_version),
        (0, keyset.version)
    );
    assert!(matches!(
        issuer.revoke_key(active, " ", at(6)).await,
        Err(RootKeyError::Reason)
    ));
}

#[tokio::test]
async fn rotation_runs_its_whole_course() {
    let (_dir, issuer) = issuer().await;
    let first = keyset(&issuer).await.active().unwrap().id;
    assert!(issuer.rotate(at(60)).await.unwrap().changes.is_empty());
    assert_eq!(issuer.rotate(at(120)).await.unwrap().changes.len(), 3);
    let waiting = issuer.rotate(at(130)).await.unwrap();
    assert!(waiting.changes.is_empty() && waiting.waiting.len() == 2);
    // Idle runs need no passphrase and publish no keyset.
    let locked = Issuer::open(issuer.home()).await.unwrap();
    assert!(locked.rotate(at(140)).await.is_ok());
    assert_eq!(keyset(&issuer).await.version, 2);

    let due = 120 + 3_600 + 60 + 86_400;
    let report = issuer.rotate(at(due)).await.unwrap();
    assert_eq!(
        report
            .changes
            .first()
            .map(|change| (change.id, change.step)),
        Some((first, Step::Retire))
    );
    let keys = issuer.keys().await.unwrap();
    let retired = keys.iter().find(|key| key.id == first).unwrap();
    assert_eq!(
        (retired.state, retired.retired_at),
        (State::Retired, Some(at(due)))
    );
    assert_eq!(
        keys.iter().filter(|key| key.state == State::Active).count(),
        1
    );
    assert_eq!(
        issuer.audit_verify(&[], |_| ()).await.unwrap().finding,
        None
    );
}

#[tokio::test]
async fn of_two_processes_one_wins_a_transition() {
    let (_dir, one) = issuer().await;
    let two = another(&one).await;
    let spare = keyset(&one)
        .await
        .keys
        .iter()
        .find(|key| key.state == KeyState::Staged)
        .unwrap()
        .id;
    let (a, b) = tokio::join!(
        one.activate(spare, false, at(120)),
        two.activate(spare, false, at(120))
    );
    let lost = match (a, b) {
        (Ok(_), Err(lost)) | (Err(lost), Ok(_)) => lost,
        other => panic!("{other:?}"),
    };
    assert!(matches!(
        lost,
        RootKeyError::Transition(TransitionError::WrongState {
            state: State::Active,
            ..
        })
    ));
    assert_eq!(keyset(&two).await.version, 2);
    assert_eq!(one.audit_verify(&[], |_| ()).await.unwrap().finding, None);
}

#[tokio::test]
async fn a_keyset_is_signed_again_in_time_and_otherwise_unchanged() {
    let (_dir, issuer) = issuer().await;
    let first = issuer.keyset(at(0)).await.unwrap();
    assert_eq!(issuer.keyset(at(3_599)).await.unwrap(), first);
    let second = issuer.keyset(at(3_600)).await.unwrap();
    assert_eq!((second.version, second.issued_at), (2, at(3_600)));
    assert_eq!(issuer.keyset(at(3_601)).await.unwrap(), second);
    // The keyset is signed again long after its expiry, and after the clock was set back.
    assert_eq!(issuer.keyset(at(1_000_000)).await.unwrap().version, 3);
    let back = issuer.keyset(at(10)).await.unwrap();
    assert_eq!((back.version, back.expires), (4, at(10 + 86_400)));

    let short = InitOptions {
        keyset_life: 600,
        ..options().await
    };
    let (_dir, issuer) = made_with(short).await;
    assert_eq!(issuer.keyset(at(300)).await.unwrap().version, 1);
    assert_eq!(issuer.keyset(at(301)).await.unwrap().version, 2);
}

fn said(name: &str, keyset_version: u64, seen_at: u64) -> VerifierInfo {
    VerifierInfo {
        name: name.to_owned(),
        service: "erp".to_owned(),
        keyset_version,
        feed_epoch: None,
        feed_seq: None,
        seen_at: at(seen_at),
    }
}

#[tokio::test]
async fn a_key_unknown_to_a_verifier_is_not_activated() {
    let (_dir, issuer) = issuer().await;
    let active = keyset(&issuer).await.active().unwrap().id;
    // Now the spare is in the second keyset only.
    let report = issuer.revoke_key(active, "drill", at(0)).await.unwrap();
    assert_eq!(report.keyset_version, 2);
    let keys = issuer.keys().await.unwrap();
    let spare = keys.iter().find(|key| key.state == State::Staged).unwrap();
    assert_eq!(spare.published_version, 2);

    let (current, late) = (said("erp-1", 2, 100), said("erp-2", 1, 110));
    issuer.note_verifiers(&[current, late]).await.unwrap();
    let refused = issuer.activate(spare.id, false, at(200)).await.unwrap_err();
    let guard = refused.guard().unwrap();
    assert_eq!(
        (guard.wait, guard.until),
        (Wait::Verifiers, at(110 + 86_400))
    );
    let waiting = issuer.rotate(at(200)).await.unwrap();
    assert_eq!(
        (waiting.changes.len(), waiting.waiting),
        (0, vec![guard.clone()])
    );

    // The verifier has caught up.
    issuer
        .note_verifiers(&[said("erp-2", 2, 210)])
        .await
        .unwrap();
    assert_eq!(issuer.rotate(at(211)).await.unwrap().changes.len(), 3);

    // A verifier that no longer exists is forgotten.
    issuer
        .note_verifiers(&[said("erp-3", 1, 220)])
        .await
        .unwrap();
    let names = |report: crate::VerifierReport| -> Vec<String> {
        report.verifiers.into_iter().map(|one| one.name).collect()
    };
    let known = issuer.verifiers().await.unwrap();
    assert_eq!(known.keyset_version, 3);
    assert_eq!(names(known), ["erp-1", "erp-2", "erp-3"]);
    assert!(issuer.forget_verifier("erp-3", at(300)).await.unwrap());
    assert!(!issuer.forget_verifier("erp-3", at(300)).await.unwrap());
}

#[tokio::test]
async fn an_imported_key_is_published_first_and_signs_after() {
    let (_dir, issuer) = issuer().await;
    let text = "11".repeat(32);
    let import = || ImportedKey::parse(&text).unwrap();
    let report = issuer.import(import(), at(10)).await.unwrap();
    let id = report.changes.first().unwrap().id;
    assert!(
        issuer
            .activate(id, false, at(20))
            .await
            .unwrap_err()
            .guard()
            .is_some()
    );
    issuer.activate(id, false, at(130)).await.unwrap();
    assert_eq!(
        issuer.mint(&request(), at(131)).await.unwrap().receipt.key,
        id
    );
    let again = issuer.import(import(), at(140)).await.unwrap_err();
    assert_eq!(
        again.to_string(),
        format!(
            "this key is here already as `{id}` and is active; make a new key if you need another one"
        )
    );
    // The key cannot be imported again after its revocation either.
    issuer.revoke_key(id, "drill", at(150)).await.unwrap();
    let tombstone = issuer.import(import(), at(160)).await;
    assert!(matches!(
        tombstone,
        Err(RootKeyError::Transition(TransitionError::Known {
            state: State::Revoked,
            ..
        }))
    ));
}
