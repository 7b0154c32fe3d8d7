//! Tests of answers that are old, forged, or from two histories: they are refused, logged and counted, and the
//! state in use stays.

use bailiwick_token::revocation::Epoch;

use super::*;

#[tokio::test(start_paused = true)]
async fn an_old_head_is_refused() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    let old = scene.issuer.state().head();
    scene.issuer.revoke(7);
    scene.pass(5).await;
    assert_eq!(scene.seq(), Some(4));
    scene.issuer.forge_answer("/revocations", old);
    scene.pass(5).await;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(4), 1));
    scene.issuer.be_honest();
    scene.pass(30).await;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(4), 1));
}

/// An issuer was restored and did not start another epoch.
#[tokio::test(start_paused = true)]
async fn two_histories() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.issuer.state().changes[2] = issuer::token(100);
    scene.pass(5).await;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(3), 1));
    // Later changes do not fit, and the snapshot lacks revocations that are in use.
    scene.issuer.revoke(101);
    scene.asked();
    scene.pass(31).await;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(3), 3));
    assert!(scene.asked().contains(&"/revocations/snapshot".to_owned()));
    let (_, error) = scene.status().last_error.unwrap();
    assert!(error.contains("lack some of those in use"), "{error}");
    // A new epoch resolves the conflict.
    scene.issuer.state().epoch = Epoch::from_bytes([2; 8]);
    scene.pass(31).await;
    assert_eq!(scene.seq(), Some(4));
}

#[tokio::test(start_paused = true)]
async fn changes_damaged_by_a_cache_are_refused() {
    for spoilt in [
        String::new(),
        "{}\n".to_owned(),
        issuer::token(8).to_line() + "\n",
        issuer::token(7).to_line(),
        "\n\n".to_owned(),
    ] {
        let mut scene = Scene::new(Issuer::new(3)).await;
        scene.issuer.revoke(7);
        scene.issuer.forge_answer("/3-4", spoilt);
        scene.pass(31).await;
        // The snapshot repairs the damage.
        assert_eq!((scene.seq(), scene.status().failures), (Some(4), 1));
    }
}

/// One of several changes is left out, or two are swapped: each line is valid, but the sequence is not.
#[tokio::test(start_paused = true)]
async fn changes_that_are_skipped() {
    let line = |number| issuer::token(number).to_line() + "\n";
    for lines in [
        line(7) + &line(9),
        line(8) + &line(9),
        line(7) + &line(8),
        line(7) + &line(9) + &line(8),
        line(7) + &line(7) + &line(9),
    ] {
        let mut scene = Scene::new(Issuer::new(3)).await;
        for number in [7, 8, 9] {
            scene.issuer.revoke(number);
        }
        scene.issuer.forge_answer("/3-6", lines);
        scene.issuer.forge_answer("/snapshot", "not now");
        scene.pass(31).await;
        assert_eq!(scene.seq(), Some(3));
        scene.issuer.be_honest();
        scene.pass(31).await;
        assert_eq!(scene.seq(), Some(6));
    }
}

/// Answers that were cut off in transit, early or late.
#[tokio::test(start_paused = true)]
async fn truncated_answers_change_nothing() {
    for part in [0.0, 0.3, 0.6, 0.99] {
        let cut = |whole: String| whole[..(whole.len() as f64 * part) as usize].to_owned();
        let mut scene = Scene::new(Issuer::new(3)).await;
        scene.issuer.revoke(7);
        scene.issuer.publish(|_| {});
        let (keyset, head, lines, snapshot) = {
            let state = scene.issuer.state();
            let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
            let keyset = state.keyset.sign(&key).to_json();
            (keyset, state.head(), state.lines(3, 4), state.snapshot())
        };
        scene.issuer.forge_answer("/keyset", cut(keyset));
        scene.issuer.forge_answer("/3-4", cut(lines));
        scene.issuer.forge_answer("/snapshot", cut(snapshot));
        scene.pass(31).await;
        scene.issuer.forge_answer("/revocations", cut(head));
        scene.pass(31).await;
        assert_eq!(scene.seq(), Some(3));
        assert_eq!(scene.verifier.trust().keyset().version, 1);
        scene.issuer.be_honest();
        scene.pass(31).await;
        scene.pass(31).await;
        assert_eq!(scene.seq(), Some(4));
        assert_eq!(scene.verifier.trust().keyset().version, 2);
        // A cold start gets the same answer, and has no earlier state.
        let torn = Issuer::new(3);
        torn.forge_answer("/keyset", &b"{\"payload"[..]);
        let started = Refresher::start(options(&torn), torn.clone(), torn.clock()).await;
        assert!(matches!(started, Err(RefreshError::Trust(_))));
    }
}

