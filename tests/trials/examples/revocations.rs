//! What a million revoked tokens cost: the issuer's snapshot, a verifier's cold start over HTTP until
//! its first decision, the load alone, memory, and a decision.
//! `cargo run --release -p bailiwick-trials --example revocations`; a number after `--` for fewer.
//!
//! Promised for a million: at most 16 bytes of memory for an id, and a load (signature, parse, build; the
//! way over the network apart) within 2 seconds. It ends with an error where that is not kept.
//!
//! Left out: a network; the snapshot comes over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a program for people, which ends where something is wrong"
)]

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use bailiwick_issuer::{InitOptions, Issuer};
use bailiwick_token::{
    claims::TokenId,
    revocation::{Head, Target},
    timestamp::Timestamp,
};
use bailiwick_verifier::{
    Reason, Request, Trust, Verifier,
    refresh::{Answer, FetchError, Get, Http, Refresher, Transport},
};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use support::{ACTION, HEAD, ISSUER, SERVICE, Service};

/// Counts what comes over the wire.
#[derive(Clone)]
struct Counting(Http, Arc<AtomicU64>);

impl Transport for Counting {
    async fn get(&self, get: Get<'_>) -> Result<Answer, FetchError> {
        let answer = self.0.get(get).await;
        if let Ok(Answer::Found { body, .. }) = &answer {
            self.1.fetch_add(body.len() as u64, Ordering::Relaxed);
        }
        answer
    }
}

#[tokio::main]
async fn main() {
    let entries: u64 = std::env::args()
        .nth(1)
        .map_or(1_000_000, |number| number.parse().unwrap());
    let mut service = Service::start_with(InitOptions::new(ISSUER), 600, async |issuer, now| {
        let begun = Instant::now();
        revoke(issuer, entries, now).await;
        row("revoked", format!("{entries} ids, in {}", seconds(begun)));
    })
    .await;
    let revoked = service.mint("agent:buyer", SERVICE, ACTION, 600).await;
    let (id, revoked) = (revoked.receipt.token_id, revoked.token.to_base64());
    let now = service.time.now();
    let target = Target::Token(id);
    service
        .issuer
        .revoke(target, None, "one more", now)
        .await
        .unwrap();
    let good = service.mint("agent:buyer", SERVICE, ACTION, 600).await;
    let good = good.token.to_base64();

    let begun = Instant::now();
    let snapshot = service.get(&format!("{HEAD}/snapshot")).await;
    row(
        "the first snapshot",
        format!("{} (made, and sent)", seconds(begun)),
    );
    drop(snapshot);

    // A verifier that knows nothing, from the first request to the first two decisions.
    let (before, begun) = (resident(), Instant::now());
    let wire = Counting(Http::new().unwrap(), Arc::default());
    let options = service.options("erp-1", Duration::from_secs(5));
    let refresher = Refresher::start(options, wire.clone(), service.time.clock())
        .await
        .unwrap();
    let verifier = Verifier::new(SERVICE, refresher.trust()).unwrap();
    let request = Request::new(ACTION);
    let denied = verifier.check(&revoked, &request, service.time.now());
    assert_eq!(denied.reason(), Some(Reason::Revoked), "{denied:?}");
    let allowed = verifier.check(&good, &request, service.time.now());
    assert!(allowed.is_allow(), "{allowed:?}");
    row(
        "a cold start",
        format!("{}, to the first decisions", seconds(begun)),
    );
    let bytes = wire.1.load(Ordering::Relaxed);
    row(
        "on the wire",
        format!(
            "{:.1} MB, {:.1} bytes for an id",
            bytes as f64 / 1e6,
            bytes as f64 / entries as f64
        ),
    );
    assert_eq!(refresher.status().revocations as u64, entries + 1);
    row(
        "resident",
        format!(
            "{:.1} bytes for an id, in the same process, buffers included",
            resident().saturating_sub(before) as f64 / entries as f64
        ),
    );
    drop((verifier, refresher));

    // The load alone, from bytes that are in memory.
    let keyset = service.get("/.well-known/bailiwick/keyset").await;
    let file = service.get(&format!("{HEAD}/snapshot")).await;
    let key = *service.issuer.keyset_key();
    let open = |file: Option<&[u8]>| Trust::open(keyset.as_bytes(), &key, file).unwrap();
    let head = service.get(HEAD).await;
    let read = Head::open(head.as_bytes(), &key).unwrap();
    row(
        "the head",
        format!("{} bytes, change {}", head.len(), read.seq),
    );
    let (before, begun) = (resident(), Instant::now());
    let trust = open(Some(file.as_bytes()));
    let loaded = begun.elapsed();
    let held = resident().saturating_sub(before) as f64 / entries as f64;
    row("the load alone", format!("{:.2} s", loaded.as_secs_f64()));
    row("resident", format!("{held:.1} bytes for an id"));
    let (none, all) = (
        Verifier::new(SERVICE, open(None)).unwrap(),
        Verifier::new(SERVICE, trust).unwrap(),
    );
    let now = service.time.now();
    let [without, with] = [&none, &all]
        .map(|verifier| each(|| assert!(verifier.check(&good, &request, now).is_allow())));
    row(
        "a decision without",
        format!("{:.0} ns", without.as_secs_f64() * 1e9),
    );
    row(
        "a decision with",
        format!("{:.0} ns", with.as_secs_f64() * 1e9),
    );
    assert!(head.len() <= 512, "the head is too large");
    assert!(entries < 1_000_000 || held <= 16.0, "an id takes too much");
    assert!(
        entries > 1_000_000 || loaded < Duration::from_secs(2),
        "the load takes too long"
    );
    service.stop().await;
}

/// Through the library, in thousands.
async fn revoke(issuer: &Issuer, entries: u64, now: Timestamp) {
    let target = |number: u64| {
        let mut id = [0xab; 16];
        id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Target::Token(TokenId::from_bytes(id))
    };
    for first in (0..entries).step_by(1_000) {
        let targets: Vec<Target> = (first..entries.min(first + 1_000)).map(target).collect();
        issuer
            .revoke_all(&targets, Some(now.plus(86_400)), "a million", now)
            .await
            .unwrap();
    }
}

fn row(what: &str, found: String) {
    println!("{what:<21} {found}");
}

fn seconds(begun: Instant) -> String {
    format!("{:.2} s", begun.elapsed().as_secs_f64())
}

/// What a call takes, of many.
fn each(mut call: impl FnMut()) -> Duration {
    const CALLS: u32 = 200_000;
    (0..CALLS / 10).for_each(|_| call());
    let begun = Instant::now();
    (0..CALLS).for_each(|_| call());
    begun.elapsed() / CALLS
}

/// The bytes that this process has in memory, where the system tells.
fn resident() -> u64 {
    let text = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
