//! The line of help and errors that shows how a command is called.

use anstream::adapter::strip_str;

/// Maximum width of help, as `cli` sets it for everything else.
const WIDEST: usize = 100;

/// The beginning of the line, and the space below it.
const TITLE: &str = "Usage: ";
const BELOW: &str = "       ";

/// Breaks the line between words. Clap fits everything else to the terminal, and leaves this line as long as it is.
pub(crate) fn fitted(help: &str, terminal: Option<u16>) -> String {
    let width = terminal.map_or(WIDEST, usize::from).min(WIDEST);
    let lines = help
        .split('\n')
        .map(|line| match plain(line).starts_with(TITLE) {
            true => broken(line, width),
            false => line.to_owned(),
        });
    lines.collect::<Vec<_>>().join("\n")
}

fn broken(line: &str, width: usize) -> String {
    let mut text = String::new();
    let mut used: usize = 0;
    for word in line.split(' ') {
        let length = plain(word).chars().count();
        if used.saturating_add(length) >= width && used > TITLE.len() {
            text.push('\n');
            text.push_str(BELOW);
            used = BELOW.len();
        } else if !text.is_empty() {
            text.push(' ');
            used = used.saturating_add(1);
        }
        text.push_str(word);
        used = used.saturating_add(length);
    }
    text
}

/// Text without styles.
fn plain(text: &str) -> String {
    strip_str(text).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_is_broken_between_words() {
        let help = "Does it\n\n\u{1b}[1mUsage:\u{1b}[0m \u{1b}[1mbailiwick do\u{1b}[0m [OPTIONS] --one <A>\n\nOptions:\n  --one\n";
        assert_eq!(
            plain(&fitted(help, Some(32))),
            "Does it\n\nUsage: bailiwick do [OPTIONS]\n       --one <A>\n\nOptions:\n  --one\n"
        );
        assert_eq!(fitted(help, None), help);
        // A word that is longer than the terminal stays whole.
        assert_eq!(
            fitted("Usage: bailiwick do", Some(4)),
            "Usage: bailiwick\n       do"
        );
    }
}
