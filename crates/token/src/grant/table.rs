//! Questions about a closed table of arguments: the conditions at each path, and the parts that may be absent.

use std::{collections::BTreeMap, ops::Bound::Unbounded};

use super::{Bound, Constraint};
use crate::condition::{ArgPath, Condition, Range, Test, above, split_last};

/// The arguments of a grant, by name or by the path of a member.
pub(crate) type Args = BTreeMap<String, Constraint>;

/// For each part of a path, true if the table lets it be absent.
pub(crate) fn optional_parts(args: &Args, path: &str) -> Vec<bool> {
    above(path)
        .chain([path])
        .map(|part| is_optional(args, part))
        .collect()
}

/// The conditions that plain Datalog cannot express.
pub(super) fn tests(args: &Args) -> Vec<Test> {
    let meets = args.iter().filter_map(|(path, constraint)| {
        let meets = constraint.meets.as_ref()?;
        // In a checked list of grants, every name is a path.
        Some((path, path.parse::<ArgPath>().ok()?, meets))
    });
    let tests = meets.flat_map(|(text, path, meets)| {
        let optional = optional_parts(args, text);
        meets.conditions.iter().map(move |condition| Test {
            path: path.clone(),
            condition: condition.clone(),
            optional: optional.clone(),
        })
    });
    tests.collect()
}

/// Returns true if the table marks this argument or member as optional.
pub(super) fn is_optional(args: &Args, path: &str) -> bool {
    let meets = args
        .get(path)
        .and_then(|constraint| constraint.meets.as_ref());
    meets.is_some_and(|meets| meets.optional)
}

/// Returns true if the table can hold although this argument or member is absent.
pub(super) fn may_be_absent(args: &Args, path: &str) -> bool {
    is_optional(args, path)
        || (args.get(path).is_none_or(Constraint::is_any) && !has_below(args, path))
}

/// Returns true if the table has conditions on members below this path.
pub(super) fn has_below(args: &Args, path: &str) -> bool {
    let mut below = below(args, path);
    below.any(|(_, constraint)| says_something(constraint))
}

/// The entries of members below a path.
pub(super) fn below<'a>(
    args: &'a Args,
    path: &str,
) -> impl Iterator<Item = (&'a str, &'a Constraint)> {
    let start = format!("{path}.");
    let first = std::ops::Bound::Included(start.clone());
    let rest = args.range::<String, _>((first, Unbounded));
    let rest = rest.take_while(move |(name, _)| name.starts_with(&start));
    rest.map(|(name, constraint)| (name.as_str(), constraint))
}

/// Returns true if a constraint has a condition of its own.
pub(super) fn says_something(constraint: &Constraint) -> bool {
    match &constraint.meets {
        Some(meets) => !meets.conditions.is_empty(),
        None => !constraint.is_any(),
    }
}

/// Returns true if the table denies a call that has this member, because the object above is closed and does not list
/// it.
pub(super) fn excludes(args: &Args, path: &str) -> bool {
    match split_last(path) {
        None => {
            let is_listed = args.contains_key(path) || below(args, path).next().is_some();
            !is_listed
        }
        Some((_, "*")) => false,
        Some((parent, name)) => members(args, parent).is_some_and(|names| !names.contains(name)),
    }
}

/// The members that an object may have, if it is closed.
pub(super) fn members<'a>(
    args: &'a Args,
    path: &str,
) -> Option<&'a std::collections::BTreeSet<String>> {
    let meets = args.get(path)?.meets.as_ref()?;
    meets
        .conditions
        .iter()
        .find_map(|condition| match condition {
            Condition::Members(names) => Some(names),
            _ => None,
        })
}

impl Constraint {
    /// The constraint as conditions. In this form, fewer numbers meet it: see [`Condition::Number`].
    pub(super) fn conditions(&self) -> Vec<Condition> {
        let mut conditions = self
            .meets
            .as_ref()
            .map_or(Vec::new(), |meets| meets.conditions.clone());
        conditions.extend(self.exact.clone().map(Condition::Exact));
        conditions.extend(self.one_of.clone().map(|values| Condition::OneOf {
            values,
            ignore_case: false,
        }));
        conditions.extend(self.not_one_of.clone().map(Condition::NotOneOf));
        conditions.extend(self.prefix.clone().map(Condition::Prefix));
        conditions.extend(self.suffix.clone().map(Condition::Suffix));
        conditions.extend(self.contains.clone().map(Condition::Contains));
        conditions.extend(self.all_of_in.clone().map(Condition::AllOfIn));
        conditions.extend(self.max_len.map(Condition::MaxLen));
        let number = |bound| match bound {
            Some(Bound::Number(micros)) => Some(micros),
            _ => None,
        };
        let date = |bound| match bound {
            Some(Bound::Date(date)) => Some(date),
            _ => None,
        };
        let range = Range {
            min: number(self.min),
            max: number(self.max),
            ..Range::default()
        };
        if !range.is_any() {
            // Bounds beside `as = "decimal"` are those of the decimal.
            let is_decimal = conditions
                .iter()
                .any(|other| matches!(other, Condition::Decimal(_)));
            conditions.push(match is_decimal {
                true => Condition::Decimal(range),
                false => Condition::Number(range),
            });
        }
        let (min, max) = (date(self.min), date(self.max));
        if min.is_some() || max.is_some() {
            conditions.push(Condition::Date { min, max });
        }
        conditions
    }
}
