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

mod support;

#[path = "trials/broken_log.rs"]
mod broken_log;
#[path = "trials/commit_points.rs"]
mod commit_points;
#[path = "trials/cut_store.rs"]
mod cut_store;
#[path = "trials/full_disk.rs"]
mod full_disk;
#[path = "trials/memory.rs"]
mod memory;
#[path = "trials/oidc.rs"]
mod oidc;
#[path = "trials/proxy.rs"]
mod proxy;
#[path = "trials/remote.rs"]
mod remote;
#[path = "trials/rights.rs"]
mod rights;
#[path = "trials/slow.rs"]
mod slow;
#[path = "trials/stop.rs"]
mod stop;
#[path = "trials/tls.rs"]
mod tls;
#[path = "trials/two_issuers.rs"]
mod two_issuers;
