//! Diagnostics on stderr. No secret is ever handed to `tracing`, at any level.

use std::io::{self, Write};

use bailiwick_token::escape::visible;
use tracing_subscriber::EnvFilter;

/// The environment variable with a filter such as `debug` or `bailiwick_issuer=trace`.
const FILTER: &str = "BAILIWICK_LOG";

/// Starts the log. The environment's filter goes before `--verbose`, which goes before silence.
pub(crate) fn start(verbose: bool) {
    let level = if verbose { "debug" } else { "warn" };
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Lines(io::stderr()))
        .with_ansi(false)
        .init();
}

/// Writes each event as one line, with everything escaped that is not printable: a name in it can
/// neither begin another line nor speak to a terminal.
struct Lines<W>(W);

impl<W: Write> Write for Lines<W> {
    /// Takes a whole event, as the subscriber hands it over.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        self.0
            .write_all(format!("{}\n", visible(line)).as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        let mut lines = Lines(Vec::new());
        lines
            .write_all("WARN a\nERROR b\u{9b}2J\n".as_bytes())
            .unwrap();
        assert_eq!(
            String::from_utf8(lines.0).unwrap(),
            "WARN a\\nERROR b\\u009b2J\n"
        );
    }
}
