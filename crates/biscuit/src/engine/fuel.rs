//! The budget of an evaluation, charged where the work is done.
//!
//! A unit of fuel pays for one row tried or one operation. Work that grows with an operand is charged by the
//! operand's size, at the prices below; `tests/examples/fuel.rs` measures the time that a unit of each takes.
//! Memory is the number of bytes stored. The allocator is never asked, so the outcome stays a function of the
//! input.

use super::error::Error;

/// Fuel and memory that one evaluation may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Units of work.
    pub fuel: u64,
    /// Maximum number of bytes held at one time: the program, the facts of the call and those that rules
    /// derive, the results of operations, and compiled regular expressions. Actual memory use may reach three
    /// times as much, since lists grow by doubling.
    pub memory: usize,
}

/// Fuel for a decision on a token of ordinary size: at most about twenty milliseconds.
pub const DEFAULT_FUEL: u64 = 1_000_000;

/// Memory for a decision on a token of ordinary size, in bytes.
pub const DEFAULT_MEMORY: usize = 16 << 20;

impl Default for Budget {
    fn default() -> Budget {
        Budget::from(DEFAULT_FUEL)
    }
}

/// A budget of this much fuel, with the default memory.
impl From<u64> for Budget {
    fn from(fuel: u64) -> Budget {
        Budget {
            fuel,
            memory: DEFAULT_MEMORY,
        }
    }
}

/// The unspent part of a budget.
#[derive(Debug, Clone)]
pub(crate) struct Fuel {
    left: u64,
    room: usize,
    /// The lowest value of `room` so far.
    least: usize,
}

/// Reasons for ending an evaluation early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stop {
    /// The fuel is spent.
    OutOfFuel,
    /// More bytes would be held than the budget allows.
    OutOfMemory,
    /// An operation failed, which ends the whole evaluation.
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

    /// Unlimited fuel, for work that is bounded in another way.
    pub(crate) fn unlimited() -> Fuel {
        Fuel::new(Budget {
            fuel: u64::MAX,
            memory: usize::MAX,
        })
    }

    /// Remaining units.
    pub(crate) fn left(&self) -> u64 {
        self.left
    }

    /// The lowest number of remaining bytes so far.
    pub(crate) fn least_room(&self) -> usize {
        self.least
    }

    /// Sets the remaining units, and leaves the memory unchanged.
    pub(crate) fn refill(&mut self, units: u64) {
        self.left = units;
    }

    /// Spends `units`, or everything that is left if that is less.
    #[inline]
    pub(crate) fn take(&mut self, units: u64) -> Result<(), Stop> {
        match self.left.checked_sub(units) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => {
                // Nothing cheaper may run after work that could not be paid for.
                self.left = 0;
                Err(Stop::OutOfFuel)
            }
        }
    }

    /// Charges for comparing two strings or byte strings.
    #[inline]
    pub(crate) fn compared(&mut self, count: usize) -> Result<(), Stop> {
        self.take(1)?;
        self.bytes(count)
    }

    /// Charges for copying bytes, or for comparing them with others.
    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 64;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for bytes that an operation makes, which may need to be allocated.
    #[inline]
    pub(crate) fn made(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 32;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for hashing bytes, or otherwise processing them one by one.
    #[inline]
    pub(crate) fn each_byte(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 8;
        self.take((count / PER_UNIT) as u64)
    }

    /// Charges for reading or copying elements.
    #[inline]
    pub(crate) fn elements(&mut self, count: usize) -> Result<(), Stop> {
        self.take(count as u64)
    }

    /// Charges for bytes that are held from now on.
    #[inline]
    pub(crate) fn hold(&mut self, bytes: usize) -> Result<(), Stop> {
        self.room = self.room.checked_sub(bytes).ok_or(Stop::OutOfMemory)?;
        // Records the peak for `Burnt::memory`, because `release` gives room back.
        self.least = self.least.min(self.room);
        Ok(())
    }

    /// Releases bytes that are no longer held.
    #[inline]
    pub(crate) fn release(&mut self, bytes: usize) {
        self.room = self.room.saturating_add(bytes);
    }
}
