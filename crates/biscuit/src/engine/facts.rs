//! Facts by predicate, each with its origin: the blocks that it depends on.

use std::{cmp::Ordering, collections::BTreeSet};

use super::{
    error::Error,
    fuel::{Fuel, Stop},
    origin::Origin,
    program::{Arg, Program, Scan},
    rows::{Origins, Rows},
    symbol::{KnownPlace, MAX_KNOWN, Relation},
    term::{Term, Values},
};

/// The facts that the host states, grouped by predicate.
#[derive(Debug, Default)]
struct Request {
    terms: Vec<Term>,
    /// Position of the first term of each predicate, and the number of its facts.
    ranges: [(u32, u32); MAX_KNOWN],
}

impl Request {
    fn count(&self, relation: Relation) -> u32 {
        self.ranges
            .get(usize::from(relation))
            .map_or(0, |range| range.1)
    }

    fn rows(&self, relation: Relation, arity: usize) -> Rows<'_> {
        let range = self.ranges.get(usize::from(relation));
        let (start, count) = range.copied().unwrap_or_default();
        let start = start as usize;
        let end = start.saturating_add((count as usize).saturating_mul(arity));
        Rows {
            arity,
            terms: self.terms.get(start..end).unwrap_or_default(),
            origins: Origins::All(Origin::AUTHORIZER),
        }
    }
}

/// Derived facts of one predicate.
#[derive(Debug, Default)]
struct Derived {
    terms: Vec<Term>,
    origins: Vec<Origin>,
    /// For each fact, the rule that derived it first.
    rules: Vec<u32>,
    /// The rows after the first [`UNINDEXED`], by the hash of their terms and their number.
    index: BTreeSet<(u64, u32)>,
}

impl Derived {
    fn count(&self) -> u32 {
        self.origins.len() as u32
    }

    fn clear(&mut self) {
        self.terms.clear();
        self.origins.clear();
        self.rules.clear();
        self.index.clear();
    }
}

/// Memory per derived predicate, in bytes.
pub(super) const HEAD_BYTES: usize = size_of::<Derived>();

/// Memory of a derived fact in bytes, not counting its terms: its origin, its rule, and its entry in the index,
/// doubled because nodes of the tree may be half empty.
const ROW_BYTES: usize = size_of::<Origin>() + size_of::<u32>() + 2 * size_of::<(u64, u32)>();

/// Number of derived facts per predicate that are searched linearly before the index is used.
const UNINDEXED: u32 = 16;

/// All facts of an evaluation: those of the program, those of the request, and those that rules derive. The
/// rows of a predicate are numbered consecutively: first the program's, then the request's, then the derived
/// ones.
#[derive(Debug)]
pub(super) struct Facts<'p> {
    program: &'p Program,
    space: Space,
}

/// Storage for the facts of an evaluation. The next evaluation reuses it.
#[derive(Debug, Default)]
pub(super) struct Space {
    request: Request,
    derived: Vec<Derived>,
}

impl Space {
    pub(super) fn clear(&mut self) {
        self.request.terms.clear();
        // A range left over would give the next evaluation facts of another call.
        self.request.ranges = Default::default();
        self.derived.iter_mut().for_each(Derived::clear);
    }

    /// Approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        fn bytes<T>(list: &Vec<T>) -> usize {
            list.capacity().saturating_mul(size_of::<T>())
        }
        let derived = self.derived.iter().map(|derived| {
            let rows = bytes(&derived.origins).saturating_add(bytes(&derived.rules));
            bytes(&derived.terms).saturating_add(rows)
        });
        let lists = bytes(&self.request.terms).saturating_add(bytes(&self.derived));
        derived.fold(lists, usize::saturating_add)
    }
}

