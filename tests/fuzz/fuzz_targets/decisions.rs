#![no_main]
//! Fuzz target that compares typed conditions with the engine, on tokens and calls that the input chooses: both
//! give the same answer for the same reason.

use bailiwick_fuzz::{Root, mint, now, verifier, ways};
use libfuzzer_sys::fuzz_target;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

fuzz_target!(|data: &[u8]| {
    // The input is a seed. If the input itself were the randomness, each part of a strategy would get a share of it,
    // and could search forever for a fitting number once its share is used up.
    let mut seed = [0; 32];
    for (place, byte) in seed.iter_mut().zip(data) {
        *place = *byte;
    }
    let random = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(Config::default(), random);
    let Ok(tree) = ways::case().new_tree(&mut runner) else {
        return;
    };
    let (case, root) = (tree.current(), Root::fixed());
    if let Some(token) = case.narrow(mint(&root, &case.grants)) {
        let found = case.compare(|| verifier(&root, 5_000, 1 << 20), &token, now());
        if let Err(difference) = found {
            panic!("{difference}");
        }
    }
});
