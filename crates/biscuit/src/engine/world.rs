//! Evaluations: the host states facts, and then the rules run to their fixpoint.

use std::cmp::Ordering;

use super::{
    answers::{Answers, NONE},
    edge,
    error::Error,
    expression::{Machine, STEP_BYTES},
    facts::{Facts, HEAD_BYTES, Space},
    fuel::{Budget, Fuel, Stop},
    join::{Join, SCAN_BYTES},
    operators::{Externs, Operators},
    origin::Place,
    outcome::FailedCheck,
    program::{Arg, Body, Program, Rule},
    regex::Regexes,
    symbol::{KnownPlace, Relation},
    term::{Pool, Term, Values},
};
use crate::datalog::Predicate;

/// An evaluation in progress. The host states facts, and then [`World::authorize`] decides.
#[derive(Debug)]
pub struct World<'p> {
    pub(super) program: &'p Program,
    externs: &'p Externs,
    answers: &'p dyn Answers,
    pub(super) values: Values<'p>,
    pub(super) facts: Facts<'p>,
    pub(super) fuel: Fuel,
    pub(super) join: Join,
    machine: Machine,
    regexes: Regexes,
    /// The rule that derived the fact by which the host's first check held.
    pub(super) granted: Option<u32>,
}

/// Working memory that one evaluation passes on to the next. It contains no facts.
#[derive(Debug, Default)]
pub struct Scratch {
    pool: Pool,
    space: Space,
    join: Join,
    machine: Machine,
}

impl Scratch {
    /// Returns true if the memory is small enough to keep.
    #[must_use]
    pub fn is_small(&self) -> bool {
        const MOST_BYTES: usize = 256 * 1024;
        let parts = [
            self.pool.size(),
            self.space.size(),
            self.join.size(),
            self.machine.size(),
        ];
        parts.into_iter().fold(0, usize::saturating_add) <= MOST_BYTES
    }
}

/// The price of a body, a rule or a check, in addition to its matches.
const QUERY: u64 = 4;

