//! The budget of an evaluation, charged where the work is done.
//!
//! A unit of fuel is a row tried or one operation. Work whose cost grows with an operand is charged by
//! the operand's size, at the prices below; `tests/examples/fuel.rs` measures what a unit of each is
//! worth. Memory is counted in bytes by what is stored, never asked of the allocator, so that the
//! outcome stays a function of the input.

use super::error::Error;

/// Fuel and memory that one evaluation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Units of work.
    pub fuel: u64,
    /// The most bytes held at one time: the program, the facts of the call, those that rules derive,
    /// values that operations make, compiled regular expressions. The allocator may have to give up
    /// to three times as much, since lists grow by doubling.
    pub memory: usize,
}

/// Fuel for a decision on a token of ordinary size: about twenty milliseconds
/// at most.
pub const DEFAULT_FUEL: u64 = 1_000_000;

/// Bytes that such a decision may hold.
pub const DEFAULT_MEMORY: usize = 16 << 20;

impl Default for Budget {
    fn default() -> Budget {
        Budget::from(DEFAULT_FUEL)
    }
}

/// So much fuel, and the default memory.
impl From<u64> for Budget {
    fn from(fuel: u64) -> Budget {
        Budget {
            fuel,
            memory: DEFAULT_MEMORY,
        }
    }
}

/// The rest of a budget.
#[derive(Debug, Clone)]
pub(crate) struct Fuel {
    left: u64,
    room: usize,
    /// The least room that there ever was.
    least: usize,
}

/// Why evaluation ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The fuel is spent.
    OutOfFuel,
    /// More bytes would be held than is allowed.
    OutOfMemory,
    /// An operation failed, and with it the whole evaluation.
    Error(Box<Error>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(Box::new(error))
    }
}

impl Fuel {
    pub(crate) fn new(budget: Budget) -> Fuel {
        Fuel {
            left: budget.fuel,
            room: budget.memory,
            least: budget.memory,
        }
    }

    /// Fuel for work that something else bounds.
    pub(crate) fn unlimited() -> Fuel {
        Fuel::new(Budget {
            fuel: u64::MAX,
            memory: usize::MAX,
        })
    }

    /// Units that are left.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The least number of bytes that were left at any time.
    pub(crate) fn least_room(&self) -> usize {
        self.least
    }

    /// Goes on with so many units; memory stays as it is.
    pub(crate) fn refill(&mut self, units: u64) {
        self.left = units;
    }

    /// Spends `units`, or everything where there is less.
    #[inline]
    pub(crate) fn take(&mut self, units: u64) -> Result<(), Stop> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                self.left = 0;
                Err(Stop::OutOfFuel)
            }
        }
    }

    /// Charges for two strings or byte strings that are compared.
    #[inline]
    pub(crate) fn compared(&mut self, count: usize) -> Result<(), Stop> {
        self.take(1)?;
        self.bytes(count)
    }

    /// Charges for bytes that are copied, or compared with others.
    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 64;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for bytes that an operation makes, for which memory may have to be found.
    #[inline]
    pub(crate) fn made(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 32;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for bytes that are hashed, or otherwise looked at one after the other.
    #[inline]
    pub(crate) fn each_byte(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 8;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for elements that are looked at or copied.
    #[inline]
    pub(crate) fn elements(&mut self, count: usize) -> Result<(), Stop> {
        self.take(count as u64)
    }

    /// Counts bytes that are held from here on.
    #[inline]
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Stop> {
        self.room = self.room.checked_sub(bytes).ok_or(Stop::OutOfMemory)?;
        self.least = self.least.min(self.room);
        Ok(())
    }

    /// Counts bytes that are held no longer.
    #[inline]
    pub(crate) fn release(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes);
    }
}
