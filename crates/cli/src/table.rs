//! Lists, as tables of columns with a header.
//!
//! | stdout | form |
//! |---|---|
//! | a terminal | a table that fits its width: texts wrap between words, and names that do not fit end in `…` |
//! | a terminal too narrow for the columns | a table of the other columns, with the texts of each row on lines below it |
//! | a terminal too narrow for that | a line for each value, and an empty line between rows |
//! | anything else | a line for the header and one for each row, with a tab between columns and every value whole |

mod layout;
mod stacked;
mod text;

use std::fmt::{self, Write};

use anstyle::Style;
use bailiwick_token::escape::visible;
use comfy_table::{ColumnConstraint, Table as Grid, Width, presets};
use serde::Serialize;

use self::layout::{Bounds, GAP, Widths};
use crate::{
    exit::Failure,
    output::{self, BOLD, FAINT, Format, GREEN, RED, YELLOW},
};

/// The text of a column that has no value in a row.
const NONE: &str = "-";

/// A column of a list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    title: &'static str,
    fit: Fit,
}

/// The way in which a column fits into the width of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fit {
    /// Its values are always shown whole.
    Whole,
    /// A value that is too long ends in `…`.
    Short,
    /// A value that is too long is wrapped at a space.
    Wrap,
}

impl Column {
    /// A column of times, numbers, states and ids, which are shown whole.
    pub(crate) const fn whole(title: &'static str) -> Column {
        let fit = Fit::Whole;
        Column { title, fit }
    }

    /// A column of names, which end in `…` if they do not fit.
    pub(crate) const fn names(title: &'static str) -> Column {
        let fit = Fit::Short;
        Column { title, fit }
    }

    /// A column of text, which is wrapped if it does not fit.
    pub(crate) const fn text(title: &'static str) -> Column {
        let fit = Fit::Wrap;
        Column { title, fit }
    }
}

/// The meaning of a value, which has a colour on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// No meaning of its own.
    Plain,
    /// In use, as it should be.
    Good,
    /// On its way, or behind.
    Waiting,
    /// Revoked, refused, disabled.
    Bad,
    /// Over: retired, expired.
    Past,
}

/// Zero-width characters that represent the styles until a line is laid out. Escaped text contains none of them.
const TONES: [(Tone, char, Style); 4] = [
    (Tone::Good, '\u{2061}', GREEN),
    (Tone::Waiting, '\u{2062}', YELLOW),
    (Tone::Bad, '\u{2063}', RED),
    (Tone::Past, '\u{2064}', FAINT),
];

/// The character that ends a style.
const END: char = '\u{2060}';

/// A value in a row.
#[derive(Debug, Clone)]
pub(crate) struct Cell {
    text: String,
    tone: Tone,
}

impl Cell {
    /// A value as text. Everything that is not printable is escaped.
    pub(crate) fn new(text: impl fmt::Display) -> Cell {
        Cell {
            text: visible(&text.to_string()).into_owned(),
            tone: Tone::Plain,
        }
    }

    /// A value that may be missing.
    pub(crate) fn optional(text: Option<impl fmt::Display>) -> Cell {
        text.map_or_else(|| Cell::new(NONE), Cell::new)
    }

    /// Sets the meaning of the value. Its column must always show it whole.
    pub(crate) fn toned(mut self, tone: Tone) -> Cell {
        self.tone = tone;
        self
    }

    /// The text between the characters that stand for its style.
    fn marked(&self, text: &str) -> String {
        let mark = TONES.iter().find(|(tone, ..)| *tone == self.tone);
        match mark {
            Some((_, mark, _)) => format!("{mark}{text}{END}"),
            None => text.to_owned(),
        }
    }
}

/// A list.
#[derive(Debug)]
pub(crate) struct Table<const N: usize> {
    columns: [Column; N],
    rows: Vec<[Cell; N]>,
}

impl<const N: usize> Table<N> {
    /// Makes a list of rows.
    pub(crate) fn new(columns: [Column; N], rows: impl IntoIterator<Item = [Cell; N]>) -> Table<N> {
        let rows = rows.into_iter().collect();
        Table { columns, rows }
    }

    /// Prints the list, or `data` as JSON. If there are no rows, the text `nothing` is printed as a note on stderr.
    pub(crate) fn print<T: Serialize>(
        &self,
        format: Format,
        data: &T,
        nothing: &str,
    ) -> Result<(), Failure> {
        if format == Format::Json {
            return format.print(data, "");
        }
        if self.rows.is_empty() {
            output::note(nothing);
            return Ok(());
        }
        let Some(width) = output::terminal_width() else {
            return output::tabbed(&self.lines());
        };
        let shown = self.fitted(width);
        output::print(shown.text)?;
        if shown.is_shortened {
            output::hint("a wider terminal, a pipe or --json shows values that end in … whole");
        }
        Ok(())
    }

