//! The native conditions of a token, evaluated for one call.

use std::{cell::Cell, collections::BTreeMap, fmt};

use bailiwick_biscuit::engine::Answers;
use bailiwick_token::{condition::Miss, timestamp::Timestamp, value::Value};

use super::{Native, table::NativeTable};

/// Price of a condition that has been evaluated for this call before.
const KNOWN: u64 = 1;

/// Price of a window of time, which converts the time to a time zone.
const WINDOW: u64 = 64;

/// The result of a native condition.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Answer<'c> {
    /// The condition holds.
    Met,
    /// The arguments do not meet the condition.
    Missed(Miss<'c>),
    /// The verifier's clock is outside the window.
    Outside,
}

/// The native conditions of a token and the service's policy, for one call. Each is evaluated when it is first needed, and
/// at most once.
pub(crate) struct CallAnswers<'c> {
    table: &'c NativeTable,
    args: &'c BTreeMap<String, Value>,
    now: Timestamp,
    known: Box<[Cell<Option<Answer<'c>>>]>,
}

impl<'c> CallAnswers<'c> {
    pub(crate) fn new(
        table: &'c NativeTable,
        args: &'c BTreeMap<String, Value>,
        now: Timestamp,
    ) -> CallAnswers<'c> {
        CallAnswers {
            table,
            args,
            now,
            // Without native conditions, this allocates nothing.
            known: (0..table.len()).map(|_| Cell::default()).collect(),
        }
    }

    pub(crate) fn table(&self) -> &'c NativeTable {
        self.table
    }

    /// Time on the verifier's clock.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The condition at this position of the table, and its result. The price is deducted from `units` before anything is
    /// evaluated; if they do not suffice, they are set to 0 and the result is `None`.
    pub(crate) fn answer(&self, place: usize, units: &mut u64) -> Option<(&'c Native, Answer<'c>)> {
        // Every position comes from the table, so none is out of range. If one were, the condition would not be
        // answered.
        let (native, known) = (self.table.get(place)?, self.known.get(place)?);
        let price = match (known.get(), native) {
            (Some(_), _) => KNOWN,
            (None, Native::Test(test)) => (test.cost(self.args) as u64).max(KNOWN),
            (None, Native::During(_)) => WINDOW,
        };
        let Some(left) = units.checked_sub(price) else {
            *units = 0;
            return None;
        };
        *units = left;
        let answer = known.get().unwrap_or_else(|| self.evaluate(native));
        known.set(Some(answer));
        Some((native, answer))
    }

    fn evaluate(&self, native: &Native) -> Answer<'c> {
        match native {
            Native::Test(test) => match test.evaluate(self.args) {
                Ok(()) => Answer::Met,
                Err(miss) => Answer::Missed(miss),
            },
            Native::During(window) => match window.holds(self.now) {
                true => Answer::Met,
                false => Answer::Outside,
            },
        }
    }
}

impl Answers for CallAnswers<'_> {
    fn holds(&self, question: usize, units: &mut u64) -> Option<bool> {
        match self.table.asked(question) {
            // A condition that this version does not know never holds.
            None => Some(false),
            Some(place) => {
                let (_, answer) = self.answer(place, units)?;
                Some(answer == Answer::Met)
            }
        }
    }
}

/// Hides the arguments, which may be secret.
impl fmt::Debug for CallAnswers<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CallAnswers").finish_non_exhaustive()
    }
}
