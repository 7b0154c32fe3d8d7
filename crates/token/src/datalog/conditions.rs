//! The conditions of a body, read directly from its code.

use std::collections::{BTreeMap, BTreeSet};

use bailiwick_biscuit::datalog::code::{Binary, Code, Op, Query, Symbol, Term, Unary};

use super::names;
use crate::{
    condition::{During, Test, above},
    grant::{Bound, Constraint, Grant, List, Pattern, top_level},
    timestamp::Timestamp,
    value::{Micros, Number, Scalar, Value},
};

/// Returns the conditions of a body as a grant, if they can be written as one.
///
/// A call that fails one of them does not match the body. The body may have further conditions, so the result
/// can explain why a body refuses a call, but cannot decide calls. For a grant that is equivalent to the body,
/// see [`grant`](super::grant).
#[must_use]
pub fn conditions(code: &Code, query: &Query) -> Option<Grant> {
    let mut conditions = Conditions::new(code);
    for predicate in code.body(query) {
        conditions.predicate(code.text(predicate.name), code.terms(predicate.terms))?;
    }
    for ops in code.expressions(query) {
        conditions.expression(ops)?;
    }
    conditions.finish()
}

/// Returns true if a body requires a fact of this name with a fixed text other than `text`.
#[must_use]
pub fn needs_other(code: &Code, query: &Query, name: &str, text: &str) -> bool {
    let mut body = code.body(query).iter();
    body.any(|predicate| match code.terms(predicate.terms) {
        [Term::Str(needed)] => code.text(predicate.name) == name && code.text(*needed) != text,
        _ => false,
    })
}

/// Returns true if a path stands for the elements of an array, which only `meets` can describe.
fn has_each(path: &str) -> bool {
    path.contains('*')
}

/// The fact that binds a variable, by name, and the name of the argument if the fact describes one.
#[derive(Clone, Copy)]
struct Binding<'c> {
    variable: Symbol,
    fact: &'c str,
    argument: &'c str,
}

struct Conditions<'c> {
    code: &'c Code,
    bindings: Vec<Binding<'c>>,
    service: Option<String>,
    action: Option<Pattern>,
    resource: Option<Pattern>,
    when: Option<During>,
    listed: Option<BTreeSet<&'c str>>,
    args: BTreeMap<String, Constraint>,
    /// For each part of the paths in `meets`, true if it may be absent.
    optional: BTreeMap<String, bool>,
}

/// Fills an empty slot; `None` if the slot is full. A grant never writes a second condition of one kind.
fn once<T>(slot: &mut Option<T>, value: T) -> Option<()> {
    match slot {
        Some(_) => None,
        None => {
            *slot = Some(value);
            Some(())
        }
    }
}

impl<'c> Conditions<'c> {
    fn new(code: &'c Code) -> Conditions<'c> {
        Conditions {
            code,
            bindings: Vec::new(),
            service: None,
            action: None,
            resource: None,
            when: None,
            listed: None,
            args: BTreeMap::new(),
            optional: BTreeMap::new(),
        }
    }

    fn finish(mut self) -> Option<Grant> {
        for (path, is_optional) in std::mem::take(&mut self.optional) {
            // Only a part that the table names itself can be optional.
            if is_optional {
                self.argument(&path)?.meets.get_or_insert_default().optional = true;
            }
        }
        let args = match self.listed {
            None if self.args.is_empty() => None,
            None => return None,
            Some(listed) => {
                let covered: BTreeSet<&str> =
                    self.args.keys().map(|path| top_level(path)).collect();
                let others = listed.into_iter();
                let others = others.filter(|name| !name.is_empty() && !covered.contains(name));
                let others: Vec<&str> = others.collect();
                for name in others {
                    self.args.insert(name.to_owned(), Constraint::any());
                }
                Some(self.args)
            }
        };
        Some(Grant {
            service: self.service?,
            action: self.action?,
            resource: self.resource,
            args,
            when: self.when,
        })
    }

    fn text(&self, symbol: Symbol) -> &'c str {
        self.code.text(symbol)
    }

