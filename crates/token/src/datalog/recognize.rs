//! The bodies of rules and checks -> grants.
//!
//! A body is read leniently into a candidate, and the candidate is encoded again: only when both
//! say the same, up to the names of variables and the order of terms, is the body that grant.

use std::collections::{BTreeMap, BTreeSet};

use biscuit_auth::builder::{Binary, Op, Predicate, Term, Unary};

use super::{Query, encode, names};
use crate::{
    grant::{Bound, Constraint, Grant, Grants, List, Pattern},
    timestamp::Timestamp,
    value::{Micros, Number, Scalar, Value},
};

/// The grant that a body writes, where it is one.
pub(super) fn grant(query: &Query) -> Option<Grant> {
    let body = renamed(query)?;
    let candidate = Candidate::read(&body)?.finish()?;
    // `Grants::new` knows what is well formed, and its one normal form.
    let checked = Grants::new(vec![candidate.clone()]).ok()?;
    if checked.iter().next() != Some(&candidate) {
        return None;
    }
    let same = |typed| {
        let written = encode::alternative(&candidate, typed, encode::Form::Check).query;
        renamed(&written).is_some_and(|written| equal(&written, &body))
    };
    (same(false) || same(true)).then_some(candidate)
}

/// Equal as sets of terms: the order of predicates and expressions is their writer's choice.
fn equal(a: &Query, b: &Query) -> bool {
    fn permuted<T: PartialEq>(a: &[T], b: &[T]) -> bool {
        let mut left: Vec<&T> = b.iter().collect();
        a.len() == b.len()
            && a.iter()
                .all(|item| match left.iter().position(|other| *other == item) {
                    Some(index) => {
                        left.swap_remove(index);
                        true
                    }
                    None => false,
                })
    }
    a.scopes.is_empty()
        && b.scopes.is_empty()
        && permuted(&a.body, &b.body)
        && permuted(&a.expressions, &b.expressions)
}

/// The same body with variables named by what they are bound to: `action`, `num amount`.
fn renamed(query: &Query) -> Option<Query> {
    let mut names: BTreeMap<&str, String> = BTreeMap::new();
    for predicate in &query.body {
        let bound = match predicate.terms.as_slice() {
            [Term::Variable(variable)] => Some((variable, predicate.name.clone())),
            [Term::Str(name), Term::Variable(variable)] => {
                Some((variable, format!("{} {name}", predicate.name)))
            }
            terms if terms.iter().any(|term| matches!(term, Term::Variable(_))) => return None,
            _ => None,
        };
        if let Some((variable, name)) = bound {
            // A variable bound twice is a join, which no grant writes.
            if names.insert(variable, name).is_some() {
                return None;
            }
        }
    }
    // An array that is matched by unification is one that `==` compares: other writers write it so.
    let mut compared = Vec::new();
    let body = query.body.iter().map(|predicate| {
        if let (names::ARG, [Term::Str(name), array @ Term::Array(_)]) =
            (predicate.name.as_str(), predicate.terms.as_slice())
        {
            let bound = encode::variable(&format!("{} {name}", names::ARG));
            compared.push(vec![
                encode::value(bound.clone()),
                encode::value(array.clone()),
                Op::Binary(Binary::HeterogeneousEqual),
            ]);
            let terms = vec![Term::Str(name.clone()), bound];
            return Some(Predicate::new(predicate.name.clone(), terms));
        }
        let terms: Option<Vec<Term>> = predicate
            .terms
            .iter()
            .map(|term| rename_term(term, &names))
            .collect();
        Some(Predicate::new(predicate.name.clone(), terms?))
    });
    let body = body.collect::<Option<_>>()?;
    let expressions = query.expressions.iter().map(|ops| rename_ops(ops, &names));
    let mut expressions = expressions.collect::<Option<Vec<_>>>()?;
    expressions.append(&mut compared);
    Some(Query {
        body,
        expressions,
        scopes: query.scopes.clone(),
    })
}

fn rename_term(term: &Term, names: &BTreeMap<&str, String>) -> Option<Term> {
    match term {
        Term::Variable(variable) => names
            .get(variable.as_str())
            .map(|name| encode::variable(name)),
        other => Some(other.clone()),
    }
}

fn rename_ops(ops: &[Op], names: &BTreeMap<&str, String>) -> Option<Vec<Op>> {
    ops.iter()
        .map(|op| match op {
            Op::Value(term) => rename_term(term, names).map(Op::Value),
            Op::Closure(params, ops) => {
                let [param] = params.as_slice() else {
                    return None;
                };
                let mut inner = names.clone();
                if inner.insert(param, "element".to_owned()).is_some() {
                    return None;
                }
                // The one closure of the profile holds no other.
                if ops.iter().any(|op| matches!(op, Op::Closure(..))) {
                    return None;
                }
                Some(Op::Closure(
                    vec!["element".to_owned()],
                    rename_ops(ops, &inner)?,
                ))
            }
            other => Some(other.clone()),
        })
        .collect()
}

