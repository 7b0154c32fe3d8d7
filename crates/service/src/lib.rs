//! The issuer on the network.
//!
//! An agent gets a token where a caller that was authenticated meets a profile that an operator
//! wrote, and what it gets is on record before it has it. Verifiers fetch what they trust from here,
//! signed, and need nothing of it while it is down. Operators act by tokens of the issuer's own
//! making: the product guards itself.
//!
//! This crate is an edge. It knows HTTP and decides nothing that the issuer, its profiles or the
//! verifier decide; errors of theirs become a status and a public code in `problem` and `oauth`.

mod algorithm;
mod body;
mod caller;
mod config;
mod failures;
mod metrics;
mod oauth;
mod operations;
mod operator;
mod operators;
mod problem;
mod profiles;
mod provider;
mod published;
mod rate;
mod reports;
mod routes;
mod serve;
mod state;
mod strangers;
mod supervise;
mod tasks;
mod tokens;

pub use config::{Assertions, Config, ConfigError, Limits, ProviderConfig, Tls};
pub use metrics::LOST_LOG_LINES;
pub use operator::OPERATOR_SERVICE;
pub use problem::{Code, Problem};
pub use profiles::{ProfilesError, read_profiles};
pub use routes::{AUDIT_VERIFY, AUDIT_VERIFY_TIME};
pub use serve::{Running, ServeError, serve};
pub use state::Clock;
