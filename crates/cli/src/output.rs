//! Output: data goes to stdout, everything else to stderr.
//!
//! Both are coloured only on a terminal, and never under `NO_COLOR`; `anstream` decides that. If the reader
//! goes away (`| head`), the output ends without an error.
//!
//! All text passes through [`gated`], whatever library or issuer it comes from. That function cannot
//! distinguish a name from the words around it, so the code that composes a line quotes the names in it
//! (`bailiwick_token::escape`).

use std::{
    fmt,
    io::{self, IsTerminal, Write},
    os::fd::AsFd,
    time::{Duration, Instant},
};

use anstream::adapter::strip_str;
use anstyle::{AnsiColor, Style};
use bailiwick_token::escape::visible;
use serde::Serialize;
use tokio::time::interval;

use crate::{
    exit::{Exit, Failure},
    logging,
    wrap::hanging,
};

/// Width of a terminal that does not report its own, in columns.
const USUAL_WIDTH: u16 = 80;

/// Indentation of the further lines of a message, in columns.
const INDENT: usize = 2;

/// The version of the JSON documents.
const VERSION: u32 = 1;

/// The style of success.
pub(crate) const GREEN: Style = AnsiColor::Green.on_default().bold();
/// The style of errors and denials.
pub(crate) const RED: Style = AnsiColor::Red.on_default().bold();
/// The style of warnings.
pub(crate) const YELLOW: Style = AnsiColor::Yellow.on_default().bold();
/// The style of headers.
pub(crate) const BOLD: Style = Style::new().bold();
/// The style of values that have ended, such as expired tokens.
pub(crate) const FAINT: Style = Style::new().dimmed();
const CYAN: Style = AnsiColor::Cyan.on_default().bold();

/// The escape sequences of this program's styles. No other escape character is ever printed.
const STYLES: [&str; 7] = [
    "\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m",
];

/// The format of a command's data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// Text for people.
    Text,
    /// For programs: a single JSON document, or one per line if the command's help says so.
    Json,
}

impl Format {
    /// Prints `data` as `{"version":1,…}`, or `text`.
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

/// Width of the terminal that stdout is, in columns; `None` if it is not a terminal.
pub(crate) fn terminal_width() -> Option<u16> {
    width_of(&io::stdout())
}

fn width_of(stream: &(impl IsTerminal + AsFd)) -> Option<u16> {
    if !stream.is_terminal() {
        return None;
    }
    let size = rustix::termios::tcgetwinsize(stream).ok();
    let width = size.map(|size| size.ws_col).filter(|width| *width > 0);
    Some(width.unwrap_or(USUAL_WIDTH))
}

/// Width of the terminal that stdout is, in columns, for text that is wrapped there.
pub(crate) fn terminal_columns() -> Option<usize> {
    terminal_width().map(usize::from)
}

/// Prints one JSON document on one line.
pub(crate) fn json<T: Serialize>(document: &T) -> Result<(), Failure> {
    line(json_text(document)?)
}

/// Returns a JSON document on one line, with all unprintable characters escaped.
pub(crate) fn json_text<T: Serialize>(document: &T) -> Result<String, Failure> {
    serde_json::to_string(document)
        .map(|text| visible(&text).into_owned())
        .map_err(|error| Failure::plain(Exit::Local, format!("cannot write JSON ({error})")))
}

/// Prints one line of data.
pub(crate) fn line(text: impl fmt::Display) -> Result<(), Failure> {
    print(format_args!("{text}\n"))
}

/// Prints lines of data.
pub(crate) fn print(text: impl fmt::Display) -> Result<(), Failure> {
    let text = gated(&text.to_string(), &STYLES);
    let mut stdout = anstream::stdout().lock();
    written(write!(stdout, "{text}").and_then(|()| stdout.flush()))
}

/// Prints lines of data whose columns are separated by tabs, without styles.
pub(crate) fn tabbed(lines: &str) -> Result<(), Failure> {
    let columns = lines.split('\t').map(|column| gated(column, &[]));
    raw(&columns.collect::<Vec<_>>().join("\t"))
}

/// Prints text that this program itself wrote, byte for byte.
pub(crate) fn raw(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    written(
        stdout
            .write_all(text.as_bytes())
            .and_then(|()| stdout.flush()),
    )
}

/// Prints signed text byte for byte. On a terminal, where the text is only shown, [`gated`] escapes it, and it
/// ends with a line break.
pub(crate) fn signed(text: &str) -> Result<(), Failure> {
    match io::stdout().is_terminal() {
        true => line(text),
        false => raw(text),
    }
}

/// Escapes all unprintable characters except line breaks and the given styles.
fn gated(text: &str, styles: &[&str]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut lines = text.split('\n');
    let mut rest = lines.next();
    while let Some(line) = rest {
        let mut line = line;
        while let Some((before, after)) = line.split_once('\x1b') {
            shown.push_str(&visible(before));
            let style = styles.iter().find_map(|style| {
                let code = style.strip_prefix('\x1b')?;
                Some((style, after.strip_prefix(code)?))
            });
            line = match style {
                Some((style, after)) => {
                    shown.push_str(style);
                    after
                }
                None => {
                    shown.push_str(&visible("\x1b"));
                    after
                }
            };
        }
        shown.push_str(&visible(line));
        rest = lines.next();
        if rest.is_some() {
            shown.push('\n');
        }
    }
    shown
}

/// Prints a note about what the command does.
pub(crate) fn note(text: impl fmt::Display) {
    tell("", text);
}

/// Prints a hint about the next step.
pub(crate) fn hint(text: impl fmt::Display) {
    tell(&format!("{CYAN}hint:{CYAN:#} "), text);
}

/// Prints a warning.
pub(crate) fn warn(text: impl fmt::Display) {
    tell(&format!("{YELLOW}warning:{YELLOW:#} "), text);
}

/// Prints the reason for a failure, and the next step.
pub(crate) fn error(message: &str, what_next: Option<&str>) {
    tell(&format!("{RED}error:{RED:#} "), message);
    if let Some(what_next) = what_next {
        hint(what_next);
    }
}

/// The progress of a long operation: one line on a terminal, which is updated in place and finally removed. If
/// stderr is not a terminal, nothing is printed.
pub(crate) struct Progress {
    what: &'static str,
    shown: Option<Instant>,
}

impl Progress {
    /// Starts at zero. `what` names the things that are counted.
    pub(crate) fn new(what: &'static str) -> Progress {
        Progress { what, shown: None }
    }