    /// Returns the constraint of an argument. An existing one is looked up first, because most conditions add
    /// to one.
    fn argument(&mut self, name: &str) -> Option<&mut Constraint> {
        if !self.args.contains_key(name) {
            self.args.insert(name.to_owned(), Constraint::any());
        }
        self.args.get_mut(name)
    }

    fn predicate(&mut self, fact: &'c str, terms: &[Term]) -> Option<()> {
        match (fact, terms) {
            (names::SERVICE, [Term::Str(service)]) => {
                once(&mut self.service, self.code.text(*service).to_owned())
            }
            (names::ACTION, [Term::Str(action)]) => {
                let action = self.text(*action).to_owned();
                once(&mut self.action, Pattern::Exact(action))
            }
            (names::RESOURCE, [Term::Str(resource)]) => {
                let resource = self.text(*resource).to_owned();
                once(&mut self.resource, Pattern::Exact(resource))
            }
            (names::ACTION | names::RESOURCE | names::ARGS, [Term::Variable(variable)]) => {
                self.bind(*variable, fact, "")
            }
            (
                names::ARG | names::NUM | names::DATE,
                [Term::Str(argument), Term::Variable(variable)],
            ) if !has_each(self.text(*argument)) => {
                self.bind(*variable, fact, self.text(*argument))
            }
            (names::ARG | names::NUM | names::DATE | names::JSON, [Term::Str(argument), ..])
                if has_each(self.text(*argument)) =>
            {
                None
            }
            (names::NUM, [Term::Str(argument), Term::Integer(micros)]) => {
                let value = Value::Number(Micros(*micros).into());
                let argument = self.text(*argument);
                once(&mut self.argument(argument)?.exact, value)
            }
            (names::ARG, [Term::Str(argument), term]) => {
                let (argument, value) = (self.text(*argument), self.exact(term)?);
                once(&mut self.argument(argument)?.exact, value)
            }
            (names::JSON, [Term::Str(argument), Term::Str(text)]) => {
                let value = Value::parse(self.text(*text)).ok()?;
                let argument = self.text(*argument);
                once(&mut self.argument(argument)?.exact, value)
            }
            (names::MEETS, [Term::Str(path), Term::Str(text)]) => {
                let path = self.text(*path);
                self.meets(path, Test::parse(path, self.text(*text)).ok()?)
            }
            (names::DURING, [Term::Str(text)]) => {
                let window = During::parse(self.text(*text)).ok()?;
                once(&mut self.when, window)
            }
            _ => None,
        }
    }

    /// Adds a condition that plain Datalog cannot express. Conditions are sorted by kind, and each kind occurs once.
    fn meets(&mut self, path: &'c str, test: Test) -> Option<()> {
        for (part, is_optional) in above(path).chain([path]).zip(test.optional) {
            let known = self.optional.entry(part.to_owned()).or_insert(is_optional);
            // A grant states only once whether a part may be absent.
            if *known != is_optional {
                return None;
            }
        }
        let conditions = &mut self
            .argument(path)?
            .meets
            .get_or_insert_default()
            .conditions;
        let kind = test.condition.kind();
        let place = conditions.partition_point(|other| other.kind() < kind);
        if conditions
            .get(place)
            .is_some_and(|other| other.kind() == kind)
        {
            return None;
        }
        conditions.insert(place, test.condition);
        Some(())
    }

    /// Binds a variable; `None` if it is already bound. That would be a join, which no grant writes.
    fn bind(&mut self, variable: Symbol, fact: &'c str, argument: &'c str) -> Option<()> {
        if self.binding(variable).is_some() {
            return None;
        }
        self.bindings.push(Binding {
            variable,
            fact,
            argument,
        });
        Some(())
    }

