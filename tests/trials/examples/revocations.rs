//! Measures the cost of a million revoked tokens: the issuer's snapshots, a verifier's cold start over HTTP
//! until its first decision, then a tenth as many changes, loading alone, memory, and a decision.
//! `cargo run --release -p bailiwick-trials --example revocations`; a number after `--` measures fewer.
//!
//! Promised for a million: at most 16 bytes of memory per id, even after changes and with a directory, and
//! loading (signature, parsing and building, without the network) within 2 seconds. The program ends with an
//! error if this promise is not kept.
//!
//! Not measured: a network; the snapshot comes over loopback.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a program for people, which ends where something is wrong"
)]

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use bailiwick_issuer::{InitOptions, Issuer};
use bailiwick_testkit::{
    ISSUER, SERVICE, grant,
    service::{Auth, HEAD, SNAPSHOT, Setup},
    watch::ACTION,
};
use bailiwick_token::{
    claims::TokenId,
    key::PublicKey,
    revocation::{MAX_SNAPSHOT, Target},
    timestamp::Timestamp,
};
use bailiwick_verifier::{
    Call, Reason, Trust, Verifier,
    refresh::{FetchError, Fetched, Get, Http, Transport, system_clock},
};
use peak_alloc::PeakAlloc;
use tokio::{runtime::Handle, time::sleep};

/// An allocator that counts the memory in use.
#[global_allocator]
static HELD: PeakAlloc = PeakAlloc;

/// Number of loads of the snapshot; the shortest time counts.
const LOADS: usize = 5;

/// A transport that counts the received bytes.
#[derive(Clone)]
struct Counting(Http, Arc<AtomicU64>);

impl Transport for Counting {
    async fn get(&self, get: Get<'_>) -> Result<Fetched, FetchError> {
        let answer = self.0.get(get).await;
        if let Ok(Fetched::Found { body, .. }) = &answer {
            self.1.fetch_add(body.len() as u64, Ordering::Relaxed);
        }
        answer
    }
}

/// The line with which the verifier's process reports that it follows the issuer.
const FOLLOWING: &str = "following";

/// Environment variables that pass the settings to the verifier's process.
const TOLD: [&str; 5] = [
    "TRIAL_URL",
    "TRIAL_KEY",
    "TRIAL_GOOD",
    "TRIAL_REVOKED",
    "TRIAL_ENTRIES",
];

#[tokio::main]
async fn main() {
    let told = TOLD.map(|name| env::var(name).ok());
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
    let entries: u64 = env::args()
        .nth(1)
        .map_or(1_000_000, |number| number.parse().unwrap());
    let setup = Setup::followed(InitOptions::new(ISSUER), 600);
    let mut service = setup
        .start_with(async |issuer, now| {
            let begun = Instant::now();
            revoke(issuer, 0, entries, now).await;
            row("revoked", format!("{entries} ids, in {}", seconds(begun)));
        })
        .await;
    let revoked = service
        .mint_for("agent:buyer", &grant(SERVICE, ACTION), 600)
        .await;
    let target = Target::Token(revoked.receipt.token_id);
    let now = service.time.now();
    service
        .issuer
        .revoke(target, None, "one more", now)
        .await
        .unwrap();
    let good = service
        .mint_for("agent:buyer", &grant(SERVICE, ACTION), 600)
        .await;

    // A request that waits too long for the snapshot fails, and a later one gets the finished snapshot.
    let (begun, mut requests) = (Instant::now(), 1);
    while service.get(SNAPSHOT, Auth::None).await.status != 200 {
        assert!(requests < 10, "the snapshot is never made");
        requests += 1;
    }
    row(
        "the first snapshot",
        format!("{}, in {requests} requests", seconds(begun)),
    );
    let target = Target::Block([7; 64]);
    let now = service.time.now();
    service
        .issuer
        .revoke(target, None, "after it", now)
        .await
        .unwrap();
    // Until then, the service would serve the previous snapshot.
    sleep(Duration::from_secs(6)).await;
    let begun = Instant::now();
    let next = service.get(SNAPSHOT, Auth::None).await.status;
    assert_eq!(
        next, 200,
        "a snapshot takes too long where another was made"
    );
    row("the next", seconds(begun));
    // In a separate process, so that its memory can be distinguished from the issuer's.
    let values = [
        service.url(),
        service.issuer.keyset_key().to_string(),
        good.token.to_base64().to_string(),
        revoked.token.to_base64().to_string(),
        entries.to_string(),
    ];
    let (issuer, handle, now) = (
        service.issuer.clone(),
        Handle::current(),
        service.time.now(),
    );
    let ended = tokio::task::spawn_blocking(move || {
        let mut verifier = Command::new(env::current_exe().unwrap())
            .envs(TOLD.into_iter().zip(values))
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        for line in BufReader::new(verifier.stdout.take().unwrap()).lines() {
            match line.unwrap().as_str() {
                FOLLOWING => handle.block_on(revoke(&issuer, entries, changes(entries), now)),
                line => println!("{line}"),
            }
        }
        verifier.wait().unwrap()
    });
    let ended = ended.await.unwrap();
    service.stop().await;
    assert!(ended.success(), "the verifier ended with an error");
}

/// Bytes that a verifier, its caches and its connection may hold regardless of the number of ids.
const FIXED: u64 = 256 * 1024;

/// Number of changes while the verifier follows: too few to make it fetch another snapshot.
fn changes(entries: u64) -> u64 {
    entries / 10
}

