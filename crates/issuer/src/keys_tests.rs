//! Tests of rotation and of new keys, without a store.

#![allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

use super::*;
use crate::keyring::KeyPolicy;

const ISSUER: &str = "https://issuer.example";
const POLICY: KeyPolicy = KeyPolicy {
    refresh_hint: 30,
    max_token_ttl: 3_600,
    keyset_life: 86_400,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_000_000 + seconds).unwrap()
}

fn key(seed: u8) -> SigningKey {
    SigningKey::from_bytes(&[seed; 32])
}

fn run(ring: &Ring, now: u64) -> (Ring, Vec<Step>, Vec<Guard>) {
    let ring = Ring::new(POLICY, ring.keys().cloned(), 2);
    let mut fresh = Fresh::new(ISSUER);
    let (ring, waiting) = rotate(ring, &mut fresh, at(now)).unwrap();
    let ring = fresh.spare(ring, at(now)).unwrap();
    let steps = ring.changes().iter().map(|change| change.step).collect();
    (ring, steps, waiting)
}

#[test]
fn a_rotation_does_what_is_due_and_says_what_it_waits_for() {
    let mut fresh = Fresh::new(ISSUER);
    let (ring, first) = fresh.stage(Ring::new(POLICY, [], 1), at(0)).unwrap();
    let ring = ring.activate(first, false, at(0)).unwrap();
    let (ring, second) = fresh.stage(ring, at(0)).unwrap();

    let (ring, steps, waiting) = run(&ring, 119);
    assert!(steps.is_empty());
    assert_eq!(
        waiting,
        [Guard {
            id: second,
            wait: Wait::Publication,
            until: at(120)
        }]
    );

    let (ring, steps, waiting) = run(&ring, 120);
    assert_eq!(steps, [Step::Supersede, Step::Activate, Step::Stage]);
    assert!(waiting.is_empty());
    let third = ring.spare().unwrap().0.id;

    // Running the rotation more often does not make anything happen earlier.
    let due = 120 + 3_600 + 60 + 86_400;
    for now in [120, 121, 240, due - 1] {
        let (same, steps, waiting) = run(&ring, now);
        assert!(steps.is_empty() && same.keys().eq(ring.keys()));
        assert_eq!(
            waiting,
            [
                Guard {
                    id: first,
                    wait: Wait::LiveTokens,
                    until: at(due)
                },
                Guard {
                    id: third,
                    wait: Wait::Rotation,
                    until: at(due)
                },
            ]
        );
    }
    let (ring, steps, _) = run(&ring, due);
    assert_eq!(
        steps,
        [Step::Retire, Step::Supersede, Step::Activate, Step::Stage]
    );
    assert_eq!(ring.active().unwrap().key.id, third);
}

#[test]
fn an_id_that_collides_with_a_key_or_a_tombstone_makes_a_new_key() {
    let mut fresh = Fresh::new(ISSUER);
    let (ring, first) = fresh
        .stage_from(Ring::new(POLICY, [], 1), at(0), || key(1))
        .unwrap();
    let ring = ring.revoke(first, "lost", at(1)).unwrap();
    let mut generated = [key(1), key(1), key(2)].into_iter();
    let (ring, second) = fresh
        .stage_from(ring, at(2), || generated.next().unwrap())
        .unwrap();
    assert_ne!(first, second);
    assert_eq!(
        ring.spare().unwrap().0.public.as_bytes(),
        key(2).verifying_key().as_bytes()
    );
    assert_eq!(fresh.made.len(), 2);
}

#[test]
fn a_reason_is_one_nonempty_line() {
    assert_eq!(check_reason("laptop stolen"), Ok(()));
    for bad in ["", "  ", "a\nb", "\u{1b}[0m", &"x".repeat(MAX_REASON + 1)] {
        assert_eq!(check_reason(bad), Err(()));
    }
}
