//! Checks: a holder's caveat as a block, and what a check of any block means.

use biscuit_auth::builder::{Binary, BlockBuilder, Op, Predicate, Term};

use super::{
    BlockCheck, BlockRule, DatalogError, Kind, Query,
    authority::text,
    check,
    encode::{Form, alternatives, value, variable},
    fact, names, recognize,
};
use crate::{attenuate::Caveat, grant::Grant, timestamp::Timestamp};

/// What a check means in the terms of the profile.
#[derive(Debug, Clone, PartialEq)]
pub enum CheckMeaning {
    /// From this second on.
    NotBefore(Timestamp),
    /// Until before this second.
    Expires(Timestamp),
    /// At most so many appended blocks.
    MaxDepth(u32),
    /// A scope: a call must be inside one of these grants.
    Scope(Vec<Grant>),
    /// A check that is legal and that the profile has no words for.
    Datalog,
}

/// What `check` means.
#[must_use]
pub fn meaning(check: &BlockCheck) -> CheckMeaning {
    if check.kind != Kind::One {
        return CheckMeaning::Datalog;
    }
    if let Some(limit) = limit(check) {
        return limit;
    }
    let grants: Option<Vec<Grant>> = check.queries.iter().map(recognize::grant).collect();
    match grants {
        Some(grants) if !grants.is_empty() => CheckMeaning::Scope(grants),
        _ => CheckMeaning::Datalog,
    }
}

/// Whether the check is a limit in time or depth: cheaper to tell than what it means.
pub(crate) fn is_limit(check: &BlockCheck) -> bool {
    limit(check).is_some()
}

fn limit(check: &BlockCheck) -> Option<CheckMeaning> {
    match check.queries.as_slice() {
        [query] if check.kind == Kind::One => single_bound(query),
        _ => None,
    }
}

/// `time($t), $t < date` and its like.
fn single_bound(query: &Query) -> Option<CheckMeaning> {
    let ([predicate], [ops], []) = (
        query.body.as_slice(),
        query.expressions.as_slice(),
        query.scopes.as_slice(),
    ) else {
        return None;
    };
    let [Term::Variable(bound)] = predicate.terms.as_slice() else {
        return None;
    };
    let [
        Op::Value(Term::Variable(tested)),
        Op::Value(limit),
        Op::Binary(operator),
    ] = ops.as_slice()
    else {
        return None;
    };
    if bound != tested {
        return None;
    }
    match (predicate.name.as_str(), operator, limit) {
        (names::TIME, Binary::GreaterOrEqual, Term::Date(date)) => {
            Timestamp::from_unix(*date).map(CheckMeaning::NotBefore)
        }
        (names::TIME, Binary::LessThan, Term::Date(date)) => {
            Timestamp::from_unix(*date).map(CheckMeaning::Expires)
        }
        // As other tools write an end: the last second of life.
        (names::TIME, Binary::LessOrEqual, Term::Date(date)) => {
            Timestamp::from_unix(date.checked_add(1)?).map(CheckMeaning::Expires)
        }
        (names::DEPTH, Binary::LessOrEqual, Term::Integer(depth)) => {
            u32::try_from(*depth).ok().map(CheckMeaning::MaxDepth)
        }
        _ => None,
    }
}

pub(super) fn encode(caveat: &Caveat) -> Result<BlockBuilder, DatalogError> {
    let mut block = BlockBuilder::new();
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
        let queries = alternatives(scope, Form::Check)
            .into_iter()
            .map(|rule| rule.query);
        block.checks.push(check(queries.collect()));
    }
    if let Some(expires) = caveat.expires {
        block.checks.push(check(vec![expiry(expires)]));
    }
    Ok(block)
}

pub(super) fn expiry(expires: Timestamp) -> Query {
    bounded(names::TIME, Binary::LessThan, Term::Date(expires.unix()))
}

pub(super) fn not_before(start: Timestamp) -> Query {
    bounded(
        names::TIME,
        Binary::GreaterOrEqual,
        Term::Date(start.unix()),
    )
}

pub(super) fn max_depth(depth: u32) -> Query {
    bounded(
        names::DEPTH,
        Binary::LessOrEqual,
        Term::Integer(i64::from(depth)),
    )
}

fn bounded(fact: &str, operator: Binary, limit: Term) -> Query {
    Query {
        body: vec![Predicate::new(fact.to_owned(), vec![variable("t")])],
        expressions: vec![vec![
            value(variable("t")),
            value(limit),
            Op::Binary(operator),
        ]],
        scopes: Vec::new(),
    }
}

/// The grant that a rule of an authority block writes, where it is one.
pub(super) fn granted(rule: &BlockRule) -> Option<Grant> {
    let grant = recognize::grant(&rule.query)?;
    let head_fits = match (rule.head.terms.as_slice(), &grant.action) {
        ([Term::Str(action)], crate::grant::Pattern::Exact(granted)) => action == granted,
        // The head must grant the action that the body matches, and not another variable of it.
        ([Term::Variable(head)], crate::grant::Pattern::Prefix(_)) => {
            let of_action = |predicate: &&Predicate| predicate.name == names::ACTION;
            let bound = rule
                .query
                .body
                .iter()
                .find(of_action)
                .and_then(|predicate| predicate.terms.first());
            bound == Some(&variable(head))
        }
        _ => false,
    };
    (rule.head.name == names::GRANT && head_fits).then_some(grant)
}
