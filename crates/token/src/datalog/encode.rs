//! The encoder, which turns grants into the bodies of rules and checks.
//!
//! It writes plain Datalog 3.0 wherever that can express a grant. Two things need newer Datalog: arrays and
//! null as values, and tests that are false for a value of another type. (In 3.0, a wrong type is an error,
//! which aborts the whole decision.) Type tests matter only if another alternative could allow the same call,
//! so only overlapping alternatives have them and need 3.3.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::{self, Binary, BlockRule, Query, Unary};

use super::{
    names,
    sink::{Op, Sink, Term, Variable},
    tree::{self, Tree},
};
use crate::{
    claims::MAX_TEXT,
    grant::{Bound, Constraint, Grant, Grants, List, Pattern, optional_parts, top_level},
    value::{Scalar, Value},
};

/// The reason why claims, grants or a caveat do not fit the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DatalogError {
    /// A text is empty, too long, or contains control characters.
    #[error("`{field}` is not valid; give 1 to {max} bytes without control characters")]
    Text {
        /// The name of the field with the text.
        field: &'static str,
        /// Maximum length, in bytes.
        max: usize,
    },
    /// The token would never be valid.
    #[error("`expires` is not later than `not_before`; set a later one")]
    Life,
    /// There are too many further claims.
    #[error("the token has more than {0} claims; leave some out")]
    Claims(usize),
}

/// A grant of a list, to be written as the body of a rule or as one alternative of a check.
#[derive(Clone, Copy)]
pub(super) struct Alternative<'g> {
    grant: &'g Grant,
    /// True if a value of a wrong type must make the body false rather than raise an error.
    typed: bool,
}

/// The rules that express grants, one per grant, in order.
pub(super) fn rules(grants: &Grants) -> Vec<BlockRule> {
    let rules = alternatives(grants).map(|alternative| {
        let (head, action) = alternative.head();
        BlockRule {
            head: tree::predicate(head, &[action]),
            query: alternative.query(),
        }
    });
    rules.collect()
}

/// The alternatives of a check, one per grant, in order.
pub(super) fn queries(grants: &Grants) -> Vec<Query> {
    let alternatives = alternatives(grants);
    alternatives.map(Alternative::query).collect()
}

/// Returns the grants in order. Each grant that overlaps with another is written with type tests.
pub(super) fn alternatives(grants: &Grants) -> impl Iterator<Item = Alternative<'_>> {
    grants.iter().enumerate().map(|(index, grant)| {
        let mut others = grants.iter().enumerate();
        let typed = others.any(|(other, candidate)| other != index && overlap(grant, candidate));
        Alternative { grant, typed }
    })
}

fn overlap(a: &Grant, b: &Grant) -> bool {
    let resources = match (&a.resource, &b.resource) {
        (Some(a), Some(b)) => a.overlaps(b),
        _ => true,
    };
    a.service == b.service && a.action.overlaps(&b.action) && resources
}

impl<'g> Alternative<'g> {
    /// Makes an alternative, with type tests or without.
    pub(super) fn new(grant: &'g Grant, typed: bool) -> Alternative<'g> {
        Alternative { grant, typed }
    }

    /// The head of the rule that expresses the grant: the predicate's name and the action.
    pub(super) fn head(self) -> (&'static str, Term<'g>) {
        let action = match &self.grant.action {
            Pattern::Exact(action) => Term::Str(action),
            Pattern::Prefix(_) => Term::Variable(ACTION),
        };
        (names::GRANT, action)
    }

    /// Builds the body as a syntax tree.
    pub(super) fn query(self) -> Query {
        Tree::of(|tree| self.write(tree))
    }

    /// Writes the body to `sink`.
    pub(super) fn write<S: Sink>(self, sink: &mut S) -> Result<(), S::Stop> {
        let Alternative { grant, typed } = self;
        let mut body = Body { sink, typed };
        body.predicate(names::SERVICE, &[Term::Str(&grant.service)])?;
        body.pattern(names::ACTION, ACTION, &grant.action)?;
        if let Some(resource) = &grant.resource {
            body.pattern(names::RESOURCE, Variable("r", None), resource)?;
        }
        if let Some(window) = &grant.when {
            body.predicate(names::DURING, &[Term::Str(&window.text())])?;
        }
        if let Some(args) = &grant.args {
            body.names(args)?;
            for (index, (name, constraint)) in args.iter().enumerate() {
                body.argument(index, name, constraint)?;
                body.meets(args, name, constraint)?;
            }
        }
        Ok(())
    }
}

/// The variable for the action of a call, if a grant names a prefix.
const ACTION: Variable = Variable("x", None);

struct Body<'s, S> {
    sink: &'s mut S,
    typed: bool,
}

