//! The normal form of a table of arguments, so that each grant has one encoding.
//!
//! An argument whose conditions plain Datalog can express has them in the basic fields of its constraint. As soon as
//! one condition needs more, all of them are in `meets`.

use super::{
    Bound, Constraint,
    table::{Args, below, has_below, is_optional, says_something},
    top_level,
};
use crate::condition::{Condition, Meets, Merged, Range, above, merge};

/// The error of conditions that cannot be combined at one path.
pub(super) struct Conflict {
    pub(super) path: String,
    pub(super) message: String,
}

/// Converts a table to its normal form.
pub(super) fn normalize(args: &mut Args) -> Result<(), Conflict> {
    let is_plain = |(name, constraint): (&String, &Constraint)| {
        constraint.meets.is_none() && !name.contains('.')
    };
    if args.iter().all(is_plain) {
        return Ok(());
    }
    let mut forms = Vec::new();
    for (path, constraint) in &*args {
        if constraint.is_any() {
            continue;
        }
        let mut above = above(path);
        let below_optional = above.any(|part| is_optional(args, part));
        if let Some(form) = form(path, constraint, below_optional)? {
            forms.push((path.clone(), form));
        }
    }
    args.extend(forms);
    drop_silent(args);
    Ok(())
}

/// Returns the normal form of a constraint; `None` if the constraint is in that form already.
fn form(
    path: &str,
    constraint: &Constraint,
    below_optional: bool,
) -> Result<Option<Constraint>, Conflict> {
    let has_each = path.split('.').any(|part| part == "*");
    if constraint.meets.is_none() && !has_each && !below_optional {
        return Ok(None);
    }
    let optional = constraint
        .meets
        .as_ref()
        .is_some_and(|meets| meets.optional);
    let conflict = |message: String| Conflict {
        path: path.to_owned(),
        message,
    };
    let mut conditions = match merge(constraint.conditions()) {
        Merged::Into(conditions) => conditions,
        Merged::Never => {
            return Err(conflict(
                "the conditions contradict each other, so that no value meets them".to_owned(),
            ));
        }
        Merged::Neither(kind) => {
            return Err(conflict(format!(
                "`{kind}` occurs twice with different meanings; write it once"
            )));
        }
    };
    if conditions.is_empty() && !optional {
        // Without conditions, the argument must still be present.
        conditions.push(Condition::Present { empty: true });
    }
    let basic = match optional || has_each || below_optional {
        true => None,
        false => basic(&conditions),
    };
    Ok(Some(basic.unwrap_or(Constraint {
        meets: Some(Meets {
            optional,
            conditions,
        }),
        ..Constraint::any()
    })))
}

/// The equivalent constraint in basic fields; `None` if plain Datalog cannot express one of the conditions.
fn basic(conditions: &[Condition]) -> Option<Constraint> {
    let mut basic = Constraint::any();
    for condition in conditions {
        match condition.clone() {
            Condition::Exact(value) => basic.exact = Some(value),
            Condition::OneOf {
                values,
                ignore_case: false,
            } => basic.one_of = Some(values),
            Condition::NotOneOf(list) => basic.not_one_of = Some(list),
            Condition::Prefix(text) => basic.prefix = Some(text),
            Condition::Suffix(text) => basic.suffix = Some(text),
            Condition::Contains(text) => basic.contains = Some(text),
            Condition::AllOfIn(set) => basic.all_of_in = Some(set),
            Condition::MaxLen(length) => basic.max_len = Some(length),
            Condition::Number(Range {
                min,
                max,
                scale: None,
                positive: false,
            }) => {
                basic.min = min.map(Bound::Number);
                basic.max = max.map(Bound::Number);
            }
            Condition::Date { min, max } => {
                basic.min = min.map(Bound::Date);
                basic.max = max.map(Bound::Date);
            }
            _ => return None,
        }
    }
    Some(basic)
}

/// Drops the entries without a condition.
fn drop_silent(args: &mut Args) {
    let silent = args.iter().filter(|(path, constraint)| {
        let says = says_something(constraint);
        // A parent without conditions is kept if it may be absent, because the members below it may then be absent too.
        let is_silent_parent = constraint.meets.is_some() && has_below(args, path);
        !says && !is_silent_parent
    });
    let silent: Vec<String> = silent.map(|(path, _)| path.clone()).collect();
    for path in silent {
        // `address.city = "*"` only says that `address` may be there.
        args.remove(&path);
        let top = top_level(&path);
        // A constrained path already lists its top-level name.
        if !args.contains_key(top) && below(args, top).next().is_none() {
            args.insert(top.to_owned(), Constraint::any());
        }
    }
}
