//! The reader of the conditions of one argument.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    conditions::{count, email, equals_sum, file_path, ip, links, sum, url},
    read::{arg_path, array, at, bound, join, length, string, strings, yes},
};
use crate::{
    condition::{Condition, Day, Instant, ONE_LINE_LENGTH, Range, TextPattern},
    grant::{Bound, Constraint, GrantsError, List, mistake::Mistakes},
    value::{Scalar, Value},
};

/// An argument as it was written.
pub(super) struct Written {
    pub(super) constraint: Constraint,
    /// True if an object may have members that no path names.
    pub(super) is_open: bool,
}

/// Reads the conditions of an argument; `None` if one is wrong.
pub(super) fn written(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Written> {
    match value {
        Value::String(star) if star == "*" => Some(Written {
            constraint: Constraint::any(),
            is_open: true,
        }),
        Value::Object(table) => constraint(mistakes, path, table),
        scalar_or_array => Some(Written {
            constraint: Constraint::exact(scalar_or_array.clone()),
            is_open: false,
        }),
    }
}

fn constraint(
    mistakes: &mut Mistakes,
    path: &str,
    table: &BTreeMap<String, Value>,
) -> Option<Written> {
    // An empty table would allow any value, which must be asked for with `"*"`.
    if table.is_empty() {
        mistakes.add(at(
            path,
            "the constraint is empty; write \"*\" for any value",
        ));
        return None;
    }
    let before = mistakes.count();
    let mut read = Conditions::default();
    for (key, value) in table {
        read.key(mistakes, &join(path, key), key, value);
    }
    let written = read.finish(mistakes, path);
    (mistakes.count() == before && !mistakes.is_full()).then_some(written)
}

/// The conditions read so far, and their modifiers.
#[derive(Default)]
struct Conditions {
    basic: Constraint,
    optional: bool,
    scale: Option<u8>,
    positive: bool,
    as_decimal: bool,
    ignore_case: bool,
    min_day: Option<Day>,
    max_day: Option<Day>,
    after: Option<Instant>,
    before: Option<Instant>,
    one_line: bool,
    members_any: bool,
    others: Vec<Condition>,
}

impl Conditions {
    fn key(&mut self, mistakes: &mut Mistakes, path: &str, key: &str, value: &Value) {
        let basic = &mut self.basic;
        match key {
            "exact" => mistakes.take(set(path, &mut basic.exact, Ok(value.clone()))),
            "exact_json" => mistakes.take(set(path, &mut basic.exact, exact_json(path, value))),
            "one_of" => read(mistakes, &mut basic.one_of, list(path, value)),
            "not_one_of" => read(mistakes, &mut basic.not_one_of, list(path, value)),
            "min" => match day(value) {
                Some(day) => read(mistakes, &mut self.min_day, Ok(day)),
                None => read(mistakes, &mut basic.min, bound(path, value)),
            },
            "max" => match day(value) {
                Some(day) => read(mistakes, &mut self.max_day, Ok(day)),
                None => read(mistakes, &mut basic.max, bound(path, value)),
            },
            "prefix" => read(mistakes, &mut basic.prefix, string(path, value)),
            "suffix" => read(mistakes, &mut basic.suffix, string(path, value)),
            "contains" => read(mistakes, &mut basic.contains, string(path, value)),
            "all_of_in" => read(mistakes, &mut basic.all_of_in, scalars(path, value)),
            "max_len" => read(mistakes, &mut basic.max_len, length(path, value)),
            "scale" => read(mistakes, &mut self.scale, scale(path, value)),
            "after" => read(mistakes, &mut self.after, instant(path, value)),
            "before" => read(mistakes, &mut self.before, instant(path, value)),
            "optional" => flag(mistakes, &mut self.optional, yes(path, value)),
            "positive" => flag(mistakes, &mut self.positive, yes(path, value)),
            "ignore_case" => flag(mistakes, &mut self.ignore_case, yes(path, value)),
            "one_line" => flag(mistakes, &mut self.one_line, yes(path, value)),
            "as" => flag(mistakes, &mut self.as_decimal, as_decimal(path, value)),
            "members" if *value == Value::from("any") => {
                flag(mistakes, &mut self.members_any, Ok(true))
            }
            _ => self.other(mistakes, path, key, value),
        };
    }

    /// Reads a condition that has no modifiers.
    fn other(
        &mut self,
        mistakes: &mut Mistakes,
        path: &str,
        key: &str,
        value: &Value,
    ) -> Option<()> {
        let condition = match key {
            "present" => mistakes.take(present(path, value)),
            "matches" => mistakes.take(matches(path, value)),
            "links" => links(mistakes, path, value),
            "email" => email(mistakes, path, value),
            "url" => url(mistakes, path, value).map(Condition::Url),
            "path" => file_path(mistakes, path, value),
            "ip" => ip(mistakes, path, value),
            "count" => count(mistakes, path, value),
            "sum" => sum(mistakes, path, value),
            "equals_sum" => equals_sum(mistakes, path, value),
            "equals_arg" => mistakes
                .take(arg_path(path, value))
                .map(Condition::EqualsArg),
            "differs_from_arg" => mistakes
                .take(arg_path(path, value))
                .map(Condition::DiffersFromArg),
            "members" => mistakes.take(strings(path, value)).map(Condition::Members),
            _ => {
                mistakes.add(at(
                    path,
                    "unknown condition; write one that the reference of grants lists, or name a member of an object by its quoted path, as in \"address.city\"",
                ));
                None
            }
        };
        self.others.extend(condition);
        Some(())
    }

    /// Applies the modifiers to the conditions.
    fn finish(mut self, mistakes: &mut Mistakes, path: &str) -> Written {
        let mut conditions = std::mem::take(&mut self.others);
        if self.ignore_case {
            match self.basic.one_of.take() {
                Some(values) => conditions.push(Condition::OneOf {
                    values,
                    ignore_case: true,
                }),
                None => mistakes.add(at(
                    &join(path, "ignore_case"),
                    "`ignore_case` needs `one_of`; write `one_of`, or leave `ignore_case` out",
                )),
            }
        }
        conditions.extend(self.ordered(mistakes, path));
        if self.after.is_some() || self.before.is_some() {
            conditions.push(Condition::Instant {
                after: self.after,
                before: self.before,
            });
        }
        if self.one_line {
            let length = self.basic.max_len.take();
            conditions.push(Condition::OneLine(length.unwrap_or(ONE_LINE_LENGTH)));
        }
        let mut constraint = self.basic;
        for condition in conditions {
            constraint = constraint.also(condition);
        }
        if self.optional {
            constraint = constraint.optional();
        }
        Written {
            constraint,
            is_open: self.members_any,
        }
    }

    /// The condition that results from the modifiers of `min` and `max`. Bounds that are numbers or date-times
    /// stay basic.
    fn ordered(&self, mistakes: &mut Mistakes, path: &str) -> Option<Condition> {
        let is = |kind: fn(&Bound) -> bool| {
            let mut bounds = [self.basic.min, self.basic.max].into_iter().flatten();
            bounds.any(|bound| kind(&bound))
        };
        let modified = self.scale.is_some() || self.positive || self.as_decimal;
        let numbers = modified || is(|bound| matches!(bound, Bound::Number(_)));
        let dates = is(|bound| matches!(bound, Bound::Date(_)));
        let days = self.min_day.is_some() || self.max_day.is_some();
        if [numbers, dates, days]
            .into_iter()
            .filter(|kind| *kind)
            .count()
            > 1
        {
            mistakes.add(at(
                path,
                "`min`, `max`, `scale`, `positive` and `as` have different types; write all of them for numbers, or `min` and `max` for days or for date-times",
            ));
            return None;
        }
        if days {
            return Some(Condition::Day {
                min: self.min_day,
                max: self.max_day,
            });
        }
        let range = Range {
            scale: self.scale,
            positive: self.positive,
            ..Range::default()
        };
        match self.as_decimal {
            true => Some(Condition::Decimal(range)),
            false => (!range.is_any()).then_some(Condition::Number(range)),
        }
    }
}

fn read<T>(
    mistakes: &mut Mistakes,
    slot: &mut Option<T>,
    read: Result<T, GrantsError>,
) -> Option<()> {
    *slot = Some(mistakes.take(read)?);
    Some(())
}

fn flag(mistakes: &mut Mistakes, slot: &mut bool, read: Result<bool, GrantsError>) -> Option<()> {
    *slot = mistakes.take(read)?;
    Some(())
}

fn set(
    path: &str,
    slot: &mut Option<Value>,
    value: Result<Value, GrantsError>,
) -> Result<(), GrantsError> {
    match slot.replace(value?) {
        None => Ok(()),
        Some(_) => Err(at(
            path,
            "`exact` and `exact_json` have the same meaning; write only one of them",
        )),
    }
}

/// Reads the JSON text of an exact value. TOML uses this form for values that contain null, which TOML cannot
/// write.
fn exact_json(path: &str, value: &Value) -> Result<Value, GrantsError> {
    Value::parse(&string(path, value)?).map_err(|error| at(path, error.to_string()))
}

fn list(path: &str, value: &Value) -> Result<List, GrantsError> {
    List::from_values(array(path, value)?).map_err(|error| at(path, error.to_string()))
}

fn scalars(path: &str, value: &Value) -> Result<BTreeSet<Scalar>, GrantsError> {
    let scalars = array(path, value)?.iter().map(|item| {
        item.as_scalar().ok_or_else(|| {
            at(path, format!("`{item}` cannot be compared inside an array; use strings, booleans and integers of 64 bits"))
        })
    });
    scalars.collect()
}

fn day(value: &Value) -> Option<Day> {
    match value {
        Value::String(text) => Day::parse(text),
        _ => None,
    }
}

fn scale(path: &str, value: &Value) -> Result<u8, GrantsError> {
    let scale = length(path, value)
        .ok()
        .and_then(|scale| u8::try_from(scale).ok());
    scale.ok_or_else(|| at(path, "not a number of decimals; write one from 0 to 6"))
}

fn instant(path: &str, value: &Value) -> Result<Instant, GrantsError> {
    let instant = Instant::parse(&string(path, value)?);
    instant.ok_or_else(|| {
        at(
            path,
            "not a date-time; write one such as \"2026-12-01T08:00:00Z\"",
        )
    })
}

fn as_decimal(path: &str, value: &Value) -> Result<bool, GrantsError> {
    match string(path, value)?.as_str() {
        "decimal" => Ok(true),
        _ => Err(at(
            path,
            "not a known form; write \"decimal\", for a number sent as a string",
        )),
    }
}

fn present(path: &str, value: &Value) -> Result<Condition, GrantsError> {
    match value {
        Value::Bool(true) => Ok(Condition::Present { empty: false }),
        Value::String(any) if any == "any" => Ok(Condition::Present { empty: true }),
        _ => Err(at(
            path,
            "not one of the choices; write `true`, or \"any\" to admit null and empty values too",
        )),
    }
}

fn matches(path: &str, value: &Value) -> Result<Condition, GrantsError> {
    let pattern = TextPattern::compiled(&string(path, value)?);
    pattern
        .map(Condition::Matches)
        .map_err(|error| at(path, error.to_string()))
}
