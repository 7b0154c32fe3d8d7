//! Tests of the search for calls that one list of grants allows and another does not, in which the verifier judges each
//! call.

use std::convert::Infallible;

use bailiwick_testkit::{Root, now, toml};
use bailiwick_token::{
    grant::{
        Grants,
        difference::{Aspect, Example, Found, Judgement, search},
    },
    limits::TokenLimits,
};
use bailiwick_verifier::{Call, Values, Verifier};
use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

use crate::support::random;

/// Maximum number of calls of a search.
const LIMIT: u64 = 3_000;

fn call(example: &Example) -> Call {
    let mut call = Call::new(&example.action);
    if let Some(resource) = &example.resource {
        call = call.resource(resource);
    }
    let args = example.args.iter();
    args.fold(call, |call, (name, value)| call.arg(name, value.clone()))
}

/// Two lists as tokens.
struct Pair {
    verifier: Verifier,
    tokens: [String; 2],
}

impl Pair {
    /// The pair, unless one of the lists does not fit a token.
    fn new(lists: [&Grants; 2]) -> Option<Pair> {
        let root = Root::new();
        let tokens = lists.map(|grants| root.mint(grants));
        let fits = |token| TokenLimits::default().check(token).is_ok();
        tokens.iter().all(fits).then(|| Pair {
            verifier: root.verifier(),
            tokens: tokens.map(|token| token.to_base64().to_string()),
        })
    }

    fn allows(&self, list: usize, example: &Example) -> bool {
        let token = &self.tokens[list];
        example.service == bailiwick_testkit::SERVICE
            && self
                .verifier
                .check(token, &call(example), example.time)
                .is_allow()
    }

    fn search(&self, allowing: &Grants, refusing: &Grants, order: [usize; 2]) -> Found {
        let judge = |example: &Example| -> Result<Judgement, Infallible> {
            if !self.allows(order[0], example) {
                return Ok(Judgement::Refused);
            }
            if self.allows(order[1], example) {
                return Ok(Judgement::Allowed);
            }
            let token = &self.tokens[order[1]];
            let decision = self.verifier.check(token, &call(example), example.time);
            Ok(Judgement::Differs(
                decision.explain(Values::Hidden).join("; "),
            ))
        };
        search(allowing, refusing, now(), LIMIT, judge).expect("a judge that never fails")
    }
}

/// Every example also shows the difference under the engine alone. Where random calls show a difference, the search
/// usually finds one too; it may miss pairs in which more than two parts have to fit. Where `is_within` is proven, no
/// call shows a difference.
#[test]
fn a_search_finds_what_random_calls_find() {
    let mut runner = TestRunner::deterministic();
    let (mut by_chance, mut missed) = (0, 0);
    for _ in 0..300 {
        let drawn = random::neighbours().new_tree(&mut runner).expect("a draw");
        let (first, second, calls) = drawn.current();
        let Some(pair) = Pair::new([&first, &second]) else {
            continue;
        };
        let found = pair.search(&first, &second, [0, 1]);
        let engine = Pair {
            verifier: pair.verifier_of_engine(),
            tokens: pair.tokens.clone(),
        };
        for difference in &found.differences {
            let example = &difference.example;
            assert!(
                engine.allows(0, example) && !engine.allows(1, example),
                "{difference:?}"
            );
        }
        let differs = calls
            .iter()
            .any(|call| call.is_allowed_by(&first) && !call.is_allowed_by(&second));
        if differs {
            assert!(!found.is_within, "{first:?} {second:?}");
            by_chance += 1;
            missed += usize::from(found.differences.is_empty());
        }
    }
    println!("{by_chance} pairs differ for random calls; the search missed {missed}");
    assert!(
        by_chance >= 10 && missed * 5 <= by_chance,
        "{missed} of {by_chance} missed"
    );
}

impl Pair {
    /// The same verifier, without typed conditions.
    fn verifier_of_engine(&self) -> Verifier {
        let trust = self.verifier.trust();
        Verifier::new(bailiwick_testkit::SERVICE, (*trust).clone())
            .expect("a service")
            .engine_only()
    }
}

#[test]
fn each_difference_is_found_once() {
    let grant = |max: &str, rest: &str| {
        toml(&format!(
            "[[grant]]\nservice = \"erp\"\naction = \"order\"\n[grant.args]\namount = {{ min = 0, max = {max}, scale = 2 }}\n{rest}\n"
        ))
    };
    let (old, new) = (grant("10000", "note = '*'"), grant("4200", ""));
    let pair = Pair::new([&old, &new]).expect("short grants");
    let found = pair.search(&old, &new, [0, 1]);
    let aspects: Vec<_> = found
        .differences
        .iter()
        .map(|found| found.aspect.clone())
        .collect();
    let argument = |name: &str| Aspect::Argument(name.to_owned());
    assert_eq!(aspects, [argument("amount"), argument("note")], "{found:?}");
    let back = pair.search(&new, &old, [1, 0]);
    assert!(back.is_within && back.differences.is_empty());
}