    /// Waits for work that cannot report progress. A terminal shows the elapsed seconds.
    pub(crate) async fn waiting<T>(why: &'static str, work: impl Future<Output = T>) -> T {
        // This is a task of its own, because the work may keep its thread busy.
        let told = io::stderr()
            .is_terminal()
            .then(|| tokio::spawn(seconds(why)));
        let done = work.await;
        if let Some(told) = told {
            told.abort();
            // The line is removed when the task is dropped, which may be after `abort` returns.
            let _ = told.await;
        }
        done
    }

    /// Shows the current count.
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
    // The first tick comes at once, and work that ends within a second needs no progress.
    for second in 0.. {
        ticks.tick().await;
        if second > 1 {
            progress.at(second);
        }
    }
}

/// Prints to stderr, wrapped if that is a terminal. Errors are ignored, because there is nowhere to report them.
fn tell(label: &str, text: impl fmt::Display) {
    let text = gated(&text.to_string(), &[]);
    if logging::is_in_background() {
        return logging::line(&format!("{}{text}\n", strip_str(label)));
    }
    let width = width_of(&io::stderr()).map(usize::from);
    let _ = writeln!(anstream::stderr().lock(), "{}", told(label, &text, width));
}

/// A message with its label. Lines that are too long continue below, indented a little further than they begin.
fn told(label: &str, text: &str, width: Option<usize>) -> String {
    let indented = |line: &str| {
        let begin = line
            .len()
            .saturating_sub(line.trim_start_matches(' ').len());
        hanging(line, begin.saturating_add(INDENT), width)
    };
    let text = format!("{label}{text}");
    text.split('\n')
        .map(indented)
        .collect::<Vec<_>>()
        .join("\n")
}

fn written(result: io::Result<()>) -> Result<(), Failure> {
    match result {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(Failure::plain(
            Exit::Local,
            format!("cannot write to standard output ({error})"),
        )
        .hint("free space, and check the result, since the command was carried out")),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_wrapped_for_a_terminal() {
        let hint = "what to do next:\n  1. keep the passphrase, and the backups in another place: bailiwick backup --help";
        assert_eq!(
            told("hint: ", hint, Some(41)),
            "hint: what to do next:\n  1. keep the passphrase, and the backups\n    in another place:\n    bailiwick backup --help"
        );
        assert_eq!(told("hint: ", hint, None), format!("hint: {hint}"));
        let label = format!("{RED}error:{RED:#} ");
        assert_eq!(
            told(&label, "one two", Some(10)),
            format!("{RED}error:{RED:#} one\n  two")
        );
    }

    #[test]
    fn only_own_styles_pass() {
        let text = format!("{GREEN}allow{GREEN:#} a\x1b[2Jb\u{202e}\r\n\x1b[1;32m\x1b\n");
        assert_eq!(
            gated(&text, &STYLES),
            "\x1b[1m\x1b[32mallow\x1b[0m a\\u001b[2Jb\\u202e\\r\n\\u001b[1;32m\\u001b\n"
        );
        assert_eq!(gated("\x1b[32mgood", &[]), "\\u001b[32mgood");
        for style in [GREEN, RED, YELLOW, CYAN, BOLD, FAINT] {
            let text = format!("{style}x{style:#}");
            assert_eq!(gated(&text, &STYLES), text);
        }
    }
}
