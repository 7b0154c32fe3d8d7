#![no_main]
//! Fuzz target that compares the engine with biscuit-auth, on programs that the input chooses.
//! `tests/differential.rs` lists the known differences, and the writer of programs avoids them.

use std::{collections::BTreeSet, sync::LazyLock};

use bailiwick_biscuit::engine::{Authorizer, Budget, Matched, Outcome, Place};
use bailiwick_fuzz::{
    choices::Bytes,
    engine,
    program::Writer,
    reference::{Result, theirs},
};
use bailiwick_token::token::Token;
use biscuit_auth::{Algorithm, Biscuit, KeyPair, PrivateKey};
use libfuzzer_sys::fuzz_target;

/// A budget larger than any program from an input can use.
const BUDGET: Budget = Budget {
    fuel: 50_000_000,
    memory: 1 << 30,
};

static THIRD_PARTY: LazyLock<KeyPair> = LazyLock::new(|| {
    let private = PrivateKey::from_bytes(&[9; 32], Algorithm::Ed25519).expect("a key");
    KeyPair::from(&private)
});
static KEY: LazyLock<String> =
    LazyLock::new(|| format!("ed25519/{}", THIRD_PARTY.public().to_bytes_hex()));

fuzz_target!(|data: &[u8]| {
    let Some((wrong, choices)) = data.split_first() else {
        return;
    };
    let mut writer = Writer {
        choices: Bytes(choices),
        wrong: wrong % 2 == 1,
        params: 0,
        key: KEY.clone(),
    };
    let case = writer.case();
    let token = case.token(&THIRD_PARTY);
    let (theirs, their_facts) = theirs(&token, &case.authorizer);
    let (ours, our_facts) = ours(&token, &case.authorizer);
    assert_eq!(ours, theirs, "ours, theirs: {case:#?}");
    assert_eq!(our_facts, their_facts, "facts: ours, theirs: {case:#?}");
});

fn ours(token: &Biscuit, code: &str) -> (Result, Option<BTreeSet<String>>) {
    let token = Token::from_bytes(token.to_vec().expect("bytes")).expect("a token");
    let authorizer = Authorizer::parse(code).expect("what biscuit-auth reads");
    let Ok(program) = engine::compile(&token, &authorizer) else {
        return (Result::Error, None);
    };
    let evaluation = engine::evaluate(&program, BUDGET);
    let result = match evaluation.outcome {
        Outcome::Allow { policy } => Result::Allow(policy),
        Outcome::Deny { policy, failed } => {
            let policy = policy.map(|policy| match policy {
                Matched::Allow(policy) => (true, policy),
                Matched::Deny(policy) => (false, policy),
            });
            let failed = failed.into_iter().map(|failed| {
                let block = match failed.place {
                    Place::Block(block) => Some(u32::try_from(block).expect("few blocks")),
                    Place::Authorizer => None,
                };
                (block, u32::try_from(failed.check).expect("few checks"))
            });
            Result::Deny(policy, failed.collect())
        }
        Outcome::Error(_) => return (Result::Error, None),
        Outcome::OutOfFuel | Outcome::OutOfMemory => panic!("out of fuel or memory"),
    };
    let facts = evaluation
        .facts
        .into_iter()
        .map(|(_, fact)| fact.to_string());
    (result, Some(facts.collect()))
}
