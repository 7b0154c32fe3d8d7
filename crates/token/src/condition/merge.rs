//! The merging of the conditions of one argument: each kind once, sorted by kind.

use super::{Both, Condition};
use crate::value::{List, Value};

/// The result of merging conditions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Merged {
    /// Equivalent conditions, each kind once and sorted.
    Into(Vec<Condition>),
    /// No value meets all conditions.
    Never,
    /// Two conditions of this kind cannot be written as one.
    Neither(&'static str),
}

/// Merges conditions.
pub(crate) fn merge(mut conditions: Vec<Condition>) -> Merged {
    conditions.sort_by_key(Condition::kind);
    let mut merged: Vec<Condition> = Vec::with_capacity(conditions.len());
    for condition in conditions {
        match merged
            .last_mut()
            .filter(|last| last.kind() == condition.kind())
        {
            None => merged.push(condition),
            Some(last) => match last.both(&condition) {
                Both::One(one) => *last = one,
                Both::Never => return Merged::Never,
                Both::Neither => return Merged::Neither(condition.kind()),
            },
        }
    }
    with_one_length(&mut merged);
    // Numbers, decimals, date-times and days exclude each other.
    let ordered = merged.iter().filter(|condition| condition.is_ordered());
    if ordered.count() > 1 {
        return Merged::Never;
    }
    let types = merged.iter().map(Condition::types);
    match types.fold(Types::ALL, |all, types| all & types) {
        0 => Merged::Never,
        _ => Merged::Into(merged),
    }
}

/// Merges the conditions of one argument, and leaves out listed values that other conditions refuse.
pub(crate) fn merge_values(conditions: Vec<Condition>, is_member: bool) -> Merged {
    let mut merged = match merge(conditions) {
        Merged::Into(merged) => merged,
        other => return other,
    };
    let refused = |merged: &[Condition], value: &Value| {
        let mut others = merged
            .iter()
            .filter(|other| !matches!(other, Condition::OneOf { .. }));
        others.any(|other| other.holds(value, is_member) == Some(false))
    };
    let exact = merged.iter().find_map(|condition| match condition {
        Condition::Exact(value) => Some(value.clone()),
        _ => None,
    });
    if let Some(value) = exact {
        if merged
            .iter()
            .any(|other| other.holds(&value, is_member) == Some(false))
        {
            return Merged::Never;
        }
        // The value meets every condition that depends on it alone, so those conditions add nothing.
        merged.retain(|other| {
            matches!(other, Condition::Exact(_)) || other.holds(&value, is_member).is_none()
        });
        return Merged::Into(merged);
    }
    let listed = merged.iter().find_map(|condition| match condition {
        Condition::OneOf {
            values,
            ignore_case: false,
        } => Some(values.values()),
        _ => None,
    });
    let left = listed.map(|values| {
        let left = values.into_iter().filter(|value| !refused(&merged, value));
        left.collect::<Vec<Value>>()
    });
    match left {
        Some(left) if left.is_empty() => return Merged::Never,
        Some(left) => {
            for condition in &mut merged {
                if let (Condition::OneOf { values, .. }, Ok(list)) =
                    (condition, List::from_values(&left))
                {
                    *values = list;
                }
            }
        }
        None => {}
    }
    Merged::Into(merged)
}

/// A condition on one line has a length of its own, so `max_len` beside it is merged into the lower of the two.
fn with_one_length(conditions: &mut Vec<Condition>) {
    let length = conditions.iter().find_map(|condition| match condition {
        Condition::MaxLen(length) => Some(*length),
        _ => None,
    });
    let line = conditions.iter_mut().find_map(|condition| match condition {
        Condition::OneLine(length) => Some(length),
        _ => None,
    });
    if let (Some(length), Some(line)) = (length, line) {
        *line = length.min(*line);
        conditions.retain(|condition| !matches!(condition, Condition::MaxLen(_)));
    }
}

/// The JSON types of values, as bits.
pub(super) struct Types;

impl Types {
    pub(super) const STRING: u8 = 1;
    const NUMBER: u8 = 2;
    const BOOL: u8 = 4;
    const NULL: u8 = 8;
    const ARRAY: u8 = 16;
    const OBJECT: u8 = 32;
    const ALL: u8 = 63;
}

impl Condition {
    /// Returns true if the condition is written with `min` and `max`.
    fn is_ordered(&self) -> bool {
        matches!(
            self,
            Condition::Number(_)
                | Condition::Decimal(_)
                | Condition::Date { .. }
                | Condition::Day { .. }
        )
    }

    /// The types of the values that can meet the condition.
    pub(super) fn types(&self) -> u8 {
        let of_list = |list: &List| match list {
            List::Strings(_) => Types::STRING,
            List::Numbers(_) => Types::NUMBER,
            List::Bools(_) => Types::BOOL,
        };
        match self {
            Condition::Present { .. } | Condition::EqualsArg(_) => Types::ALL,
            Condition::Exact(value) => match value {
                Value::Null => Types::NULL,
                Value::Bool(_) => Types::BOOL,
                Value::Number(_) => Types::NUMBER,
                Value::String(_) => Types::STRING,
                Value::Array(_) => Types::ARRAY,
                Value::Object(_) => Types::OBJECT,
            },
            Condition::OneOf { values, .. } => of_list(values),
            Condition::NotOneOf(list) => of_list(list),
            Condition::AllOfIn(_) | Condition::Count { .. } => Types::ARRAY,
            Condition::MaxLen(_) => Types::STRING | Types::ARRAY,
            Condition::Number(_) | Condition::Sum { .. } | Condition::EqualsSum { .. } => {
                Types::NUMBER
            }
            Condition::DiffersFromArg(_) => Types::STRING | Types::NUMBER | Types::BOOL,
            Condition::Members(_) => Types::OBJECT,
            Condition::Prefix(_)
            | Condition::Suffix(_)
            | Condition::Contains(_)
            | Condition::Date { .. }
            | Condition::Decimal(_)
            | Condition::Day { .. }
            | Condition::Instant { .. }
            | Condition::Matches(_)
            | Condition::OneLine(_)
            | Condition::Links(_)
            | Condition::Email(_)
            | Condition::Url(_)
            | Condition::Path(_)
            | Condition::Ip(_) => Types::STRING,
        }
    }
}
