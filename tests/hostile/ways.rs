//! Tests that every hostile file gets the same reason from typed conditions, if it has any, and from the engine alone.
//! Files that use all the fuel of [`Limits`] get sixty times as much here.

use bailiwick_testkit::Root;
use bailiwick_verifier::{Call, Limits, Reason};

use super::corpus;
use crate::outcome;

#[test]
fn each_file_comes_out_the_same_by_the_engine_alone() {
    let limits = Limits {
        fuel: 300_000,
        memory: 64 << 20,
        explain: 1 << 40,
        ..Limits::default()
    };
    let typed = Root::fixed().verifier().limits(limits.clone());
    let engine = Root::fixed().verifier().limits(limits).engine_only();
    let (mut allowed, mut spent) = (0, 0);
    for (name, text, request) in corpus::all() {
        let request = Call::from_json(&request).expect("a call");
        let (typed, engine) = (
            outcome(&typed, &text, &request),
            outcome(&engine, &text, &request),
        );
        assert_eq!(typed, engine, "{name}");
        allowed += usize::from(typed == "allow");
        spent += usize::from(typed == Reason::OutOfFuel.code());
    }
    assert!(
        allowed > 0 && spent < 20,
        "{allowed} allowed, {spent} out of fuel"
    );
}
