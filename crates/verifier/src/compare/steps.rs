//! The budget of a comparison.

use bailiwick_biscuit::engine::contains_within;

/// The remaining steps of a comparison. A step takes about ten nanoseconds.
#[derive(Debug)]
pub(crate) struct Steps {
    pub(super) left: u64,
}

/// The error of a spent budget. Nothing is known about conditions that were not compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent;

impl Steps {
    pub(crate) fn new(steps: u64) -> Steps {
        Steps { left: steps }
    }

    pub(crate) fn take(&mut self, steps: usize) -> Result<(), Spent> {
        let left = self.left.checked_sub(steps as u64);
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(Spent)
    }

    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// Returns true if `text` contains `part`. An attacker may choose both, so this uses the engine's search, and
    /// charges its price.
    pub(super) fn contains(&mut self, text: &str, part: &str) -> Result<bool, Spent> {
        contains_within(text, part, &mut self.left).ok_or(Spent)
    }
}
