//! The issuer on the network.
//!
//! An agent gets a token where a caller that was authenticated meets a profile that an operator
//! wrote, and what it gets is on record before it has it. Verifiers fetch what they trust from here,
//! signed, and need nothing of it while it is down. Operators act by tokens of the issuer's own
//! making: the product guards itself.
//!
//! This crate is an edge. It knows HTTP and decides nothing that the issuer, its profiles or the
//! verifier decide; errors of theirs become a status and a public code in `problem` and `oauth::error`. What
//! travels is of the types of `bailiwick-api`, made from the issuer's in `wire`.

mod algorithm;
mod body;
mod caller;
mod config;
mod descriptions;
mod failures;
mod metrics;
mod mint;
mod oauth;
mod operator;
mod operator_routes;
mod own_verifier;
mod probes;
mod problem;
mod profiles;
mod provider;
mod published;
mod rate;
mod reports;
mod routes;
mod serve;
mod snapshots;
mod state;
mod strangers;
mod supervise;
mod table;
mod tasks;
mod tokens;
pub mod wire;

/// Tells the time. Nothing below the edge reads a clock.
pub use bailiwick_verifier::layer::Clock;
pub use config::{Assertions, Config, ConfigError, MAX_CONFIG, ProviderConfig, ServiceLimits, Tls};
pub use metrics::LOST_LOG_LINES;
pub use own_verifier::OPERATOR_SERVICE;
pub use profiles::{ProfilesError, read_profiles};
pub use serve::{Running, ServeError, serve};
