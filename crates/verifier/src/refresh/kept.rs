//! The changes since the snapshot on disk.

/// The fewest changes after which a new snapshot is worth its size.
const FEW: usize = 10_000;

/// The lines that lead from the snapshot on disk to the head in use.
#[derive(Debug, Default, Clone)]
pub(super) struct Kept {
    lines: Vec<u8>,
    count: u64,
    /// Whether that snapshot is there. Otherwise what is on disk stays as it is.
    usable: bool,
}

impl Kept {
    pub(super) fn new(lines: Vec<u8>, count: u64) -> Kept {
        Kept {
            lines,
            count,
            usable: true,
        }
    }

    pub(super) fn extend(&mut self, lines: &[u8], count: u64) {
        self.lines.extend_from_slice(lines);
        self.count = self.count.saturating_add(count);
    }

    /// Whether the snapshot could be written.
    pub(super) fn usable(&mut self, usable: bool) {
        self.usable = usable;
    }

    pub(super) fn is_usable(&self) -> bool {
        self.usable
    }

    pub(super) fn lines(&self) -> &[u8] {
        &self.lines
    }

    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// Whether a new snapshot should take their place: they are written as a whole each time.
    pub(super) fn is_long(&self, entries: usize) -> bool {
        let most = FEW.max(entries / 8);
        usize::try_from(self.count).is_ok_and(|count| count > most)
    }
}
