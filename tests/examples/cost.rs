//! Measures decisions on unseen tokens, honest and hostile, by the token's size, and on seen tokens by the
//! call's size. Writes `cost.svg` and the tables of `cost.md` in `docs/reference`.
//!
//! `cargo run --release -p bailiwick-tests --example cost`; with ` -- calls`, only the calls.
//!
//! Each decision is made by a new verifier. Rounds go through all tokens in turn, so that a noisy minute
//! affects all of them; the median counts.

use std::{fs, hint::black_box, path::Path, time::Instant};

use bailiwick_token::token::Token;
use bailiwick_verifier::{Call, Reason};
use serde_json::Value;

#[path = "../support/mod.rs"]
mod support;
/// The tokens, and the output of their measurements.
mod cost {
    pub mod calls;
    pub mod draw;
    pub mod tokens;
}

use crate::support::page::replace_between;
use bailiwick_testkit::{Root, now};
use cost::{calls, draw, tokens};

const ROUNDS: usize = 301;

/// A measured token.
pub struct Point {
    pub family: &'static str,
    pub bytes: usize,
    pub text: String,
    pub outcome: &'static str,
    pub micros: f64,
}

fn main() {
    let root = Root::fixed();
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/reference");
    let calls = calls::table(&root);
    print!("{calls}");
    let page = docs.join("cost.md");
    replace_between(&page, CALLS, &calls);
    if std::env::args().any(|argument| argument == "calls") {
        return;
    }
    let mut points = tokens::all(&root);
    let mut samples = vec![Vec::with_capacity(ROUNDS); points.len()];
    for _ in 0..ROUNDS {
        for (point, samples) in points.iter().zip(&mut samples) {
            let verifier = root.verifier();
            let call = request();
            let start = Instant::now();
            let decision = black_box(verifier.check(&point.text, &call, now()));
            samples.push(start.elapsed().as_secs_f64() * 1e6);
            assert_eq!(
                decision.reason().map_or("allow", Reason::code),
                point.outcome
            );
        }
    }
    for (point, mut samples) in points.iter_mut().zip(samples) {
        samples.sort_by(f64::total_cmp);
        point.micros = samples[ROUNDS / 2];
    }
    let line = draw::Line::through(points.iter().filter(|point| point.family == tokens::HONEST));
    let chain = points
        .iter()
        .filter(|point| point.family == tokens::HONEST_CHAIN);
    let chain = chain.map(|point| (appended(&point.text), point.bytes, point.micros));
    let per_block = draw::per_block(chain, &line);
    let dearest = dearest(&root, &line, per_block, &points[0].text);
    print!("{dearest}");
    fs::write(docs.join("cost.svg"), draw::svg(&points, &line)).expect("the drawing");
    let table = draw::table(&points, &line);
    print!("{table}");
    replace_between(&page, TOKENS, &format!("{table}\n{dearest}"));
}

/// The call that all tokens are tried with.
pub fn request() -> Call {
    Call::new("order")
        .arg("amount", 42)
        .arg("currency", "EUR")
        .arg("vendor", "acme")
}

/// Number of appended blocks, but at least one; also one if the token cannot be read.
fn appended(text: &str) -> usize {
    Token::parse(text).map_or(1, |token| token.container().block_count().max(2) - 1)
}

/// A table of the corpus files that cost most, relative to an honest token of the same size with the same
/// number of blocks and the same call.
fn dearest(root: &Root, line: &draw::Line, per_block: f64, honest: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("hostile/corpus");
    let manifest = fs::read_to_string(folder.join("manifest.json")).expect("the manifest");
    let manifest: serde_json::Map<String, Value> =
        serde_json::from_str(&manifest).expect("a manifest");
    let micros = |text: &str, call: &Call| {
        let mut samples: Vec<f64> = (0..ROUNDS / 5)
            .map(|_| {
                let verifier = root.verifier();
                let start = Instant::now();
                let _decision = black_box(verifier.check(text, call, now()));
                start.elapsed().as_secs_f64() * 1e6
            })
            .collect();
        samples.sort_by(f64::total_cmp);
        samples[samples.len() / 2]
    };
    let usual = micros(honest, &request());
    let mut ratios: Vec<(f64, &String)> = manifest
        .iter()
        .map(|(name, entry)| {
            let text = fs::read_to_string(folder.join(format!("{name}.token"))).expect("a token");
            let call = entry["request"].as_str().expect("a call");
            let call = Call::from_json(call).expect("a call");
            // A call of many kilobytes has a cost of its own.
            let of_call = (micros(honest, &call) - usual).max(0.0);
            let further = (appended(&text) - 1) as f64 * per_block;
            // Four characters of text are three bytes.
            let honest = line.at(text.trim().len() * 3 / 4) + further + of_call;
            (micros(&text, &call) / honest, name)
        })
        .collect();
    ratios.sort_by(|one, other| other.0.total_cmp(&one.0));
    let named: Vec<String> = ratios[..5]
        .iter()
        .map(|(ratio, name)| format!("`{name}` with {ratio:.2}"))
        .collect();
    format!(
        "Of the {} files of [the corpus](../../tests/hostile/corpus), these cost most, as multiples of\nan honest token of their size with as many blocks and the same call: {}.\n",
        ratios.len(),
        named.join(", ")
    )
}

/// The marks in `docs/reference/cost.md` around each table.
const TOKENS: [&str; 2] = ["<!-- measured -->\n", "<!-- end -->"];
const CALLS: [&str; 2] = ["<!-- calls measured -->\n", "<!-- end of calls -->"];
