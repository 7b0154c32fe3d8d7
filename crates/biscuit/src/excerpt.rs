//! Excerpts of texts of any length.
//!
//! The cost of an excerpt depends on its own length, not on the length of the full text, if `Display` writes
//! the text piece by piece.

use std::fmt::{self, Display, Write};

use crate::escape::visible;

/// A writer that keeps the first `limit` bytes and refuses the rest, so that its source stops.
#[derive(Debug)]
pub struct Beginning {
    text: String,
    limit: usize,
    is_cut: bool,
}

impl Beginning {
    /// Keeps the first `limit` bytes of the text of `value`.
    #[must_use]
    pub fn of(value: impl Display, limit: usize) -> Beginning {
        let mut beginning = Beginning {
            text: String::new(),
            limit,
            is_cut: false,
        };
        // The only error is that of a full `Beginning`, which `is_cut` records.
        let _ = write!(beginning, "{value}");
        beginning
    }

    /// Returns true if text was left out.
    #[must_use]
    pub fn is_cut(&self) -> bool {
        self.is_cut
    }

    /// Returns the text, with an ellipsis if text was left out.
    #[must_use]
    pub fn marked(mut self) -> String {
        if self.is_cut {
            self.text.push('…');
        }
        self.text
    }
}

impl Write for Beginning {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let left = self.limit.saturating_sub(self.text.len());
        // A character that would be cut is left out whole.
        let fits = text.floor_char_boundary(left);
        self.text.push_str(text.get(..fits).unwrap_or_default());
        if self.is_cut || fits < text.len() {
            self.is_cut = true;
            return Err(fmt::Error);
        }
        Ok(())
    }
}

/// Returns the first `limit` bytes of the text of `value`, with an ellipsis if text was left out. Unprintable
/// characters are then escaped, each to at most twelve bytes.
#[must_use]
pub fn excerpt(value: impl Display, limit: usize) -> String {
    visible(&beginning(value, limit)).into_owned()
}

/// Like [`excerpt`], but without escapes, for text that is escaped when it is printed.
#[must_use]
pub fn beginning(value: impl Display, limit: usize) -> String {
    Beginning::of(value, limit).marked()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A value whose text never ends. It is written in pieces of ten bytes, and the pieces are counted.
    struct Endless<'c>(&'c std::cell::Cell<usize>);

    impl Display for Endless<'_> {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            loop {
                self.0.set(self.0.get().saturating_add(1));
                f.write_str("0123456789")?;
            }
        }
    }

    #[test]
    fn excerpts_stop_their_writer() {
        let pieces = std::cell::Cell::new(0);
        assert_eq!(excerpt(Endless(&pieces), 25), "0123456789012345678901234…");
        assert_eq!(pieces.get(), 3);
        assert_eq!(excerpt("0123456789", 10), "0123456789");
        assert_eq!(excerpt("ééé", 5), "éé…");
        assert_eq!(excerpt("a\u{1b}\u{202e}b", 100), r"a\u001b\u202eb");
        assert_eq!(beginning("\n\n", 1), "\n…");
    }
}
