//! Grants -> the bodies of rules and of checks.
//!
//! Plain Datalog 3.0 wherever it can say what a grant means. Two things cannot be said in it:
//! arrays and null as values, and "of this type, else no" (3.0 operators raise on a wrong type, and
//! an error aborts the whole decision). The second matters only where another alternative could
//! allow the same call, so only overlapping alternatives carry a type test and need 3.3.

use std::collections::BTreeSet;

use bailiwick_biscuit::datalog::{Binary, BlockRule, Op, Predicate, Query, Term, Unary};

use super::names;
use crate::{
    claims::MAX_TEXT,
    grant::{Bound, Constraint, Grant, Grants, List, Pattern, top_level},
    value::{Scalar, Value},
};

/// Claims, grants or a caveat do not fit the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatalogError {
    /// A text is empty, too long, or holds control characters.
    #[error("`{field}` must be 1 to {max} bytes long, without control characters")]
    Text {
        /// What the text is.
        field: &'static str,
        /// The most bytes it may have.
        max: usize,
    },
    /// The token would never be valid.
    #[error("the token would end before it begins: `expires` must be after `not_before`")]
    Life,
    /// Too many further claims.
    #[error("more than {0} claims do not fit a token")]
    Claims(usize),
}

/// Where an alternative stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The body of a rule that grants, with its head.
    Rule,
    /// An alternative of a check, whose head means nothing.
    Check,
}

/// One body per grant, in order.
pub(super) fn alternatives(grants: &Grants, form: Form) -> Vec<BlockRule> {
    let typed = |index: usize, grant: &Grant| {
        grants
            .iter()
            .enumerate()
            .any(|(other, candidate)| other != index && overlap(grant, candidate))
    };
    let alternatives = grants.iter().enumerate();
    alternatives
        .map(|(index, grant)| alternative(grant, typed(index, grant), form))
        .collect()
}

fn overlap(a: &Grant, b: &Grant) -> bool {
    let resources = match (&a.resource, &b.resource) {
        (Some(a), Some(b)) => a.overlaps(b),
        _ => true,
    };
    a.service == b.service && a.action.overlaps(&b.action) && resources
}

/// The body of one grant; `typed` where a value of a wrong type must fail and not raise.
pub(super) fn alternative(grant: &Grant, typed: bool, form: Form) -> BlockRule {
    let mut body = Body {
        query: Query::default(),
        typed,
    };
    body.predicate(names::SERVICE, vec![string(&grant.service)]);
    let action = body.pattern(names::ACTION, "x", &grant.action);
    if let Some(resource) = &grant.resource {
        body.pattern(names::RESOURCE, "r", resource);
    }
    if let Some(args) = &grant.args {
        // The empty string is always there, so that the set is never empty.
        let mut listed = BTreeSet::from([string("")]);
        listed.extend(args.keys().map(|name| string(top_level(name))));
        body.predicate(names::ARGS, vec![variable("n")]);
        body.expression(vec![
            value(Term::Set(listed)),
            value(variable("n")),
            Op::Binary(Binary::Contains),
        ]);
        for (index, (name, constraint)) in args.iter().enumerate() {
            body.argument(index, name, constraint);
        }
    }
    let head = match form {
        Form::Rule => Predicate::new(names::GRANT.to_owned(), vec![action]),
        Form::Check => Predicate::new("query".to_owned(), Vec::new()),
    };
    BlockRule {
        head,
        query: body.query,
    }
}

struct Body {
    query: Query,
    typed: bool,
}

impl Body {
    fn predicate(&mut self, name: &str, terms: Vec<Term>) {
        self.query.body.push(Predicate::new(name.to_owned(), terms));
    }

    fn expression(&mut self, ops: Vec<Op>) {
        self.query.expressions.push(ops);
    }

    /// `variable operator term`
    fn test(&mut self, variable: &Term, operator: Binary, term: Term) {
        self.expression(vec![
            value(variable.clone()),
            value(term),
            Op::Binary(operator),
        ]);
    }