impl<'p> Facts<'p> {
    /// Starts with the facts of the program alone. `space` must be empty.
    pub(super) fn new(program: &'p Program, mut space: Space) -> Facts<'p> {
        space
            .derived
            .resize_with(program.heads.len(), Derived::default);
        Facts { program, space }
    }

    pub(super) fn into_space(self) -> Space {
        self.space
    }

    /// Returns true if any body uses this predicate.
    pub(super) fn wants(&self, known: KnownPlace) -> bool {
        let known = self.program.relation(known);
        known.is_some_and(|known| known.wanted)
    }

    /// States a fact about the request. All facts of one predicate must be stated before those of the next.
    pub(super) fn state<const N: usize>(
        &mut self,
        known: KnownPlace,
        terms: [Term; N],
        fuel: &mut Fuel,
    ) -> Result<(), Stop> {
        // Rows of another length would be read as other facts, and a fact of a block's own predicate
        // would pass for the host's.
        if known >= self.program.known || usize::from(self.program.arity(known)) != N {
            return Err(Error::InvalidType.into());
        }
        fuel.take(1)?;
        fuel.hold(size_of_val(&terms))?;
        let request = &mut self.space.request;
        let stored = u32::try_from(request.terms.len()).map_err(|_| Stop::OutOfMemory)?;
        if let Some((start, count)) = request.ranges.get_mut(usize::from(known)) {
            if *count == 0 {
                *start = stored;
            }
            *count = count.saturating_add(1);
        }
        request.terms.extend(terms);
        Ok(())
    }

    /// Number of a predicate's facts in the program and the request.
    fn stated(&self, relation: Relation) -> u32 {
        let fixed = self.program.relation(relation);
        let fixed = fixed.map_or(0, |known| known.rows);
        fixed.saturating_add(self.space.request.count(relation))
    }

    fn derived(&self, relation: Relation) -> Option<&Derived> {
        let place = self.program.relation(relation)?.derived?;
        self.space.derived.get(usize::from(place))
    }

    /// Number of facts of a predicate.
    #[inline]
    pub(super) fn count(&self, relation: Relation) -> u32 {
        let derived = self.derived(relation);
        self.stated(relation)
            .saturating_add(derived.map_or(0, Derived::count))
    }

    /// The rule that first derived a row, if the row is derived.
    pub(super) fn rule(&self, relation: Relation, row: u32) -> Option<u32> {
        let row = row.checked_sub(self.stated(relation))?;
        self.derived(relation)?.rules.get(row as usize).copied()
    }

    pub(super) fn row(&self, relation: Relation, row: u32) -> Option<(&[Term], Origin)> {
        let (rows, first, _) = self.rows(relation, row)?;
        rows.row(row.saturating_sub(first))
    }

    /// Returns the group of stored rows that contains this row, with the numbers of the group's first row and
    /// of the row after its last.
    #[inline]
    pub(super) fn rows(&self, relation: Relation, row: u32) -> Option<(Rows<'_>, u32, u32)> {
        let known = self.program.relation(relation)?;
        if row < known.rows {
            return Some((self.program.rows(known), 0, known.rows));
        }
        let arity = usize::from(known.arity);
        let stated = known
            .rows
            .saturating_add(self.space.request.count(relation));
        if row < stated {
            let rows = self.space.request.rows(relation, arity);
            return Some((rows, known.rows, stated));
        }
        let derived = self.space.derived.get(usize::from(known.derived?))?;
        let rows = Rows {
            arity,
            terms: &derived.terms,
            origins: Origins::Each(&derived.origins),
        };
        Some((rows, stated, stated.saturating_add(derived.count())))
    }

    /// The range of rows that a predicate can match, judging by its first term.
    ///
    /// A call states the facts about its arguments sorted by name, so a binary search finds the facts with one
    /// name.
    #[inline]
    pub(super) fn window(
        &self,
        scan: Scan,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<(u32, u32), Stop> {
        /// Number of rows up to which a linear search is as fast as a binary one.
        const FEW: u32 = 8;
        let count = self.count(scan.relation);
        // Only if the request states all rows: those of blocks and rules are not sorted.
        if count > FEW
            && count == self.space.request.count(scan.relation)
            && self.program.arity(scan.relation) > 1
            && let [Arg::Value(first)] = self.program.args(scan.args, 1)
        {
            let first = self.program.constant(*first);
            return self.narrowed(scan.relation, first, count, values, fuel);
        }
        Ok((0, count))
    }

    fn narrowed(
        &self,
        relation: Relation,
        first: Term,
        count: u32,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<(u32, u32), Stop> {
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
        // The first row whose term is not less than the wanted one, and the first whose term is greater.
        Ok((
            bound(Ordering::Equal, fuel)?,
            bound(Ordering::Greater, fuel)?,
        ))
    }

    /// Adds a derived fact, unless it is already present with the same origin. This costs fuel in either case.
    /// Returns true if the fact is new.
    pub(super) fn derive(
        &mut self,
        relation: Relation,
        terms: &[Term],
        (origin, rule): (Origin, u32),
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        /// The price of a row, its origin, and its entry in the index.
        const STORED: u64 = 24;
        fuel.take(STORED)?;
        let stated = self.stated(relation);
        let Some(derived) = self.derived(relation) else {
            return Ok(false);
        };
        // Stated facts are few and have no index, and neither do the first derived ones. Each look is charged.
        let unindexed = derived.count().min(UNINDEXED);
        for row in 0..stated.saturating_add(unindexed) {
            fuel.take(1)?;
            if self.is(relation, row, terms, origin, values, fuel)? {
                return Ok(false);
            }
        }
        let indexed = derived.count() >= UNINDEXED;
        let hash = match indexed {
            true => values.hash(terms, fuel)?,
            false => 0,
        };
        // The hash is not keyed, so a token may choose facts that collide. It then pays for each comparison.
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
        fuel.hold(size_of_val(terms).saturating_add(ROW_BYTES))?;
        let place = self.program.relation(relation);
        let place = place.and_then(|known| known.derived).map(usize::from);
        let derived = place.and_then(|place| self.space.derived.get_mut(place));
        if let Some(derived) = derived {
            let row = derived.count();
            // Rows are numbered with 32 bits, and the count itself must fit.
            if stated
                .checked_add(row)
                .is_none_or(|count| count == u32::MAX)
            {
                return Err(Stop::OutOfMemory);
            }
            if indexed {
                derived.index.insert((hash, row));
            }
            derived.terms.extend_from_slice(terms);
            derived.origins.push(origin);
            derived.rules.push(rule);
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
        // Equal terms with another origin make another fact, because other blocks may see it.
        if stated_origin != origin {
            return Ok(false);
        }
        for (place, (a, b)) in stated.iter().zip(terms).enumerate() {
            // The charge for looking at the row pays for the first term.
            if place > 0 {
                fuel.take(1)?;
            }
            if !values.equal(*a, *b, fuel)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
