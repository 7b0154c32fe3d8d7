//! The comparison of one argument with one requirement.

use bailiwick_token::{
    grant::Bound,
    value::{Scalar, Value},
};

use super::{
    alternative::{Requirement, Set},
    steps::{Spent, Steps},
};
use crate::call::Stated;

/// The way in which an argument fails a requirement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The value's type is not the expected type given here.
    Type(&'static str),
    /// The value is a number that is not a whole number of millionths.
    Unrepresentable,
    /// The value has the right type, but is not one of the values needed.
    Value,
}

/// Number of steps for reading an element of an array as a scalar, once for each argument.
const PER_SCALAR: usize = 2;
/// Number of steps for reading a number, and for reading a date-time.
const PER_NUMBER: usize = 4;
const PER_DATE: usize = 16;
/// Number of bytes of a string that one step pays for, when two strings are compared.
const BYTES_COMPARED: usize = 64;

const SCALARS: &str = "an array of strings, booleans and integers";

impl Requirement {
    /// Number of steps that comparing an argument with this requirement takes, apart from steps charged during
    /// the comparison.
    ///
    /// Comparing a value with one string of the token costs no steps of its own: [`TokenLimits`] bounds the
    /// total bytes of these strings, and each is compared once.
    ///
    /// [`TokenLimits`]: bailiwick_token::limits::TokenLimits::resolved_bytes
    pub(super) fn steps(&self, stated: &Stated<'_>) -> usize {
        let unread = match stated.value {
            Value::Array(items) if !stated.scalars_are_read() => {
                items.len().saturating_mul(PER_SCALAR)
            }
            _ => 0,
        };
        match self {
            Requirement::Exact(exact) => (exact.size as usize).saturating_add(PER_NUMBER),
            Requirement::OneOf(set) | Requirement::NotOneOf(set) => {
                doublings(set.len()).saturating_add(PER_NUMBER)
            }
            Requirement::Min(Bound::Number(_)) | Requirement::Max(Bound::Number(_)) => PER_NUMBER,
            Requirement::Min(Bound::Date(_)) | Requirement::Max(Bound::Date(_)) => PER_DATE,
            // A search is charged further as it proceeds.
            Requirement::Prefix(_) | Requirement::Suffix(_) | Requirement::Contains(_) => 1,
            // So is a walk through an array.
            Requirement::AllOfIn(_) | Requirement::MaxLen(_) => unread.saturating_add(1),
        }
    }

    /// Returns the way in which the argument fails this requirement; `None` if it meets the requirement.
    pub(super) fn fault(
        &self,
        stated: &Stated<'_>,
        steps: &mut Steps,
    ) -> Result<Option<Fault>, Spent> {
        Ok(match self {
            Requirement::Exact(exact) => not_exactly(&exact.value, stated),
            Requirement::OneOf(set) => not_member(set, stated, true),
            Requirement::NotOneOf(set) => not_member(set, stated, false),
            Requirement::Min(bound) => out_of_bound(*bound, stated, |found, bound| found >= bound),
            Requirement::Max(bound) => out_of_bound(*bound, stated, |found, bound| found <= bound),
            Requirement::Prefix(text) => {
                not_text(stated, |found| Ok(found.starts_with(text.as_ref())))?
            }
            Requirement::Suffix(text) => {
                not_text(stated, |found| Ok(found.ends_with(text.as_ref())))?
            }
            Requirement::Contains(text) => not_text(stated, |found| steps.contains(found, text))?,
            Requirement::AllOfIn(set) => match stated.scalars() {
                None => Some(Fault::Type(SCALARS)),
                Some(items) => not_all_listed(set, items, steps)?,
            },
            Requirement::MaxLen(limit) => match length(stated) {
                None => Some(Fault::Type(
                    "a string, or an array of strings, booleans and integers",
                )),
                Some(found) => (found > *limit as usize).then_some(Fault::Value),
            },
        })
    }
}

/// Number of comparisons in a binary search among `count` items.
fn doublings(count: usize) -> usize {
    count.checked_ilog2().unwrap_or(0).saturating_add(1) as usize
}

