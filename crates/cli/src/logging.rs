//! Diagnostics on stderr. No secret is ever handed to `tracing`, at any level.

use std::io;

use tracing_subscriber::EnvFilter;

/// The environment variable with a filter such as `debug` or `bailiwick_issuer=trace`.
const FILTER: &str = "BAILIWICK_LOG";

/// Starts the log. The environment's filter goes before `--verbose`, which goes before silence.
pub(crate) fn start(verbose: bool) {
    let level = if verbose { "debug" } else { "warn" };
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(false)
        .init();
}
