//! The evaluation of conditions on the arguments of a call.

use std::collections::BTreeMap;

use bailiwick_biscuit::escape::is_printable;
use unicode_normalization::UnicodeNormalization;

use super::{ArgPath, Blocked, Condition, Test, day, decimal, line};
use crate::value::{List, Micros, Value};

/// The reason why a call does not meet a condition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Miss<'v> {
    /// The arguments have no values at the path.
    Blocked(Blocked),
    /// The arguments have no value at the path of the other argument that the condition names.
    Other(Blocked),
    /// This value does not have the type that the condition needs.
    Type(&'v Value),
    /// This value does not meet the condition.
    Value(&'v Value),
    /// The values have this sum, which does not meet the condition.
    Sum(Micros),
    /// The sum of the values is beyond 64 bits.
    Overflow,
}

impl Test {
    /// Evaluates the condition on the arguments of a call.
    ///
    /// # Errors
    /// [`Miss`] if the call does not meet it.
    pub fn evaluate<'v>(&self, args: &'v BTreeMap<String, Value>) -> Result<(), Miss<'v>> {
        let values = self
            .path
            .values(args, &self.optional)
            .map_err(Miss::Blocked)?;
        if let Condition::Sum { min, max, negative } = &self.condition {
            let sum = sum(&values, *negative)?;
            return match within(Some(sum), min.as_ref(), max.as_ref()) {
                true => Ok(()),
                false => Err(Miss::Sum(sum)),
            };
        }
        let is_member = self.path.len() > 1;
        let mut values = values.into_iter();
        values.try_for_each(|value| self.condition.check(value, args, is_member))
    }
}

impl Condition {
    /// Returns true if a call without any value at the path meets the condition, where the path may be absent.
    pub(crate) fn holds_without_values(&self) -> bool {
        match self {
            Condition::Sum { min, max, .. } => within(Some(Micros(0)), min.as_ref(), max.as_ref()),
            _ => true,
        }
    }

    /// Returns true if a value meets the condition; `None` if that depends on more than the value. `is_member` is true
    /// for the member of an object or an element of an array.
    pub(crate) fn holds(&self, value: &Value, is_member: bool) -> Option<bool> {
        match self {
            Condition::Sum { .. }
            | Condition::EqualsSum { .. }
            | Condition::EqualsArg(_)
            | Condition::DiffersFromArg(_) => None,
            _ => Some(self.check(value, &BTreeMap::new(), is_member).is_ok()),
        }
    }

    fn check<'v>(
        &self,
        value: &'v Value,
        args: &'v BTreeMap<String, Value>,
        is_member: bool,
    ) -> Result<(), Miss<'v>> {
        // The service may read such a number as another value than the one compared here.
        if matches!(value, Value::Number(number) if !number.is_read_alike()) {
            return Err(Miss::Value(value));
        }
        let of_text = |holds: &dyn Fn(&str) -> bool| match value {
            Value::String(text) => met(holds(text), value),
            _ => Err(Miss::Type(value)),
        };
        match self {
            Condition::Present { empty } => met(*empty || !is_empty(value), value),
            Condition::Exact(exact) => met(exact == value, value),
            Condition::OneOf {
                values,
                ignore_case,
            } => match values.has_type_of(value) {
                false => Err(Miss::Type(value)),
                true => met(is_listed(values, value, *ignore_case), value),
            },
            Condition::NotOneOf(list) => match list.has_type_of(value) {
                false => Err(Miss::Type(value)),
                true => met(!list.holds(value), value),
            },
            Condition::Prefix(part) => of_text(&|text| text.starts_with(part)),
            Condition::Suffix(part) => of_text(&|text| text.ends_with(part)),
            Condition::Contains(part) => of_text(&|text| text.contains(part)),
            Condition::AllOfIn(set) => match value.as_scalars() {
                None => Err(Miss::Type(value)),
                Some(items) => met(items.iter().all(|item| set.contains(item)), value),
            },
            Condition::MaxLen(max) => match length(value, is_member) {
                None => Err(Miss::Type(value)),
                Some(length) => met(length <= *max as usize, value),
            },
            Condition::Date { min, max } => {
                of_text(&|text| within(text.parse().ok(), min.as_ref(), max.as_ref()))
            }
            Condition::Number(range) => match value {
                Value::Number(_) => met(range.holds_number(value), value),
                _ => Err(Miss::Type(value)),
            },
            Condition::Decimal(range) => of_text(&|text| range.holds_text(text)),
            Condition::Day { min, max } => {
                of_text(&|text| within(day::Day::parse(text), min.as_ref(), max.as_ref()))
            }
            Condition::Instant { after, before } => of_text(&|text| {
                day::Instant::parse(text).is_some_and(|instant| {
                    after.is_none_or(|after| instant >= after)
                        && before.is_none_or(|before| instant < before)
                })
            }),
            Condition::Matches(pattern) => of_text(&|text| pattern.holds(text)),
            Condition::OneLine(max) => {
                of_text(&|text| text.len() <= *max as usize && line::is_one_line(text))
            }
            Condition::Links(None) => of_text(&line::has_no_links),
            Condition::Links(Some(at)) => of_text(&|text| line::has_links_only_to(at, text)),
            Condition::Email(email) => of_text(&|text| email.holds(text)),
            Condition::Url(url) => of_text(&|text| url.holds(text)),
            Condition::Path(path) => of_text(&|text| path.holds(text)),
            Condition::Ip(ip) => of_text(&|text| ip.holds(text)),
            Condition::Count { min, max } => match value {
                Value::Array(items) => {
                    let fits = min.is_none_or(|min| items.len() >= min as usize)
                        && max.is_none_or(|max| items.len() <= max as usize);
                    met(fits, value)
                }
                _ => Err(Miss::Type(value)),
            },
            // A sum has been decided before this, on all values together.
            Condition::Sum { .. } => Err(Miss::Overflow),
            Condition::EqualsSum { of, negative } => {
                let total = decimal::number(value).ok_or(Miss::Type(value))?;
                let summands = of.values(args, &[]).map_err(Miss::Other)?;
                met(sum(&summands, *negative)? == total, value)
            }
            Condition::EqualsArg(other) => {
                let other = one(other, args)?;
                same_type(value, other)?;
                met(value == other, value)
            }
            Condition::DiffersFromArg(other) => {
                let other = one(other, args)?;
                same_type(value, other)?;
                met(differ(value, other), value)
            }
            Condition::Members(names) => match value {
                Value::Object(members) => {
                    met(members.keys().all(|name| names.contains(name)), value)
                }
                _ => Err(Miss::Type(value)),
            },
        }
    }
}