impl<S: Sink> Body<'_, S> {
    fn predicate(&mut self, name: &str, terms: &[Term<'_>]) -> Result<(), S::Stop> {
        self.sink.predicate(name, terms)
    }

    fn expression(&mut self, ops: &[Op<'_>]) -> Result<(), S::Stop> {
        self.sink.expression(ops)
    }

    /// Writes the expression `variable operator term`.
    fn test(&mut self, tested: Variable, operator: Binary, term: Term<'_>) -> Result<(), S::Stop> {
        let variable = Op::Value(Term::Variable(tested));
        self.expression(&[variable, Op::Value(term), Op::Binary(operator)])
    }

    /// Writes the expression `{terms}.contains(variable)`.
    fn in_set<'t>(
        &mut self,
        tested: Variable,
        terms: impl Iterator<Item = Term<'t>>,
    ) -> Result<(), S::Stop> {
        let terms: Vec<Term<'_>> = terms.collect();
        self.expression(&[
            Op::Value(Term::Set(&terms)),
            Op::Value(Term::Variable(tested)),
            Op::Binary(Binary::Contains),
        ])
    }

    /// Matches the only term of a fact.
    fn pattern(
        &mut self,
        name: &str,
        variable: Variable,
        pattern: &Pattern,
    ) -> Result<(), S::Stop> {
        match pattern {
            Pattern::Exact(text) => self.predicate(name, &[Term::Str(text)]),
            Pattern::Prefix(prefix) => {
                self.predicate(name, &[Term::Variable(variable)])?;
                self.test(variable, Binary::Prefix, Term::Str(prefix))
            }
        }
    }

    /// Closes the arguments: a call may have no arguments but these.
    fn names(&mut self, args: &BTreeMap<String, Constraint>) -> Result<(), S::Stop> {
        // The empty string is always included, so the set is never empty.
        let mut listed = vec![""];
        listed.extend(args.keys().map(|name| top_level(name)));
        listed.sort_unstable();
        listed.dedup();
        let variable = Variable("n", None);
        self.predicate(names::ARGS, &[Term::Variable(variable)])?;
        self.in_set(variable, listed.into_iter().map(Term::Str))
    }

    fn argument(
        &mut self,
        index: usize,
        name: &str,
        constraint: &Constraint,
    ) -> Result<(), S::Stop> {
        let variable = |letter| Variable(letter, Some(index));
        if let Some(exact) = &constraint.exact {
            self.exact(variable("e"), name, exact)?;
        }
        self.strings_and_arrays(variable("a"), name, constraint)?;
        self.numbers(variable("m"), name, constraint)?;
        self.dates(variable("d"), name, constraint)
    }

    /// Requires the conditions that plain Datalog cannot express, one fact each.
    fn meets(
        &mut self,
        args: &BTreeMap<String, Constraint>,
        name: &str,
        constraint: &Constraint,
    ) -> Result<(), S::Stop> {
        let Some(meets) = &constraint.meets else {
            return Ok(());
        };
        let optional = optional_parts(args, name);
        for condition in &meets.conditions {
            let text = condition.text(&optional);
            self.predicate(names::MEETS, &[Term::Str(name), Term::Str(&text)])?;
        }
        Ok(())
    }

    /// Requires an exact value. Scalars are matched by unification, which compares type and value. An array needs
    /// Datalog 3.3 and is compared by `==`: biscuit-auth derives the version to declare from operators, not arrays.
    fn exact(&mut self, var: Variable, name: &str, exact: &Value) -> Result<(), S::Stop> {
        let name = Term::Str(name);
        match (exact, exact.as_scalar(), exact.as_scalars()) {
            (Value::Number(number), scalar, _) => match (number.micros(), scalar) {
                (Some(micros), _) => self.predicate(names::NUM, &[name, Term::Integer(micros.0)]),
                // An integer too large for millionths; anything else was refused by `Grants::new`.
                (None, Some(scalar)) => self.predicate(names::ARG, &[name, scalar_term(&scalar)]),
                (None, None) => self.json(name, exact),
            },
            (_, Some(scalar), _) => self.predicate(names::ARG, &[name, scalar_term(&scalar)]),
            (_, _, Some(scalars)) => {
                let elements: Vec<Term<'_>> = scalars.iter().map(scalar_term).collect();
                self.predicate(names::ARG, &[name, Term::Variable(var)])?;
                self.test(var, Binary::HeterogeneousEqual, Term::Array(&elements))
            }
            _ => self.json(name, exact),
        }
    }

    /// Matches the canonical text of a value that no Datalog term can represent.
    fn json(&mut self, name: Term<'_>, exact: &Value) -> Result<(), S::Stop> {
        self.predicate(names::JSON, &[name, Term::Str(&exact.to_string())])
    }

    fn strings_and_arrays(
        &mut self,
        var: Variable,
        name: &str,
        constraint: &Constraint,
    ) -> Result<(), S::Stop> {
        let lists = [&constraint.one_of, &constraint.not_one_of];
        let has =
            |wanted: fn(&List) -> bool| lists.iter().any(|list| list.as_ref().is_some_and(wanted));
        let bools = has(|list| matches!(list, List::Bools(_)));
        let texts = [&constraint.prefix, &constraint.suffix, &constraint.contains];
        let strings =
            has(|list| matches!(list, List::Strings(_))) || texts.iter().any(|text| text.is_some());
        let arrays = constraint.all_of_in.is_some();
        if !(strings || bools || arrays || constraint.max_len.is_some()) {
            return Ok(());
        }
        self.predicate(names::ARG, &[Term::Str(name), Term::Variable(var)])?;
        if self.typed {
            self.type_tests(var, strings, bools, arrays)?;
        } else if constraint.contains.is_some() {
            // Arrays have `contains` too; only strings have a prefix that is a string.
            self.test(var, Binary::Prefix, Term::Str(""))?;
        }
        match &constraint.one_of {
            Some(List::Strings(set)) => self.in_set(var, set.iter().map(|text| Term::Str(text)))?,
            Some(List::Bools(set)) => self.in_set(var, set.iter().copied().map(Term::Bool))?,
            _ => {}
        }
        match &constraint.not_one_of {
            Some(List::Strings(set)) => {
                self.none_of(var, set.iter().map(|text| Term::Str(text)))?;
            }
            Some(List::Bools(set)) => self.none_of(var, set.iter().copied().map(Term::Bool))?,
            _ => {}
        }
        for (text, operator) in
            texts
                .into_iter()
                .zip([Binary::Prefix, Binary::Suffix, Binary::Contains])
        {
            if let Some(text) = text {
                self.test(var, operator, Term::Str(text))?;
            }
        }
        if let Some(set) = &constraint.all_of_in {
            // A set would raise an error on a null element; an array does not.
            let elements: Vec<Term<'_>> = set.iter().map(scalar_term).collect();
            let element = Variable("p", None);
            let each = [
                Op::Value(Term::Array(&elements)),
                Op::Value(Term::Variable(element)),
                Op::Binary(Binary::Contains),
            ];
            self.expression(&[
                Op::Value(Term::Variable(var)),
                Op::Closure(element, &each),
                Op::Binary(Binary::All),
            ])?;
        }
        match constraint.max_len {
            None => Ok(()),
            Some(length) => self.expression(&[
                Op::Value(Term::Variable(var)),
                Op::Unary(Unary::Length),
                Op::Value(Term::Integer(i64::from(length))),
                Op::Binary(Binary::LessOrEqual),
            ]),
        }
    }

    fn type_tests(
        &mut self,
        var: Variable,
        strings: bool,
        bools: bool,
        arrays: bool,
    ) -> Result<(), S::Stop> {
        for (wanted, name) in [(strings, "string"), (bools, "bool"), (arrays, "array")] {
            if wanted {
                self.expression(&[
                    Op::Value(Term::Variable(var)),
                    Op::Unary(Unary::TypeOf),
                    Op::Value(Term::Str(name)),
                    Op::Binary(Binary::Equal),
                ])?;
            }
        }
        if strings || bools || arrays {
            return Ok(());
        }
        let with_length = [Term::Str("array"), Term::Str("string")];
        self.expression(&[
            Op::Value(Term::Set(&with_length)),
            Op::Value(Term::Variable(var)),
            Op::Unary(Unary::TypeOf),
            Op::Binary(Binary::Contains),
        ])
    }

    fn numbers(
        &mut self,
        var: Variable,
        name: &str,
        constraint: &Constraint,
    ) -> Result<(), S::Stop> {
        let bound = |bound: Option<Bound>| match bound {
            Some(Bound::Number(micros)) => Some(Term::Integer(micros.0)),
            _ => None,
        };
        let (min, max) = (bound(constraint.min), bound(constraint.max));
        fn list(list: &Option<List>) -> Option<impl Iterator<Item = Term<'static>>> {
            match list {
                Some(List::Numbers(set)) => Some(set.iter().map(|micros| Term::Integer(micros.0))),
                _ => None,
            }
        }
        let (one_of, not_one_of) = (list(&constraint.one_of), list(&constraint.not_one_of));
        if min.is_none() && max.is_none() && one_of.is_none() && not_one_of.is_none() {
            return Ok(());
        }
        self.predicate(names::NUM, &[Term::Str(name), Term::Variable(var)])?;
        if let Some(set) = one_of {
            self.in_set(var, set)?;
        }
        self.none_of(var, not_one_of.into_iter().flatten())?;
        self.range(var, min, max)
    }

    fn dates(&mut self, var: Variable, name: &str, constraint: &Constraint) -> Result<(), S::Stop> {
        let bound = |bound: Option<Bound>| match bound {
            Some(Bound::Date(date)) => Some(Term::Date(date.unix())),
            _ => None,
        };
        let (min, max) = (bound(constraint.min), bound(constraint.max));
        if min.is_none() && max.is_none() {
            return Ok(());
        }
        self.predicate(names::DATE, &[Term::Str(name), Term::Variable(var)])?;
        self.range(var, min, max)
    }

    fn range(
        &mut self,
        var: Variable,
        min: Option<Term<'_>>,
        max: Option<Term<'_>>,
    ) -> Result<(), S::Stop> {
        if let Some(min) = min {
            self.test(var, Binary::GreaterOrEqual, min)?;
        }
        if let Some(max) = max {
            self.test(var, Binary::LessOrEqual, max)?;
        }
        Ok(())
    }

    fn none_of<'t>(
        &mut self,
        var: Variable,
        mut terms: impl Iterator<Item = Term<'t>>,
    ) -> Result<(), S::Stop> {
        terms.try_for_each(|term| self.test(var, Binary::NotEqual, term))
    }
}

fn scalar_term(scalar: &Scalar) -> Term<'_> {
    match scalar {
        Scalar::Null => Term::Null,
        Scalar::Bool(value) => Term::Bool(*value),
        Scalar::Integer(value) => Term::Integer(*value),
        Scalar::String(text) => Term::Str(text),
    }
}

/// Checks that a text is fit for a claim, and returns it as a term.
pub(super) fn text(field: &'static str, text: &str) -> Result<datalog::Term, DatalogError> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(DatalogError::Text {
            field,
            max: MAX_TEXT,
        });
    }
    Ok(datalog::Term::Str(text.to_owned()))
}
