//! One constraint against one argument.

use std::collections::BTreeSet;

use bailiwick_token::{
    grant::{Bound, Constraint, List, Listed},
    value::{Scalar, Value},
};

use super::{BYTES_SEARCHED, Comparison, Spent};
use crate::{
    explain::{Excerpt, Wanted},
    request::Stated,
};

/// The condition of a constraint that an argument does not meet.
pub(super) enum Violation {
    /// The value is of another type.
    Type(&'static str),
    /// The value is a number that is not a whole number of millionths.
    Unrepresentable,
    /// The value is of the right type and not what is wanted.
    Value(Wanted),
}

impl<'c> Comparison<'c> {
    /// The condition of `constraint` that the argument does not meet, where there is one: a wrong
    /// type before a wrong value.
    pub(super) fn violated(
        &mut self,
        constraint: &Constraint,
        stated: &'c Stated<'c>,
    ) -> Result<Option<Violation>, Spent> {
        let listed = [&constraint.one_of, &constraint.not_one_of];
        let listed = listed.into_iter().flatten().map(List::len);
        self.budget.take(listed.fold(0, usize::saturating_add))?;
        if let (Some(text), Some(_)) = (stated.text(), &constraint.contains) {
            self.budget.take(text.len() / BYTES_SEARCHED)?;
        }
        let checks = [
            constraint
                .exact
                .as_ref()
                .and_then(|value| exact(value, stated)),
            constraint
                .one_of
                .as_ref()
                .and_then(|list| member(list, stated, true)),
            constraint
                .not_one_of
                .as_ref()
                .and_then(|list| member(list, stated, false)),
            constraint.min.and_then(|min| bounded(min, stated, true)),
            constraint.max.and_then(|max| bounded(max, stated, false)),
            constraint.prefix.as_ref().and_then(|text| {
                string(
                    stated,
                    |found| found.starts_with(text),
                    || Wanted::Prefix(Excerpt::string(text)),
                )
            }),
            constraint.suffix.as_ref().and_then(|text| {
                string(
                    stated,
                    |found| found.ends_with(text),
                    || Wanted::Suffix(Excerpt::string(text)),
                )
            }),
            constraint.contains.as_ref().and_then(|text| {
                string(
                    stated,
                    |found| found.contains(text),
                    || Wanted::Contains(Excerpt::string(text)),
                )
            }),
            match &constraint.all_of_in {
                Some(set) => self.all_of_in(set, stated)?,
                None => None,
            },
            match constraint.max_len {
                Some(limit) => self.max_len(limit, stated)?,
                None => None,
            },
        ];
        // A wrong type says more than that some value is not the one needed.
        let mut failed: Vec<Violation> = checks.into_iter().flatten().collect();
        let first_type = failed
            .iter()
            .position(|violation| !matches!(violation, Violation::Value(_)));
        Ok(match first_type {
            Some(index) => Some(failed.swap_remove(index)),
            None => failed.into_iter().next(),
        })
    }

    fn all_of_in(
        &mut self,
        set: &BTreeSet<Scalar>,
        stated: &'c Stated<'c>,
    ) -> Result<Option<Violation>, Spent> {
        if self.scalars(stated)?.is_none() {
            return Ok(Some(Violation::Type(
                "an array of strings, booleans and integers",
            )));
        }
        // A comparison for each doubling of the set.
        let per_element = set.len().checked_ilog2().unwrap_or(0).saturating_add(1) as usize;
        let Comparison {
            budget, scalars, ..
        } = self;
        let items = scalars.get(stated.path()).and_then(Option::as_deref);
        for item in items.unwrap_or_default() {
            budget.take(per_element)?;
            if !set.contains(item) {
                let needed = Wanted::AllOfIn(Excerpt::list(Listed(set)));
                return Ok(Some(Violation::Value(needed)));
            }
        }
        Ok(None)
    }

    fn max_len(&mut self, limit: u32, stated: &'c Stated<'c>) -> Result<Option<Violation>, Spent> {
        let length = match stated.text() {
            Some(text) => Some(text.len()),
            None => self.scalars(stated)?.map(<[_]>::len),
        };
        let Some(found) = length else {
            return Ok(Some(Violation::Type(
                "a string, or an array of strings, booleans and integers",
            )));
        };
        let holds = u32::try_from(found).is_ok_and(|length| length <= limit);
        Ok((!holds).then_some(Violation::Value(Wanted::MaxLen { found, limit })))
    }
}

fn exact(wanted: &Value, stated: &Stated<'_>) -> Option<Violation> {
    let value = || Some(Violation::Value(Wanted::Exactly(Excerpt::of(wanted))));
    match wanted {
        Value::Number(number) => match (number.micros(), stated.value) {
            (Some(micros), Value::Number(_)) if stated.num() == Some(micros) => None,
            (None, Value::Number(found))
                if number.integer().is_some() && found.integer() == number.integer() =>
            {
                None
            }
            (_, Value::Number(found)) if stated.num().is_none() && found.integer().is_none() => {
                Some(Violation::Unrepresentable)
            }
            (_, Value::Number(_)) => value(),
            _ => Some(Violation::Type("a number")),
        },
        _ if std::mem::discriminant(wanted) != std::mem::discriminant(stated.value) => {
            Some(Violation::Type(wanted.kind()))
        }
        // Equal values are stated alike, so comparing values is comparing facts.
        _ if wanted == stated.value => None,
        _ => value(),
    }
}

fn member(list: &List, stated: &Stated<'_>, inside: bool) -> Option<Violation> {
    if !list.has_type_of(stated.value) {
        return Some(match (list, stated.value) {
            (List::Numbers(_), Value::Number(_)) => Violation::Unrepresentable,
            (List::Numbers(_), _) => Violation::Type("a number"),
            (List::Strings(_), _) => Violation::Type("a string"),
            (List::Bools(_), _) => Violation::Type("a boolean"),
        });
    }
    if list.holds(stated.value) == inside {
        return None;
    }
    Some(Violation::Value(if inside {
        Wanted::OneOf(Excerpt::list(list))
    } else {
        Wanted::NotOneOf(Excerpt::list(list))
    }))
}

fn bounded(bound: Bound, stated: &Stated<'_>, is_min: bool) -> Option<Violation> {
    let found = match bound {
        Bound::Number(_) => stated.num().map(Bound::Number),
        Bound::Date(_) => stated.date().map(Bound::Date),
    };
    let Some(found) = found else {
        return Some(match (bound, stated.value) {
            (Bound::Number(_), Value::Number(_)) => Violation::Unrepresentable,
            (Bound::Number(_), _) => Violation::Type("a number"),
            (Bound::Date(_), _) => Violation::Type("a date-time such as `2026-11-23T12:00:00Z`"),
        });
    };
    let holds = if is_min {
        found >= bound
    } else {
        found <= bound
    };
    (!holds).then_some(Violation::Value(if is_min {
        Wanted::Min(bound)
    } else {
        Wanted::Max(bound)
    }))
}

fn string(
    stated: &Stated<'_>,
    holds: impl Fn(&str) -> bool,
    wanted: impl Fn() -> Wanted,
) -> Option<Violation> {
    match stated.text() {
        Some(text) if holds(text) => None,
        Some(_) => Some(Violation::Value(wanted())),
        None => Some(Violation::Type("a string")),
    }
}
