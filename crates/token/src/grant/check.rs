//! The rules that every grant must follow, whichever form it was written in.

use std::{collections::BTreeMap, fmt};

use super::{
    Bound, Constraint, Grant, GrantsError, List, MAX_GRANTS, Pattern, resource::could_match,
    top_level,
};
use crate::value::{MAX_DEPTH, Scalar, Value};

/// Maximum length of the name of a service, action, resource pattern or argument, in bytes.
const MAX_PART: usize = 1024;

pub(super) fn check(mut grants: Vec<Grant>) -> Result<Vec<Grant>, GrantsError> {
    if grants.is_empty() {
        return Err(GrantsError::at(
            "grant",
            "the list of grants is empty and allows nothing; write at least one grant",
        ));
    }
    if grants.len() > MAX_GRANTS {
        return Err(GrantsError::at(
            "grant",
            format!(
                "there are more than {MAX_GRANTS} grants, which do not fit a token; write fewer"
            ),
        ));
    }
    for (index, grant) in grants.iter_mut().enumerate() {
        let at = |member| Place {
            grant: index,
            member,
            argument: None,
            key: None,
        };
        name(at("service"), &grant.service)?;
        pattern(at("action"), &grant.action)?;
        if let Some(resource) = &grant.resource {
            pattern(at("resource"), resource)?;
            resource_form(at("resource"), resource)?;
        }
        if let Some(args) = &mut grant.args {
            for (name, constraint) in &*args {
                argument(at("args"), name, constraint)?;
            }
            normalize(args);
        }
    }
    Ok(grants)
}

/// A place in a list of grants: `grant[0].args.amount.max`. The text of a place is built only for an error,
/// because a verifier checks the grants of every token.
#[derive(Clone, Copy)]
struct Place<'a> {
    grant: usize,
    member: &'a str,
    argument: Option<&'a str>,
    key: Option<&'a str>,
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "grant[{}].{}", self.grant, self.member)?;
        let inner = [self.argument, self.key];
        let mut inner = inner.into_iter().flatten();
        inner.try_for_each(|part| write!(f, ".{part}"))
    }
}

fn name(path: Place<'_>, text: &str) -> Result<(), GrantsError> {
    if text.is_empty() {
        return Err(GrantsError::at(path, "the name is empty"));
    }
    if text.contains('*') {
        return Err(GrantsError::at(
            path,
            format!(
                "`{text}` holds a star; use one only at the very end of `action` and `resource`"
            ),
        ));
    }
    characters(path, text)
}

fn pattern(path: Place<'_>, pattern: &Pattern) -> Result<(), GrantsError> {
    match pattern {
        Pattern::Exact(text) => name(path, text),
        // The lone star is the prefix that every name has.
        Pattern::Prefix(text) if text.is_empty() => Ok(()),
        Pattern::Prefix(text) => name(path, text),
    }
}

fn characters(path: Place<'_>, text: &str) -> Result<(), GrantsError> {
    if text.chars().any(char::is_control) {
        return Err(GrantsError::at(path, "the name holds a control character"));
    }
    if text.len() > MAX_PART {
        return Err(GrantsError::at(
            path,
            format!("the name is longer than {MAX_PART} bytes"),
        ));
    }
    Ok(())
}

/// Refuses a pattern that no resource in normal form could match.
fn resource_form(path: Place<'_>, pattern: &Pattern) -> Result<(), GrantsError> {
    if could_match(pattern) {
        return Ok(());
    }
    Err(GrantsError::at(
        path,
        format!(
            "`{pattern}` matches no resource; write segments separated by `/`, none of them empty, `.` or `..`, without `\\`, `%`, `?` and `#`"
        ),
    ))
}

fn argument(path: Place<'_>, name: &str, constraint: &Constraint) -> Result<(), GrantsError> {
    let path = Place {
        argument: Some(name),
        ..path
    };
    if name.split('.').any(str::is_empty) {
        return Err(GrantsError::at(
            path,
            "the argument's name is empty, or a part of its path is",
        ));
    }
    characters(path, name)?;
    constraint_form(path, name, constraint)
}

