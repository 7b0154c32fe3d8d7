//! Warnings about the bounds of the constraint on one argument, and about values that it leaves open.

use std::collections::BTreeMap;

use super::{
    Warning, WarningKind,
    argument::{Argument, WHOLE},
    document::{self, NOT_BOUNDED},
    stars, text_part, words,
};
use crate::{
    escape::code,
    grant::{Bound, List},
    value::{Micros, Value},
};

/// All warnings about a constraint by itself.
pub(super) fn warnings(argument: &Argument<'_>) -> Vec<Warning> {
    let warnings = [
        bare_array(argument),
        max_without_min(argument),
        money_without_scale(argument),
        not_one_of_alone(argument),
        document_in_string(argument),
        stars::warning(argument),
        text_part::warning(argument),
    ];
    warnings.into_iter().flatten().collect()
}

fn bare_array(argument: &Argument<'_>) -> Option<Warning> {
    let Value::Array(items) = argument.value else {
        return None;
    };
    // Elements that cannot form a list of allowed values were meant as an exact array.
    if items.is_empty() || List::from_values(items).is_err() {
        return None;
    }
    let one_of = BTreeMap::from([("one_of".to_owned(), argument.value.clone())]);
    Some(argument.warning(
        WarningKind::BareArray,
        "a bare list stands for this whole array: one of its elements alone is refused",
        "name the elements that are allowed with `one_of`; write `exact` if the array is meant",
        argument.rewritten(&one_of),
    ))
}

fn max_without_min(argument: &Argument<'_>) -> Option<Warning> {
    let max = open_below(argument.table()?)?;
    // With a negative `max`, a `min` of zero would leave nothing.
    let rewrite = (max >= Micros(0)).then(|| bounded(argument)).flatten();
    Some(argument.warning(
        WarningKind::MaxWithoutMin,
        "`max` alone allows every number below it, such as -500000",
        "add the lowest number that is allowed as `min`",
        rewrite,
    ))
}

fn money_without_scale(argument: &Argument<'_>) -> Option<Warning> {
    has_open_scale(argument, argument.table()?).then(|| {
        argument.warning(
            WarningKind::MoneyWithoutScale,
            "an amount of money may have any number of decimals here, such as 99.999",
            "bound the decimals with `scale`, as many as the currency has",
            bounded(argument),
        )
    })
}

/// The `max` of a number or a sum that has no lower bound.
fn open_below(table: &BTreeMap<String, Value>) -> Option<Micros> {
    if let Some(max) = number(table, "max") {
        let is_bounded = table.contains_key("min") || table.contains_key("positive");
        return (!is_bounded).then_some(max);
    }
    // Negative summands must be allowed explicitly, and only then does a sum lack a lower bound.
    let Some(Value::Object(sum)) = table.get("sum") else {
        return None;
    };
    let max = number(sum, "max")?;
    (!sum.contains_key("min") && sum.contains_key("negative")).then_some(max)
}

fn has_open_scale(argument: &Argument<'_>, table: &BTreeMap<String, Value>) -> bool {
    let is_bounded = number(table, "min").is_some()
        || number(table, "max").is_some()
        || ["positive", "sum"]
            .iter()
            .any(|key| table.contains_key(*key));
    is_bounded && !table.contains_key("scale") && words::is_money(argument.name)
}

/// The line with every bound that a number lacks, so that each warning about it suggests the same.
fn bounded(argument: &Argument<'_>) -> Option<String> {
    let table = argument.table()?;
    let mut better = table.clone();
    if open_below(table).is_some_and(|max| max >= Micros(0)) {
        let lowest = Value::from("0");
        match better.get_mut("sum") {
            Some(Value::Object(sum)) if !table.contains_key("max") => {
                sum.insert("min".to_owned(), lowest)
            }
            _ => better.insert("min".to_owned(), lowest),
        };
    }
    if has_open_scale(argument, table) {
        let scale = if words::is_minor_unit(argument.name) {
            0
        } else {
            2
        };
        better.insert("scale".to_owned(), Value::from(scale));
    }
    argument.rewritten(&better)
}

fn not_one_of_alone(argument: &Argument<'_>) -> Option<Warning> {
    let table = argument.table()?;
    let Some(Value::Array(names)) = table.get("not_one_of") else {
        return None;
    };
    let are_names = names.iter().all(|name| matches!(name, Value::String(_)));
    let bounds = [
        "prefix", "suffix", "contains", "after", "before", "min", "max",
    ];
    if !are_names || argument.has(&WHOLE) || argument.has(&bounds) {
        return None;
    }
    Some(argument.warning(
        WarningKind::NotOneOfAlone,
        "`not_one_of` refuses these spellings only: another case, a space or any other name is allowed",
        "list the names that are allowed with `one_of`",
        None,
    ))
}

fn document_in_string(argument: &Argument<'_>) -> Option<Warning> {
    let document = document::named(argument.name)?;
    let takes_text = match argument.value {
        Value::String(text) => text == "*",
        Value::Object(_) => !argument.has(&WHOLE) && !argument.has(&["min", "max", "count", "sum"]),
        _ => false,
    };
    takes_text.then(|| {
        argument.warning(
            WarningKind::DocumentInString,
            format!(
                "{} can carry {document}, {NOT_BOUNDED}",
                code(argument.name)
            ),
            document::NEXT,
            None,
        )
    })
}

/// The bound under `key`, if it is a number.
fn number(table: &BTreeMap<String, Value>, key: &str) -> Option<Micros> {
    let bound = match table.get(key)? {
        Value::String(text) => text.parse().ok()?,
        Value::Number(number) => return number.micros(),
        _ => return None,
    };
    match bound {
        Bound::Number(micros) => Some(micros),
        Bound::Date(_) => None,
    }
}
