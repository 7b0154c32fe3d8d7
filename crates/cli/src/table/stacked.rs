//! A table whose texts stand below their rows, for a terminal that is too narrow for all columns.

use std::fmt::Write;

use super::{
    BOLD, Fit, Fitted, NONE, Table,
    layout::{GAP, Widths},
    styled, text,
};

/// Indentation of the texts below a row.
const INDENT: usize = 2;

impl<const N: usize> Table<N> {
    /// Each row on one line, without its texts, which stand below it. `None` if the list has no texts, or if the other
    /// columns do not fit either.
    pub(super) fn stacked(&self, width: usize) -> Option<Fitted> {
        let is_text = |at: &usize| {
            let column = self.columns.get(*at);
            column.is_some_and(|column| column.fit == Fit::Wrap)
        };
        let (below, beside): (Vec<usize>, Vec<usize>) = (0..N).partition(is_text);
        if below.is_empty() || beside.is_empty() {
            return None;
        }
        let widths = Widths::fit(beside.iter().map(|at| self.bounds(*at)), width)?;
        let titles = below.iter().filter_map(|at| self.columns.get(*at));
        let longest = titles.map(|column| column.title.len()).max().unwrap_or(0);
        let edge = INDENT.saturating_add(longest).saturating_add(GAP);
        let room = width.checked_sub(edge)?;
        if below.iter().any(|at| self.bounds(*at).least() > room) {
            return None;
        }
        let mut shown = Fitted::whole(String::new());
        let titles = beside.iter().filter_map(|at| self.columns.get(*at));
        let titles = titles.map(|column| (column.title.to_owned(), column.title));
        let header = line(titles.zip(widths.iter()));
        // Writing to a string cannot fail.
        let _ = writeln!(shown.text, "{BOLD}{header}{BOLD:#}");
        for row in &self.rows {
            let cells = beside
                .iter()
                .filter_map(|at| Some((self.columns.get(*at)?, row.get(*at)?)));
            let cells: Vec<((String, String), usize)> = cells
                .zip(widths.iter())
                .map(|((column, cell), width)| {
                    let text = column.fitted(&cell.text, width);
                    shown.is_shortened |= text != cell.text;
                    ((cell.marked(&text), text), width)
                })
                .collect();
            let cells = cells.iter();
            let cells =
                cells.map(|((marked, text), width)| ((marked.clone(), text.as_str()), *width));
            let _ = writeln!(shown.text, "{}", styled(&line(cells)));
            for at in &below {
                if let (Some(column), Some(cell)) = (self.columns.get(*at), row.get(*at)) {
                    let fitted = column.fitted(&cell.text, room);
                    shown.is_shortened |= fitted != cell.text;
                    shown.cuts_words |= fitted != cell.text;
                    shown
                        .text
                        .push_str(&texts(column.title, &fitted, longest, room));
                }
            }
        }
        Some(shown)
    }
}

/// One line of cells, each with its text as it is printed, its text without styles, and the width of its column.
fn line<'a>(cells: impl Iterator<Item = ((String, &'a str), usize)>) -> String {
    let mut line = String::new();
    for ((shown, plain), width) in cells {
        let gap = width.saturating_add(GAP).saturating_sub(text::width(plain));
        line.push_str(&shown);
        line.push_str(&" ".repeat(gap));
    }
    line.trim_end().to_owned()
}

/// Returns the lines of a text, with its title before the first. There are no lines if the column has no value.
fn texts(title: &str, text: &str, longest: usize, room: usize) -> String {
    if text == NONE {
        return String::new();
    }
    let (indent, edge) = (
        " ".repeat(INDENT),
        INDENT.saturating_add(longest).saturating_add(GAP),
    );
    let mut lines = String::new();
    for (at, line) in text::wrapped(text, room).iter().enumerate() {
        // Writing to a string cannot fail.
        let _ = match at {
            0 => writeln!(lines, "{indent}{BOLD}{title:longest$}{BOLD:#}  {line}"),
            _ => writeln!(lines, "{:edge$}{line}", ""),
        };
    }
    lines
}
