#![no_main]
//! Typed conditions beside the engine, on tokens and calls that the input chooses: the same answer, for the same
//! reason.

use bailiwick_fuzz::{Root, now, ways};
use libfuzzer_sys::fuzz_target;
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};

fuzz_target!(|data: &[u8]| {
    // The input is what the strategy takes for random.
    let random = TestRng::from_seed(RngAlgorithm::PassThrough, data);
    let config = Config {
        // Behind the end of the input all is zero, and what is refused once is refused for ever.
        max_local_rejects: 16,
        max_global_rejects: 16,
        ..Config::default()
    };
    let mut runner = TestRunner::new_with_rng(config, random);
    let Ok(tree) = ways::case().new_tree(&mut runner) else {
        return;
    };
    let (case, root) = (tree.current(), Root::fixed());
    if let Some(token) = case.narrow(root.mint(&case.grants)) {
        let found = case.compare(|| root.verifier(5_000, 1 << 20), &token, now());
        if let Err(difference) = found {
            panic!("{difference}");
        }
    }
});
