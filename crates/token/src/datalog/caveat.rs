//! Conversion of a holder's caveat to a block, and the meaning of a check in any block.

use bailiwick_biscuit::datalog::{
    self, Block, Kind, Query,
    code::{Binary, Check, Code, Op, Rule, Term},
};

use super::{
    DatalogError, check,
    encode::{queries, text},
    fact, names, recognize,
    sink::{self, Sink, Variable},
    tree::Tree,
};
use crate::{
    caveat::Caveat,
    grant::{Grant, Pattern},
    timestamp::Timestamp,
};

/// The meaning of a check in the terms of the profile.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckMeaning {
    /// Valid from this second on.
    NotBefore(Timestamp),
    /// Valid until just before this second.
    Expires(Timestamp),
    /// Maximum number of appended blocks.
    MaxDepth(u32),
    /// A scope: one of these grants must allow the call.
    Scope(Vec<Grant>),
    /// A valid check that the profile cannot express.
    Datalog,
}

/// A limit on time or depth, set by a check with one alternative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidityLimit {
    /// Valid from this second on.
    NotBefore(Timestamp),
    /// Valid until just before this second.
    Expires(Timestamp),
    /// Maximum number of appended blocks.
    MaxDepth(u32),
}

/// Returns the meaning of a check.
#[must_use]
pub fn meaning(code: &Code, check: &Check) -> CheckMeaning {
    match limit(code, check) {
        Some(ValidityLimit::NotBefore(time)) => return CheckMeaning::NotBefore(time),
        Some(ValidityLimit::Expires(time)) => return CheckMeaning::Expires(time),
        Some(ValidityLimit::MaxDepth(depth)) => return CheckMeaning::MaxDepth(depth),
        None if check.kind != Kind::One => return CheckMeaning::Datalog,
        None => {}
    }
    let queries = code.queries(check).iter();
    let grants: Option<Vec<Grant>> = queries.map(|query| recognize::grant(code, query)).collect();
    match grants {
        Some(grants) if !grants.is_empty() => CheckMeaning::Scope(grants),
        _ => CheckMeaning::Datalog,
    }
}

/// Returns the limit on time or depth that a check sets, such as `time($t), $t < date`; `None` for any other
/// check. This is cheaper than [`meaning`].
#[must_use]
pub fn limit(code: &Code, check: &Check) -> Option<ValidityLimit> {
    let [query] = code.queries(check) else {
        return None;
    };
    let mut expressions = code.expressions(query);
    let (Kind::One, [predicate], Some(ops), None, []) = (
        check.kind,
        code.body(query),
        expressions.next(),
        expressions.next(),
        code.scopes(query),
    ) else {
        return None;
    };
    let (
        [Term::Variable(bound)],
        [
            Op::Value(Term::Variable(tested)),
            Op::Value(limit),
            operator,
        ],
    ) = (code.terms(predicate.terms), ops)
    else {
        return None;
    };
    if bound != tested {
        return None;
    }
    match (code.text(predicate.name), operator, limit) {
        (names::TIME, Op::Binary(Binary::GreaterOrEqual), Term::Date(date)) => {
            Timestamp::from_unix(*date).map(ValidityLimit::NotBefore)
        }
        (names::TIME, Op::Binary(Binary::LessThan), Term::Date(date)) => {
            Timestamp::from_unix(*date).map(ValidityLimit::Expires)
        }
        // Other tools write the last valid second instead of the expiry.
        (names::TIME, Op::Binary(Binary::LessOrEqual), Term::Date(date)) => {
            Timestamp::from_unix(date.checked_add(1)?).map(ValidityLimit::Expires)
        }
        (names::DEPTH, Op::Binary(Binary::LessOrEqual), Term::Integer(depth)) => {
            u32::try_from(*depth).ok().map(ValidityLimit::MaxDepth)
        }
        _ => None,
    }
}

/// Maximum number of appended blocks, according to the checks of all blocks; `None` if no check limits it.
#[must_use]
pub fn max_depth(code: &Code) -> Option<u32> {
    let checks = code.blocks.iter().flat_map(|block| code.checks(block));
    let limits = checks.filter_map(|check| match limit(code, check) {
        Some(ValidityLimit::MaxDepth(depth)) => Some(depth),
        _ => None,
    });
    limits.min()
}

/// Returns the grant that a rule of an authority block expresses; `None` if it expresses none.
#[must_use]
pub fn grant(code: &Code, rule: &Rule) -> Option<Grant> {
    let grant = recognize::grant(code, &rule.query)?;
    let head_fits = match (code.terms(rule.head.terms), &grant.action) {
        ([Term::Str(action)], Pattern::Exact(granted)) => code.text(*action) == granted,
        // The head must grant the variable that matches the action in the body, and not another variable.
        ([head @ Term::Variable(_)], Pattern::Prefix(_)) => {
            let mut body = code.body(&rule.query).iter();
            let matched = body.find(|predicate| code.text(predicate.name) == names::ACTION);
            matched.is_some_and(|action| code.terms(action.terms).first() == Some(head))
        }
        _ => false,
    };
    (code.text(rule.head.name) == names::GRANT && head_fits).then_some(grant)
}

pub(super) fn encode(caveat: &Caveat) -> Result<Block, DatalogError> {
    let mut block = Block::default();
    if let Some(delegate) = &caveat.delegate {
        block
            .facts
            .push(fact(names::DELEGATE, vec![text("delegate", delegate)?]));
    }
    if let Some(task) = &caveat.task {
        block
            .facts
            .push(fact(names::TASK, vec![text("task", task)?]));
    }
    if let Some(scope) = &caveat.scope {
        block.checks.push(check(queries(scope)));
    }
    if let Some(expires) = caveat.expires {
        block.checks.push(check(vec![expiry(expires)]));
    }
    Ok(block)
}

pub(super) fn expiry(expires: Timestamp) -> Query {
    let limit = sink::Term::Date(expires.unix());
    bounded(names::TIME, datalog::Binary::LessThan, limit)
}

pub(super) fn not_before(start: Timestamp) -> Query {
    let limit = sink::Term::Date(start.unix());
    bounded(names::TIME, datalog::Binary::GreaterOrEqual, limit)
}

pub(super) fn depth_at_most(depth: u32) -> Query {
    let limit = sink::Term::Integer(i64::from(depth));
    bounded(names::DEPTH, datalog::Binary::LessOrEqual, limit)
}

fn bounded(fact: &str, operator: datalog::Binary, limit: sink::Term<'_>) -> Query {
    let variable = sink::Term::Variable(Variable("t", None));
    Tree::of(|tree| {
        tree.predicate(fact, &[variable])?;
        tree.expression(&[
            sink::Op::Value(variable),
            sink::Op::Value(limit),
            sink::Op::Binary(operator),
        ])
    })
}