    /// Matches the one argument of a fact, and answers the term that stands for it.
    fn pattern(&mut self, name: &str, variable_name: &str, pattern: &Pattern) -> Term {
        match pattern {
            Pattern::Exact(text) => {
                self.predicate(name, vec![string(text)]);
                string(text)
            }
            Pattern::Prefix(prefix) => {
                let term = variable(variable_name);
                self.predicate(name, vec![term.clone()]);
                self.test(&term, Binary::Prefix, string(prefix));
                term
            }
        }
    }

    fn argument(&mut self, index: usize, name: &str, constraint: &Constraint) {
        if let Some(exact) = &constraint.exact {
            self.exact(&variable(&format!("e{index}")), name, exact);
        }
        self.strings_and_arrays(&variable(&format!("a{index}")), name, constraint);
        self.numbers(&variable(&format!("m{index}")), name, constraint);
        self.dates(&variable(&format!("d{index}")), name, constraint);
    }

    /// Scalars are matched by unification, which compares type and value. An array needs Datalog 3.3,
    /// and is compared by `==`: biscuit-auth finds the version to declare by operators, not by arrays.
    fn exact(&mut self, var: &Term, name: &str, exact: &Value) {
        let (fact, term) = match (exact, exact.as_scalar(), exact.as_scalars()) {
            (Value::Number(number), scalar, _) => match (number.micros(), scalar) {
                (Some(micros), _) => (names::NUM, Term::Integer(micros.0)),
                // An integer too large for millionths; anything else was refused by `Grants::new`.
                (None, Some(scalar)) => (names::ARG, scalar_term(&scalar)),
                (None, None) => (names::JSON, string(&exact.to_string())),
            },
            (_, Some(scalar), _) => (names::ARG, scalar_term(&scalar)),
            (_, _, Some(scalars)) => {
                let array = Term::Array(scalars.iter().map(scalar_term).collect());
                self.predicate(names::ARG, vec![string(name), var.clone()]);
                self.test(var, Binary::HeterogeneousEqual, array);
                return;
            }
            _ => (names::JSON, string(&exact.to_string())),
        };
        self.predicate(fact, vec![string(name), term]);
    }

    fn strings_and_arrays(&mut self, var: &Term, name: &str, constraint: &Constraint) {
        let lists = [&constraint.one_of, &constraint.not_one_of];
        let has =
            |wanted: fn(&List) -> bool| lists.iter().any(|list| list.as_ref().is_some_and(wanted));
        let bools = has(|list| matches!(list, List::Bools(_)));
        let texts = [&constraint.prefix, &constraint.suffix, &constraint.contains];
        let strings =
            has(|list| matches!(list, List::Strings(_))) || texts.iter().any(|text| text.is_some());
        let arrays = constraint.all_of_in.is_some();
        if !(strings || bools || arrays || constraint.max_len.is_some()) {
            return;
        }
        self.predicate(names::ARG, vec![string(name), var.clone()]);
        if self.typed {
            self.type_tests(var, strings, bools, arrays);
        } else if constraint.contains.is_some() {
            // Arrays know `contains` too; only strings know a prefix that is a string.
            self.test(var, Binary::Prefix, string(""));
        }
        match &constraint.one_of {
            Some(List::Strings(set)) => {
                self.in_set(var, set.iter().map(|text| string(text)).collect())
            }
            Some(List::Bools(set)) => {
                self.in_set(var, set.iter().map(|value| Term::Bool(*value)).collect())
            }
            _ => {}
        }
        match &constraint.not_one_of {
            Some(List::Strings(set)) => set
                .iter()
                .for_each(|text| self.test(var, Binary::NotEqual, string(text))),
            Some(List::Bools(set)) => set
                .iter()
                .for_each(|value| self.test(var, Binary::NotEqual, Term::Bool(*value))),
            _ => {}
        }
        for (text, operator) in
            texts
                .into_iter()
                .zip([Binary::Prefix, Binary::Suffix, Binary::Contains])
        {
            if let Some(text) = text {
                self.test(var, operator, string(text));
            }
        }
        if let Some(set) = &constraint.all_of_in {
            // A set would raise on a null element, an array does not.
            let elements = Term::Array(set.iter().map(scalar_term).collect());
            let each = vec![
                value(elements),
                value(variable("p")),
                Op::Binary(Binary::Contains),
            ];
            self.expression(vec![
                value(var.clone()),
                Op::Closure(vec!["p".to_owned()], each),
                Op::Binary(Binary::All),
            ]);
        }
        if let Some(length) = constraint.max_len {
            let length = Term::Integer(i64::from(length));
            self.expression(vec![
                value(var.clone()),
                Op::Unary(Unary::Length),
                value(length),
                Op::Binary(Binary::LessOrEqual),
            ]);
        }
    }

