//! The matches of a body, one after the other, always in the same order: nested scans over the
//! facts of each predicate.

use super::{
    facts::Facts,
    fuel::{Fuel, Stop},
    origin::Origin,
    program::{Arg, Body, Program, Scan},
    term::{Term, Values},
};

/// Rows of one predicate, from the first to before the last.
pub(super) type Window = (u32, u32);

/// Where a search stands. Its vectors are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Join {
    /// The scans that have been entered.
    scans: Vec<Cursor>,
    /// Which rows each predicate may match, where that was said beforehand.
    windows: Vec<Window>,
    pub(super) slots: Vec<Term>,
    done: bool,
}

#[derive(Debug)]
struct Cursor {
    next: u32,
    end: u32,
    /// What this match and those outside it rest on.
    origin: Origin,
}

/// Bytes for each predicate of a body.
pub(super) const SCAN_BYTES: usize = size_of::<Cursor>() + size_of::<Window>();

impl Join {
    /// About how many bytes it takes.
    pub(super) fn size(&self) -> usize {
        let scans = self.scans.capacity().saturating_mul(SCAN_BYTES);
        let slots = self.slots.capacity().saturating_mul(size_of::<Term>());
        scans.saturating_add(slots)
    }

    /// Begins with a body, over all facts.
    pub(super) fn start(&mut self, body: &Body) {
        self.scans.clear();
        self.windows.clear();
        // What a slot held before is not looked at: each is bound before it is used.
        let slots = usize::from(body.slots);
        if self.slots.len() < slots {
            self.slots.resize(slots, Term::Null);
        }
        self.done = false;
    }

    /// Says which rows the next predicate of the body may match; after [`Join::start`], for each of them.
    pub(super) fn within(&mut self, window: Window) {
        // Without a fact for one of them there is no match.
        self.done |= window.0 >= window.1;
        self.windows.push(window);
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
        if self.done {
            return Ok(false);
        }
        let (scans, trusted) = (program.scans(body), program.trusted(body));
        if scans.is_empty() {
            fuel.take(1)?;
            self.done = true;
            return Ok(true);
        }
        let mut entering = self.scans.is_empty();
        loop {
            if entering {
                let depth = self.scans.len();
                let Some(scan) = scans.get(depth) else {
                    return Ok(true);
                };
                let (next, end) = match self.windows.get(depth) {
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

    /// Moves the innermost scan on to the next fact that matches.
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
    for (place, (arg, term)) in args.iter().zip(terms).enumerate() {
        // The row itself is charged: the first term goes with it.
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