    /// The list for programs and files: one line for the header and for each row, with a tab between columns.
    pub(crate) fn lines(&self) -> String {
        let mut lines = self.columns.map(|column| column.title).join("\t");
        lines.push('\n');
        for row in &self.rows {
            // Escaped text contains neither tabs nor line breaks.
            let texts: Vec<&str> = row.iter().map(|cell| cell.text.as_str()).collect();
            lines.push_str(&texts.join("\t"));
            lines.push('\n');
        }
        lines
    }

    /// The list for a terminal of this width.
    fn fitted(&self, width: u16) -> Fitted {
        let width = usize::from(width);
        let widths = Widths::fit((0..N).map(|at| self.bounds(at)), width);
        match widths.map(|widths| self.grid(&widths)) {
            Some(grid) if !grid.cuts_words => grid,
            // Below its row, a long word such as a signature has the whole width.
            grid => self
                .stacked(width)
                .or(grid)
                .unwrap_or_else(|| Fitted::whole(self.blocks())),
        }
    }

    /// The bounds of the width of a column.
    fn bounds(&self, at: usize) -> Bounds {
        let cells = self.rows.iter().filter_map(|row| row.get(at));
        self.columns
            .get(at)
            .map_or_else(Bounds::default, |column| column.bounds(cells))
    }

    fn grid(&self, widths: &Widths) -> Fitted {
        let mut grid = Grid::new();
        grid.load_preset(presets::NOTHING)
            .set_header(self.columns.map(|column| column.title));
        let (mut is_shortened, mut cuts_words) = (false, false);
        for row in &self.rows {
            let cells = self.columns.iter().zip(row).zip(widths.iter());
            let cells: Vec<String> = cells
                .map(|((column, cell), width)| {
                    let text = column.fitted(&cell.text, width);
                    is_shortened |= text != cell.text;
                    cuts_words |= text != cell.text && column.fit == Fit::Wrap;
                    match column.fit {
                        Fit::Whole => cell.marked(&text),
                        // A style that begins in one line and ends in the next would cover the columns between.
                        Fit::Short | Fit::Wrap => text,
                    }
                })
                .collect();
            grid.add_row(cells);
        }
        let last = N.saturating_sub(1);
        for (at, (column, width)) in grid.column_iter_mut().zip(widths.iter()).enumerate() {
            let gap = if at == last { 0 } else { GAP };
            let (gap, width) = (narrow(gap), narrow(width));
            column
                .set_padding((0, gap))
                .set_constraint(ColumnConstraint::Absolute(Width::Fixed(
                    width.saturating_add(gap),
                )));
        }
        let mut text = String::new();
        for (at, line) in grid.lines().enumerate() {
            let line = line.trim_end();
            // Writing to a string cannot fail.
            let _ = match at {
                0 => writeln!(text, "{BOLD}{line}{BOLD:#}"),
                _ => writeln!(text, "{}", styled(line)),
            };
        }
        Fitted {
            text,
            is_shortened,
            cuts_words,
        }
    }

    /// Each row as lines of titles and values.
    fn blocks(&self) -> String {
        let longest = self.columns.iter().map(|column| column.title.len()).max();
        let longest = longest.unwrap_or(0);
        let mut text = String::new();
        for (at, row) in self.rows.iter().enumerate() {
            if at > 0 {
                text.push('\n');
            }
            for (column, cell) in self.columns.iter().zip(row) {
                let title = column.title;
                let value = styled(&cell.marked(&cell.text));
                // Writing to a string cannot fail.
                let _ = writeln!(text, "{BOLD}{title:longest$}{BOLD:#}  {value}");
            }
        }
        text
    }
}

/// A list as it is shown on a terminal.
struct Fitted {
    text: String,
    /// True if a value ends in `…`.
    is_shortened: bool,
    /// True if a word of a text ends in `…`.
    cuts_words: bool,
}

impl Fitted {
    /// A list in which nothing is shortened.
    fn whole(text: String) -> Fitted {
        Fitted {
            text,
            is_shortened: false,
            cuts_words: false,
        }
    }
}

impl Column {
    /// A value as it fits into a column of this width.
    fn fitted(self, value: &str, width: usize) -> String {
        match self.fit {
            Fit::Whole => value.to_owned(),
            Fit::Short => text::shortened(value, width),
            // A word that is longer than the column is cut off rather than wrapped.
            Fit::Wrap => {
                let words = value.split(' ').map(|word| text::shortened(word, width));
                words.collect::<Vec<_>>().join(" ")
            }
        }
    }
}

/// Replaces the characters that stand for styles by the styles.
fn styled(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut open = Style::new();
    for c in line.chars() {
        // Writing to a string cannot fail.
        if let Some((.., style)) = TONES.iter().find(|(_, mark, _)| *mark == c) {
            open = *style;
            let _ = write!(text, "{open}");
        } else if c == END {
            let _ = write!(text, "{open:#}");
        } else {
            text.push(c);
        }
    }
    text
}

fn narrow(width: usize) -> u16 {
    u16::try_from(width).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests;
