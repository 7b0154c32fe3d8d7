//! Widths of the columns of a table on a terminal.

use super::{Cell, Column, Fit, text};

/// Number of spaces between columns.
pub(super) const GAP: usize = 2;

/// Minimum width of a shortened name, so that it can still be distinguished from others.
const SHORTEST_NAME: usize = 20;

/// Minimum width of a column of text, and the maximum up to which the column is at least as wide as its longest word.
/// The id of a token has 32 columns, and is of no use without its end.
const NARROWEST_TEXT: usize = 10;
const WIDEST_WORD: usize = 40;

/// The width of each column, without the gap behind it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Widths(Vec<usize>);

/// The bounds of a column's width.
#[derive(Default)]
pub(super) struct Bounds {
    least: usize,
    most: usize,
}

impl Widths {
    /// Fits columns into a terminal. Returns `None` if the terminal is too narrow for them.
    ///
    /// Each column gets the least that it needs. The remaining room goes to the narrowest column that can use it, so
    /// that one long value does not take the room of the others.
    pub(super) fn fit(bounds: impl IntoIterator<Item = Bounds>, terminal: usize) -> Option<Widths> {
        let bounds: Vec<Bounds> = bounds.into_iter().collect();
        let gaps = GAP.saturating_mul(bounds.len().saturating_sub(1));
        let least: usize = bounds.iter().map(|bounds| bounds.least).sum();
        let mut room = terminal.checked_sub(least.saturating_add(gaps))?;
        let mut widths: Vec<usize> = bounds.iter().map(|bounds| bounds.least).collect();
        while room > 0 {
            let growing = widths.iter_mut().zip(&bounds);
            let growing = growing.filter(|(width, bounds)| **width < bounds.most);
            let Some((width, _)) = growing.min_by_key(|(width, _)| **width) else {
                break;
            };
            *width = width.saturating_add(1);
            room = room.saturating_sub(1);
        }
        Some(Widths(widths))
    }

    /// The widths, from the first column to the last.
    pub(super) fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().copied()
    }
}

impl Bounds {
    /// The minimum width of the column.
    pub(super) fn least(&self) -> usize {
        self.least
    }
}

impl Column {
    pub(super) fn bounds<'a>(self, cells: impl Iterator<Item = &'a Cell>) -> Bounds {
        let title = text::width(self.title);
        let (mut most, mut word) = (title, 0);
        for cell in cells {
            most = most.max(text::width(&cell.text));
            word = word.max(text::longest_word(&cell.text));
        }
        let least = match self.fit {
            Fit::Whole => most,
            Fit::Short => SHORTEST_NAME,
            Fit::Wrap => word.clamp(NARROWEST_TEXT, WIDEST_WORD),
        };
        let least = least.min(most).max(title);
        Bounds { least, most }
    }
}