    fn type_tests(&mut self, var: &Term, strings: bool, bools: bool, arrays: bool) {
        for (wanted, name) in [(strings, "string"), (bools, "bool"), (arrays, "array")] {
            if wanted {
                self.expression(vec![
                    value(var.clone()),
                    Op::Unary(Unary::TypeOf),
                    value(string(name)),
                    Op::Binary(Binary::Equal),
                ]);
            }
        }
        if !(strings || bools || arrays) {
            let with_length = Term::Set(BTreeSet::from([string("array"), string("string")]));
            self.expression(vec![
                value(with_length),
                value(var.clone()),
                Op::Unary(Unary::TypeOf),
                Op::Binary(Binary::Contains),
            ]);
        }
    }

    fn numbers(&mut self, var: &Term, name: &str, constraint: &Constraint) {
        let bound = |bound: Option<Bound>| match bound {
            Some(Bound::Number(micros)) => Some(Term::Integer(micros.0)),
            _ => None,
        };
        let (min, max) = (bound(constraint.min), bound(constraint.max));
        let list = |list: &Option<List>| match list {
            Some(List::Numbers(set)) => Some(
                set.iter()
                    .map(|micros| Term::Integer(micros.0))
                    .collect::<BTreeSet<_>>(),
            ),
            _ => None,
        };
        let (one_of, not_one_of) = (list(&constraint.one_of), list(&constraint.not_one_of));
        if min.is_none() && max.is_none() && one_of.is_none() && not_one_of.is_none() {
            return;
        }
        self.predicate(names::NUM, vec![string(name), var.clone()]);
        if let Some(set) = one_of {
            self.in_set(var, set);
        }
        for term in not_one_of.into_iter().flatten() {
            self.test(var, Binary::NotEqual, term);
        }
        self.range(var, min, max);
    }

    fn dates(&mut self, var: &Term, name: &str, constraint: &Constraint) {
        let bound = |bound: Option<Bound>| match bound {
            Some(Bound::Date(date)) => Some(Term::Date(date.unix())),
            _ => None,
        };
        let (min, max) = (bound(constraint.min), bound(constraint.max));
        if min.is_none() && max.is_none() {
            return;
        }
        self.predicate(names::DATE, vec![string(name), var.clone()]);
        self.range(var, min, max);
    }

    fn range(&mut self, var: &Term, min: Option<Term>, max: Option<Term>) {
        if let Some(min) = min {
            self.test(var, Binary::GreaterOrEqual, min);
        }
        if let Some(max) = max {
            self.test(var, Binary::LessOrEqual, max);
        }
    }

    fn in_set(&mut self, var: &Term, set: BTreeSet<Term>) {
        self.expression(vec![
            value(Term::Set(set)),
            value(var.clone()),
            Op::Binary(Binary::Contains),
        ]);
    }
}

fn scalar_term(scalar: &Scalar) -> Term {
    match scalar {
        Scalar::Null => Term::Null,
        Scalar::Bool(value) => Term::Bool(*value),
        Scalar::Integer(value) => Term::Integer(*value),
        Scalar::String(text) => string(text),
    }
}

pub(super) fn string(text: &str) -> Term {
    Term::Str(text.to_owned())
}

pub(super) fn variable(name: &str) -> Term {
    Term::Variable(name.to_owned())
}

pub(super) fn value(term: Term) -> Op {
    Op::Value(term)
}

/// A text that is fit for a claim, as a term.
pub(super) fn text(field: &'static str, text: &str) -> Result<Term, DatalogError> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(DatalogError::Text {
            field,
            max: MAX_TEXT,
        });
    }
    Ok(string(text))
}
