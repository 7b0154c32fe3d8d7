//! The facts that blocks state, and the last steps of compiling a program.

use crate::datalog::code::{Code, Predicate};

use super::{Compiled, Compiler, Keep, placed};
use crate::engine::{
    error::Error,
    origin::{Origin, Place},
    program::Program,
    symbol::Relation,
    term::Term,
    world::workspace,
};

/// A fact: its predicate, the position of its terms in [`Stated::terms`], and its origin.
pub(super) struct Row {
    relation: Relation,
    terms: usize,
    origin: Origin,
}

/// Facts in the order of their statements.
#[derive(Default)]
pub(super) struct Stated {
    rows: Vec<Row>,
    terms: Vec<Term>,
}

impl<'c> Compiler<'c> {
    /// Collects the facts of the host and of all blocks. All bodies must have been compiled, because
    /// [`Keep::Wanted`] depends on the predicates that they use.
    pub(super) fn stated(&mut self, authorizer: &'c Code, keep: Keep) -> Result<Stated, Error> {
        let mut stated = Stated::default();
        let token = self.code;
        // The host's facts use the symbols of the host's code, not of the token's.
        let own = authorizer.blocks.first();
        let own = own.map_or(&[][..], |block| authorizer.facts(block));
        if !own.is_empty() {
            self.read(authorizer);
            self.facts(Place::Authorizer, own, keep, &mut stated)?;
            self.read(token);
        }
        for (index, block) in token.blocks.iter().enumerate() {
            self.facts(Place::Block(index), token.facts(block), keep, &mut stated)?;
        }
        Ok(stated)
    }

    /// Switches to other code and clears the caches, because the same symbols have other meanings in it.
    fn read(&mut self, code: &'c Code) {
        self.code = code;
        let symbols = code.symbol_count();
        (self.relations, self.strings) = (vec![None; symbols], vec![None; symbols]);
    }

    fn facts(
        &mut self,
        place: Place,
        facts: &[Predicate],
        keep: Keep,
        stated: &mut Stated,
    ) -> Result<(), Error> {
        for fact in facts {
            let compiled = self.fact(place, fact, keep, stated);
            placed(place, compiled)?;
        }
        Ok(())
    }

    fn fact(
        &mut self,
        place: Place,
        fact: &Predicate,
        keep: Keep,
        stated: &mut Stated,
    ) -> Compiled<()> {
        let terms = self.code.terms(fact.terms);
        self.unanswered(fact.name)?;
        let relation = match keep {
            Keep::All => self.relation(fact.name, terms.len())?,
            // `known_relation` adds no predicate: a fact that no body looks for must not grow the program.
            Keep::Wanted => {
                let arity = super::short(terms.len())?;
                let known = self.known_relation(fact.name, arity);
                let known = known.filter(|relation| {
                    let known = self.program.relation(*relation);
                    known.is_some_and(|known| known.wanted)
                });
                match known {
                    Some(relation) => relation,
                    None => return Ok(()),
                }
            }
        };
        let start = stated.terms.len();
        for term in terms {
            let term = self.value(term)?;
            stated.terms.push(term);
        }
        stated.rows.push(Row {
            relation,
            terms: start,
            origin: self.owner(place).origin(),
        });
        Ok(())
    }

    /// Finishes the program: groups facts by predicate, and numbers the predicates that rules derive.
    pub(super) fn finish(self, stated: Stated) -> Program {
        let Stated { mut rows, terms } = stated;
        let mut program = self.program;
        // A stable sort keeps the facts of one predicate in their order, and so the order of matches.
        rows.sort_by_key(|row| row.relation);
        for row in rows {
            let (first, begin) = (program.origins.len() as u32, program.facts.len() as u32);
            let Some(known) = program.relations.get_mut(usize::from(row.relation)) else {
                continue;
            };
            if known.rows == 0 {
                (known.origins, known.terms) = (first, begin);
            }
            known.rows = known.rows.saturating_add(1);
            let end = row.terms.saturating_add(usize::from(known.arity));
            let terms = terms.get(row.terms..end).unwrap_or_default();
            program.facts.extend_from_slice(terms);
            program.origins.push(row.origin);
        }
        let mut heads: Vec<Relation> = program.rules.iter().map(|rule| rule.head).collect();
        heads.sort_unstable();
        heads.dedup();
        for (place, head) in (0..).zip(&heads) {
            if let Some(known) = program.relations.get_mut(usize::from(*head)) {
                known.derived = Some(place);
            }
        }
        program.heads = heads;
        // Rules that use no derived fact are done after one round.
        let mut scans = program
            .rules
            .iter()
            .flat_map(|rule| program.scans(&rule.body));
        program.recursive = scans.any(|scan| {
            let known = program.relation(scan.relation);
            known.is_some_and(|known| known.derived.is_some())
        });
        program.pool = self.values.into_pool();
        // Shrunk before its size is taken, because every evaluation is charged for that size.
        program.shrink();
        program.held = program.size().saturating_add(workspace(&program));
        program
    }
}
