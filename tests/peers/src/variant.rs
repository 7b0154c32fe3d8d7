//! One thing that is measured: how its input is made, and how one decision is taken.

use std::{
    hint::black_box,
    time::{Duration, Instant},
};

use crate::allocations::{Allocated, counted};

/// Something that takes decisions and can be asked how long they take.
pub(crate) struct Variant<'a> {
    pub(crate) peer: &'static str,
    pub(crate) path: &'static str,
    /// How many blocks were appended to the token, or what comes closest to that.
    pub(crate) blocks: usize,
    /// The characters of what travels with a call.
    pub(crate) wire: usize,
    /// The most decisions for which input is made at a time.
    pub(crate) most: usize,
    decisions: Box<dyn Decisions + 'a>,
}

/// A decision was not the one that it must be.
#[derive(Debug)]
pub(crate) struct Unexpected(pub(crate) String);

impl<'a> Variant<'a> {
    /// Takes the same decision over and over. `decide` says whether it is the right one.
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

    /// Takes each decision with a text of its own, which `prepare` makes; that is not timed.
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

    /// How long so many decisions take, and one more before them that nobody times: it brings the
    /// code back into the processor's caches after another variant's turn.
    pub(crate) fn time(&mut self, count: usize) -> Result<Duration, Unexpected> {
        let taken = self.decisions.time(count);
        taken.ok_or_else(|| self.unexpected())
    }

    /// What so many decisions allocate.
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

/// The answer is `None` where a decision was not the right one.
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

    /// Every decision is taken, and every one must be right.
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
