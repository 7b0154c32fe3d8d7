//! Warnings about grants as a whole, and about the arguments of a grant together.

use std::collections::BTreeMap;

use super::{
    Warning, WarningKind,
    argument::argument_path,
    rewrite::{self, Form},
    words,
};
use crate::{
    escape::code,
    grant::{Grants, Pattern},
    value::Value,
};

/// Warnings about services and actions, and about grants that change nothing.
pub(super) fn warnings(grants: &Grants, form: Form) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (index, grant) in grants.iter().enumerate() {
        if let Pattern::Prefix(prefix) = &grant.action {
            warnings.extend(action_prefix(index, prefix, form));
        }
        let mut others = grants.iter().enumerate();
        let wider = others.find(|(other, wider)| {
            // Of two grants that allow the same, the first stays.
            index != *other && grant.is_within(wider) && (*other < index || !wider.is_within(grant))
        });
        warnings.extend(wider.map(|(other, _)| Warning {
            kind: WarningKind::WithinAnother,
            path: format!("grant[{index}]"),
            line: None,
            message: format!(
                "this grant changes nothing, because `grant[{other}]` allows everything that it allows"
            ),
            next: format!("remove it, or narrow `grant[{other}]`"),
            rewrite: None,
        }));
    }
    warnings
}

fn action_prefix(index: usize, prefix: &str, form: Form) -> Option<Warning> {
    let ends_in_name = prefix
        .chars()
        .next_back()
        .is_some_and(char::is_alphanumeric);
    ends_in_name.then(|| Warning {
        kind: WarningKind::ActionPrefix,
        path: format!("grant[{index}].action"),
        line: None,
        message: format!(
            "{} also allows other actions whose names begin the same way, such as {}",
            code(&format!("{prefix}*")),
            code(&format!("{prefix}_admin"))
        ),
        next: "end the prefix with the separator that the service uses".to_owned(),
        rewrite: Some(rewrite::text(form, "action", &format!("{prefix}:*"))),
    })
}

/// Warnings about combinations of arguments in one grant.
pub(super) fn argument_warnings(
    grant: usize,
    args: &BTreeMap<String, Value>,
    form: Form,
) -> Vec<Warning> {
    let mut warnings = Vec::new();
    for (name, value) in args {
        if !is_open(value) {
            continue;
        }
        warnings.extend(open_parent(grant, name, args));
        warnings.extend(open_currency(grant, name, args, form));
    }
    warnings
}

fn is_open(value: &Value) -> bool {
    matches!(value, Value::String(star) if star == "*")
}

fn open_parent(grant: usize, name: &str, args: &BTreeMap<String, Value>) -> Option<Warning> {
    let is_below = |path: &str| {
        let rest = path.strip_prefix(name);
        rest.is_some_and(|rest| rest.starts_with('.'))
    };
    let (member, _) = args
        .iter()
        .find(|(path, value)| is_below(path) && !is_open(value))?;
    Some(Warning {
        kind: WarningKind::OpenParent,
        path: argument_path(grant, name),
        line: None,
        message: format!(
            "{} is open, so it may have members that nothing here names, beside {}",
            code(name),
            code(member)
        ),
        next: format!(
            "remove this line, and name each member that is allowed: a member that is named closes {}",
            code(name)
        ),
        rewrite: None,
    })
}

fn open_currency(
    grant: usize,
    name: &str,
    args: &BTreeMap<String, Value>,
    form: Form,
) -> Option<Warning> {
    if !words::is_currency(name) {
        return None;
    }
    let (amount, _) = args
        .iter()
        .find(|(name, value)| words::is_money(name) && matches!(value, Value::Object(_)))?;
    let present = BTreeMap::from([("present".to_owned(), Value::Bool(true))]);
    Some(Warning {
        kind: WarningKind::OpenCurrency,
        path: argument_path(grant, name),
        line: None,
        message: format!(
            "any currency is allowed, or none, so the bound of {} applies in no particular currency",
            code(amount)
        ),
        next: "name the currencies with `one_of`, or require one with `present`".to_owned(),
        rewrite: Some(rewrite::constraint(form, name, &present)),
    })
}
