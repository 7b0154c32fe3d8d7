//! The cost of evaluating a condition, in steps.

use std::collections::BTreeMap;

use super::{Condition, Test};
use crate::value::{List, Value};

/// Number of bytes that are compared, copied or looked through in one step.
const BYTES: usize = 64;

/// Number of bytes of a container that are walked through in one step, each value counted as at least one.
const BYTES_WALKED: usize = 4;

/// Number of bytes that are folded, normalized or classified by Unicode in one step.
const UNICODE_BYTES: usize = 8;

/// Number of steps for parsing a URL, in addition to its bytes.
const PER_URL: usize = 64;

/// Number of steps for each value, in addition to its bytes.
const PER_VALUE: usize = 4;

impl Test {
    /// Upper bound of the steps that [`Test::evaluate`] takes on these arguments. One step is about as much work as the
    /// comparison of two short values. Finding the bound takes about one step for each value at the path.
    #[must_use]
    pub fn cost(&self, args: &BTreeMap<String, Value>) -> usize {
        let values = self.path.values(args, &self.optional).unwrap_or_default();
        let each = values.iter().map(|value| self.condition.cost_of(value));
        let other = match &self.condition {
            Condition::EqualsSum { of, .. } => {
                let summands = of.values(args, &[]).map_or(0, |summands| summands.len());
                summands.saturating_mul(PER_VALUE)
            }
            Condition::EqualsArg(other) | Condition::DiffersFromArg(other) => {
                let found = other.values(args, &[]).unwrap_or_default();
                found
                    .iter()
                    .map(|value| self.condition.cost_of(value))
                    .fold(0, usize::saturating_add)
            }
            _ => 0,
        };
        let walk = self.path.len().saturating_add(other);
        each.fold(walk, usize::saturating_add)
    }
}

impl Condition {
    fn cost_of(&self, value: &Value) -> usize {
        // A condition on strings does nothing with a value of another type.
        let length = match value {
            Value::String(text) => text.len(),
            _ => 0,
        };
        let steps = match self {
            Condition::Present { .. } | Condition::Number(_) | Condition::Count { .. } => 0,
            Condition::Exact(_) | Condition::EqualsArg(_) => match value {
                Value::String(_) => length / BYTES,
                value => size(value) / BYTES_WALKED,
            },
            Condition::OneOf {
                values,
                ignore_case: true,
            } => {
                let each = (length / BYTES).saturating_add(1);
                values.len().saturating_mul(each)
            }
            Condition::OneOf { values, .. } | Condition::NotOneOf(values) => {
                searched(values, length)
            }
            Condition::Prefix(_) | Condition::Suffix(_) => length / BYTES,
            Condition::MaxLen(_) => elements(value).saturating_mul(PER_VALUE),
            Condition::AllOfIn(set) => {
                // Each element is copied and looked up, and a text is compared with some of the listed ones.
                let lookups = doublings(set.len());
                let each = lookups.saturating_add(PER_VALUE);
                let compared = (size(value) / BYTES).saturating_mul(lookups);
                elements(value)
                    .saturating_mul(each)
                    .saturating_add(compared)
            }
            Condition::Matches(pattern) => match value {
                Value::String(_) => pattern.cost(length),
                _ => 0,
            },
            Condition::Links(Some(_)) => {
                let words = length / 2;
                let parsed = words.saturating_mul(PER_VALUE).saturating_add(PER_URL);
                parsed.saturating_add(length)
            }
            Condition::Url(_) => PER_URL.saturating_add(length / UNICODE_BYTES),
            Condition::Members(names) => elements(value).saturating_mul(doublings(names.len())),
            Condition::Contains(_)
            | Condition::Date { .. }
            | Condition::Decimal(_)
            | Condition::Day { .. }
            | Condition::Instant { .. }
            | Condition::OneLine(_)
            | Condition::Links(None)
            | Condition::Email(_)
            | Condition::Path(_)
            | Condition::Ip(_)
            | Condition::Sum { .. }
            | Condition::EqualsSum { .. }
            | Condition::DiffersFromArg(_) => length / UNICODE_BYTES,
        };
        steps.saturating_add(PER_VALUE)
    }
}

fn searched(list: &List, length: usize) -> usize {
    let each = (length / BYTES).saturating_add(1);
    doublings(list.len()).saturating_mul(each)
}

/// Number of comparisons in a binary search among `count` items.
fn doublings(count: usize) -> usize {
    count.checked_ilog2().unwrap_or(0).saturating_add(1) as usize
}

/// Number of elements of an array, or of members of an object.
fn elements(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 1,
    }
}

/// Bytes of a string, and about as many for another value. Recursion is safe: the depth of values is bounded when they
/// are read.
fn size(value: &Value) -> usize {
    match value {
        Value::Null | Value::Bool(_) => 1,
        Value::Number(_) => 32,
        Value::String(text) => text.len(),
        Value::Array(items) => items
            .iter()
            .map(size)
            .fold(items.len(), usize::saturating_add),
        Value::Object(members) => {
            let members = members
                .iter()
                .map(|(name, value)| name.len().saturating_add(size(value)));
            members.fold(1, usize::saturating_add)
        }
    }
}
