//! Facts, rules and bodies: names to numbers, variables to slots.

use std::collections::HashMap;

use bailiwick_token::datalog::{BlockRule, Query};
use biscuit_auth::builder::{self, Predicate};

use super::{Compiled, Compiler, number};
use crate::engine::{
    edge,
    error::{Fault, Place},
    facts::{Origin, Rows},
    program::{Arg, Body, Code, Rule, Scan},
    symbol::Relation,
    term::Term,
};

/// The variables of a body, numbered.
#[derive(Default)]
pub(super) struct Slots<'q> {
    pub(super) known: HashMap<&'q str, u32>,
    count: u32,
}

impl<'q> Slots<'q> {
    pub(super) fn add(&mut self, name: &'q str) -> Compiled<u32> {
        let slot = self.count;
        self.count = slot.checked_add(1).ok_or(Fault::TooLarge)?;
        self.known.insert(name, slot);
        Ok(slot)
    }
}

impl Compiler {
    pub(super) fn fact(&mut self, place: Place, fact: &Predicate) -> Compiled<()> {
        let relation = self.relation(&fact.name, fact.terms.len());
        let mut terms = Vec::with_capacity(fact.terms.len());
        for term in &fact.terms {
            terms.push(self.value(term)?);
        }
        let needed = (relation as usize).saturating_add(1);
        if self.facts.len() < needed {
            self.facts.resize_with(needed, Rows::default);
        }
        if let Some(rows) = self.facts.get_mut(relation as usize) {
            rows.push(terms, Origin::of(place));
        }
        Ok(())
    }

    pub(super) fn rule(
        &mut self,
        place: Place,
        rule: &BlockRule,
        default: Origin,
    ) -> Compiled<Rule> {
        let mut slots = Slots::default();
        let body = self.body(place, &rule.query, default, &mut slots)?;
        let head = self.relation(&rule.head.name, rule.head.terms.len());
        let mut args = Vec::with_capacity(rule.head.terms.len());
        for term in &rule.head.terms {
            args.push(match term {
                builder::Term::Variable(name) => Arg::Bound(
                    *slots
                        .known
                        .get(name.as_str())
                        .ok_or_else(|| Fault::UnboundHead(name.clone()))?,
                ),
                value => Arg::Value(self.value(value)?),
            });
        }
        let start = number(self.args.len())?;
        self.args.extend(args);
        Ok(Rule {
            head,
            args: start,
            body,
            origin: Origin::of(place),
        })
    }

    pub(super) fn body<'q>(
        &mut self,
        place: Place,
        query: &'q Query,
        default: Origin,
        slots: &mut Slots<'q>,
    ) -> Compiled<Body> {
        let mut scans = Vec::with_capacity(query.body.len());
        for predicate in &query.body {
            let relation = self.relation(&predicate.name, predicate.terms.len());
            if let Some(wanted) = self.wanted.get_mut(relation as usize) {
                *wanted = true;
            }
            let mut args = Vec::with_capacity(predicate.terms.len());
            for term in &predicate.terms {
                args.push(match term {
                    builder::Term::Variable(name) => match slots.known.get(name.as_str()) {
                        Some(slot) => Arg::Bound(*slot),
                        None => Arg::Bind(slots.add(name)?),
                    },
                    value => Arg::Value(self.value(value)?),
                });
            }
            scans.push(Scan {
                relation,
                args: number(self.args.len())?,
            });
            self.args.extend(args);
        }
        let mut tests = Vec::with_capacity(query.expressions.len());
        for ops in &query.expressions {
            let start = number(self.code.len())?;
            self.expression(ops, slots)?;
            let end = number(self.code.len())?;
            tests.push(Code { start, end });
        }
        Ok(Body {
            scans: scans.into(),
            tests: tests.into(),
            trusted: self.trusted(place, &query.scopes, default),
            slots: slots.count,
        })
    }

    fn relation(&mut self, name: &str, arity: usize) -> Relation {
        let relation = self.symbols.relation(name, arity);
        let count = self.symbols.names.len();
        if self.wanted.len() < count {
            self.wanted.resize(count, false);
        }
        relation
    }

    pub(super) fn value(&mut self, term: &builder::Term) -> Compiled<Term> {
        let symbols = &mut self.symbols;
        edge::import(
            &mut self.values,
            term,
            &mut self.fuel,
            &mut |values, text, fuel| symbols.text(values, text, fuel),
        )
    }
}
