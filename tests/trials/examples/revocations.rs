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
    clippy::panic,
    reason = "a program for people, which ends where something is wrong"
)]

#[path = "../support/mod.rs"]
mod support;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick_issuer::{InitOptions, Issuer};
use bailiwick_token::{
    claims::TokenId,
    key::PublicKey,
    revocation::{MAX_SNAPSHOT, Target},
    timestamp::Timestamp,
};
use bailiwick_verifier::{
    Reason, Request, Trust, Verifier,
    refresh::{Answer, FetchError, Get, Http, Options, Refresher, Transport, system_clock},
};
use support::{ACTION, HEAD, ISSUER, SERVICE, Service};

/// How often the snapshot is loaded; the memory of the later half is looked at.
const LOADS: usize = 12;

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

/// What the verifier's process is told by, in its environment.
const TOLD: [&str; 5] = [
    "TRIAL_URL",
    "TRIAL_KEY",
    "TRIAL_GOOD",
    "TRIAL_REVOKED",
    "TRIAL_ENTRIES",
];

#[tokio::main]
async fn main() {
    let told = TOLD.map(|name| std::env::var(name).ok());
    if let [
        Some(url),
        Some(key),
        Some(good),
        Some(revoked),
        Some(entries),
    ] = told
    {
        let (key, entries) = (key.parse().unwrap(), entries.parse().unwrap());
        return follow(&url, key, &good, &revoked, entries).await;
    }
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
    let target = Target::Token(revoked.receipt.token_id);
    let now = service.time.now();
    service
        .issuer
        .revoke(target, None, "one more", now)
        .await
        .unwrap();
    let good = service.mint("agent:buyer", SERVICE, ACTION, 600).await;

    // A request that it takes too long for is answered as too slow, and a later one finds it made.
    let (begun, mut requests) = (Instant::now(), 1);
    while service.answer(&format!("{HEAD}/snapshot")).await.0 != 200 {
        assert!(requests < 10, "the snapshot is never made");
        requests += 1;
    }
    row(
        "the first snapshot",
        format!("{}, in {requests} requests", seconds(begun)),
    );
    // In a process of its own, so that its memory can be told from the issuer's.
    let values = [
        service.url.clone(),
        service.issuer.keyset_key().to_string(),
        good.token.to_base64().to_string(),
        revoked.token.to_base64().to_string(),
        entries.to_string(),
    ];
    let verifier = std::env::current_exe().unwrap();
    let ended = tokio::task::spawn_blocking(move || {
        std::process::Command::new(verifier)
            .envs(TOLD.into_iter().zip(values))
            .status()
    });
    let ended = ended.await.unwrap().unwrap();
    service.stop().await;
    assert!(ended.success(), "the verifier ended with an error");
}

/// A verifier that knows nothing, from the first request to the first two decisions; then the load
/// alone.
async fn follow(url: &str, key: PublicKey, good: &str, revoked: &str, entries: u64) {
    let request = Request::new(ACTION);
    let clock = system_clock();
    let wire = Counting(Http::new().unwrap(), Arc::default());
    let (before, begun) = (resident(), Instant::now());
    let options = Options::new(url, key);
    let refresher = Refresher::start(options, wire.clone(), clock.clone())
        .await
        .unwrap();
    let verifier = Verifier::new(SERVICE, refresher.trust()).unwrap();
    let denied = verifier.check(revoked, &request, clock());
    assert_eq!(denied.reason(), Some(Reason::Revoked), "{denied:?}");
    let allowed = verifier.check(good, &request, clock());
    assert!(allowed.is_allow(), "{allowed:?}");
    row(
        "a cold start",
        format!("{}, to the first decisions", seconds(begun)),
    );
    assert_eq!(refresher.status().revocations as u64, entries + 1);
    let bytes = wire.1.load(Ordering::Relaxed);
    let an_id = bytes as f64 / entries as f64;
    row(
        "on the wire",
        format!("{:.1} MB, {an_id:.1} bytes for an id", bytes as f64 / 1e6),
    );
    let held = resident().saturating_sub(before) as f64 / entries as f64;
    row(
        "resident after it",
        format!("{held:.1} bytes for an id, with what the fetch left behind"),
    );

    // Of several that are held at a time, the later ones find nothing left behind to live in.
    let get = async |path: &str| {
        let url = format!("{url}{path}");
        let get = Get {
            url: &url,
            etag: None,
            report: None,
            limit: MAX_SNAPSHOT,
            timeout: Duration::from_secs(120),
        };
        match wire.get(get).await {
            Ok(Answer::Found { body, .. }) => body,
            other => panic!("{other:?}"),
        }
    };
    let keyset = get("/.well-known/bailiwick/keyset").await;
    let (head, file) = (get(HEAD).await, get(&format!("{HEAD}/snapshot")).await);
    let open = |file: Option<&[u8]>| Trust::open(&keyset, &key, file).unwrap();
    let (mut all, mut load, mut before) = (Vec::new(), Duration::MAX, 0);
    for number in 0..LOADS {
        if number == LOADS / 2 {
            before = resident();
        }
        let begun = Instant::now();
        all.push(open(Some(&file)));
        load = load.min(begun.elapsed());
    }
    let grown = resident().saturating_sub(before) as f64;
    let held = grown / (LOADS - LOADS / 2) as f64 / entries as f64;
    row("the load alone", format!("{:.2} s", load.as_secs_f64()));
    row("resident", format!("{held:.1} bytes for an id"));
    row("the head", format!("{} bytes", head.len()));

    let none = Verifier::new(SERVICE, open(None)).unwrap();
    let all = Verifier::new(SERVICE, all.pop().unwrap()).unwrap();
    let now = clock();
    let [without, with] = [&none, &all]
        .map(|verifier| each(|| assert!(verifier.check(good, &request, now).is_allow())));
    row(
        "a decision without",
        format!("{:.0} ns", without.as_secs_f64() * 1e9),
    );
    row(
        "a decision with",
        format!("{:.0} ns", with.as_secs_f64() * 1e9),
    );
    assert!(head.len() <= 512, "the head is too large");
    assert!(held > 0.0 && held <= 16.0, "an id takes too much");
    assert!(
        entries > 1_000_000 || load < Duration::from_secs(2),
        "the load takes too long"
    );
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
