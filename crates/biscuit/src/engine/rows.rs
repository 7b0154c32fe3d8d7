//! The stored facts of one predicate.

use super::{origin::Origin, term::Term};

/// Facts of one predicate in contiguous memory, row by row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rows<'f> {
    pub(super) arity: usize,
    pub(super) terms: &'f [Term],
    pub(super) origins: Origins<'f>,
}

/// The origins of rows: one for each row, or one for all rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Origins<'f> {
    Each(&'f [Origin]),
    All(Origin),
}

impl<'f> Rows<'f> {
    #[inline]
    pub(super) fn row(&self, row: u32) -> Option<(&'f [Term], Origin)> {
        let start = (row as usize).saturating_mul(self.arity);
        let terms = self.terms.get(start..start.saturating_add(self.arity))?;
        let origin = match self.origins {
            Origins::Each(origins) => *origins.get(row as usize)?,
            Origins::All(origin) => origin,
        };
        Some((terms, origin))
    }
}