/// Follows an issuer with a new verifier, from the first request to the first two decisions and through many
/// changes. Then measures loading alone.
async fn follow(url: &str, key: PublicKey, good: &str, revoked: &str, entries: u64) {
    let request = Call::new(ACTION);
    let wire = Counting(Http::new().unwrap(), Arc::default());
    let directory = tempfile::tempdir().unwrap();
    let (before, begun) = (HELD.current_usage(), Instant::now());
    let resident_before = resident();
    let follower = Verifier::follow(url, key)
        .service(SERVICE)
        .transport(wire.clone())
        .directory(directory.path())
        .poll(Duration::from_secs(1))
        .start()
        .await
        .unwrap();
    let monitor = follower.monitor();
    let denied = follower.check(revoked, &request);
    assert_eq!(denied.reason(), Some(Reason::Revoked), "{denied:?}");
    let allowed = follower.check(good, &request);
    assert!(allowed.is_allow(), "{allowed:?}");
    row(
        "a cold start",
        format!("{}, to the first decisions", seconds(begun)),
    );
    let started = monitor.status().revocations as u64;
    assert_eq!(started, entries + 2);
    let bytes = wire.1.load(Ordering::Relaxed);
    let an_id = |bytes: u64, ids: u64| format!("{:.1} bytes for an id", bytes as f64 / ids as f64);
    row(
        "on the wire",
        format!("{:.1} MB, {}", bytes as f64 / 1e6, an_id(bytes, started)),
    );
    let held = || HELD.current_usage().saturating_sub(before) as u64;
    row("held after it", an_id(held(), started));
    let peak = HELD.peak_usage().saturating_sub(before) as u64;
    row("and at the most", an_id(peak, started));

    println!("{FOLLOWING}");
    let (begun, all) = (Instant::now(), started + changes(entries));
    HELD.reset_peak_usage();
    while (monitor.status().revocations as u64) < all {
        assert!(
            begun.elapsed() < Duration::from_secs(300),
            "{:?}",
            monitor.status()
        );
        sleep(Duration::from_millis(100)).await;
    }
    // After a poll that finds nothing new, the memory that the previous poll needed is free again.
    sleep(Duration::from_secs(3)).await;
    row(
        "changes",
        format!("{}, followed in {}", changes(entries), seconds(begun)),
    );
    let held_by_id = held().saturating_sub(FIXED) as f64 / all as f64;
    row("held after them", an_id(held(), all));
    let peak = HELD.peak_usage().saturating_sub(before) as u64;
    row("and at the most", an_id(peak, all));
    let grown = resident().saturating_sub(resident_before);
    row("resident", an_id(grown, all));
    let kept = fs::metadata(directory.path().join("feed.ndjson"));
    let kept = kept.unwrap().len();
    assert!(
        kept > 40 * changes(entries),
        "the changes are not kept: {kept} bytes"
    );
    drop((follower, monitor));

    let get = async |path: &str| {
        let url = format!("{url}{path}");
        let get = Get {
            url: &url,
            etag: None,
            report: None,
            limit: MAX_SNAPSHOT,
            timeout: Duration::from_secs(120),
            revalidate: false,
        };
        match wire.get(get).await {
            Ok(Fetched::Found { body, .. }) => body,
            other => panic!("{other:?}"),
        }
    };
    let keyset = get("/.well-known/bailiwick/keyset").await;
    let (head, file) = (get(HEAD).await, get(&format!("{HEAD}/snapshot")).await);
    let open = |file: Option<&[u8]>| Trust::open(&keyset, &key, file).unwrap();
    let mut load = Duration::MAX;
    for _ in 0..LOADS {
        let begun = Instant::now();
        drop(open(Some(&file)));
        load = load.min(begun.elapsed());
    }
    row("the load alone", format!("{:.2} s", load.as_secs_f64()));
    row("the head", format!("{} bytes", head.len()));

    let none = Verifier::new(SERVICE, open(None)).unwrap();
    let all = Verifier::new(SERVICE, open(Some(&file))).unwrap();
    let now = system_clock()();
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
    assert!(
        held_by_id > 0.0 && held_by_id <= 16.0,
        "an id takes too much"
    );
    assert!(
        entries > 1_000_000 || load < Duration::from_secs(2),
        "the load takes too long"
    );
}

/// Revokes tokens through the library, a thousand at a time.
async fn revoke(issuer: &Issuer, after: u64, count: u64, now: Timestamp) {
    let target = |number: u64| {
        let mut id = [0xab; 16];
        id[..8].copy_from_slice(&number.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Target::Token(TokenId::from_bytes(id))
    };
    let end = after + count;
    for first in (after..end).step_by(1_000) {
        let targets: Vec<Target> = (first..end.min(first + 1_000)).map(target).collect();
        issuer
            .revoke_all(&targets, None, Some(now.plus(86_400)), "a million", now)
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

/// Mean time of many calls.
fn each(mut call: impl FnMut()) -> Duration {
    const CALLS: u32 = 200_000;
    (0..CALLS / 10).for_each(|_| call());
    let begun = Instant::now();
    (0..CALLS).for_each(|_| call());
    begun.elapsed() / CALLS
}

/// Resident memory of this process, in bytes; 0 if the system does not report it.
fn resident() -> u64 {
    let text = fs::read_to_string("/proc/self/statm").unwrap_or_default();
    let pages = text
        .split(' ')
        .nth(1)
        .and_then(|pages| pages.parse::<u64>().ok());
    pages.unwrap_or(0) * 4096
}