impl<'p> World<'p> {
    /// Begins an evaluation in new memory.
    #[must_use]
    pub fn new(program: &'p Program, externs: &'p Externs, budget: Budget) -> World<'p> {
        World::within(program, externs, budget, Scratch::default())
    }

    /// Begins an evaluation in the memory of an earlier one.
    #[must_use]
    pub fn within(
        program: &'p Program,
        externs: &'p Externs,
        budget: Budget,
        scratch: Scratch,
    ) -> World<'p> {
        World {
            program,
            externs,
            answers: &NONE,
            values: Values::over(&program.pool, scratch.pool),
            facts: Facts::new(program, scratch.space),
            fuel: Fuel::new(budget),
            join: scratch.join,
            machine: scratch.machine,
            // Compiled patterns are not kept: each evaluation pays for those that it uses, so that its cost
            // does not depend on what ran before.
            regexes: Regexes::new(),
            granted: None,
        }
    }

    /// Sets the host's answers. Without them, no fact of an answered predicate holds.
    #[must_use]
    pub fn answered_by(self, answers: &'p dyn Answers) -> World<'p> {
        World { answers, ..self }
    }

    /// Returns the working memory, emptied, for the next evaluation.
    #[must_use]
    pub fn into_scratch(self) -> Scratch {
        let mut scratch = Scratch {
            pool: self.values.into_pool(),
            space: self.facts.into_space(),
            join: self.join,
            machine: self.machine,
        };
        // Facts of one call must not be visible to the next.
        scratch.pool.clear();
        scratch.space.clear();
        scratch
    }

    /// Remaining units of fuel.
    #[must_use]
    pub fn fuel_left(&self) -> u64 {
        self.fuel.left()
    }

    /// Sets the remaining units of fuel.
    pub fn refill(&mut self, units: u64) {
        self.fuel.refill(units);
    }

    /// Returns the rule that derived the fact by which the host's first check held, as a position among the
    /// rules of all blocks; `None` if no rule derived that fact, or if the check did not hold or was not
    /// reached.
    #[must_use]
    pub fn granting_rule(&self) -> Option<usize> {
        let rule = self.granted? as usize;
        rule.checked_sub(self.program.own_rules)
    }

    /// Returns true if any body uses this predicate.
    #[must_use]
    pub fn wants(&self, known: KnownPlace) -> bool {
        self.facts.wants(known)
    }

    /// States a fact if any body uses its predicate. All facts of one predicate must be stated before those of
    /// the next.
    ///
    /// # Errors
    /// [`Stop`] if the budget is spent.
    pub fn state<const N: usize>(
        &mut self,
        known: KnownPlace,
        terms: impl FnOnce(&mut Self) -> Result<[Term; N], Stop>,
    ) -> Result<(), Stop> {
        // Checked before the terms are made, so that a fact that no body uses costs nothing.
        if !self.wants(known) {
            return Ok(());
        }
        let terms = terms(self)?;
        self.facts.state(known, terms, &mut self.fuel)
    }

    /// Stores a string for use in a fact.
    ///
    /// # Errors
    /// [`Stop`] if the budget is spent.
    pub fn string(&mut self, text: &str) -> Result<Term, Stop> {
        self.fuel.take(1)?;
        Ok(Term::Str(self.values.add_text(text, &mut self.fuel)?))
    }

    /// Stores bytes for use in a fact.
    ///
    /// # Errors
    /// [`Stop`] if the budget is spent.
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<Term, Stop> {
        self.fuel.take(1)?;
        Ok(Term::Bytes(self.values.add_bytes(bytes, &mut self.fuel)?))
    }

    /// Stores a set for use in a fact. The elements must be sorted and unique.
    ///
    /// # Errors
    /// [`Stop`] if the budget is spent.
    pub fn set(&mut self, elements: &[Term]) -> Result<Term, Stop> {
        Ok(Term::Set(
            self.values.add_elements(elements, &mut self.fuel)?,
        ))
    }

    /// Stores an array for use in a fact.
    ///
    /// # Errors
    /// [`Stop`] if the budget is spent.
    pub fn array(&mut self, elements: &[Term]) -> Result<Term, Stop> {
        Ok(Term::Array(
            self.values.add_elements(elements, &mut self.fuel)?,
        ))
    }

    /// Applies the rules until they derive nothing new. After the first round, each rule looks only for matches
    /// that use a fact of the previous round.
    pub(super) fn rules(&mut self) -> Result<(), Stop> {
        let program = self.program;
        if !program.recursive {
            // No rule uses derived facts, so one round is enough.
            for (number, rule) in (0..).zip(&program.rules) {
                self.start(&rule.body)?;
                self.derive(number, rule)?;
            }
            return Ok(());
        }
        let mut now = self.counts()?;
        for (number, rule) in (0..).zip(&program.rules) {
            // A search must not see the facts that are derived while it runs: the next round matches those.
            self.join.start(&rule.body);
            for scan in program.scans(&rule.body) {
                self.join.within((0, at(&now, scan.relation)));
            }
            self.derive(number, rule)?;
        }
        loop {
            // The loop ends: operations bind no variables, so rules combine a finite number of values.
            let before = std::mem::replace(&mut now, self.counts()?);
            if before == now {
                return Ok(());
            }
            for (number, rule) in (0..).zip(&program.rules) {
                let scans = program.scans(&rule.body);
                for (newest, scan) in scans.iter().enumerate() {
                    self.fuel.take(1)?;
                    if at(&before, scan.relation) == at(&now, scan.relation) {
                        continue;
                    }
                    // Predicates before the newest match older facts only, so no match is found twice.
                    self.fuel.elements(scans.len())?;
                    self.join.start(&rule.body);
                    for (place, scan) in scans.iter().enumerate() {
                        let (before, now) = (at(&before, scan.relation), at(&now, scan.relation));
                        self.join.within(match place.cmp(&newest) {
                            Ordering::Less => (0, before),
                            Ordering::Equal => (before, now),
                            Ordering::Greater => (0, now),
                        });
                    }
                    self.derive(number, rule)?;
                }
            }
        }
    }

    /// Number of facts of each predicate.
    fn counts(&mut self) -> Result<Vec<u32>, Stop> {
        self.fuel.elements(self.program.relations.len())?;
        let relations = (0..).zip(&self.program.relations);
        Ok(relations
            .map(|(relation, _)| match self.program.is_answered(relation) {
                // An answer is the same from the start, so the predicate counts as one row that is never new.
                true => 1,
                false => self.facts.count(relation),
            })
            .collect())
    }

    /// Adds the head of a rule for each match that the search finds.
    fn derive(&mut self, number: u32, rule: &Rule) -> Result<(), Stop> {
        self.fuel.take(QUERY)?;
        let arity = usize::from(self.program.arity(rule.head));
        let mut head: Vec<Term> = Vec::new();
        while self.next_match(&rule.body)? {
            head.clear();
            self.fuel.elements(arity)?;
            for arg in self.program.args(rule.args, arity) {
                head.push(match arg {
                    Arg::Value(constant) => self.program.constant(*constant),
                    Arg::Bind(slot) | Arg::Bound(slot) => {
                        let slot = self.join.slots.get(usize::from(*slot));
                        slot.copied().unwrap_or(Term::Null)
                    }
                });
            }
            // The origin of a derived fact includes the block of its rule. Otherwise a holder could append a
            // rule that turns facts of the authority block into new ones that the authority block seems to
            // state.
            let origin = self.join.origin().union(rule.owner.origin());
            self.facts.derive(
                rule.head,
                &head,
                (origin, number),
                &self.values,
                &mut self.fuel,
            )?;
        }
        Ok(())
    }

    /// Finds the next match of the predicates that passes all tests.
    pub(super) fn next_match(&mut self, body: &Body) -> Result<bool, Stop> {
        while self.next_binding(body)? {
            if self.tests(body)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) fn next_binding(&mut self, body: &Body) -> Result<bool, Stop> {
        self.join.next(
            self.program,
            body,
            &self.facts,
            self.answers,
            &self.values,
            &mut self.fuel,
        )
    }

    /// Returns true if all tests hold for the bound values. Tests are evaluated in order, up to the first that
    /// fails.
    pub(super) fn tests(&mut self, body: &Body) -> Result<bool, Stop> {
        let mut operators = Operators {
            program: self.program,
            values: &mut self.values,
            externs: self.externs,
            regexes: &mut self.regexes,
        };
        for test in self.program.tests(body) {
            let slots = &mut self.join.slots;
            let begun = operators.values.mark();
            let answer = self
                .machine
                .evaluate(*test, slots, &mut operators, &mut self.fuel)?;
            // No variable refers to the results of operations, so their memory can be reused.
            operators.values.forget_since(begun, &mut self.fuel);
            match answer {
                Term::Bool(true) => {}
                Term::Bool(false) => return Ok(false),
                _ => return Err(Error::InvalidType.into()),
            }
        }
        Ok(true)
    }

    pub(super) fn start(&mut self, body: &Body) -> Result<(), Stop> {
        self.fuel.take(QUERY)?;
        self.join.start(body);
        Ok(())
    }

    /// Returns every fact, with the places that it depends on.
    pub(super) fn facts(&self) -> Vec<(Vec<Place>, Predicate)> {
        let mut facts = Vec::new();
        for (relation, known) in (0..).zip(&self.program.relations) {
            let name = self.values.text(known.name).to_owned();
            for row in 0..self.facts.count(relation) {
                let Some((terms, origin)) = self.facts.row(relation, row) else {
                    continue;
                };
                let terms = terms.iter().map(|term| edge::export(&self.values, *term));
                let fact = Predicate::new(name.clone(), terms.collect::<Vec<_>>());
                facts.push((origin.places(), fact));
            }
        }
        facts
    }
}

fn at(counts: &[u32], relation: Relation) -> u32 {
    counts.get(usize::from(relation)).copied().unwrap_or(0)
}

/// Approximate size in bytes of an evaluation's working memory, not counting added facts and values: the
/// variables, predicates and operations of the largest body, and a few bytes for each predicate, head and
/// check.
pub(super) fn workspace(program: &Program) -> usize {
    let bodies = program.rules.iter().map(|rule| &rule.body);
    let (mut slots, mut scans) = (0, 0);
    for body in bodies.chain(&program.queries) {
        slots = body.slots.max(slots);
        scans = body.scan_count.max(scans);
    }
    let steps = program
        .tests
        .iter()
        .map(|code| code.end.saturating_sub(code.start));
    let count = |count: usize, bytes: usize| count.saturating_mul(bytes);
    [
        count(usize::from(slots), size_of::<Term>()),
        count(usize::from(scans), SCAN_BYTES),
        count(steps.max().unwrap_or(0) as usize, STEP_BYTES),
        // The numbers of facts before and after a round.
        count(program.relations.len(), size_of::<[u32; 2]>()),
        count(program.heads.len(), HEAD_BYTES),
        count(program.checks.len(), size_of::<FailedCheck>()),
    ]
    .into_iter()
    .fold(0, usize::saturating_add)
}