/// Once another history has started, the previous head and snapshot are refused.
#[tokio::test(start_paused = true)]
async fn the_previous_epoch_is_refused() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.pass(5).await;
    let (head, snapshot) = {
        let state = scene.issuer.state();
        (state.head(), state.snapshot())
    };
    scene.issuer.state().epoch = Epoch::from_bytes([2; 8]);
    scene.issuer.revoke(7);
    scene.pass(31).await;
    assert_eq!(scene.seq(), Some(4));
    scene.issuer.forge_answer("/revocations", head);
    scene.issuer.forge_answer("/snapshot", snapshot);
    scene.pass(31).await;
    assert_eq!((scene.seq(), scene.status().rollbacks), (Some(4), 1));
    let position = scene.verifier.trust().position().unwrap();
    assert_eq!(position.epoch, Epoch::from_bytes([2; 8]));
}

#[tokio::test(start_paused = true)]
async fn forged_answers_change_nothing() {
    let mut scene = Scene::new(Issuer::new(3)).await;
    scene.issuer.revoke(7);
    let (head, keyset) = {
        let state = scene.issuer.state();
        let thief = ed25519_dalek::SigningKey::from_bytes(&[8; 32]);
        (state.head(), state.keyset.sign(&thief).to_json())
    };
    scene.issuer.forge_answer("/keyset", keyset);
    scene
        .issuer
        .forge_answer("/revocations", head.replace("\"sig\":\"", "\"sig\":\"A"));
    scene.pass(31).await;
    let status = scene.status();
    assert_eq!(
        (scene.seq(), status.failures, status.rollbacks),
        (Some(3), 2, 0)
    );
    // The entity tag of a refused answer is not kept, so the same answer is refused again.
    scene.pass(31).await;
    assert_eq!(scene.status().failures, 4);
}

#[tokio::test(start_paused = true)]
async fn an_older_keyset_is_refused() {
    let mut scene = Scene::new(Issuer::new(0)).await;
    let old = scene.issuer.state().keyset.clone();
    scene.issuer.publish(|_| {});
    scene.pass(30).await;
    assert_eq!(scene.verifier.trust().keyset().version, 2);
    let key = ed25519_dalek::SigningKey::from_bytes(&[9; 32]);
    scene
        .issuer
        .forge_answer("/keyset", old.sign(&key).to_json());
    scene.pass(30).await;
    assert_eq!(scene.status().rollbacks, 1);
    let mut forked = scene.issuer.state().keyset.clone();
    forked.keys.clear();
    scene
        .issuer
        .forge_answer("/keyset", forked.sign(&key).to_json());
    scene.pass(30).await;
    assert_eq!(scene.status().rollbacks, 2);
    // A newer keyset that has already expired does not replace a valid one.
    let mut over = scene.issuer.state().keyset.clone();
    over.version = 9;
    over.expires = scene.issuer.state().now;
    scene
        .issuer
        .forge_answer("/keyset", over.sign(&key).to_json());
    scene.pass(30).await;
    assert_eq!(scene.verifier.trust().keyset().version, 2);
    let (_, error) = scene.status().last_error.unwrap();
    assert!(
        error.contains("has expired or was signed in the future"),
        "{error}"
    );
}
