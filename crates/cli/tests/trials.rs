//! What is promised of the issuer, tried on the process itself, with real components around it. Each trial says what is
//! promised and how it would be seen to fail; what it lacks on this machine it says on stderr, and is skipped.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]

/// The program that is tried.
const BAILIWICK: &str = env!("CARGO_BIN_EXE_bailiwick");

/// By what is promised.
mod trials {
    mod broken_log;
    mod commit_points;
    mod crash;
    mod cut_store;
    mod full_disk;
    mod memory;
    mod oidc;
    mod proxy;
    mod remote;
    mod rights;
    mod slow;
    mod stop;
    mod tls;
    mod two_issuers;
}
