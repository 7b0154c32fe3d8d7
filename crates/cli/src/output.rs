//! What goes where: data to stdout, everything else to stderr.
//!
//! Both are coloured on a terminal only, and not at all under `NO_COLOR`; that is `anstream`'s
//! decision. A reader that went away (`| head`) ends the output and is no error.

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    time::{Duration, Instant},
};

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use serde::Serialize;
use tokio::time::interval;

use crate::{
    exit::{Exit, Failure},
    logging,
};

/// The version of the JSON documents.
const VERSION: u32 = 1;

/// Good news.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
/// Bad news.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// Which of its two forms a command's data takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For people.
    Text,
    /// For programs: one JSON document, or one a line where a command says so.
    Json,
}

impl Format {
    /// Prints `data`: as `{"version":1,…}`, or as `text` says it.
    pub(crate) fn print<T: Serialize>(
        self,
        data: &T,
        text: impl fmt::Display,
    ) -> Result<(), Failure> {
        match self {
            Format::Text => print(text),
            Format::Json => json(&Versioned {
                version: VERSION,
                data,
            }),
        }
    }
}

#[derive(Serialize)]
struct Versioned<'a, T> {
    version: u32,
    #[serde(flatten)]
    data: &'a T,
}

/// Prints one JSON document on one line.
pub(crate) fn json<T: Serialize>(document: &T) -> Result<(), Failure> {
    line(json_text(document)?)
}

/// A JSON document on one line.
pub(crate) fn json_text<T: Serialize>(document: &T) -> Result<String, Failure> {
    serde_json::to_string(document)
        .map_err(|error| Failure::plain(Exit::Local, format!("cannot write JSON ({error})")))
}

/// Prints one line of data.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    print(format_args!("{text}\n"))
}

/// Prints data as it stands.
pub(crate) fn print(text: impl fmt::Display) -> Result<(), Failure> {
    let mut stdout = anstream::stdout().lock();
    written(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Text of unknown origin, with what could move a terminal's cursor made visible.
pub(crate) fn plain(text: &str) -> String {
    let shown = |c: char| match c.is_control() {
        true => c.escape_default().to_string(),
        false => c.to_string(),
    };
    text.chars().map(shown).collect()
}

/// Prints what is signed, byte for byte; a terminal gets a line break after it.
pub(crate) fn signed(text: &str) -> Result<(), Failure> {
    let end = if io::stdout().is_terminal() { "\n" } else { "" };
    print(format_args!("{text}{end}"))
}

/// Says something about what is done.
pub(crate) fn note(text: impl fmt::Display) {
    tell(format_args!("{text}"));
}

/// Says what to do next.
pub(crate) fn hint(text: impl fmt::Display) {
    tell(format_args!("{CYAN}hint:{CYAN:#} {text}"));
}

/// Says what the person should have seen.
pub(crate) fn warn(text: impl fmt::Display) {
    tell(format_args!("{YELLOW}warning:{YELLOW:#} {text}"));
}

/// Says why the command failed, and what to do next.
pub(crate) fn error(message: &str, what_next: Option<&str>) {
    tell(format_args!("{RED}error:{RED:#} {message}"));
    if let Some(what_next) = what_next {
        hint(what_next);
    }
}

/// How far something is that takes long: one line on a terminal, written over again and again, and gone
/// in the end. Elsewhere nothing is said.
pub(crate) struct Progress {
    what: &'static str,
    shown: Option<Instant>,
}

impl Progress {
    /// Counts things of this name.
    pub(crate) fn new(what: &'static str) -> Progress {
        Progress { what, shown: None }
    }

    /// Waits for what cannot say how far it is: a terminal is told for how many seconds by now.
    pub(crate) async fn waiting<T>(why: &'static str, work: impl Future<Output = T>) -> T {
        // A task of its own: the work may keep its thread busy.
        let told = io::stderr()
            .is_terminal()
            .then(|| tokio::spawn(seconds(why)));
        let done = work.await;
        if let Some(told) = told {
            told.abort();
            // Only then its line is gone.
            let _ = told.await;
        }
        done
    }

    /// Says how many there are by now.
    pub(crate) fn at(&mut self, count: u64) {
        const PAUSE: Duration = Duration::from_millis(100);
        let recent = self.shown.is_some_and(|shown| shown.elapsed() < PAUSE);
        if io::stderr().is_terminal() && !recent {
            self.shown = Some(Instant::now());
            let _ = write!(io::stderr(), "\r{count} {}\x1b[K", self.what);
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

async fn seconds(why: &'static str) {
    let mut progress = Progress::new(why);
    let mut ticks = interval(Duration::from_secs(1));
    // The first one comes at once, and a moment is not worth a word.
    for second in 0.. {
        ticks.tick().await;
        if second > 1 {
            progress.at(second);
        }
    }
}

/// Nobody can be told that stderr cannot be written.
fn tell(text: fmt::Arguments<'_>) {
    if logging::is_in_background() {
        let line = format!("{text}\n");
        return logging::line(&strip_str(&line).to_string());
    }
    let _ = writeln!(anstream::stderr().lock(), "{text}");
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::plain(
            Exit::Local,
            format!("cannot write to standard output ({error})"),
        )
        .hint("what was done stays done: make room, and look at its result again")),
        _ => Ok(()),
    }
}
