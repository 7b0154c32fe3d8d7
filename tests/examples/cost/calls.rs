//! The cost of calls with cached tokens, by the call's size: the most expensive allowed call, compared with the
//! most expensive denied one.

use std::{hint::black_box, time::Instant};

use bailiwick_testkit::{Root, forge::Forge, now};
use bailiwick_verifier::{Call, Decision, Limits, Values, Verifier};

use crate::support::calls::{self, ALTERNATIVES, SHAPES};

const SIZES: [usize; 6] = [100, 500, 2_000, 8_000, 24_000, calls::MAX_CALL];

/// Maximum number of decisions per call, and number of seconds after which no further decision is made.
const ROUNDS: usize = 31;
const MAX_SECONDS: f64 = 0.04;

/// The most expensive call so far.
#[derive(Default)]
struct Dearest {
    micros: f64,
    what: String,
}

impl Dearest {
    fn offer(&mut self, micros: f64, what: impl FnOnce() -> String) {
        if micros > self.micros {
            *self = Dearest {
                micros,
                what: what(),
            };
        }
    }
}

/// The table, with one row for each size.
pub fn table(root: &Root) -> String {
    let verifier = root.verifier();
    let silent = root.verifier().limits(Limits {
        explain: 0,
        ..Limits::default()
    });
    let mut tokens: Vec<_> = working(root)
        .into_iter()
        .map(|token| ("all fuel", token))
        .collect();
    for (name, alternative) in ALTERNATIVES {
        let narrowed = calls::narrowed(root, alternative);
        tokens.push((name, narrowed.token.to_base64().to_string()));
        tokens.push((name, narrowed.open.to_base64().to_string()));
    }
    let mut text = "| bytes of the call | most expensive allowed, µs | most expensive denied, µs | of the allowed | not explained, µs | written as JSON, µs | the denied call |\n|---|---|---|---|---|---|---|\n".to_owned();
    for size in SIZES {
        let [mut allowed, mut denied, mut unexplained, mut written] =
            std::array::from_fn(|_| Dearest::default());
        for (shape, args) in SHAPES {
            let call = Call::from_json(&calls::json(&args(size))).expect("a call");
            for (name, token) in &tokens {
                let what = || format!("{shape}, {name}");
                let micros = fastest(|| verifier.check(token, &call, now()));
                if verifier.check(token, &call, now()).is_allow() {
                    allowed.offer(micros, what);
                    continue;
                }
                denied.offer(micros, what);
                unexplained.offer(fastest(|| silent.check(token, &call, now())), what);
                written.offer(fastest(|| written_out(&verifier, token, &call)), what);
            }
        }
        text.push_str(&format!(
            "| {size} | {:.0} | {:.0} | {:.2} | {:.0} | {:.0} | {} |\n",
            allowed.micros,
            denied.micros,
            denied.micros / allowed.micros,
            unexplained.micros,
            written.micros,
            denied.what,
        ));
    }
    text.push_str(
        "\nLeft out: reading the call from its JSON, and the signatures and blocks of the token.\n",
    );
    text
}

/// Decides, and writes the decision as JSON.
fn written_out(verifier: &Verifier, token: &str, call: &Call) -> (Decision, String) {
    let decision = verifier.check(token, call, now());
    let json = decision.to_json(Values::Shown);
    (decision, json)
}

/// Microseconds of the fastest round: other work on the machine can only add time.
fn fastest<T>(mut work: impl FnMut() -> T) -> f64 {
    let begun = Instant::now();
    let mut fastest = f64::INFINITY;
    for round in 0..ROUNDS {
        if round >= 5 && begun.elapsed().as_secs_f64() > MAX_SECONDS {
            break;
        }
        let start = Instant::now();
        black_box(work());
        fastest = fastest.min(start.elapsed().as_secs_f64() * 1e6);
    }
    fastest
}

/// A function that makes a fact from its number.
type Fact = fn(usize) -> String;

/// Facts, each with an alternative of a check that never holds and takes much time per unit of fuel.
const WORK: [(Fact, &str); 4] = [
    (|n| format!("f({n}, {});", n + 1), "f($a, $b), f($b, $a)"),
    (
        |n| format!("f({n}, {});", n + 1),
        "f($a, $b), f($b, $c), f($c, $a)",
    ),
    (
        |n| format!("f({{{n}, 1}});"),
        "f($a), f($b), $a.contains($b), false",
    ),
    (
        |n| format!("f(\"{}{n}\");", "ab".repeat(30)),
        "f($a), f(\"abababababababababababababababababababababababababababababab\")",
    ),
];

/// Tokens that allow the call, and use nearly all of the fuel for a short call.
fn working(root: &Root) -> Vec<String> {
    let verifier = root.verifier();
    let call = Call::new(calls::ACTION);
    let allows = |token: &String| verifier.check(token, &call, now()).is_allow();
    let most = |(fact, alternative): &(Fact, &str)| {
        let facts: String = (0..20).map(fact).collect();
        let token = |count: usize| {
            let either = vec![*alternative; count].join(" or ");
            let block = format!("{facts} check if {either} or true;");
            Forge::honest(root).append(&block).text()
        };
        let token = (1..60).rev().map(token).find(allows);
        token.expect("one that is allowed")
    };
    WORK.iter().map(most).collect()
}
