//! Trials of the issuer's promises, on the real process with real components around it. Each trial states its
//! promise and the signs of failure. A trial that this machine cannot run is skipped, and reports on stderr
//! what is missing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

/// Path of the program under test.
const BAILIWICK: &str = env!("CARGO_BIN_EXE_bailiwick");

/// The trials, one module per promise.
mod trials {
    mod authlib;
    mod broken_log;
    mod commit_points;
    mod crash;
    mod cut_store;
    mod full_disk;
    mod memory;
    mod narrowed;
    mod oidc;
    mod proxy;
    mod remote;
    mod rights;
    mod slow;
    mod start;
    mod status;
    mod stop;
    mod tls;
    mod two_issuers;
}
