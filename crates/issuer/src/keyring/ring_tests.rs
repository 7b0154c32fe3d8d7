//! Properties of the state machine, for any sequence of transitions at any times.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;
use crate::keyring::Guard;

const POLICY: KeyPolicy = KeyPolicy {
    refresh_hint: 30,
    max_token_ttl: 3_600,
    keyset_life: 86_400,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_000_000 + seconds).unwrap()
}

fn public(seed: u8) -> PublicKey {
    ed25519_dalek::SigningKey::from_bytes(&[seed; 32])
        .verifying_key()
        .try_into()
        .unwrap()
}

fn id(n: u32) -> KeyId {
    KeyId::from_u32(n)
}

/// Makes a ring whose key 1 is active since time 0, with key 2 as its spare.
fn ring() -> Ring {
    let ring = Ring::new(POLICY, [], 1)
        .stage(id(1), public(1), at(0))
        .unwrap();
    let ring = ring.activate(id(1), false, at(0)).unwrap();
    let ring = ring.stage(id(2), public(2), at(0)).unwrap();
    Ring::new(POLICY, ring.keys().cloned(), 2)
}

fn steps(ring: &Ring) -> Vec<(u32, Step, bool)> {
    ring.changes()
        .iter()
        .map(|change| (change.id.as_u32(), change.step, change.forced))
        .collect()
}

#[test]
fn activation_waits_for_publication() {
    let refused = ring().activate(id(2), false, at(119)).unwrap_err();
    let guard = Guard {
        id: id(2),
        wait: crate::keyring::Wait::Publication,
        until: at(120),
    };
    assert_eq!(refused, TransitionError::Guard(guard));
    let activated = ring().activate(id(2), false, at(120)).unwrap();
    assert_eq!(
        steps(&activated),
        [(1, Step::Supersede, false), (2, Step::Activate, false)]
    );
    let forced = ring().activate(id(2), true, at(119)).unwrap();
    assert_eq!(
        steps(&forced),
        [(1, Step::Supersede, false), (2, Step::Activate, true)]
    );
    // The activation is forced, but the guard would have allowed it, so it is not recorded as forced.
    assert_eq!(
        steps(&ring().activate(id(2), true, at(120)).unwrap()),
        steps(&activated)
    );
}

#[test]
fn retirement_waits_until_the_last_token_and_the_last_keyset_are_dead() {
    let ring = ring().activate(id(2), false, at(120)).unwrap();
    let due = 120 + 3_600 + 60 + 86_400;
    let refused = ring.clone().retire(id(1), false, at(due - 1)).unwrap_err();
    let guard = Guard {
        id: id(1),
        wait: crate::keyring::Wait::LiveTokens,
        until: at(due),
    };
    assert_eq!(refused, TransitionError::Guard(guard));
    assert!(
        ring.clone()
            .retire(id(1), true, at(121))
            .unwrap()
            .changes()
            .last()
            .unwrap()
            .forced
    );
    let published = ring.published().find(|key| key.id == id(1)).unwrap();
    assert_eq!(
        (published.state, published.not_after),
        (KeyState::Retiring, Some(at(120 + 3_660)))
    );
    let ring = ring.retire(id(1), false, at(due)).unwrap();
    assert_eq!(ring.get(id(1)).unwrap().state(), State::Retired);
    assert!(ring.published().all(|key| key.id != id(1)) && ring.tombstones().is_empty());
}

#[test]
fn a_revoked_active_key_has_a_successor_in_the_same_step() {
    let revoked = ring().revoke(id(1), "stolen", at(5)).unwrap();
    assert_eq!(
        steps(&revoked),
        [(1, Step::Revoke, false), (2, Step::Activate, true)]
    );
    assert_eq!(revoked.active().unwrap().key.id, id(2));
    assert_eq!(revoked.tombstones().first().unwrap().reason, "stolen");
    // The spare that was published first takes over, whatever its id.
    let older = ring()
        .stage(id(0), public(3), at(1))
        .unwrap()
        .revoke(id(1), "stolen", at(5))
        .unwrap();
    assert_eq!(older.active().unwrap().key.id, id(2));
    // Without a spare, the active key cannot be revoked.
    let alone = ring().revoke(id(2), "x", at(1)).unwrap();
    assert_eq!(
        alone.clone().revoke(id(1), "x", at(1)).unwrap_err(),
        TransitionError::NoSpare
    );
    // The second revocation changes nothing, not even the reason.
    let again = Ring::new(POLICY, alone.keys().cloned(), 2)
        .revoke(id(2), "y", at(9))
        .unwrap();
    assert_eq!((steps(&again), again.tombstones().len()), (vec![], 1));
    assert_eq!(again.tombstones().first().unwrap().reason, "x");
}

