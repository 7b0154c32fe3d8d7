//! The issuer on the network.
//!
//! An agent gets a token if it is authenticated and matches a profile that an operator wrote. The token is recorded
//! before the agent receives it. Verifiers fetch the signed keyset and revocations from here, and continue to decide
//! while the service is down. Operators authenticate with tokens that this issuer minted, so the product protects
//! itself.
//!
//! This crate is an edge: it handles HTTP, and leaves decisions to the issuer, its profiles and the verifier.
//! `problem` and `oauth::error` map errors to a status and a public code. Requests and answers have the types
//! of `bailiwick-api`; `wire` converts the issuer's values to them.

mod algorithm;
mod body;
mod caller;
pub mod client_keys;
mod config;
mod config_mistakes;
mod descriptions;
mod failures;
mod head;
mod keyset_setting;
mod metrics;
mod mint;
mod oauth;
mod operator;
mod operator_routes;
mod own_status;
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
mod status;
mod strangers;
mod supervise;
mod table;
mod tasks;
mod token_list;
mod tokens;
pub mod wire;

/// A function that returns the time. Nothing below the edge reads a clock.
pub use bailiwick_verifier::layer::Clock;
pub use config::{Assertions, Config, ConfigError, MAX_CONFIG, ProviderConfig, ServiceLimits, Tls};
pub use keyset_setting::{keyset_setting, usual_revocation_url};
pub use metrics::LOST_LOG_LINES;
pub use own_verifier::OPERATOR_SERVICE;
pub use profiles::{ProfilesError, read_profiles};
pub use provider::probe_providers;
pub use serve::{Running, ServeError, check_certificate, serve};
pub use status::{Finding, StatusInputs, finding, issuer_status};
pub use token_list::list_tokens;
