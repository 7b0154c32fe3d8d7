//! Secrets in the memory of a service.
//!
//! Promised: a service leaves no core file, and secrets that only pass through it (the passphrase, clients'
//! secrets, operators' tokens) are wiped once the requests have ended. The private keys must stay in memory
//! while it serves. `tests/commands/process.rs` checks that other processes of the same user cannot read its
//! memory.
//!
//! Signs of failure: a limit on core files other than 0, or such a secret in the memory, which root reads here as a
//! debugger would.

use std::{
    fs::{self, File},
    os::unix::fs::FileExt,
    time::Duration,
};

use bailiwick_testkit::{
    PASSPHRASE,
    http::eventually_within,
    program::{Serving, Setup, World, acknowledged::Acknowledged, http},
    skip::skipped,
};
use base64::{Engine, prelude::BASE64_STANDARD as BASE64};
use rustix::process::geteuid;
use serde_json::Value;

use crate::BAILIWICK;

const PATIENCE: Duration = Duration::from_secs(20);

/// Size of a memory page, in bytes.
const PAGE: usize = 4096;

/// Number of times that each secret is sent through the service.
const TIMES: usize = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn secrets_that_passed_through_are_not_in_memory() {
    let world = World::with(
        BAILIWICK,
        Setup {
            config: "[limits]\nfailures_per_minute = 1000\n",
            ..Setup::default()
        },
    );
    let serving = world.serve();
    let limits = fs::read_to_string(format!("/proc/{}/limits", serving.pid())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"));
    let core: Vec<&str> = core.unwrap().split_whitespace().collect();
    assert_eq!(core[4..6], ["0", "0"], "a core file may be written");

    // Good secrets and wrong ones; each round has connections of its own.
    let wrong = "wrong-secret-that-nobody-has-0123456789";
    let (seen, mut minted) = (Acknowledged::default(), String::new());
    for _ in 0..TIMES {
        let http = http();
        let answer = seen.mint(&http, &serving.base, &world.secret).await;
        let answer = answer.unwrap();
        assert!(answer.is_success(), "{answer:?}");
        let refused = seen.mint(&http, &serving.base, wrong).await.unwrap();
        assert!(!refused.is_success(), "{refused:?}");
        let token = seen.tokens.lock().unwrap().last().unwrap().clone();
        let revoked = seen.revoke(&http, &serving.base, &world.operator, &token);
        let revoked = revoked.await.unwrap();
        assert!(revoked.is_success(), "{revoked:?}");
        let form = format!(
            "grant_type=client_credentials&client_id=orchestrator&client_secret={}",
            world.secret
        );
        let request = http.post(format!("{}/v1/token", serving.base));
        let request = request.header("content-type", "application/x-www-form-urlencoded");
        let answer = request.body(form).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
        minted = answer["access_token"].as_str().unwrap().to_owned();
    }

    if !geteuid().is_root() {
        return skipped("memory as root sees it", "run the trial as root");
    }
    let basic = BASE64.encode(format!("orchestrator:{}", world.secret));
    let secrets = [
        ("the passphrase", PASSPHRASE),
        ("a client's secret", &world.secret),
        ("a client's secret, as it is sent", &basic),
        ("a token that was minted", &minted),
        ("a wrong secret", wrong),
        ("an operator's token", &world.operator),
    ];
    if Memory::read(&serving).is_none() {
        return skipped(
            "memory as root sees it",
            "this root may not read the memory of others (CAP_SYS_PTRACE)",
        );
    }
    // A request ends with its connection, and the service learns of that a little later.
    eventually_within("all secrets are wiped", PATIENCE, async || {
        let memory = Memory::read(&serving).unwrap();
        assert!(
            memory.count(b"https://issuer.example") > 0,
            "this is not its memory"
        );
        let found = secrets.map(|(what, secret)| (what, memory.count(secret.as_bytes())));
        eprintln!("in memory: {found:?}");
        found.iter().all(|(_, times)| *times == 0)
    })
    .await;
}

/// The writable memory of a process.
struct Memory(Vec<Vec<u8>>);

impl Memory {
    fn read(serving: &Serving) -> Option<Memory> {
        let pid = serving.pid();
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        let memory = File::open(format!("/proc/{pid}/mem")).ok()?;
        let mut regions = Vec::new();
        for line in maps.lines().filter(|line| line.contains(" rw")) {
            let (from, to) = line.split(' ').next()?.split_once('-')?;
            let (from, to) = (
                u64::from_str_radix(from, 16).ok()?,
                u64::from_str_radix(to, 16).ok()?,
            );
            let mut region = vec![0; usize::try_from(to - from).ok()?];
            // Reading a guard page is an error.
            if memory.read_exact_at(&mut region, from).is_ok() {
                // Most of the memory was never written to.
                let pages = region.chunks(PAGE).filter(|page| page != &[0; PAGE]);
                regions.push(pages.collect::<Vec<_>>().concat());
            }
        }
        Some(Memory(regions))
    }

    fn count(&self, wanted: &[u8]) -> usize {
        let of = |region: &Vec<u8>| {
            region
                .windows(wanted.len())
                .filter(|bytes| *bytes == wanted)
                .count()
        };
        self.0.iter().map(of).sum()
    }
}
