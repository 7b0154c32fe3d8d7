//! Diagnostics on stderr. No secret is ever passed to `tracing`, at any level.
//!
//! A command never fails because its log cannot be written. `tracing_subscriber` reports a writer's error by
//! `eprintln!`, which panics if stderr is full or closed, so this writer returns no errors and counts the lost
//! lines. A service also passes its lines to a thread, because a stalled reader of stderr would otherwise block
//! every request.

use std::{
    io::{self, Write},
    panic,
    sync::{
        OnceLock,
        atomic::Ordering,
        mpsc::{Receiver, SyncSender, sync_channel},
    },
    thread,
    time::Duration,
};

use bailiwick_service::LOST_LOG_LINES;
use bailiwick_token::escape::visible;
use tracing_subscriber::EnvFilter;

/// The environment variable with a filter such as `debug` or `bailiwick_issuer=trace`.
const FILTER: &str = "BAILIWICK_LOG";

/// Maximum number of lines that wait for the writing thread.
const QUEUE: usize = 1_024;

/// Maximum length of a line, in bytes. Longer lines are cut off.
const MAX_LINE: usize = 16 * 1024;

/// Maximum time to wait for the last lines when the process ends.
const PATIENCE: Duration = Duration::from_secs(1);

/// The sender to the writing thread, if one was started.
static THREAD: OnceLock<SyncSender<Message>> = OnceLock::new();

enum Message {
    Line(Vec<u8>),
    /// Requests an answer once all lines before it are written.
    Flush(SyncSender<()>),
}

/// Starts the log. The filter of the environment overrides `--verbose`. Without either, nothing is logged.
pub(crate) fn start(verbose: bool) {
    let level = if verbose { "debug" } else { "warn" };
    let filter = EnvFilter::try_from_env(FILTER).unwrap_or_else(|_| EnvFilter::new(level));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| Log)
        .with_ansi(false)
        .init();
}

/// Starts a thread that writes all further lines, so that no caller waits for stderr. Panics are logged as
/// lines, too.
pub(crate) fn write_in_background() {
    let (sender, lines) = sync_channel(QUEUE);
    let thread = thread::Builder::new().name("log".to_owned());
    // If no thread can be started, callers keep writing themselves.
    if thread.spawn(move || write_all(&lines)).is_ok() && THREAD.set(sender).is_ok() {
        panic::set_hook(Box::new(|panic| {
            line(&format!("panic: {}\n", visible(&panic.to_string())));
        }));
    }
}

/// Returns true if lines are written by a thread.
pub(crate) fn is_in_background() -> bool {
    THREAD.get().is_some()
}

/// Writes a line to stderr, or counts it as lost.
pub(crate) fn line(line: &str) {
    let written = match THREAD.get() {
        None => io::stderr().lock().write_all(line.as_bytes()).is_ok(),
        Some(thread) => thread.try_send(Message::Line(cut(line))).is_ok(),
    };
    if !written {
        LOST_LOG_LINES.fetch_add(1, Ordering::Relaxed);
    }
}

/// Waits up to [`PATIENCE`] for the lines that the thread has not written yet.
pub(crate) fn flush() {
    if let Some(thread) = THREAD.get() {
        let (written, last) = sync_channel(1);
        // A full queue means that nobody reads stderr, so waiting is no use.
        if thread.try_send(Message::Flush(written)).is_ok() {
            let _ = last.recv_timeout(PATIENCE);
        }
    }
}

fn write_all(lines: &Receiver<Message>) {
    for message in lines {
        match message {
            Message::Line(line) => {
                if io::stderr().lock().write_all(&line).is_err() {
                    LOST_LOG_LINES.fetch_add(1, Ordering::Relaxed);
                }
            }
            Message::Flush(written) => drop(written.send(())),
        }
    }
}

fn cut(line: &str) -> Vec<u8> {
    match line.len() <= MAX_LINE {
        true => line.as_bytes().to_vec(),
        false => {
            let end = line.floor_char_boundary(MAX_LINE);
            let kept = line.get(..end).unwrap_or_default();
            format!("{kept}…\n").into_bytes()
        }
    }
}

/// The writer for `tracing_subscriber`, which writes each event at once.
struct Log;

impl Write for Log {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        line(&one_line(&String::from_utf8_lossy(text)));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Converts an event to one line, with all unprintable characters escaped, so that a name in it can neither
/// forge a line nor control a terminal.
fn one_line(event: &str) -> String {
    let event = event.strip_suffix('\n').unwrap_or(event);
    format!("{}\n", visible(event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_is_one_line() {
        assert_eq!(
            one_line("WARN a\nERROR b\u{9b}2J\n"),
            "WARN a\\nERROR b\\u009b2J\n"
        );
    }
}
