//! The recognizer, which turns the bodies of rules and checks into grants.
//!
//! The [conditions](conditions) of a body give a candidate grant, which is encoded again. The body expresses
//! that grant only if the two bodies are equal up to the names of variables and the order of terms.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::{Binary, Code, Op, Predicate, Query, Term, code};

use super::{conditions::conditions, encode::Alternative, names};
use crate::grant::{Grant, Grants};

/// Returns the grant that a body expresses; `None` if it expresses none.
pub(super) fn grant(code: &Code, query: &code::Query) -> Option<Grant> {
    let candidate = conditions(code, query)?;
    // `Grants::new` checks that the grant is well formed, and gives it its one normal form.
    let checked = Grants::new(vec![candidate.clone()]).ok()?;
    if checked.iter().next() != Some(&candidate) {
        return None;
    }
    let body = renamed(&code.resolve_query(query))?;
    let same = |typed| {
        let written = Alternative::new(&candidate, typed).query();
        renamed(&written).is_some_and(|written| equal(&written, &body))
    };
    (same(false) || same(true)).then_some(candidate)
}

/// Returns true if the bodies are equal as sets. The order of predicates and expressions may differ.
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

/// Renames the variables of a body after the facts that bind them: `action`, `num amount`.
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
    // Other writers match an array by unification, which is equivalent to comparing it by `==`.
    let mut compared = Vec::new();
    let body = query.body.iter().map(|predicate| {
        if let (names::ARG, [Term::Str(name), array @ Term::Array(_)]) =
            (predicate.name.as_str(), predicate.terms.as_slice())
        {
            let bound = Term::Variable(format!("{} {name}", names::ARG));
            compared.push(vec![
                Op::Value(bound.clone()),
                Op::Value(array.clone()),
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
            .map(|name| Term::Variable(name.clone())),
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
                // The only closure of the profile contains no other.
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