/// Converts arguments to their normal form, without unnecessary entries for members of objects.
fn normalize(args: &mut BTreeMap<String, Constraint>) {
    let is_nested = |name: &str| name.contains('.');
    if !args.keys().any(|name| is_nested(name)) {
        return;
    }
    // `address.city = "*"` asks no more than that `address` may be there.
    let stars = args.extract_if(.., |name, constraint| {
        is_nested(name) && constraint.is_any()
    });
    let stars: Vec<String> = stars.map(|(name, _)| top_level(&name).to_owned()).collect();
    for name in stars {
        args.entry(name).or_insert_with(Constraint::any);
    }
    // A constrained path lists its top-level name by itself, so a bare star beside it says nothing.
    let listed = args.keys().filter(|name| is_nested(name));
    let listed: Vec<String> = listed.map(|name| top_level(name).to_owned()).collect();
    args.retain(|name, constraint| !(constraint.is_any() && listed.contains(name)));
}

fn constraint_form(
    path: Place<'_>,
    name: &str,
    constraint: &Constraint,
) -> Result<(), GrantsError> {
    let nested = name.contains('.');
    let of = |key| Place {
        key: Some(key),
        ..path
    };
    let at = |key, message: &str| Err(GrantsError::at(of(key), message));
    if let Some(value) = &constraint.exact {
        exact(of("exact"), nested, value)?;
    }
    for (key, list) in [
        ("one_of", &constraint.one_of),
        ("not_one_of", &constraint.not_one_of),
    ] {
        if list.as_ref().is_some_and(List::is_empty) {
            return at(key, "the list is empty");
        }
    }
    match (constraint.min, constraint.max) {
        (Some(Bound::Number(min)), Some(Bound::Number(max))) if min > max => {
            return at(
                "max",
                "the range is empty, because `min` is greater than `max`",
            );
        }
        (Some(Bound::Date(min)), Some(Bound::Date(max))) if min > max => {
            return at(
                "max",
                "the range is empty, because `min` is later than `max`",
            );
        }
        (Some(Bound::Number(_)), Some(Bound::Date(_)))
        | (Some(Bound::Date(_)), Some(Bound::Number(_))) => {
            return at(
                "max",
                "`min` and `max` have different types; write two numbers or two dates",
            );
        }
        _ => {}
    }
    let texts = [
        ("prefix", &constraint.prefix),
        ("suffix", &constraint.suffix),
        ("contains", &constraint.contains),
    ];
    for (key, text) in texts {
        if text.as_ref().is_some_and(String::is_empty) {
            return at(key, "the text is empty, so every string would match it");
        }
    }
    if let Some(set) = &constraint.all_of_in {
        if set.is_empty() {
            return at("all_of_in", "the list is empty");
        }
        if set.contains(&Scalar::Null) {
            return at(
                "all_of_in",
                "null cannot be in a list; use strings, booleans and integers of 64 bits",
            );
        }
        if nested {
            return at("all_of_in", NO_NESTED_ARRAYS);
        }
    }
    Ok(())
}

const NO_NESTED_ARRAYS: &str = "arrays and objects inside an object cannot be constrained by path; constrain the whole argument with `exact`";

fn exact(path: Place<'_>, nested: bool, value: &Value) -> Result<(), GrantsError> {
    match value {
        Value::Number(number) if number.micros().is_none() && number.integer().is_none() => {
            Err(GrantsError::at(
                path,
                format!(
                    "`{number}` cannot be compared exactly; use at most six decimal places and at most 9223372036854.775807, or an integer of 64 bits"
                ),
            ))
        }
        Value::Array(_) | Value::Object(_) if nested => {
            Err(GrantsError::at(path, NO_NESTED_ARRAYS))
        }
        // The arguments object is the first container, so a value in it has one less.
        Value::Array(_) | Value::Object(_) if value.depth() >= MAX_DEPTH => Err(GrantsError::at(
            path,
            format!("containers nest more than {MAX_DEPTH} deep, so no call can carry this value"),
        )),
        _ => Ok(()),
    }
}
