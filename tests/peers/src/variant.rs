//! A measured variant: the preparation of its input, and its decision.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::allocations::{Allocated, counted};

/// A way of making decisions that can be timed.
pub(crate) struct Variant<'a> {
    pub(crate) peer: &'static str,
    pub(crate) path: &'static str,
    /// Number of blocks appended to the token, or the nearest equivalent.
    pub(crate) blocks: usize,
    /// Number of characters that travel with a call.
    pub(crate) wire: usize,
    /// Maximum number of decisions for which input is prepared at a time.
    pub(crate) most: usize,
    decisions: Box<dyn Decisions + 'a>,
}

/// The error of a wrong decision.
#[derive(Debug)]
pub(crate) struct Unexpected(pub(crate) String);

impl<'a> Variant<'a> {
    /// A variant that repeats one decision. `decide` returns true if the decision is correct.
    pub(crate) fn repeated(
        (peer, path): (&'static str, &'static str),
        blocks: usize,
        wire: usize,
        mut decide: impl FnMut() -> bool + 'a,
    ) -> Variant<'a> {
        let decisions = Box::new(Prepared {
            prepare: || (),
            decide: move |(): &()| decide(),
        });
        let most = usize::MAX;
        Variant {
            peer,
            path,
            blocks,
            wire,
            most,
            decisions,
        }
    }

    /// A variant that makes each decision with a new text from `prepare`. The preparation is not timed.
    pub(crate) fn fresh(
        (peer, path): (&'static str, &'static str),
        blocks: usize,
        mut prepare: impl FnMut() -> String + 'a,
        mut decide: impl FnMut(&str) -> bool + 'a,
    ) -> Variant<'a> {
        let wire = prepare().len();
        let decisions = Box::new(Prepared {
            prepare,
            decide: move |text: &String| decide(text),
        });
        let most = 12;
        Variant {
            peer,
            path,
            blocks,
            wire,
            most,
            decisions,
        }
    }

    /// Times this many decisions. An untimed decision comes first, to bring the code back into the processor's
    /// caches after another variant's turn.
    pub(crate) fn time(&mut self, count: usize) -> Result<Duration, Unexpected> {
        let taken = self.decisions.time(count);
        taken.ok_or_else(|| self.unexpected())
    }

    /// Counts the allocations of this many decisions.
    pub(crate) fn allocate(&mut self, count: usize) -> Result<Allocated, Unexpected> {
        let allocated = self.decisions.allocate(count);
        allocated.ok_or_else(|| self.unexpected())
    }

    fn unexpected(&self) -> Unexpected {
        Unexpected(format!(
            "{}, {}, {} blocks",
            self.peer, self.path, self.blocks
        ))
    }
}

/// Decisions that can be timed and counted. Results are `None` if a decision was wrong.
trait Decisions {
    fn time(&mut self, count: usize) -> Option<Duration>;
    fn allocate(&mut self, count: usize) -> Option<Allocated>;
}

struct Prepared<P, D> {
    prepare: P,
    decide: D,
}

impl<I, P: FnMut() -> I, D: FnMut(&I) -> bool> Prepared<P, D> {
    fn inputs(&mut self, count: usize) -> Vec<I> {
        (0..count).map(|_| (self.prepare)()).collect()
    }

    /// Makes a decision for every input. Returns true if all are correct.
    fn decide(&mut self, inputs: &[I]) -> bool {
        let mut right = true;
        for input in inputs {
            right &= (self.decide)(black_box(input));
        }
        right
    }
}

impl<I, P: FnMut() -> I, D: FnMut(&I) -> bool> Decisions for Prepared<P, D> {
    fn time(&mut self, count: usize) -> Option<Duration> {
        let inputs = self.inputs(count + 1);
        let (first, timed) = inputs.split_at(1);
        let first = self.decide(first);
        let start = Instant::now();
        let right = self.decide(timed);
        let taken = start.elapsed();
        (first && right).then_some(taken)
    }

    fn allocate(&mut self, count: usize) -> Option<Allocated> {
        let inputs = self.inputs(count);
        let (right, allocated) = counted(|| self.decide(&inputs));
        right.then_some(allocated)
    }
}