/// Length of a string in bytes, or of an array of scalars in elements.
pub(super) fn length(stated: &Stated<'_>) -> Option<usize> {
    match stated.text() {
        Some(text) => Some(text.len()),
        None => stated.scalars().map(<[Scalar]>::len),
    }
}

fn not_exactly(wanted: &Value, stated: &Stated<'_>) -> Option<Fault> {
    match wanted {
        Value::Number(number) => match (number.micros(), stated.value) {
            (Some(micros), Value::Number(_)) if stated.num() == Some(micros) => None,
            // Integers beyond the range of millionths are still exact as integers.
            (None, Value::Number(found))
                if number.integer().is_some() && found.integer() == number.integer() =>
            {
                None
            }
            (_, Value::Number(found)) if stated.num().is_none() && found.integer().is_none() => {
                Some(Fault::Unrepresentable)
            }
            (_, Value::Number(_)) => Some(Fault::Value),
            _ => Some(Fault::Type("a number")),
        },
        _ if std::mem::discriminant(wanted) != std::mem::discriminant(stated.value) => {
            Some(Fault::Type(wanted.kind()))
        }
        // Equal values are stated as the same fact, so comparing values is comparing facts.
        _ => (wanted != stated.value).then_some(Fault::Value),
    }
}

fn not_member(set: &Set, stated: &Stated<'_>, inside: bool) -> Option<Fault> {
    let holds = match (set, stated.value) {
        (Set::Strings(set), Value::String(text)) => {
            set.binary_search_by(|one| one.as_ref().cmp(text)).is_ok()
        }
        (Set::Bools(set), Value::Bool(value)) => set.contains(value),
        (Set::Numbers(set), Value::Number(_)) => match stated.num() {
            Some(micros) => set.binary_search(&micros).is_ok(),
            // Also for `not_one_of`: a number without an exact value in millionths must not pass as "another".
            None => return Some(Fault::Unrepresentable),
        },
        (Set::Strings(_), _) => return Some(Fault::Type("a string")),
        (Set::Bools(_), _) => return Some(Fault::Type("a boolean")),
        (Set::Numbers(_), _) => return Some(Fault::Type("a number")),
    };
    (holds != inside).then_some(Fault::Value)
}

fn out_of_bound(
    bound: Bound,
    stated: &Stated<'_>,
    holds: fn(Bound, Bound) -> bool,
) -> Option<Fault> {
    let found = match bound {
        Bound::Number(_) => stated.num().map(Bound::Number),
        Bound::Date(_) => stated.date().map(Bound::Date),
    };
    match (found, bound, stated.value) {
        (Some(found), _, _) => (!holds(found, bound)).then_some(Fault::Value),
        (None, Bound::Number(_), Value::Number(_)) => Some(Fault::Unrepresentable),
        (None, Bound::Number(_), _) => Some(Fault::Type("a number")),
        (None, Bound::Date(_), _) => {
            Some(Fault::Type("a date-time such as `2026-11-23T12:00:00Z`"))
        }
    }
}

fn not_all_listed(
    set: &[Scalar],
    items: &[Scalar],
    steps: &mut Steps,
) -> Result<Option<Fault>, Spent> {
    let doublings = doublings(set.len());
    for item in items {
        let bytes = match item {
            Scalar::String(text) => text.len(),
            _ => 0,
        };
        let each = (bytes / BYTES_COMPARED).saturating_add(1);
        steps.take(each.saturating_mul(doublings))?;
        if set.binary_search(item).is_err() {
            return Ok(Some(Fault::Value));
        }
    }
    Ok(None)
}

fn not_text(
    stated: &Stated<'_>,
    holds: impl FnOnce(&str) -> Result<bool, Spent>,
) -> Result<Option<Fault>, Spent> {
    match stated.text() {
        Some(text) => Ok((!holds(text)?).then_some(Fault::Value)),
        None => Ok(Some(Fault::Type("a string"))),
    }
}
