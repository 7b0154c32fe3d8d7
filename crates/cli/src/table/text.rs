//! Widths of text, in columns of a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The sign that a value was cut off. It is one column wide.
const MORE: char = '…';

/// Width of a text.
pub(super) fn width(text: &str) -> usize {
    text.width()
}

/// Width of the longest word of a text.
pub(super) fn longest_word(text: &str) -> usize {
    text.split(' ').map(width).max().unwrap_or(0)
}

/// Returns a text unchanged if it fits, and as much of its beginning as fits before a `…` otherwise.
pub(super) fn shortened(text: &str, room: usize) -> String {
    if width(text) <= room {
        return text.to_owned();
    }
    let mut left = room.saturating_sub(1);
    let mut short = String::new();
    for c in text.chars() {
        // Marks have no width, so they stay with the character that they belong to.
        let Some(rest) = left.checked_sub(c.width().unwrap_or(0)) else {
            break;
        };
        left = rest;
        short.push(c);
    }
    short.push(MORE);
    short
}

/// Breaks a text between words into lines of this width. A word that is longer stays whole.
pub(super) fn wrapped(text: &str, room: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split(' ') {
        match lines.last_mut() {
            Some(line) if width(line).saturating_add(1).saturating_add(width(word)) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_text_is_shortened() {
        for (text, room, short) in [
            ("agent:buyer", 11, "agent:buyer"),
            ("agent:buyer", 10, "agent:buy…"),
            ("agent:buyer", 1, "…"),
            ("", 1, ""),
            // Characters that are two columns wide are not halved.
            ("日本語", 6, "日本語"),
            ("日本語", 5, "日本…"),
            ("日本語", 4, "日…"),
            ("e\u{301}e\u{301}e\u{301}", 2, "e\u{301}…"),
        ] {
            assert_eq!(shortened(text, room), short, "{text} in {room}");
            assert!(width(&shortened(text, room)) <= room, "{text} in {room}");
        }
    }

    #[test]
    fn long_words_are_not_broken() {
        assert_eq!(wrapped("a token, revoked", 9), ["a token,", "revoked"]);
        assert_eq!(
            wrapped("token 0123456789abcdef", 8),
            ["token", "0123456789abcdef"]
        );
        assert_eq!(wrapped("", 8), [""]);
    }

    #[test]
    fn words_end_at_spaces() {
        assert_eq!(longest_word("a token, revoked"), 7);
        assert_eq!(longest_word(""), 0);
    }
}