    fn binding(&self, variable: Symbol) -> Option<Binding<'c>> {
        let mut bindings = self.bindings.iter();
        bindings
            .find(|binding| binding.variable == variable)
            .copied()
    }

    fn expression(&mut self, ops: &[Op]) -> Option<()> {
        use Binary::{
            All, Contains, Equal, GreaterOrEqual, HeterogeneousEqual, LessOrEqual, NotEqual,
            Prefix, Suffix,
        };
        match ops {
            [
                Op::Value(Term::Set(set)),
                Op::Value(Term::Variable(variable)),
                Op::Binary(Contains),
            ] => self.membership(self.binding(*variable)?, self.code.terms(*set)),
            [
                Op::Value(Term::Variable(variable)),
                Op::Value(term),
                Op::Binary(operator),
            ] => {
                let binding = self.binding(*variable)?;
                match (operator, term) {
                    (Prefix, Term::Str(prefix)) => self.prefix(binding, self.text(*prefix)),
                    (Suffix, Term::Str(text)) => {
                        let text = self.text(*text).to_owned();
                        once(&mut self.constraint(binding, names::ARG)?.suffix, text)
                    }
                    (Contains, Term::Str(text)) => {
                        let text = self.text(*text).to_owned();
                        once(&mut self.constraint(binding, names::ARG)?.contains, text)
                    }
                    (HeterogeneousEqual, array @ Term::Array(_)) => {
                        let value = self.exact(array)?;
                        once(&mut self.constraint(binding, names::ARG)?.exact, value)
                    }
                    (NotEqual, term) => self.exclusion(binding, term),
                    (GreaterOrEqual, term) => {
                        let (fact, bound) = bound(term)?;
                        once(&mut self.constraint(binding, fact)?.min, bound)
                    }
                    (LessOrEqual, term) => {
                        let (fact, bound) = bound(term)?;
                        once(&mut self.constraint(binding, fact)?.max, bound)
                    }
                    _ => None,
                }
            }
            [
                Op::Value(Term::Variable(variable)),
                Op::Unary(Unary::Length),
                Op::Value(Term::Integer(length)),
                Op::Binary(LessOrEqual),
            ] => {
                let length = u32::try_from(*length).ok()?;
                let binding = self.binding(*variable)?;
                once(&mut self.constraint(binding, names::ARG)?.max_len, length)
            }
            [
                Op::Value(Term::Variable(variable)),
                Op::Closure { params, length: 3 },
                Op::Value(Term::Array(elements)),
                Op::Value(Term::Variable(element)),
                Op::Binary(Contains),
                Op::Binary(All),
            ] if self.code.params(*params) == [*element] => {
                let elements = self.code.terms(*elements).iter();
                let elements: Option<BTreeSet<Scalar>> =
                    elements.map(|term| self.scalar(term)).collect();
                let binding = self.binding(*variable)?;
                once(
                    &mut self.constraint(binding, names::ARG)?.all_of_in,
                    elements?,
                )
            }
            // Type tests add nothing to the other conditions.
            [
                Op::Value(Term::Variable(_)),
                Op::Unary(Unary::TypeOf),
                Op::Value(Term::Str(_)),
                Op::Binary(Equal),
            ]
            | [
                Op::Value(Term::Set(_)),
                Op::Value(Term::Variable(_)),
                Op::Unary(Unary::TypeOf),
                Op::Binary(Contains),
            ] => Some(()),
            _ => None,
        }
    }

    /// Returns the constraint of a binding's argument; `None` if a fact of another name binds the variable.
    fn constraint(&mut self, binding: Binding<'c>, fact: &str) -> Option<&mut Constraint> {
        match binding.fact == fact {
            true => self.argument(binding.argument),
            false => None,
        }
    }

    fn membership(&mut self, binding: Binding<'c>, set: &[Term]) -> Option<()> {
        if binding.fact == names::ARGS {
            let names = set.iter().map(|term| match term {
                Term::Str(name) => Some(self.text(*name)),
                _ => None,
            });
            let listed: BTreeSet<&str> = names.collect::<Option<_>>()?;
            return match listed.contains("") {
                true => once(&mut self.listed, listed),
                false => None,
            };
        }
        let list = self.list(binding.fact, set)?;
        once(&mut self.constraint(binding, binding.fact)?.one_of, list)
    }

    fn prefix(&mut self, binding: Binding<'c>, prefix: &str) -> Option<()> {
        let pattern = || Pattern::Prefix(prefix.to_owned());
        match binding.fact {
            names::ACTION => once(&mut self.action, pattern()),
            names::RESOURCE => once(&mut self.resource, pattern()),
            // The empty prefix is the test for strings.
            _ if prefix.is_empty() => Some(()),
            _ => once(
                &mut self.constraint(binding, names::ARG)?.prefix,
                prefix.to_owned(),
            ),
        }
    }

    fn exclusion(&mut self, binding: Binding<'c>, term: &Term) -> Option<()> {
        let one = self.list(binding.fact, std::slice::from_ref(term))?;
        let constraint = self.constraint(binding, binding.fact)?;
        match (&mut constraint.not_one_of, one) {
            (slot @ None, one) => *slot = Some(one),
            (Some(List::Strings(set)), List::Strings(one)) => set.extend(one),
            (Some(List::Numbers(set)), List::Numbers(one)) => set.extend(one),
            (Some(List::Bools(set)), List::Bools(one)) => set.extend(one),
            _ => return None,
        }
        Some(())
    }

    /// Reads a list of values of one type, in the form in which facts of this name state them.
    fn list(&self, fact: &str, terms: &[Term]) -> Option<List> {
        let terms = terms.iter();
        match (fact, terms.as_slice().first()?) {
            (names::NUM, _) => {
                let numbers = terms.map(|term| match term {
                    Term::Integer(micros) => Some(Micros(*micros)),
                    _ => None,
                });
                numbers.collect::<Option<_>>().map(List::Numbers)
            }
            (names::ARG, Term::Str(_)) => {
                let texts = terms.map(|term| match term {
                    Term::Str(text) => Some(self.text(*text).to_owned()),
                    _ => None,
                });
                texts.collect::<Option<_>>().map(List::Strings)
            }
            (names::ARG, _) => {
                let bools = terms.map(|term| match term {
                    Term::Bool(value) => Some(*value),
                    _ => None,
                });
                bools.collect::<Option<_>>().map(List::Bools)
            }
            _ => None,
        }
    }

    fn exact(&self, term: &Term) -> Option<Value> {
        match term {
            Term::Array(terms) => {
                let items = self.code.terms(*terms).iter();
                let items: Option<Vec<Value>> = items
                    .map(|term| self.scalar(term).map(Value::from))
                    .collect();
                Some(Value::Array(items?))
            }
            Term::Integer(value) => Some(Value::Number(Number::from(*value))),
            other => self.scalar(other).map(Value::from),
        }
    }

    fn scalar(&self, term: &Term) -> Option<Scalar> {
        match term {
            Term::Null => Some(Scalar::Null),
            Term::Bool(value) => Some(Scalar::Bool(*value)),
            Term::Integer(value) => Some(Scalar::Integer(*value)),
            Term::Str(text) => Some(Scalar::String(self.text(*text).to_owned())),
            _ => None,
        }
    }
}

/// A bound, with the name of the facts that state the bounded value.
fn bound(term: &Term) -> Option<(&'static str, Bound)> {
    match term {
        Term::Integer(micros) => Some((names::NUM, Bound::Number(Micros(*micros)))),
        Term::Date(seconds) => {
            let date = Timestamp::from_unix(*seconds)?;
            Some((names::DATE, Bound::Date(date)))
        }
        _ => None,
    }
}
