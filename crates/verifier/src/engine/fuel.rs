//! What evaluation may cost, counted where the work is done.
//!
//! One unit is a row tried or an operation, a few nanoseconds. Work on strings and bytes is charged
//! by their length, on sets, arrays and maps by their elements, and whatever is stored is charged
//! too, so that fuel bounds memory as well as time.

use super::error::Error;

/// A counter that only goes down.
#[derive(Debug, Clone)]
pub(crate) struct Fuel {
    left: u64,
}

/// Why evaluation ended early.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The fuel is spent.
    OutOfFuel,
    /// An operation failed, and with it the whole evaluation.
    Error(Box<Error>),
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Error(Box::new(error))
    }
}

impl Fuel {
    pub(crate) fn new(units: u64) -> Fuel {
        Fuel { left: units }
    }

    /// Fuel for work that something else bounds.
    pub(crate) fn unlimited() -> Fuel {
        Fuel::new(u64::MAX)
    }

    /// What is left.
    pub(crate) fn left(&self) -> u64 {
        self.left
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

    /// For work on so many bytes.
    #[inline]
    pub(crate) fn bytes(&mut self, count: usize) -> Result<(), Stop> {
        const PER_UNIT: usize = 64;
        self.take((count / PER_UNIT) as u64)
    }

    /// For work on so many elements.
    #[inline]
    pub(crate) fn elements(&mut self, count: usize) -> Result<(), Stop> {
        self.take(count as u64)
    }
}