/// What has been read of a grant.
#[derive(Default)]
struct Candidate {
    service: Option<String>,
    action: Option<Pattern>,
    resource: Option<Pattern>,
    listed: Option<BTreeSet<String>>,
    args: BTreeMap<String, Constraint>,
}

impl Candidate {
    fn read(body: &Query) -> Option<Candidate> {
        let mut candidate = Candidate::default();
        for predicate in &body.body {
            candidate.predicate(predicate)?;
        }
        for expression in &body.expressions {
            candidate.expression(expression)?;
        }
        Some(candidate)
    }

    fn finish(mut self) -> Option<Grant> {
        let args = match self.listed {
            None if self.args.is_empty() => None,
            None => return None,
            Some(listed) => {
                for name in listed.into_iter().filter(|name| !name.is_empty()) {
                    let covered = self
                        .args
                        .keys()
                        .any(|path| crate::grant::top_level(path) == name);
                    if !covered {
                        self.args.insert(name, Constraint::any());
                    }
                }
                Some(self.args)
            }
        };
        Some(Grant {
            service: self.service?,
            action: self.action?,
            resource: self.resource,
            args,
        })
    }

    fn argument(&mut self, name: &str) -> &mut Constraint {
        self.args.entry(name.to_owned()).or_default()
    }

    fn predicate(&mut self, predicate: &Predicate) -> Option<()> {
        match (predicate.name.as_str(), predicate.terms.as_slice()) {
            (names::SERVICE, [Term::Str(service)]) => self.service = Some(service.clone()),
            (names::ACTION, [Term::Str(action)]) => {
                self.action = Some(Pattern::Exact(action.clone()))
            }
            (names::RESOURCE, [Term::Str(resource)]) => {
                self.resource = Some(Pattern::Exact(resource.clone()))
            }
            (names::ACTION | names::RESOURCE | names::ARGS, [Term::Variable(_)]) => {}
            (names::ARG | names::NUM | names::DATE, [Term::Str(_), Term::Variable(_)]) => {}
            (names::NUM, [Term::Str(name), Term::Integer(micros)]) => {
                self.argument(name).exact = Some(Value::Number(Micros(*micros).into()));
            }
            (names::ARG, [Term::Str(name), term]) => self.argument(name).exact = Some(exact(term)?),
            (names::JSON, [Term::Str(name), Term::Str(text)]) => {
                self.argument(name).exact = Some(Value::parse(text).ok()?);
            }
            _ => return None,
        }
        Some(())
    }