#[test]
fn wrong_states_are_refused_with_a_hint_and_force_does_not_help() {
    let all = ring()
        .activate(id(2), true, at(1))
        .unwrap()
        .stage(id(3), public(3), at(1))
        .unwrap();
    for refused in [
        all.clone().activate(id(1), true, at(2)).unwrap_err(),
        all.clone().activate(id(2), true, at(2)).unwrap_err(),
        all.clone().retire(id(2), true, at(2)).unwrap_err(),
        all.clone().retire(id(3), true, at(2)).unwrap_err(),
    ] {
        assert!(
            matches!(refused, TransitionError::WrongState { .. }),
            "{refused}"
        );
    }
    assert_eq!(
        all.clone().retire(id(9), true, at(2)).unwrap_err(),
        TransitionError::NotFound(id(9))
    );
    let dead = all.revoke(id(3), "x", at(2)).unwrap();
    assert_eq!(
        dead.stage(id(3), public(4), at(3)).unwrap_err(),
        TransitionError::Collision(id(3))
    );
}

#[test]
fn a_keyset_never_outgrows_its_format() {
    let mut ring = ring();
    let mut next = 10;
    let refused = loop {
        match ring.clone().stage(id(next), public(9), at(1)) {
            Ok(staged) => ring = staged,
            Err(refused) => break refused,
        }
        next += 1;
    };
    assert_eq!(refused, TransitionError::TooMany { max: MAX_KEYS });
    assert_eq!(ring.published().count(), MAX_KEYS);
}

#[derive(Debug, Clone)]
enum Verb {
    Stage,
    Activate(u32, bool),
    Retire(u32, bool),
    Revoke(u32),
}

fn verb() -> impl Strategy<Value = Verb> {
    prop_oneof![
        Just(Verb::Stage),
        (0..12u32, any::<bool>()).prop_map(|(id, force)| Verb::Activate(id, force)),
        (0..12u32, any::<bool>()).prop_map(|(id, force)| Verb::Retire(id, force)),
        (0..12u32).prop_map(Verb::Revoke),
    ]
}

/// Returns the position of a state in the life cycle of a key. A key's position never decreases.
fn age(state: State) -> u8 {
    match state {
        State::Staged => 0,
        State::Active => 1,
        State::Retiring => 2,
        State::Retired => 3,
        State::Revoked => 4,
    }
}

proptest! {
    #[test]
    fn exactly_one_key_is_active_whatever_happens(verbs in prop::collection::vec((verb(), 0..90_000u64), 1..60)) {
        let (mut ring, mut now, mut next) = (ring(), 0, 3);
        for (verb, pause) in verbs {
            now += pause;
            let before: BTreeMap<KeyId, State> = ring.keys().map(|key| (key.id(), key.state())).collect();
            // The operations do the same: they ensure a spare before and after each transition.
            let mut spare = |ring: Ring| {
                if ring.spare().is_some() {
                    return ring;
                }
                next += 1;
                ring.stage(id(next), public(9), at(now)).unwrap()
            };
            let prepared = spare(ring.clone());
            let result = match verb {
                Verb::Stage => {
                    Ok(spare(prepared))
                }
                Verb::Activate(n, force) => prepared.activate(id(n), force, at(now)),
                Verb::Retire(n, force) => prepared.retire(id(n), force, at(now)),
                Verb::Revoke(n) => prepared.revoke(id(n), "why", at(now)),
            };
            if let Ok(after) = result {
                ring = spare(after);
            }
            let active = ring.keys().filter(|key| key.state() == State::Active).count();
            prop_assert_eq!(active, 1);
            prop_assert!(ring.spare().is_some());
            for (id, was) in before {
                prop_assert!(age(ring.get(id).unwrap().state()) >= age(was));
            }
            let published: BTreeSet<KeyId> = ring.published().map(|key| key.id).collect();
            prop_assert!(ring.tombstones().iter().all(|dead| !published.contains(&dead.id)));
            for key in ring.published() {
                prop_assert_eq!(key.not_after.is_some(), key.state == KeyState::Retiring);
            }
        }
    }
}
