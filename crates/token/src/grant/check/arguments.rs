//! The rules for arguments, each by itself and all together.

use super::{constraint::constraint_form, names::characters, place::Place};
use crate::{
    condition::{ArgPath, Condition, MAX_TEXT, Test, split_last, steps_above},
    grant::{
        Constraint, GrantsError,
        mistake::Mistakes,
        normal::normalize,
        table::{self, Args, optional_parts},
    },
};

/// Checks one argument by itself.
pub(in crate::grant) fn argument(
    mistakes: &mut Mistakes,
    grant: usize,
    name: &str,
    constraint: &Constraint,
) {
    let place = Place {
        argument: Some(name),
        ..Place::of(grant, "args")
    };
    mistakes.take(argument_name(place, name));
    let has_each = name.split('.').any(|part| part == "*");
    match &constraint.meets {
        None if !has_each => {
            mistakes.take(constraint_form(place, name, constraint));
        }
        // The basic fields become conditions too.
        _ => {
            for condition in constraint.conditions() {
                if let Err(fault) = condition.well_formed() {
                    let place = Place {
                        key: Some(fault.key),
                        ..place
                    };
                    mistakes.add(GrantsError::at(place, fault.message));
                }
            }
        }
    }
}

/// Converts the arguments to their normal form, and checks them all together.
pub(in crate::grant) fn arguments(mistakes: &mut Mistakes, grant: usize, args: &mut Args) {
    if let Err(conflict) = normalize(args) {
        let place = Place {
            argument: Some(&conflict.path),
            ..Place::of(grant, "args")
        };
        return mistakes.add(GrantsError::at(place, conflict.message));
    }
    let is_plain = |(name, constraint): (&String, &Constraint)| {
        constraint.meets.is_none() && !name.contains('.')
    };
    if args.iter().all(is_plain) {
        return;
    }
    for (name, constraint) in &*args {
        let place = Place {
            argument: Some(name),
            ..Place::of(grant, "args")
        };
        match &constraint.meets {
            None => {
                mistakes.take(constraint_form(place, name, constraint));
            }
            Some(_) => tests(mistakes, place, name, args),
        }
        mistakes.take(member(place, name, args));
    }
}

/// Checks the conditions of one argument at its path, and against the other arguments.
fn tests(mistakes: &mut Mistakes, place: Place<'_>, name: &str, args: &Args) {
    // The name was checked before.
    let (Ok(path), Some(constraint)) = (name.parse::<ArgPath>(), args.get(name)) else {
        return;
    };
    let optional = optional_parts(args, name);
    for condition in constraint.meets.iter().flat_map(|meets| &meets.conditions) {
        let test = Test {
            path: path.clone(),
            condition: condition.clone(),
            optional: optional.clone(),
        };
        let at = |key, message| {
            let place = Place {
                key: Some(key),
                ..place
            };
            GrantsError::at(place, message)
        };
        if let Err(fault) = test.check() {
            mistakes.add(at(fault.key, fault.message));
        } else if test.text().len() > MAX_TEXT {
            mistakes.add(at(
                condition.kind(),
                format!(
                    "the condition has more than {MAX_TEXT} bytes in a token; write fewer values"
                ),
            ));
        }
        let (key, other, is_listed) = match condition {
            Condition::EqualsSum { of, .. } => ("equals_sum", of, lists(args, of)),
            Condition::EqualsArg(other) => (
                "equals_arg",
                other,
                !table::excludes(args, other.argument()),
            ),
            Condition::DiffersFromArg(other) => (
                "differs_from_arg",
                other,
                !table::excludes(args, other.argument()),
            ),
            _ => continue,
        };
        if !is_listed {
            mistakes.add(at(
                key,
                format!(
                    "the arguments do not list `{other}`; list it, with \"*\" if any value is allowed"
                ),
            ));
        }
    }
    if constraint
        .meets
        .as_ref()
        .is_some_and(|meets| meets.conditions.is_empty())
        && name.ends_with(".*")
    {
        mistakes.add(GrantsError::at(
            place,
            "an element of an array cannot be absent; write `optional` at the array",
        ));
    }
}

/// Returns true if the table has a condition on this path, or names it as the member of a closed object.
fn lists(args: &Args, path: &ArgPath) -> bool {
    let text = path.to_string();
    let in_parent = split_last(&text)
        .and_then(|(parent, name)| Some(table::members(args, parent)?.contains(name)));
    args.contains_key(&text) || in_parent == Some(true)
}

/// Refuses a member that its closed object does not list, and a path that treats an object with members as an
/// array.
fn member(place: Place<'_>, name: &str, args: &Args) -> Result<(), GrantsError> {
    for (parent, last) in steps_above(name) {
        let message = match table::members(args, parent) {
            Some(_) if last == "*" => format!(
                "`{parent}` is an object with members and an array at once, so that no value meets both; write one of them"
            ),
            Some(names) if !names.contains(last) => {
                format!("`{last}` is not among the `members` of `{parent}`; add it there")
            }
            _ => continue,
        };
        return Err(GrantsError::at(place, message));
    }
    Ok(())
}

fn argument_name(place: Place<'_>, name: &str) -> Result<(), GrantsError> {
    // Without a star, only an empty part could be wrong, so the path need not be parsed.
    let may_be_wrong = name.contains('*') || name.split('.').any(str::is_empty);
    if may_be_wrong && let Err(error) = name.parse::<ArgPath>() {
        return Err(GrantsError::at(place, error.to_string()));
    }
    let is_index = |part: &str| part.bytes().all(|c| c.is_ascii_digit());
    if name.split('.').skip(1).any(is_index) {
        return Err(GrantsError::at(
            place,
            "one element of an array cannot be constrained, since a call may have others beside it; write a star for all of them, as in \"lines.*.price\"",
        ));
    }
    characters(place, name)
}