    fn expression(&mut self, ops: &[Op]) -> Option<()> {
        use Binary::{
            All, Contains, Equal, GreaterOrEqual, HeterogeneousEqual, LessOrEqual, NotEqual,
            Prefix, Suffix,
        };
        match ops {
            [
                Op::Value(Term::Set(set)),
                Op::Value(Term::Variable(var)),
                Op::Binary(Contains),
            ] => {
                self.membership(var, set)?;
            }
            [
                Op::Value(Term::Variable(var)),
                Op::Value(term),
                Op::Binary(operator),
            ] => match (operator, term) {
                (Prefix, Term::Str(prefix)) => self.prefix(var, prefix)?,
                (Suffix, Term::Str(text)) => {
                    self.bound_to(names::ARG, var)?.suffix = Some(text.clone())
                }
                (Contains, Term::Str(text)) => {
                    self.bound_to(names::ARG, var)?.contains = Some(text.clone())
                }
                (HeterogeneousEqual, array @ Term::Array(_)) => {
                    self.bound_to(names::ARG, var)?.exact = Some(exact(array)?)
                }
                (NotEqual, term) => self.exclusion(var, term)?,
                (GreaterOrEqual, term) => self.range(var, term)?.min = bound(term),
                (LessOrEqual, term) => self.range(var, term)?.max = bound(term),
                _ => return None,
            },
            [
                Op::Value(Term::Variable(var)),
                Op::Unary(Unary::Length),
                Op::Value(Term::Integer(length)),
                Op::Binary(LessOrEqual),
            ] => {
                self.bound_to(names::ARG, var)?.max_len = Some(u32::try_from(*length).ok()?);
            }
            [
                Op::Value(Term::Variable(var)),
                Op::Closure(_, each),
                Op::Binary(All),
            ] => {
                let [
                    Op::Value(Term::Array(elements)),
                    Op::Value(Term::Variable(element)),
                    Op::Binary(Contains),
                ] = each.as_slice()
                else {
                    return None;
                };
                if element != "element" {
                    return None;
                }
                let elements: Option<BTreeSet<Scalar>> = elements.iter().map(scalar).collect();
                self.bound_to(names::ARG, var)?.all_of_in = Some(elements?);
            }
            // Type tests follow from the rest; encoding again tells whether they are the right ones.
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
            ] => {}
            _ => return None,
        }
        Some(())
    }

    /// The argument that `var` is bound to by facts of this name.
    fn bound_to(&mut self, fact: &str, var: &str) -> Option<&mut Constraint> {
        let name = var.strip_prefix(fact)?.strip_prefix(' ')?.to_owned();
        Some(self.argument(&name))
    }

    fn membership(&mut self, var: &str, set: &BTreeSet<Term>) -> Option<()> {
        if var == names::ARGS {
            let listed: Option<BTreeSet<String>> = set.iter().map(as_string).collect();
            self.listed = Some(listed.filter(|names| names.contains(""))?);
            return Some(());
        }
        let fact = if var.starts_with("num ") {
            names::NUM
        } else {
            names::ARG
        };
        self.bound_to(fact, var)?.one_of = Some(list(fact, set.iter())?);
        Some(())
    }

    fn prefix(&mut self, var: &str, prefix: &str) -> Option<()> {
        match var {
            names::ACTION => self.action = Some(Pattern::Prefix(prefix.to_owned())),
            names::RESOURCE => self.resource = Some(Pattern::Prefix(prefix.to_owned())),
            // The empty prefix is the test for strings.
            _ if prefix.is_empty() => {}
            _ => self.bound_to(names::ARG, var)?.prefix = Some(prefix.to_owned()),
        }
        Some(())
    }

    fn exclusion(&mut self, var: &str, term: &Term) -> Option<()> {
        let fact = if var.starts_with("num ") {
            names::NUM
        } else {
            names::ARG
        };
        let one = list(fact, std::iter::once(term))?;
        let constraint = self.bound_to(fact, var)?;
        match (&mut constraint.not_one_of, one) {
            (slot @ None, one) => *slot = Some(one),
            (Some(List::Strings(set)), List::Strings(one)) => set.extend(one),
            (Some(List::Numbers(set)), List::Numbers(one)) => set.extend(one),
            (Some(List::Bools(set)), List::Bools(one)) => set.extend(one),
            _ => return None,
        }
        Some(())
    }

    fn range(&mut self, var: &str, term: &Term) -> Option<&mut Constraint> {
        match term {
            Term::Integer(_) => self.bound_to(names::NUM, var),
            Term::Date(_) => self.bound_to(names::DATE, var),
            _ => None,
        }
    }
}

fn bound(term: &Term) -> Option<Bound> {
    match term {
        Term::Integer(micros) => Some(Bound::Number(Micros(*micros))),
        Term::Date(seconds) => Timestamp::from_unix(*seconds).map(Bound::Date),
        _ => None,
    }
}

fn list<'a>(fact: &str, terms: impl Iterator<Item = &'a Term>) -> Option<List> {
    let values: Option<Vec<Value>> = terms
        .map(|term| match term {
            Term::Integer(micros) if fact == names::NUM => {
                Some(Value::Number(Micros(*micros).into()))
            }
            Term::Str(text) if fact == names::ARG => Some(Value::String(text.clone())),
            Term::Bool(value) if fact == names::ARG => Some(Value::Bool(*value)),
            _ => None,
        })
        .collect();
    List::from_values(&values?).ok()
}

fn exact(term: &Term) -> Option<Value> {
    match term {
        Term::Array(terms) => {
            let items: Option<Vec<Value>> = terms
                .iter()
                .map(|term| scalar(term).map(Value::from))
                .collect();
            Some(Value::Array(items?))
        }
        Term::Integer(value) => Some(Value::Number(Number::from(*value))),
        other => scalar(other).map(Value::from),
    }
}

fn scalar(term: &Term) -> Option<Scalar> {
    match term {
        Term::Null => Some(Scalar::Null),
        Term::Bool(value) => Some(Scalar::Bool(*value)),
        Term::Integer(value) => Some(Scalar::Integer(*value)),
        Term::Str(text) => Some(Scalar::String(text.clone())),
        _ => None,
    }
}

fn as_string(term: &Term) -> Option<String> {
    match term {
        Term::Str(text) => Some(text.clone()),
        _ => None,
    }
}
