//! Compilation of rules and bodies: names become numbers, and variables become slots.

use crate::datalog::code::{Predicate, Query, Rule as Written, Span, Symbol, Term as Value};

use super::{Compiled, Compiler, number, short};
use crate::engine::{
    error::Fault,
    origin::{Origin, Place},
    program::{Arg, Asked, Body, Code, Rule, Scan},
    symbol::Relation,
    term::Term,
};

impl<'c> Compiler<'c> {
    pub(super) fn rule(&mut self, place: Place, rule: &Written, default: Origin) -> Compiled<Rule> {
        let body = self.query(place, &rule.query, default)?;
        let terms = self.code.terms(rule.head.terms);
        self.unanswered(rule.head.name)?;
        let head = self.relation(rule.head.name, terms.len())?;
        let args = number(self.program.args.len())?;
        for term in terms {
            let arg = match term {
                Value::Variable(name) => Arg::Bound(
                    // Always bound, because `heads_of` has checked it; an error is safer here than a panic.
                    self.slot(*name)
                        .ok_or_else(|| Fault::UnboundHead(self.code.text(*name).to_owned()))?,
                ),
                value => Arg::Value(self.constant(value)?),
            };
            self.program.args.push(arg);
        }
        Ok(Rule {
            head,
            args,
            body,
            owner: self.owner(place),
        })
    }

    /// Compiles a body. Its variables keep their slots until the next body is compiled, so that the head of
    /// its rule can use them.
    pub(super) fn query(&mut self, place: Place, query: &Query, default: Origin) -> Compiled<Body> {
        // A new number invalidates the slots of the previous body, without clearing the list. It is never 0, the number
        // of unbound symbols.
        self.body = self.body.checked_add(1).ok_or(Fault::TooLarge)?;
        let code = self.code;
        let mut slots = 0;
        let scans = number(self.program.scans.len())?;
        // Predicates before expressions: only predicates bind, whatever the order in the text.
        for predicate in code.body(query) {
            self.scan(predicate, &mut slots)?;
        }
        let tests = number(self.program.tests.len())?;
        for ops in code.expressions(query) {
            let start = number(self.program.code.len())?;
            self.expression(ops, &mut slots)?;
            let end = number(self.program.code.len())?;
            self.program.tests.push(Code { start, end });
        }
        let trusted = self.trusted(place, code.scopes(query), default);
        Ok(Body {
            scans,
            tests,
            scan_count: short(code.body(query).len())?,
            test_count: short(code.expressions(query).count())?,
            trusted: self.trust(trusted)?,
            slots,
        })
    }

    fn scan(&mut self, predicate: &Predicate, slots: &mut u16) -> Compiled<()> {
        let terms = self.code.terms(predicate.terms);
        let relation = self.relation(predicate.name, terms.len())?;
        // The host answers only one arity of a name. A body that uses another arity would never match, and a `deny if`
        // or `reject if` that never matches permits the call. So the first predicate of the name decides.
        let first = self.relations.get(predicate.name.index()).copied();
        if let Some(Some(first)) = first
            && self.program.is_answered(first)
        {
            return self.question(first, relation, predicate);
        }
        if let Some(known) = self.program.relations.get_mut(usize::from(relation)) {
            known.wanted = true;
        }
        let args = number(self.program.args.len())?;
        for term in terms {
            let arg = match term {
                Value::Variable(name) => match self.slot(*name) {
                    Some(slot) => Arg::Bound(slot),
                    None => Arg::Bind(self.add_slot(*name, slots)?),
                },
                value => Arg::Value(self.constant(value)?),
            };
            self.program.args.push(arg);
        }
        self.program.scans.push(Scan { relation, args });
        Ok(())
    }

    /// Compiles a predicate that the host answers into a question.
    fn question(
        &mut self,
        answered: Relation,
        relation: Relation,
        predicate: &Predicate,
    ) -> Compiled<()> {
        let terms = self.code.terms(predicate.terms);
        let are_strings = terms.iter().all(|term| matches!(term, Value::Str(_)));
        if relation != answered || !are_strings {
            let name = self.code.text(predicate.name).to_owned();
            return Err(Fault::Answered(name).into());
        }
        let args = number(self.program.args.len())?;
        for term in terms {
            let arg = Arg::Value(self.constant(term)?);
            self.program.args.push(arg);
        }
        let question = number(self.program.questions.len())?;
        self.program.questions.push(Asked { relation, args });
        self.program.scans.push(Scan {
            relation,
            args: question,
        });
        Ok(())
    }

    /// The slot of a variable that the current body binds.
    pub(super) fn slot(&self, name: Symbol) -> Option<u16> {
        let (body, slot) = *self.slots.get(name.index())?;
        (body == self.body).then_some(slot)
    }

    pub(super) fn add_slot(&mut self, name: Symbol, slots: &mut u16) -> Compiled<u16> {
        let slot = *slots;
        *slots = slot.checked_add(1).ok_or(Fault::TooLarge)?;
        if let Some(known) = self.slots.get_mut(name.index()) {
            *known = (self.body, slot);
        }
        Ok(slot)
    }

    /// Ends the binding of a variable.
    pub(super) fn remove_slot(&mut self, name: Symbol) {
        if let Some(known) = self.slots.get_mut(name.index()) {
            *known = (0, 0);
        }
    }

    /// Returns the index of a constant. Equal constants share one.
    pub(super) fn constant(&mut self, term: &Value) -> Compiled<u16> {
        if let Value::Str(symbol) = term
            && let Some(Some(constant)) = self.constants.get(symbol.index())
        {
            return Ok(*constant);
        }
        let value = self.value(term)?;
        let constant = short(self.program.constants.len())?;
        self.program.constants.push(value);
        if let Value::Str(symbol) = term
            && let Some(known) = self.constants.get_mut(symbol.index())
        {
            *known = Some(constant);
        }
        Ok(constant)
    }

    pub(super) fn value(&mut self, term: &Value) -> Compiled<Term> {
        Ok(match term {
            Value::Integer(value) => Term::Integer(*value),
            Value::Str(symbol) => Term::Str(self.string(*symbol)?),
            Value::Date(seconds) => Term::Date(*seconds),
            Value::Bytes(span) => {
                let bytes = self.code.bytes(*span);
                Term::Bytes(self.values.add_bytes(bytes, &mut self.fuel)?)
            }
            Value::Bool(value) => Term::Bool(*value),
            Value::Null => Term::Null,
            Value::Set(span) => Term::Set(self.elements(*span)?),
            Value::Array(span) => Term::Array(self.elements(*span)?),
            Value::Map(span) => Term::Map(self.elements(*span)?),
            Value::Variable(name) => {
                return Err(Fault::Variable(self.code.text(*name).to_owned()).into());
            }
        })
    }

    // Recursion is bounded: the decoder bounds the nesting depth of terms.
    fn elements(&mut self, span: Span) -> Compiled<crate::engine::term::Span> {
        let mut elements = Vec::with_capacity(span.len());
        for term in self.code.terms(span) {
            elements.push(self.value(term)?);
        }
        Ok(self.values.add_elements(&elements, &mut self.fuel)?)
    }
}
