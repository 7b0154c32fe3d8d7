//! Tests with forged tokens and hostile calls, given to the verifier as bytes: each is refused for the expected
//! reason.

#![cfg(test)]

use bailiwick_testkit::{Root, forge::Forge, now};
use bailiwick_verifier::{Call, Decision, Reason, Verifier};

mod support;

/// The attacks, one module per target.
mod hostile {
    mod alphabet;
    mod calls;
    mod chain;
    mod containers;
    mod corpus;
    mod datalog;
    mod denials;
    mod depth;
    mod encoding;
    mod feed;
    mod foreign_chain;
    mod foreign_facts;
    mod foreign_keys;
    mod foreign_parties;
    mod forgeries;
    mod keys;
    mod limits;
    mod messages;
    mod names;
    mod natives;
    mod readers;
    mod resources;
    mod revocations;
    mod seen;
    mod terms;
    mod text;
    mod trust;
    mod versions;
    mod ways;
    mod work;
}

const ALLOW: &str = "allow";

/// The verifier's decision on a token and a call: `allow`, or the code of the denial.
fn outcome(verifier: &Verifier, token: &str, request: &Call) -> &'static str {
    verifier
        .check(token, request, now())
        .reason()
        .map_or(ALLOW, Reason::code)
}

/// The call that the only grant of [`Forge::honest`] allows.
fn order() -> Call {
    Call::new("order")
}

/// Checks each token with a verifier that trusts `root`, and reports all unexpected outcomes.
fn expect<N: AsRef<str>>(
    root: &Root,
    request: &Call,
    cases: impl IntoIterator<Item = (N, Forge, &'static str)>,
) {
    let texts = cases
        .into_iter()
        .map(|(name, forge, expected)| (name, forge.text(), expected));
    expect_texts(root, request, texts);
}

fn expect_texts<N: AsRef<str>>(
    root: &Root,
    request: &Call,
    cases: impl IntoIterator<Item = (N, String, &'static str)>,
) {
    let verifier = root.verifier();
    let wrong: Vec<String> = cases
        .into_iter()
        .filter_map(|(name, text, expected)| {
            let decision = verifier.check(&text, request, now());
            let found = decision.reason().map_or(ALLOW, Reason::code);
            (found != expected).then(|| {
                format!(
                    "{}: {expected} expected, {found} found: {}",
                    name.as_ref(),
                    said(&decision)
                )
            })
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn said(decision: &Decision) -> String {
    decision
        .explain(bailiwick_verifier::Values::Shown)
        .join("; ")
}