fn met(holds: bool, value: &Value) -> Result<(), Miss<'_>> {
    match holds {
        true => Ok(()),
        false => Err(Miss::Value(value)),
    }
}

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Object(members) => members.is_empty(),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

fn is_listed(list: &List, value: &Value, ignore_case: bool) -> bool {
    match (list, value) {
        (List::Strings(set), Value::String(text)) if ignore_case => {
            set.iter().any(|listed| listed.eq_ignore_ascii_case(text))
        }
        _ => list.holds(value),
    }
}

/// The length of a string in bytes, or of an array in elements. As in plain Datalog, the array must be an argument and
/// contain only scalars.
fn length(value: &Value, is_member: bool) -> Option<usize> {
    match value {
        Value::String(text) => Some(text.len()),
        Value::Array(_) if !is_member => value.as_scalars().map(|items| items.len()),
        _ => None,
    }
}

fn within<T: PartialOrd>(found: Option<T>, min: Option<&T>, max: Option<&T>) -> bool {
    found.is_some_and(|found| {
        min.is_none_or(|min| found >= *min) && max.is_none_or(|max| found <= *max)
    })
}

/// The exact sum of the values. Each must be a number: a receiver might add a value that is skipped here.
fn sum<'v>(values: &[&'v Value], negative: bool) -> Result<Micros, Miss<'v>> {
    let mut total = 0_i64;
    for value in values {
        let summand = decimal::number(value).ok_or(Miss::Type(value))?;
        // A negative summand would make a large payment look small.
        if summand < Micros(0) && !negative {
            return Err(Miss::Value(value));
        }
        total = total.checked_add(summand.0).ok_or(Miss::Overflow)?;
    }
    Ok(Micros(total))
}

/// The value of another argument.
fn one<'v>(path: &ArgPath, args: &'v BTreeMap<String, Value>) -> Result<&'v Value, Miss<'v>> {
    let values = path.values(args, &[]).map_err(Miss::Other)?;
    // A path without `*`, all of whose parts are there, leads to one value.
    values.first().copied().ok_or(Miss::Overflow)
}

fn same_type<'v>(value: &'v Value, other: &Value) -> Result<(), Miss<'v>> {
    match std::mem::discriminant(value) == std::mem::discriminant(other) {
        true => Ok(()),
        false => Err(Miss::Type(value)),
    }
}

/// Maximum length of a text that is compared after folding, in bytes. Longer texts are not the names of anything.
const MAX_FOLDED: usize = 1024;

/// Returns true if two values are different for every receiver, even for one that folds texts or rounds numbers.
fn differ(value: &Value, other: &Value) -> bool {
    match (value, other) {
        (Value::String(value), Value::String(other)) => {
            if value.len().max(other.len()) > MAX_FOLDED {
                return false;
            }
            let folded = (folded(value), folded(other));
            matches!(folded, (Some(value), Some(other)) if value != other)
        }
        (Value::Number(value), Value::Number(other)) => other.is_read_alike() && value != other,
        (Value::Bool(value), Value::Bool(other)) => value != other,
        _ => false,
    }
}

/// The text as the most tolerant receiver would compare it: compatibility characters and case folded, without white
/// space, invisible characters and leading zeros. `None` if it has digits outside ASCII, which some receivers read as
/// numbers: `٤٧` is `47`.
fn folded(text: &str) -> Option<String> {
    // From lower case to upper case and back, since some letters differ in one case only: `ß`, `ẞ` and `ss`, `ς` and `σ`.
    let folded = text
        .nfkc()
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    // An invisible character may come between a letter and its mark.
    let shown = folded.filter(|&c| !c.is_whitespace() && is_printable(c));
    let shown: String = shown.nfkc().collect();
    let is_foreign = |c: char| c.is_numeric() && !c.is_ascii();
    (!shown.contains(is_foreign)).then(|| shown.trim_start_matches('0').to_owned())
}
