//! Properties of the bodies of rules and checks, found without evaluating them.

use super::{
    code::{Binary, Code, Op, Predicate, Query, Rule, Symbol, Term},
    names,
};

impl Code {
    /// The variables that the predicates of a body bind, sorted.
    #[must_use]
    pub fn bound_variables(&self, query: &Query) -> Vec<Symbol> {
        let terms = self.body(query).iter();
        let terms = terms.flat_map(|predicate| self.terms(predicate.terms));
        let variables = terms.filter_map(|term| match term {
            Term::Variable(name) => Some(*name),
            _ => None,
        });
        let mut variables: Vec<Symbol> = variables.collect();
        variables.sort_unstable();
        variables
    }

    /// The first variable in the head of a rule that its body does not bind, where there is one.
    #[must_use]
    pub fn unbound_in_head(&self, rule: &Rule) -> Option<Symbol> {
        let bound = self.bound_variables(&rule.query);
        let mut terms = self.terms(rule.head.terms).iter();
        terms.find_map(|term| match term {
            Term::Variable(name) if bound.binary_search(name).is_err() => Some(*name),
            _ => None,
        })
    }

    /// Returns whether the fact `depth` can only make this body false, so that no appended block makes
    /// it true.
    ///
    /// One shape does: `depth($d)` once, `$d <= N` as the last expression, and no other use of the
    /// variable, in the `head` of a rule neither. The bound comes last because an expression that
    /// raises denies the call: before it, a bound that fails would hide the error.
    #[must_use]
    pub fn bounds_depth_from_above(&self, query: &Query, head: Option<&Predicate>) -> bool {
        let body = self.body(query);
        let mut depths = body
            .iter()
            .filter(|predicate| self.text(predicate.name) == names::DEPTH);
        let variable = match (depths.next(), depths.next()) {
            (None, _) => return true,
            (Some(depth), None) => match self.terms(depth.terms) {
                [Term::Variable(name)] => *name,
                _ => return false,
            },
            (Some(_), Some(_)) => return false,
        };
        let expressions: Vec<&[Op]> = self.expressions(query).collect();
        let Some((
            [
                Op::Value(Term::Variable(tested)),
                Op::Value(Term::Integer(_)),
                Op::Binary(Binary::LessOrEqual),
            ],
            others,
        )) = expressions.split_last()
        else {
            return false;
        };
        let terms = body.iter().chain(head);
        let terms = terms.flat_map(|predicate| self.terms(predicate.terms));
        let uses = terms.filter(|term| self.holds(term, variable)).count();
        let mut ops = others.iter().copied().flatten();
        *tested == variable && uses == 1 && !ops.any(|op| self.speaks_of(op, variable))
    }

    fn speaks_of(&self, op: &Op, variable: Symbol) -> bool {
        match op {
            Op::Value(term) => self.holds(term, variable),
            Op::Closure { params, .. } => self.params(*params).contains(&variable),
            Op::Unary(_) | Op::Binary(_) => false,
        }
    }

    // Recursion is safe: the depth of containers was bounded when they were read.
    fn holds(&self, term: &Term, variable: Symbol) -> bool {
        match term {
            Term::Variable(name) => *name == variable,
            Term::Set(span) | Term::Array(span) | Term::Map(span) => {
                let mut terms = self.terms(*span).iter();
                terms.any(|term| self.holds(term, variable))
            }
            _ => false,
        }
    }
}
