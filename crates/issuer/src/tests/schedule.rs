//! Tests that the announced transitions of root keys are those that the rotation makes.

use super::*;
use crate::{Step, VerifierInfo, Wait};

/// Time of the first activation with the default options, and of the retirement after it.
const READY: u64 = 120;
const RETIRED: u64 = READY + 3_600 + 60 + 86_400;

#[tokio::test]
async fn schedule_and_rotation_agree() {
    let (_dir, issuer) = issuer().await;
    for seconds in [
        0,
        READY - 1,
        READY,
        READY + 1,
        RETIRED - 1,
        RETIRED,
        RETIRED + 5,
    ] {
        let schedule = issuer.key_schedule(at(seconds)).await.unwrap();
        let again = issuer.key_schedule(at(seconds)).await.unwrap();
        assert_eq!(schedule, again, "at {seconds}, a look changes nothing");
        let rotation = issuer.rotate(at(seconds)).await.unwrap();
        let steps = |steps: &[Step]| -> Vec<Step> {
            let own = [Step::Retire, Step::Activate];
            steps
                .iter()
                .copied()
                .filter(|step| own.contains(step))
                .collect()
        };
        let due: Vec<Step> = schedule.due.iter().map(|due| due.step).collect();
        let made: Vec<Step> = rotation.changes.iter().map(|change| change.step).collect();
        assert_eq!(steps(&due), steps(&made), "at {seconds}");
        if made.is_empty() {
            assert_eq!(schedule.waiting, rotation.waiting, "at {seconds}");
        }
    }
}

#[tokio::test]
async fn due_steps_say_since_when() {
    let (_dir, issuer) = issuer().await;
    let schedule = issuer.key_schedule(at(READY + 50)).await.unwrap();
    let due = schedule.due.first().unwrap();
    assert_eq!((due.step, due.since), (Step::Activate, at(READY)));
    assert_eq!(schedule.due.len(), 1);

    issuer.rotate(at(READY)).await.unwrap();
    let schedule = issuer.key_schedule(at(READY + 200)).await.unwrap();
    assert_eq!(schedule.due, []);
    let waits: Vec<Wait> = schedule.waiting.iter().map(|guard| guard.wait).collect();
    assert_eq!(waits, [Wait::LiveTokens, Wait::Rotation]);

    // Both steps of the next rotation are due from the same time, since the activation waits for the retirement.
    let schedule = issuer.key_schedule(at(RETIRED + 9)).await.unwrap();
    let due: Vec<_> = schedule
        .due
        .iter()
        .map(|due| (due.step, due.since))
        .collect();
    assert_eq!(
        due,
        [(Step::Retire, at(RETIRED)), (Step::Activate, at(RETIRED))]
    );
}

#[tokio::test]
async fn verifiers_that_are_behind_delay_the_due_time() {
    let (_dir, issuer) = issuer().await;
    let report = VerifierInfo {
        name: "erp-1".to_owned(),
        service: "erp".to_owned(),
        keyset_version: 0,
        feed_epoch: None,
        feed_seq: None,
        seen_at: at(10),
    };
    issuer.note_verifiers(&[report]).await.unwrap();
    let until = 10 + 86_400;
    let schedule = issuer.key_schedule(at(until - 1)).await.unwrap();
    assert_eq!(schedule.due, []);
    let guard = schedule.waiting.first().unwrap();
    assert_eq!((guard.wait, guard.until), (Wait::Verifiers, at(until)));
    // The list of keys states the same time.
    let keys = issuer.keys().await.unwrap();
    let staged = keys.iter().find(|key| key.id == guard.id).unwrap();
    assert_eq!(staged.next_at, Some(at(until)));
    let schedule = issuer.key_schedule(at(until + 1)).await.unwrap();
    assert_eq!(schedule.due.first().unwrap().since, at(until));
}

#[tokio::test]
async fn a_missing_spare_is_due_without_an_id() {
    let (_dir, issuer) = issuer().await;
    issuer
        .store
        .tamper("DELETE FROM root_key WHERE state = 'staged'")
        .await;
    let schedule = issuer.key_schedule(at(9)).await.unwrap();
    let due: Vec<_> = schedule.due.iter().map(|due| (due.id, due.step)).collect();
    assert_eq!(due, [(None, Step::Stage)]);
    assert_eq!(keyset(&issuer).await.version, 1);
}
