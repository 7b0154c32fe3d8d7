//! The matches of a body, one at a time and always in the same order: nested scans over the facts of each
//! predicate.

use super::{
    answers::Answers,
    facts::Facts,
    fuel::{Fuel, Stop},
    origin::Origin,
    program::{Arg, Body, Program, Scan},
    term::{Term, Values},
};

/// A range of rows of one predicate: the first, and the one after the last.
pub(super) type Window = (u32, u32);

/// State of a search. The next search reuses its vectors.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// The scans that have been entered.
    scans: Vec<Cursor>,
    /// The rows that each predicate may match, if [`Join::within`] has limited them.
    windows: Vec<Window>,
    pub(super) slots: Vec<Term>,
    done: bool,
}

#[derive(Debug)]
struct Cursor {
    next: u32,
    end: u32,
    /// The blocks that this match depends on, and those that the matches of the outer scans depend on.
    origin: Origin,
}

/// Memory of a scan, in bytes per predicate of a body.
pub(super) const SCAN_BYTES: usize = size_of::<Cursor>() + size_of::<Window>();

impl Join {
    /// Approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        let scans = self.scans.capacity().saturating_mul(SCAN_BYTES);
        let slots = self.slots.capacity().saturating_mul(size_of::<Term>());
        scans.saturating_add(slots)
    }

    /// Begins a search for the matches of a body, over all facts.
    pub(super) fn start(&mut self, body: &Body) {
        self.scans.clear();
        self.windows.clear();
        // Old values need no clearing: the compiler has checked that each slot is bound before it is used.
        let slots = usize::from(body.slots);
        if self.slots.len() < slots {
            self.slots.resize(slots, Term::Null);
        }
        self.done = false;
    }

    /// Limits the rows that the next predicate of the body may match. It must be called after [`Join::start`],
    /// once for each predicate in order.
    pub(super) fn within(&mut self, window: Window) {
        // If one predicate has no facts, the body has no match.
        self.done |= window.0 >= window.1;
        self.windows.push(window);
    }

    /// Finds the next match, and binds its variables.
    pub(super) fn next(
        &mut self,
        program: &Program,
        body: &Body,
        facts: &Facts<'_>,
        answers: &dyn Answers,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        if self.done {
            return Ok(false);
        }
        let (scans, trusted) = (program.scans(body), program.trusted(body));
        if scans.is_empty() {
            // A body of expressions alone has exactly one match.
            fuel.take(1)?;
            self.done = true;
            return Ok(true);
        }
        // After a match all scans are open: the search continues with the next row of the innermost one.
        let mut entering = self.scans.is_empty();
        loop {
            if entering {
                let depth = self.scans.len();
                let Some(scan) = scans.get(depth) else {
                    return Ok(true);
                };
                let (next, end) = match self.windows.get(depth) {
                    // A limit on rows does not apply here: an answer is the same in every round.
                    _ if program.is_answered(scan.relation) => asked(*scan, answers, fuel)?,
                    Some(window) => *window,
                    None => facts.window(*scan, values, fuel)?,
                };
                self.scans.push(Cursor {
                    next,
                    end,
                    origin: Origin::default(),
                });
            }
            let depth = self.scans.len().saturating_sub(1);
            let Some(scan) = scans.get(depth) else {
                break;
            };
            entering = self.advance(program, *scan, trusted, facts, values, fuel)?;
            if !entering {
                self.scans.pop();
                if self.scans.is_empty() {
                    break;
                }
            }
        }
        self.done = true;
        Ok(false)
    }

    /// The row that the last predicate matched.
    pub(super) fn last_row(&self) -> Option<u32> {
        // `advance` has moved past the row that it matched.
        self.scans.last()?.next.checked_sub(1)
    }

    /// The blocks that the match depends on.
    pub(super) fn origin(&self) -> Origin {
        self.scans
            .last()
            .map(|cursor| cursor.origin)
            .unwrap_or_default()
    }

    /// Moves the innermost scan to the next fact that matches. Returns false if there is none.
    #[inline]
    fn advance(
        &mut self,
        program: &Program,
        scan: Scan,
        trusted: Origin,
        facts: &Facts<'_>,
        values: &Values<'_>,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        let Some((cursor, outside)) = self.scans.split_last_mut() else {
            return Ok(false);
        };
        let outside = outside.last().map(|cursor| cursor.origin);
        if program.is_answered(scan.relation) {
            // The host answered when the scan was entered, and every body trusts its facts.
            fuel.take(1)?;
            let holds = cursor.next < cursor.end;
            cursor.next = cursor.end;
            cursor.origin = outside.unwrap_or_default().union(Origin::AUTHORIZER);
            return Ok(holds);
        }
        while cursor.next < cursor.end {
            let Some((rows, first, behind)) = facts.rows(scan.relation, cursor.next) else {
                return Ok(false);
            };
            let args = program.args(scan.args, rows.arity);
            let end = behind.min(cursor.end);
            while cursor.next < end {
                fuel.take(1)?;
                let row = rows.row(cursor.next.saturating_sub(first));
                cursor.next = cursor.next.saturating_add(1);
                let Some((terms, origin)) = row else {
                    return Ok(false);
                };
                // Trust is checked before terms, so that a fact from a block that the body does not trust costs
                // no comparison.
                if origin.within(trusted)
                    && unify(program, args, terms, &mut self.slots, values, fuel)?
                {
                    cursor.origin = outside.unwrap_or_default().union(origin);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}

/// Asks the host for a fact. Returns a window of one row if the fact holds, and an empty window otherwise.
fn asked(scan: Scan, answers: &dyn Answers, fuel: &mut Fuel) -> Result<Window, Stop> {
    let before = fuel.left();
    let mut units = before;
    let holds = answers.holds(scan.args as usize, &mut units);
    fuel.refill(units.min(before));
    match holds {
        Some(holds) => Ok((0, u32::from(holds))),
        None => {
            fuel.refill(0);
            Err(Stop::OutOfFuel)
        }
    }
}

/// Returns true if a fact matches a predicate. Binds the predicate's unbound variables to the fact's terms.
#[inline]
fn unify(
    program: &Program,
    args: &[Arg],
    terms: &[Term],
    slots: &mut [Term],
    values: &Values<'_>,
    fuel: &mut Fuel,
) -> Result<bool, Stop> {
    for (place, (arg, term)) in args.iter().zip(terms).enumerate() {
        // The charge for the row pays for its first term.
        if place > 0 {
            fuel.take(1)?;
        }
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
