//! Measures the delay from an acknowledged revocation until a verifier denies the token.
//! `cargo run --release -p bailiwick-trials --example revocation_delay`
//!
//! Promised: 99 of 100 delays are at most the poll interval of the head plus a second. Tokens, blocks and
//! watermarks are revoked through `POST /v1/revocations`, many at a time. Each revoked token is checked at
//! several verifiers that poll over HTTP, from the issuer's answer until the first denial. The program ends
//! with an error if the promise is not kept, or if anything is denied that was not revoked.
//!
//! Each revocation follows the denial that an earlier one caused, so most come soon after a poll, when the wait for the
//! next poll is longest.
//!
//! Not measured: a network, and verifiers on other machines; service and verifiers share the cores here.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a program for people, which ends where something is wrong"
)]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bailiwick_issuer::InitOptions;
use bailiwick_testkit::{
    ISSUER, SERVICE, grant,
    service::{HEAD, Service, Setup},
    watch::{ACTION, Watch},
};
use bailiwick_token::{caveat::Caveat, token::Token};
use bailiwick_verifier::Reason;
use serde_json::{Value, json};

/// Number of revocations of each kind.
const REVOCATIONS: usize = 120;
const AT_A_TIME: usize = 12;
const VERIFIERS: usize = 4;
const POLL: Duration = Duration::from_secs(1);
const PROMISED: Duration = Duration::from_secs(1);

/// Time after which a token that is still allowed counts as never denied.
const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Clone, Copy, Debug)]
enum Kind {
    Token,
    Block,
    Watermark,
}

const KINDS: [Kind; 3] = [Kind::Token, Kind::Block, Kind::Watermark];

#[tokio::main]
async fn main() {
    let service = Arc::new(Setup::followed(InitOptions::new(ISSUER), 600).start().await);
    let mut verifiers = Vec::new();
    for number in 0..VERIFIERS {
        let name = format!("erp-{number}");
        verifiers.push(Watch::start(&name, service.follow(&name, POLL)).await);
    }
    let verifiers = Arc::new(verifiers);
    let mut workers = Vec::new();
    for worker in 0..AT_A_TIME {
        let (service, verifiers) = (Arc::clone(&service), Arc::clone(&verifiers));
        workers.push(tokio::spawn(async move {
            let mut delays = Vec::new();
            for number in (worker..REVOCATIONS * KINDS.len()).step_by(AT_A_TIME) {
                let kind = KINDS[number % KINDS.len()];
                let found = revoke(&service, &verifiers, kind, number).await;
                delays.extend(found.map(|delay| (kind as usize, delay)));
            }
            delays
        }));
    }
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.await.unwrap());
    }
    println!("poll of the head      {:.1} s", POLL.as_secs_f64());
    println!("verifiers             {VERIFIERS}");
    for kind in KINDS {
        let of_kind = all.iter().filter(|(of, _)| *of == kind as usize);
        print(
            &format!("{kind:?}"),
            of_kind.map(|(_, delay)| *delay).collect(),
        );
    }
    let p99 = print("all", all.iter().map(|(_, delay)| *delay).collect());
    let head = service.fetch(HEAD).await.len();
    println!("the head              {head} bytes");
    assert!(head <= 512, "a head of {head} bytes");
    assert!(p99 <= POLL + PROMISED, "the promise is not kept");
}

/// Revokes a token that all verifiers admit, and returns the delay until each verifier denies it.
async fn revoke(
    service: &Service,
    verifiers: &[Watch],
    kind: Kind,
    number: usize,
) -> impl Iterator<Item = Duration> + use<> {
    let agent = format!("agent:{number}");
    let minted = service.mint_for(&agent, &grant(SERVICE, ACTION), 600).await;
    let (parent, id) = (minted.token, minted.receipt.token_id.to_string());
    let child = parent.attenuate(&Caveat {
        expires: Some(minted.receipt.expires.minus(1)),
        ..Caveat::default()
    });
    let (named, spared): (Token, Option<Token>) = match kind {
        Kind::Token | Kind::Watermark => (parent, None),
        Kind::Block => (child.unwrap(), Some(parent)),
    };
    let body: Value = match kind {
        Kind::Token => json!({ "tokens": [id], "reason": "measured" }),
        Kind::Block => {
            let block = named.block_signatures().into_iter().last().unwrap();
            let hex: String = block.iter().map(|byte| format!("{byte:02x}")).collect();
            json!({ "blocks": [hex], "reason": "measured" })
        }
        Kind::Watermark => json!({ "agents": [agent], "reason": "measured" }),
    };
    let named = named.to_base64();
    for watch in verifiers {
        let decision = watch.check(&named);
        assert!(decision.is_allow(), "{kind:?}: {decision:?}");
    }
    service
        .operate("revocation:create", "/v1/revocations", &body)
        .await;
    let acknowledged = Instant::now();
    let mut denied = vec![None; verifiers.len()];
    while denied.contains(&None) {
        assert!(acknowledged.elapsed() < PATIENCE, "{kind:?}: {denied:?}");
        for (watch, denied) in verifiers.iter().zip(&mut denied) {
            if denied.is_none() {
                match watch.check(&named).reason() {
                    None => {}
                    Some(Reason::Revoked) => *denied = Some(acknowledged.elapsed()),
                    other => panic!("denied for another reason: {other:?}"),
                }
            }
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    if let Some(spared) = spared {
        for watch in verifiers {
            assert!(watch.check(&spared.to_base64()).is_allow());
        }
    }
    denied.into_iter().flatten()
}

/// Prints the distribution, and returns the 99th percentile.
fn print(what: &str, mut delays: Vec<Duration>) -> Duration {
    delays.sort();
    let at = |share: f64| delays[((delays.len() - 1) as f64 * share).round() as usize];
    println!(
        "{what:<21} {:>5}: p50 {:.2} s, p99 {:.2} s (poll {:+.2} s), last {:.2} s",
        delays.len(),
        at(0.5).as_secs_f64(),
        at(0.99).as_secs_f64(),
        at(0.99).as_secs_f64() - POLL.as_secs_f64(),
        at(1.0).as_secs_f64(),
    );
    at(0.99)
}
