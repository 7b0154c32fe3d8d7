//! The world of Bailiwick's integration tests: issuers, providers, forged tokens, running services.
//!
//! | module | feature | contents |
//! |---|---|---|
//! | crate root, [`root`] | – | names, the time of tests, and a signer in memory: keys, keyset, trust, verifier, tokens |
//! | [`forge`], [`foreign`] | – | tokens that no builder makes, validly signed |
//! | [`feed`] | – | a history of revocations, and its signed forms |
//! | [`time`] | – | clocks that a test sets |
//! | [`log`] | – | the log of one test |
//! | [`skip`] | – | loud reports of trials that this machine cannot run |
//! | `http` | `http` | a client without proxies, and waiting with a deadline |
//! | `issuer` | `issuer` | a home, requests for tokens, registered clients |
//! | `postgres` | `postgres` | a schema of its own |
//! | `service`, `provider`, `watch` | `service` | the service on loopback, an OpenID provider, verifiers that follow |
//! | `program` | `program` | `bailiwick serve` as a process, and the requests that it acknowledged |
//!
//! This crate is a dev-dependency of integration tests only, which `.ci/lint` enforces. Unit tests of the
//! crates below it cannot use it: they would get the types of their own crate twice.
//!
//! The oracle for the laws is in `tests/`, not here, so that it shares nothing with the code under test.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::print_stderr,
    reason = "a test fails by panicking, with what it has to say"
)]
#![allow(missing_docs, reason = "a comment where a name does not say all of it")]

pub mod feed;
pub mod foreign;
pub mod forge;
#[cfg(feature = "http")]
pub mod http;
#[cfg(feature = "issuer")]
pub mod issuer;
pub mod log;
#[cfg(feature = "postgres")]
pub mod postgres;
#[cfg(feature = "program")]
pub mod program;
#[cfg(feature = "service")]
pub mod provider;
pub mod root;
#[cfg(feature = "service")]
pub mod service;
pub mod skip;
pub mod time;
#[cfg(feature = "service")]
pub mod watch;

use bailiwick_token::{caveat::Caveat, grant::Grants};
use bailiwick_verifier::{Decision, Deny};

pub use root::{Root, claims};
pub use time::{at, now};

pub const ISSUER: &str = "https://issuer.example";

/// Name of the service that tokens are minted for and that verifiers protect.
pub const SERVICE: &str = "erp";

/// The passphrase of every home.
pub const PASSPHRASE: &str = "correct horse battery";

pub fn scope(grants: Grants) -> Caveat {
    Caveat {
        scope: Some(grants),
        ..Caveat::default()
    }
}

/// Parses grants in TOML.
pub fn toml(text: &str) -> Grants {
    Grants::from_toml(text).unwrap_or_else(|error| panic!("{error}"))
}

/// A grant without conditions, in TOML.
pub fn grant(service: &str, action: &str) -> String {
    format!("[[grant]]\nservice = \"{service}\"\naction = \"{action}\"\n")
}

/// Returns the denial in a decision, and panics if the call is allowed.
pub fn denied(decision: Decision) -> Deny {
    match decision {
        Decision::Deny(deny) => deny,
        Decision::Allow(_) => panic!("an allowed call"),
    }
}
