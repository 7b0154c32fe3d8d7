//! Operations on arrays, sets and maps.

use super::{COUNTS, LENGTHS};
use crate::fuel::{
    climb::Choices,
    text::{BY, KINDS, repeated, terms, text},
};

pub(super) fn equal_terms(c: &mut Choices<'_>) -> String {
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(200));
    let count = c.of("elements", &COUNTS);
    let place = c.of("in", &["an array", "a set", "a map", "nothing"]);
    let terms = terms(count + 1, kind, length.min(4000 / count));
    let whole = |last: &str| {
        let items: Vec<&str> = terms[..count - 1]
            .iter()
            .map(String::as_str)
            .chain([last])
            .collect();
        match place {
            "nothing" => last.to_owned(),
            kind => container(kind, &items),
        }
    };
    let facts = format!(
        "s({}); t({});",
        whole(&terms[count - 1]),
        whole(&terms[count])
    );
    let operator = c.of("", &["===", "=="]);
    repeated(
        &facts,
        "s($s), t($t), ",
        &format!("$s {operator} $t"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn array_ends(c: &mut Choices<'_>) -> String {
    let (count, terms) = elements(c);
    let method = c.of("", &["starts_with", "ends_with"]);
    let (whole, part) = (
        terms[..count].join(","),
        [&terms[..count - 1], &terms[count..]].concat().join(","),
    );
    repeated(
        &format!("s([{whole}]); t([{part}]);"),
        "s($s), t($t), ",
        &format!("$s.{method}($t)"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn listed(c: &mut Choices<'_>) -> String {
    let (count, terms) = elements(c);
    let list = container(c.of("in", &["an array", "a set"]), &terms[..count]);
    // In a separate array, so that the term has another position.
    let facts = format!("s({list}); t([{}]);", terms[count]);
    repeated(
        &facts,
        "s($s), t($t), ",
        "$s.contains($t.get(0))",
        false,
        c.of("", &BY),
    )
}

pub(super) fn superset(c: &mut Choices<'_>) -> String {
    let (count, terms) = elements(c);
    let facts = format!(
        "s({{{}}}); t({{{}}});",
        terms[..count].join(","),
        [&terms[..count - 1], &terms[count..]].concat().join(",")
    );
    repeated(
        &facts,
        "s($s), t($t), ",
        "$s.contains($t)",
        false,
        c.of("", &BY),
    )
}

pub(super) fn merge(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    let further = c.of("others", &COUNTS);
    let method = c.of("", &["union", "intersection"]);
    let order = c.of("", &["same", "behind"]);
    let terms = terms(count + further, kind, length.min(4000 / (count + further)));
    let other = match order {
        "same" => &terms[..further.min(count)],
        _ => &terms[count..],
    };
    let facts = format!(
        "s({{{}}}); t({{{}}});",
        terms[..count].join(","),
        other.join(",")
    );
    let times = format!(".{method}($t)").repeat(c.of("times", &[1usize, 2, 20]));
    repeated(
        &facts,
        "s($s), t($t), ",
        &format!("$s{times} === {{,}}"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn get(c: &mut Choices<'_>) -> String {
    let count = c.of("entries", &[1usize, 4, 16, 60, 200]);
    let length = c.of("length", &LENGTHS).min(3000 / count);
    let (facts, key) = match c.of("of", &["an array", "a map by integers", "a map by strings"]) {
        "an array" => (
            format!("s([{}]);", terms(count, "integers", 0).join(",")),
            (count - 1).to_string(),
        ),
        "a map by integers" => {
            let pairs: Vec<String> = (0..count).map(|key| format!("{key}: 1")).collect();
            (format!("s({{{}}});", pairs.join(",")), "-1".to_owned())
        }
        _ => {
            let keys = terms(count + 1, "strings", length);
            let pairs: Vec<String> = keys[1..].iter().map(|key| format!("{key}: 1")).collect();
            (format!("s({{{}}});", pairs.join(",")), keys[0].clone())
        }
    };
    repeated(
        &facts,
        "s($s), ",
        &format!("$s.get({key}) == \"x\""),
        false,
        c.of("", &BY),
    )
}

pub(super) fn closures(c: &mut Choices<'_>) -> String {
    let (count, kind) = (c.of("elements", &[1usize, 2, 60, 200]), c.of("", &KINDS));
    let terms = terms(count, kind, 2);
    let list = container(c.of("of", &["an array", "a set", "a map"]), &terms);
    let inside = c.of("", &["true", "[1, 2].contains($x)", "$x == $x"]);
    let (method, answer) = if inside.starts_with('[') {
        ("any", false)
    } else {
        ("all", true)
    };
    repeated(
        &format!("s({list});"),
        "s($s), ",
        &format!("$s.{method}($x -> {inside})"),
        answer,
        c.of("", &BY),
    )
}

pub(super) fn externs(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(400),
    );
    let terms = terms(count, kind, length.min(4000 / count));
    let list = match c.of("of", &["an array", "a set", "a map", "one"]) {
        "a map" => {
            let pairs = terms.iter().enumerate().map(|(key, item)| {
                format!(
                    "\"{}{key:04}\": {item}",
                    text(length.min(4000 / count), "one letter")
                )
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        "one" => terms[0].clone(),
        kind => container(kind, &terms),
    };
    repeated(
        &format!("s({list});"),
        "s($s), ",
        "$s.extern::same() == null",
        false,
        c.of("", &BY),
    )
}

/// Makes a number of elements, and one term more than that.
fn elements(c: &mut Choices<'_>) -> (usize, Vec<String>) {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    (count, terms(count + 1, kind, length.min(4000 / count)))
}

/// Makes an array, a set, or a map with integer keys.
fn container<T: AsRef<str>>(kind: &str, items: &[T]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match kind {
        "an array" => format!("[{}]", items.join(",")),
        "a set" => format!("{{{}}}", items.join(",")),
        _ => {
            let pairs = items
                .iter()
                .enumerate()
                .map(|(key, item)| format!("{key}: {item}"));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
    }
}
