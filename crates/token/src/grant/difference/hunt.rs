//! The search: it starts from a call that both lists should allow, and varies one part of the call at a time.

use std::collections::BTreeSet;

use super::{
    Aspect, Difference, Example, Found, Judgement, dimension::Dimension, draft::Draft, space::Space,
};
use crate::{
    grant::{Grant, Grants},
    timestamp::Timestamp,
};

/// Maximum number of differences in one aspect of a grant that are listed.
const MAX_IN_ASPECT: usize = 3;

/// Maximum number of differences in all.
const MAX_DIFFERENCES: usize = 256;

/// Maximum number of choices of a dimension when two dimensions are varied together.
const MAX_PAIRED: usize = 12;

/// The error of a grant that has spent its share of the calls.
struct Spent;

pub(super) struct Hunt<'g, J> {
    allowing: &'g Grants,
    refusing: &'g Grants,
    now: Timestamp,
    judge: J,
    /// Number of calls that may still be judged.
    left: u64,
    found: Found,
    /// Reasons of the differences so far.
    reasons: BTreeSet<(usize, Aspect, String)>,
}

/// The reason for ending the variations of a grant.
enum Stop<E> {
    Spent,
    Failed(E),
}

impl<E> From<Spent> for Stop<E> {
    fn from(_: Spent) -> Self {
        Stop::Spent
    }
}

impl<'g, J, E> Hunt<'g, J>
where
    J: FnMut(&Example) -> Result<Judgement, E>,
{
    pub(super) fn new(
        allowing: &'g Grants,
        refusing: &'g Grants,
        now: Timestamp,
        limit: u64,
        judge: J,
    ) -> Hunt<'g, J> {
        Hunt {
            allowing,
            refusing,
            now,
            judge,
            left: limit,
            found: Found {
                differences: Vec::new(),
                is_within: allowing.is_within(refusing),
                calls: 0,
                is_cut_off: false,
            },
            reasons: BTreeSet::new(),
        }
    }

    pub(super) fn into_found(self) -> Found {
        self.found
    }

    pub(super) fn run(&mut self) -> Result<(), E> {
        let (allowing, refusing) = (self.allowing, self.refusing);
        // A grant that is within a grant of the other list is not searched, because nothing can be found for it.
        let open = |grant: &Grant| !refusing.iter().any(|wider| grant.is_within(wider));
        let open: Vec<_> = (allowing.iter().enumerate())
            .filter(|(_, grant)| open(grant))
            .collect();
        let limit = self.left;
        let mut waiting = u64::try_from(open.len()).unwrap_or(u64::MAX);
        for (index, grant) in open {
            // Each grant gets a share of the calls, so that a large grant does not hide the differences of the others.
            let left = limit.saturating_sub(self.found.calls);
            self.left = left.checked_div(waiting).unwrap_or_default();
            match self.vary(index, grant) {
                Ok(()) => {}
                Err(Stop::Spent) => self.found.is_cut_off = true,
                Err(Stop::Failed(error)) => return Err(error),
            }
            waiting = waiting.saturating_sub(1);
        }
        Ok(())
    }

    fn vary(&mut self, index: usize, grant: &Grant) -> Result<(), Stop<E>> {
        let others: Vec<&Grant> = self
            .refusing
            .iter()
            .filter(|other| other.service == grant.service && other.action.overlaps(&grant.action))
            .collect();
        let space = Space::new(grant, &others, self.now);
        let before = self.found.differences.len();
        if others.is_empty() {
            let (draft, _) = space.base(grant, None);
            self.judge(index, &Aspect::Action, &draft)?;
            return Ok(());
        }
        let mut bases = Vec::new();
        for other in &others {
            let (base, deviation) = space.base(grant, Some(other));
            let aspect = deviation.unwrap_or(Aspect::Together);
            match self.judge(index, &aspect, &base)? {
                // Variations of this call would be refused for the same reason.
                Judgement::Differs(_) => {}
                Judgement::Allowed | Judgement::Refused => bases.push(base),
            }
        }
        for base in &bases {
            self.one_by_one(index, &space, base)?;
        }
        if self.found.differences.len() == before {
            for base in &bases {
                self.in_pairs(index, &space, base)?;
            }
        }
        Ok(())
    }

    fn one_by_one(&mut self, index: usize, space: &Space, base: &Draft) -> Result<(), Stop<E>> {
        for dimension in &space.dimensions {
            for choice in &dimension.choices {
                if self.is_full(index, &dimension.aspect) {
                    break;
                }
                let draft = space.with(base, choice);
                self.judge(index, &dimension.aspect, &draft)?;
            }
        }
        Ok(())
    }

    /// Varies two parts at a time: a union of grants can allow every call with one variation, but not every call with
    /// two.
    fn in_pairs(&mut self, index: usize, space: &Space, base: &Draft) -> Result<(), Stop<E>> {
        for (place, first) in space.dimensions.iter().enumerate() {
            for second in space.dimensions.iter().skip(place.saturating_add(1)) {
                self.pair(index, space, base, (first, second))?;
            }
        }
        Ok(())
    }

    fn pair(
        &mut self,
        index: usize,
        space: &Space,
        base: &Draft,
        (first, second): (&Dimension, &Dimension),
    ) -> Result<(), Stop<E>> {
        for choice in first.choices.iter().take(MAX_PAIRED) {
            let begun = space.with(base, choice);
            for choice in second.choices.iter().take(MAX_PAIRED) {
                if self.is_full(index, &Aspect::Together) {
                    return Ok(());
                }
                let draft = space.with(&begun, choice);
                self.judge(index, &Aspect::Together, &draft)?;
            }
        }
        Ok(())
    }

    fn is_full(&self, index: usize, aspect: &Aspect) -> bool {
        let listed = self.found.differences.iter();
        let same = listed.filter(|found| found.grant == index && found.aspect == *aspect);
        same.count() >= MAX_IN_ASPECT || self.found.differences.len() >= MAX_DIFFERENCES
    }

    fn judge(
        &mut self,
        index: usize,
        aspect: &Aspect,
        draft: &Draft,
    ) -> Result<Judgement, Stop<E>> {
        self.left = self.left.checked_sub(1).ok_or(Spent)?;
        self.found.calls = self.found.calls.saturating_add(1);
        let example = draft.example();
        let judgement = (self.judge)(&example).map_err(Stop::Failed)?;
        if let Judgement::Differs(reason) = &judgement {
            let is_new = (self.reasons).insert((index, aspect.clone(), reason.clone()));
            if is_new && !self.is_full(index, aspect) {
                self.found.differences.push(Difference {
                    grant: index,
                    aspect: aspect.clone(),
                    example,
                });
            }
        }
        Ok(judgement)
    }
}
