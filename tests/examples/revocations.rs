//! What a million revoked tokens cost a verifier: the start from a snapshot, memory, one change more,
//! and a decision. `cargo run --release -p bailiwick-tests --example revocations`
//!
//! The snapshot is in memory already: what its way over a network takes is left out.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::arithmetic_side_effects,
    reason = "a program for people, which ends where something is wrong"
)]

#[path = "../support/mod.rs"]
mod support;

use std::time::{Duration, Instant};

use bailiwick_token::{
    claims::TokenId,
    revocation::{Epoch, Position, Revocation, SnapshotBase, Target},
};
use bailiwick_verifier::{Request, Trust, Verifier};
use support::{ISSUER, Root, now, toml};

const ENTRIES: u64 = 1_000_000;

fn main() {
    let root = Root::fixed();
    let revoked = |n: u64| {
        let mut id = [0xab; 16];
        id[..8].copy_from_slice(&n.wrapping_mul(0x9e37_79b9_7f4a_7c15).to_be_bytes());
        Revocation {
            target: Target::Token(TokenId::from_bytes(id)),
            expires: Some(now().plus(900)),
        }
    };
    let mut position = Position::start(Epoch::from_bytes([1; 8]));
    for n in 0..ENTRIES {
        let line = revoked(n).to_line();
        position = position.then(line.as_bytes()).expect("another change");
    }
    let base = SnapshotBase {
        issuer: ISSUER.to_owned(),
        position,
        issued_at: now(),
        expires: now().plus(3600),
    };
    let file = base
        .write((0..ENTRIES).map(revoked), &root.keyset_key)
        .expect("a snapshot");
    let keyset = root.keyset().sign(&root.keyset_key).to_json();
    let open = |revocations: Option<&[u8]>| {
        Trust::open(keyset.as_bytes(), &root.keyset_public(), revocations).expect("trust")
    };

    let before = resident();
    let begun = Instant::now();
    let trust = open(Some(file.as_bytes()));
    let loaded = begun.elapsed();
    assert_eq!(trust.revocation_count() as u64, ENTRIES);
    let held = resident().saturating_sub(before);

    let grants = toml("[[grant]]\nservice = \"erp\"\naction = \"order:read\"\n");
    let token = root.mint(&grants).to_base64();
    let request = Request::new("order:read");
    let none = Verifier::new("erp", open(None)).expect("a verifier");
    let all = Verifier::new("erp", trust).expect("a verifier");
    println!("revoked ids           {ENTRIES}");
    println!("snapshot              {:.1} MB", file.len() as f64 / 1e6);
    println!("loaded in             {:.2} s", loaded.as_secs_f64());
    println!(
        "resident, for an id   {:.1} bytes",
        held as f64 / ENTRIES as f64
    );
    println!(
        "a decision without    {:.0} ns",
        each(|| {
            assert!(none.check(&token, &request, now()).is_allow());
        })
        .as_secs_f64()
            * 1e9
    );
    println!(
        "a decision with       {:.0} ns",
        each(|| {
            assert!(all.check(&token, &request, now()).is_allow());
        })
        .as_secs_f64()
            * 1e9
    );
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
