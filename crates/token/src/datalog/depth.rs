//! The only form in which a token's Datalog may refer to the token's own depth.

use bailiwick_biscuit::datalog::code::{Binary, Code, Op, Predicate, Query, Symbol, Term};

use super::names;

/// Returns true if the fact `depth` can only make this body false, so that no appended block can make the body
/// true.
///
/// One shape qualifies: `depth($d)` once, `$d <= N` as the last expression, and no other use of the variable,
/// including in the `head` of a rule. The bound must come last because an expression that raises an error
/// denies the call: an earlier bound that fails would hide that error.
#[must_use]
pub fn bounds_depth_from_above(code: &Code, query: &Query, head: Option<&Predicate>) -> bool {
    let body = code.body(query);
    let mut depths = body
        .iter()
        .filter(|predicate| code.text(predicate.name) == names::DEPTH);
    let variable = match (depths.next(), depths.next()) {
        (None, _) => return true,
        (Some(depth), None) => match code.terms(depth.terms) {
            [Term::Variable(name)] => *name,
            _ => return false,
        },
        (Some(_), Some(_)) => return false,
    };
    let expressions: Vec<&[Op]> = code.expressions(query).collect();
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
    let terms = terms.flat_map(|predicate| code.terms(predicate.terms));
    let uses = terms.filter(|term| holds(code, term, variable)).count();
    let mut ops = others.iter().copied().flatten();
    *tested == variable && uses == 1 && !ops.any(|op| speaks_of(code, op, variable))
}

fn speaks_of(code: &Code, op: &Op, variable: Symbol) -> bool {
    match op {
        Op::Value(term) => holds(code, term, variable),
        Op::Closure { params, .. } => code.params(*params).contains(&variable),
        Op::Unary(_) | Op::Binary(_) => false,
    }
}

// Recursion is safe: the depth of containers was bounded when they were read.
fn holds(code: &Code, term: &Term, variable: Symbol) -> bool {
    match term {
        Term::Variable(name) => *name == variable,
        Term::Set(span) | Term::Array(span) | Term::Map(span) => {
            let mut terms = code.terms(*span).iter();
            terms.any(|term| holds(code, term, variable))
        }
        _ => false,
    }
}
