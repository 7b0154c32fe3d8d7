//! Lists of bodies that are, term for term, what this crate writes for grants.
//!
//! Such a list may be decided by its grants instead of its Datalog. What another writer put together is
//! Datalog even where it says the same: its alternatives may raise where those of this crate do not.

use bailiwick_biscuit::datalog::{
    BlockRule, Code, Kind,
    code::{Block, Check, Query},
};

use super::{
    conditions::conditions,
    encode::{Form, alternatives},
};
use crate::grant::{Grant, Grants};

/// The grants for which [`authority_block`](super::authority_block) writes the rules of this authority
/// block: all of them, in this order, with these variables. `None` where it would write others.
#[must_use]
pub fn written_grants(code: &Code, block: &Block) -> Option<Grants> {
    let rules = code.rules(block);
    let (grants, written) = encoded(code, rules.iter().map(|rule| &rule.query), Form::Rule)?;
    let mut pairs = rules.iter().zip(&written);
    pairs
        .all(|(rule, written)| code.is_rule(rule, written))
        .then_some(grants)
}

/// The scope for which [`appended_block`](super::appended_block) writes this check, as
/// [`written_grants`] does for rules.
#[must_use]
pub fn written_scope(code: &Code, check: &Check) -> Option<Grants> {
    if check.kind != Kind::One {
        return None;
    }
    let queries = code.queries(check);
    let (grants, written) = encoded(code, queries.iter(), Form::Check)?;
    let mut pairs = queries.iter().zip(&written);
    pairs
        .all(|(query, written)| code.is_query(query, &written.query))
        .then_some(grants)
}

/// The grants that bodies could be of, and what this crate writes for these.
fn encoded<'q>(
    code: &Code,
    bodies: impl Iterator<Item = &'q Query>,
    form: Form,
) -> Option<(Grants, Vec<BlockRule>)> {
    let grants: Option<Vec<Grant>> = bodies.map(|body| conditions(code, body)).collect();
    let grants = Grants::new(grants?).ok()?;
    let written = alternatives(&grants, form);
    Some((grants, written))
}
