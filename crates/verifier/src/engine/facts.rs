//! Facts by predicate, each with the blocks that it rests on.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    error::Place,
    fuel::{Fuel, Stop},
    program::Program,
    symbol::{Known, Relation},
    term::{Term, Values},
};

/// The most blocks of a token; an origin has a bit for each, and one for the verifier.
pub const MAX_BLOCKS: usize = 127;

/// The blocks that a fact rests on, or those that a body trusts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Origin(u128);

impl Origin {
    pub(crate) const AUTHORIZER: Origin = Origin(1 << MAX_BLOCKS);
    /// What is trusted where nothing is said: the authority block and the verifier.
    pub(crate) const DEFAULT: Origin = Origin(1 | 1 << MAX_BLOCKS);

    /// A block of a token, of which there are no more than [`MAX_BLOCKS`].
    pub(crate) fn block(index: usize) -> Origin {
        let index = index.min(MAX_BLOCKS.saturating_sub(1));
        Origin(1u128.unbounded_shl(index as u32))
    }

    /// This block and all before it.
    pub(crate) fn up_to(index: usize) -> Origin {
        (0..=index).fold(Origin::default(), |all, index| {
            all.union(Origin::block(index))
        })
    }

    pub(crate) fn of(place: Place) -> Origin {
        match place {
            Place::Block(index) => Origin::block(index),
            Place::Authorizer => Origin::AUTHORIZER,
        }
    }

    #[inline]
    pub(crate) fn union(self, other: Origin) -> Origin {
        Origin(self.0 | other.0)
    }

    /// Whether all of it is trusted.
    #[inline]
    pub(crate) fn within(self, trusted: Origin) -> bool {
        self.0 & !trusted.0 == 0
    }

    /// The places in it, blocks first.
    pub(crate) fn places(self) -> Vec<Place> {
        let blocks = (0..MAX_BLOCKS).filter(|index| Origin::block(*index).within(self));
        let authorizer = Origin::AUTHORIZER.within(self).then_some(Place::Authorizer);
        blocks.map(Place::Block).chain(authorizer).collect()
    }
}

/// Facts of one predicate, row after row.
#[derive(Debug, Clone, Default)]
pub(super) struct Rows {
    pub(super) arity: usize,
    terms: Vec<Term>,
    origins: Vec<Origin>,
}

impl Rows {
    pub(super) fn push(&mut self, terms: impl IntoIterator<Item = Term>, origin: Origin) {
        self.terms.extend(terms);
        self.origins.push(origin);
    }

    fn count(&self) -> u32 {
        self.origins.len() as u32
    }

    #[inline]
    fn row(&self, row: u32) -> Option<(&[Term], Origin)> {
        let origin = *self.origins.get(row as usize)?;
        let start = (row as usize).saturating_mul(self.arity);
        let terms = self.terms.get(start..start.saturating_add(self.arity))?;
        Some((terms, origin))
    }
}

/// What the verifier states about a call: one predicate after the other.
#[derive(Debug, Default)]
struct Request {
    terms: Vec<Term>,
    /// Where the terms of each predicate begin, and how many facts it has.
    ranges: [(u32, u32); Known::ALL.len()],
}

impl Request {
    fn count(&self, relation: Relation) -> u32 {
        self.ranges
            .get(relation as usize)
            .map_or(0, |range| range.1)
    }

    #[inline]
    fn row(&self, relation: Relation, row: u32, arity: usize) -> Option<(&[Term], Origin)> {
        let (start, _) = *self.ranges.get(relation as usize)?;
        let start = (start as usize).saturating_add((row as usize).saturating_mul(arity));
        let terms = self.terms.get(start..start.saturating_add(arity))?;
        Some((terms, Origin::AUTHORIZER))
    }
}

/// What the rules derive of one predicate.
#[derive(Debug, Default)]
struct Derived {
    rows: Rows,
    /// Finds a row by what it says: the hash of each after the first few, and its number.
    index: BTreeSet<(u64, u32)>,
}

/// So many derived facts are found by a look at each.
const UNINDEXED: u32 = 16;

/// The facts of a program, and those that a request and the rules add. Rows are numbered through:
/// first the program's, then the request's, then those derived.
#[derive(Debug)]
pub(super) struct Facts<'p> {
    program: &'p Program,
    request: Request,
    derived: Vec<Derived>,
}

