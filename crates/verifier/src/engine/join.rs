//! The matches of a body, one after the other, always in the same order: nested scans over the
//! facts of each predicate.

use super::{
    facts::{Facts, Origin},
    fuel::{Fuel, Stop},
    program::{Arg, Body, Program, Scan},
    term::{Term, Values},
};

/// Rows of one predicate, from the first to before the last.
pub(super) type Window = (u32, u32);

/// Where a search stands. Its vectors are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Join {
    scans: Vec<Cursor>,
    pub(super) slots: Vec<Term>,
    /// The scan that goes on when the next match is asked for; none once all are found.
    depth: Option<usize>,
}

#[derive(Debug)]
struct Cursor {
    window: Window,
    next: u32,
    /// What this match and those outside it rest on.
    origin: Origin,
}

impl Join {
    /// Begins with a body; for each of its predicates [`Join::scan`] follows.
    pub(super) fn start(&mut self, body: &Body) {
        self.scans.clear();
        self.slots.clear();
        self.slots.resize(usize::from(body.slots), Term::Null);
        self.depth = Some(0);
    }

    /// Says which rows the next predicate of the body may match.
    pub(super) fn scan(&mut self, window: Window) {
        if window.0 >= window.1 {
            // Without a fact for one of them there is no match.
            self.depth = None;
        }
        self.scans.push(Cursor {
            window,
            next: window.0,
            origin: Origin::default(),
        });
    }

    /// Finds the next match, and binds its variables.
    pub(super) fn next(
        &mut self,
        program: &Program,
        body: &Body,
        facts: &Facts<'_>,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        let Some(mut depth) = self.depth else {
            return Ok(false);
        };
        let (scans, trusted) = (program.scans(body), program.trusted(body));
        let last = scans.len();
        if last == 0 {
            fuel.take(1)?;
            self.depth = None;
            return Ok(true);
        }
        while let Some(scan) = scans.get(depth) {
            if self.advance(program, *scan, depth, trusted, facts, values, fuel)? {
                let inner = depth.saturating_add(1);
                if inner == last {
                    self.depth = Some(depth);
                    return Ok(true);
                }
                depth = inner;
                if let Some(cursor) = self.scans.get_mut(depth) {
                    cursor.next = cursor.window.0;
                }
            } else {
                match depth.checked_sub(1) {
                    Some(outer) => depth = outer,
                    None => break,
                }
            }
        }
        self.depth = None;
        Ok(false)
    }

    /// The row that the last predicate of the match found.
    pub(super) fn last_row(&self) -> Option<u32> {
        self.scans.last()?.next.checked_sub(1)
    }

    /// What the match rests on.
    pub(super) fn origin(&self) -> Origin {
        self.scans
            .last()
            .map(|cursor| cursor.origin)
            .unwrap_or_default()
    }

    /// Moves one scan on to the next fact that matches.
    #[allow(
        clippy::too_many_arguments,
        reason = "the innermost loop: a search, and what it searches"
    )]
    fn advance(
        &mut self,
        program: &Program,
        scan: Scan,
        depth: usize,
        trusted: Origin,
        facts: &Facts<'_>,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        let outside = depth.checked_sub(1).and_then(|outer| self.scans.get(outer));
        let outside = outside.map(|cursor| cursor.origin).unwrap_or_default();
        let Some(cursor) = self.scans.get_mut(depth) else {
            return Ok(false);
        };
        while cursor.next < cursor.window.1 {
            fuel.take(1)?;
            let row = facts.row(scan.relation, cursor.next);
            cursor.next = cursor.next.saturating_add(1);
            let Some((terms, origin)) = row else {
                return Ok(false);
            };
            if origin.within(trusted) {
                let args = program.args(scan.args, terms.len());
                if unify(program, args, terms, &mut self.slots, values, fuel)? {
                    cursor.origin = outside.union(origin);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Whether a fact is what the predicate asks for; binds variables that are not bound yet.
#[inline]
fn unify(
    program: &Program,
    args: &[Arg],
    terms: &[Term],
    slots: &mut [Term],
    values: &Values<'_>,
    fuel: &mut Fuel,
) -> Result<bool, Stop> {
    for (arg, term) in args.iter().zip(terms) {
        let wanted = match arg {
            Arg::Value(constant) => program.constant(*constant),
            Arg::Bind(slot) => {
                fuel.take(1)?;
                if let Some(slot) = slots.get_mut(usize::from(*slot)) {
                    *slot = *term;
                }
                continue;
            }
            Arg::Bound(slot) => slots.get(usize::from(*slot)).copied().unwrap_or(Term::Null),
        };
        if !values.equal(wanted, *term, fuel)? {
            return Ok(false);
        }
    }
    Ok(true)
}
