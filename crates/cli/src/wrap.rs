//! Text that is wrapped between words, for a terminal.

use anstream::adapter::strip_str;
use unicode_width::UnicodeWidthStr;

/// The name of this program, with which a command begins. In a sentence it stands in backticks.
const PROGRAM: &str = "bailiwick";

/// Wraps a line that is longer than `width`, with an indentation for the lines that follow the first. Without a width,
/// as for a pipe or a file, the line stays whole.
///
/// Text in backticks stays on one line where it can, since it may be a command to be copied, and so does a command of this
/// program at the end of a line. A word that is longer than the terminal stays whole too.
pub(crate) fn hanging(line: &str, indent: usize, width: Option<usize>) -> String {
    let Some(width) = width.filter(|width| columns(line) > *width) else {
        return line.to_owned();
    };
    let below = " ".repeat(indent);
    let mut wrapped = String::new();
    let (mut used, mut is_empty) = (0_usize, true);
    for (at, word) in words(line).enumerate() {
        let length = columns(&word);
        let gap = usize::from(at > 0);
        if !is_empty && used.saturating_add(gap).saturating_add(length) > width {
            wrapped.truncate(wrapped.trim_end_matches(' ').len());
            wrapped.push('\n');
            wrapped.push_str(&below);
            used = indent;
        } else if at > 0 {
            wrapped.push(' ');
            used = used.saturating_add(1);
        }
        is_empty &= length == 0;
        wrapped.push_str(&word);
        used = used.saturating_add(length);
    }
    wrapped
}

/// Width of a text without its styles.
fn columns(text: &str) -> usize {
    strip_str(text).to_string().width()
}

/// The words of a line. A text in backticks is one word, and a command from the name of this program on.
fn words(line: &str) -> impl Iterator<Item = String> {
    let mut parts = line.split(' ');
    std::iter::from_fn(move || {
        let mut word = parts.next()?.to_owned();
        if word == PROGRAM {
            for next in parts.by_ref() {
                word.push(' ');
                word.push_str(next);
            }
            return Some(word);
        }
        while !word.matches('`').count().is_multiple_of(2) {
            let Some(next) = parts.next() else { break };
            word.push(' ');
            word.push_str(next);
        }
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use anstyle::AnsiColor;

    use super::*;

    #[test]
    fn lines_are_wrapped_between_words() {
        let line = "audit   ok  no checkpoint covers the rows from today on";
        assert_eq!(hanging(line, 12, None), line);
        assert_eq!(hanging(line, 12, Some(80)), line);
        assert_eq!(
            hanging(line, 12, Some(40)),
            "audit   ok  no checkpoint covers the\n            rows from today on"
        );
        assert_eq!(hanging("  one two", 4, Some(6)), "  one\n    two");
    }

    #[test]
    fn commands_and_long_words_stay_whole() {
        let line = "    next: run `bailiwick audit checkpoint` every day";
        assert_eq!(
            hanging(line, 10, Some(36)),
            "    next: run\n          `bailiwick audit checkpoint`\n          every day"
        );
        assert_eq!(
            hanging("key 0123456789abcdef", 4, Some(10)),
            "key\n    0123456789abcdef"
        );
        assert_eq!(
            hanging("a lone ` is no command", 0, Some(9)),
            "a lone\n` is no command"
        );
    }

    #[test]
    fn a_command_at_the_end_stays_whole() {
        let line = "revoke all of them: bailiwick revocations add --agent 'a ` b' --reason TEXT";
        assert_eq!(
            hanging(line, 2, Some(30)),
            "revoke all of them:\n  bailiwick revocations add --agent 'a ` b' --reason TEXT"
        );
    }

    #[test]
    fn styles_have_no_width() {
        let green = AnsiColor::Green.on_default().bold();
        let line = format!("{green}ok{green:#} all is well");
        assert_eq!(hanging(&line, 3, Some(14)), line);
    }
}