impl<'p> Facts<'p> {
    pub(super) fn new(program: &'p Program) -> Facts<'p> {
        let heads = program.heads.iter();
        let derived = heads.map(|head| Derived {
            rows: Rows {
                arity: program.arity(*head),
                ..Rows::default()
            },
            index: BTreeSet::new(),
        });
        Facts {
            program,
            request: Request {
                terms: Vec::with_capacity(32),
                ..Request::default()
            },
            derived: derived.collect(),
        }
    }

    /// Whether any body looks for this fact.
    pub(super) fn wants(&self, known: Known) -> bool {
        self.program.wanted.get(known as usize) == Some(&true)
    }

    /// States a fact about the call. All facts of one predicate are stated before the next.
    pub(super) fn state<const N: usize>(
        &mut self,
        known: Known,
        terms: [Term; N],
        fuel: &mut Fuel,
    ) -> Result<(), Stop> {
        fuel.take(1)?;
        let stored = u32::try_from(self.request.terms.len()).map_err(|_| Stop::OutOfFuel)?;
        if let Some((start, count)) = self.request.ranges.get_mut(known as usize) {
            if *count == 0 {
                *start = stored;
            }
            debug_assert_eq!(self.program.arity(known.relation()), N);
            *count = count.saturating_add(1);
        }
        self.request.terms.extend(terms);
        Ok(())
    }

    /// How many facts of a predicate the program and the request state.
    fn stated(&self, relation: Relation) -> u32 {
        let fixed = self.program.facts.get(relation as usize);
        let fixed = fixed.map_or(0, Rows::count);
        fixed.saturating_add(self.request.count(relation))
    }

    fn derived(&self, relation: Relation) -> Option<&Derived> {
        let place = self.program.derived_at.get(relation as usize)?;
        self.derived.get(*place as usize)
    }

    /// How many facts of a predicate there are.
    #[inline]
    pub(super) fn count(&self, relation: Relation) -> u32 {
        let derived = self.derived(relation);
        self.stated(relation)
            .saturating_add(derived.map_or(0, |derived| derived.rows.count()))
    }

    #[inline]
    pub(super) fn row(&self, relation: Relation, row: u32) -> Option<(&[Term], Origin)> {
        let fixed = self.program.facts.get(relation as usize)?;
        let Some(row) = row.checked_sub(fixed.count()) else {
            return fixed.row(row);
        };
        match row.checked_sub(self.request.count(relation)) {
            None => self.request.row(relation, row, fixed.arity),
            Some(row) => self.derived(relation)?.rows.row(row),
        }
    }

    /// The rows of a request's predicate whose first term is this one. A call states what it has
    /// about arguments in the order of their names, so that they are found without a look at each.
    pub(super) fn narrowed(
        &self,
        relation: Relation,
        first: Term,
        count: u32,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<(u32, u32), Stop> {
        let of_request = count == self.request.count(relation);
        if !of_request || self.program.arity(relation) < 2 {
            return Ok((0, count));
        }
        let bound = |after: Ordering, fuel: &mut Fuel| -> Result<u32, Stop> {
            let (mut low, mut high) = (0, count);
            while low < high {
                fuel.take(1)?;
                let middle = low.midpoint(high);
                let found = self
                    .row(relation, middle)
                    .and_then(|(terms, _)| terms.first());
                let Some(found) = found else {
                    return Ok(high);
                };
                match values.compare(*found, first, fuel)? {
                    order if order < after => low = middle.saturating_add(1),
                    _ => high = middle,
                }
            }
            Ok(low)
        };
        // The first that is not less, and the first that is greater.
        Ok((
            bound(Ordering::Equal, fuel)?,
            bound(Ordering::Greater, fuel)?,
        ))
    }

    /// Adds a fact unless it is there already, with the same origin. It costs fuel in either case.
    pub(super) fn derive(
        &mut self,
        relation: Relation,
        terms: &[Term],
        origin: Origin,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        /// A row, its origin, and its place in the index.
        const STORED: u64 = 8;
        fuel.take(STORED)?;
        let stated = self.stated(relation);
        let Some(derived) = self.derived(relation) else {
            return Ok(false);
        };
        // What blocks and the request state is few, and has no index; nor have the first derived.
        let unindexed = derived.rows.count().min(UNINDEXED);
        for row in 0..stated.saturating_add(unindexed) {
            fuel.take(1)?;
            if self.is(relation, row, terms, origin, values, fuel)? {
                return Ok(false);
            }
        }
        let indexed = derived.rows.count() >= UNINDEXED;
        let hash = match indexed {
            true => values.hash(terms, fuel)?,
            false => 0,
        };
        for (_, row) in derived.index.range((hash, 0)..=(hash, u32::MAX)) {
            fuel.take(1)?;
            if self.is(
                relation,
                stated.saturating_add(*row),
                terms,
                origin,
                values,
                fuel,
            )? {
                return Ok(false);
            }
        }
        fuel.elements(terms.len())?;
        let place = self.program.derived_at.get(relation as usize).copied();
        let place = place.unwrap_or(u32::MAX) as usize;
        if let Some(Derived { rows, index }) = self.derived.get_mut(place) {
            if stated
                .checked_add(rows.count())
                .is_none_or(|count| count == u32::MAX)
            {
                return Err(Stop::OutOfFuel);
            }
            if indexed {
                index.insert((hash, rows.count()));
            }
            rows.push(terms.iter().copied(), origin);
        }
        Ok(true)
    }

    fn is(
        &self,
        relation: Relation,
        row: u32,
        terms: &[Term],
        origin: Origin,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        let Some((stated, stated_origin)) = self.row(relation, row) else {
            return Ok(false);
        };
        if stated_origin != origin {
            return Ok(false);
        }
        for (a, b) in stated.iter().zip(terms) {
            if !values.equal(*a, *b, fuel)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
