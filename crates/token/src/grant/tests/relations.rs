//! `within` and `effective`, for every pair of constraints.

use super::{
    corpus::{CONSTRAINTS, calls, grants, table},
    meaning::{Call, allow, allows, monday},
};
use crate::{grant::Grants, value::Value};

/// For each constraint: its grants, and which calls they allow.
fn judged(calls: &[Call]) -> Vec<(&'static str, Grants, Vec<bool>)> {
    let judged = CONSTRAINTS.iter().map(|text| {
        let grants = grants(text);
        let allowed = calls
            .iter()
            .map(|call| allow(&grants, call, monday()))
            .collect();
        (*text, grants, allowed)
    });
    judged.collect()
}

#[test]
fn every_constraint_allows_and_denies_a_call() {
    for (text, _, allowed) in judged(&calls()) {
        assert!(
            allowed.contains(&true),
            "{text} allows nothing that is tried"
        );
        assert!(
            text == "'*'" || allowed.contains(&false),
            "{text} denies nothing that is tried"
        );
    }
}

#[test]
fn no_call_is_inside_the_narrow_and_outside_the_wide() {
    let calls = calls();
    let judged = judged(&calls);
    let mut proven = 0;
    for (narrow_text, narrow, inside) in &judged {
        assert!(
            narrow.is_within(narrow),
            "{narrow_text} is not within itself"
        );
        for (wide_text, wide, outside) in &judged {
            if !narrow.is_within(wide) {
                continue;
            }
            proven += 1;
            for (call, (inside, outside)) in calls.iter().zip(inside.iter().zip(outside)) {
                assert!(
                    !inside || *outside,
                    "{narrow_text} within {wide_text}: {call:?}"
                );
            }
        }
    }
    // Each constraint is within itself and within any value, so much more than these cases must be proven.
    assert!(
        proven > 4 * judged.len(),
        "only {proven} of {}",
        judged.len()
    );
}

#[test]
fn effective_understates_no_pair() {
    let calls = calls();
    let judged = judged(&calls);
    let is_rounded = |call: &Call| {
        let number =
            |value: &Value| matches!(value, Value::Number(number) if !number.is_read_alike());
        call.values().any(number)
    };
    for (one_text, one, by_one) in &judged {
        for (other_text, other, by_other) in &judged {
            let effective = one.within([other]).unwrap();
            let judged = calls.iter().zip(by_one.iter().zip(by_other)).enumerate();
            for (place, (call, (one, other))) in judged {
                let both = *one && *other;
                // There are two million other cases, so a sample of them is checked.
                if !both && place % 7 != 0 {
                    continue;
                }
                let shown = effective
                    .iter()
                    .any(|all| all.iter().all(|grant| allows(grant, call, monday())));
                assert!(
                    shown || !both,
                    "{one_text} and {other_text}: {call:?} is left out"
                );
                // Rounded numbers may be shown as allowed, because basic conditions refuse fewer numbers.
                assert!(
                    both || !shown || is_rounded(call),
                    "{one_text} and {other_text}: {call:?} is shown"
                );
            }
        }
    }
}

#[test]
fn narrower_conditions_are_proven() {
    for (narrow, wide) in [
        (
            "a = { min = 1, max = 5, scale = 2 }",
            "a = { min = 0, max = 10 }",
        ),
        (
            "a = { min = 1, max = 5 }",
            "a = { min = 0, max = 10, optional = true }",
        ),
        (
            "a = { as = 'decimal', max = 5, scale = 1 }",
            "a = { as = 'decimal', max = 5, scale = 2 }",
        ),
        (
            "a = { positive = true, max = 5 }",
            "a = { min = 0, max = 5, scale = 6 }",
        ),
        (
            "a = { min = '2026-12-01', max = '2026-12-31' }",
            "a = { min = '2026-01-01' }",
        ),
        ("a = 'x'", "a = { matches = '[a-z]' }"),
        (
            "a = { one_of = ['Ada@acme.example'] }",
            "a = { email = { domain_in = ['acme.example'] } }",
        ),
        (
            "a = { email = { domain_in = ['eu.acme.example'] } }",
            "a = { email = { domain_under = ['acme.example'] } }",
        ),
        (
            "a = { email = { domain_under = ['x.eu.example'] } }",
            "a = { email = { domain_under = ['eu.example'] } }",
        ),
        (
            "a = { url = { host_in = ['acme.example'], path_under = '/v1/x' } }",
            "a = { url = { host_in = ['acme.example'], path_under = '/v1', query = 'any' } }",
        ),
        (
            "a = { path = { under = '/srv/a/b' } }",
            "a = { path = { under = '/srv/a', chars = 'any' } }",
        ),
        (
            "a = { ip = { in = ['10.1.0.0/16'] } }",
            "a = { ip = { in = ['10.0.0.0/8'] } }",
        ),
        (
            "a = { count = { min = 1, max = 2 } }",
            "a = { count = { max = 3 } }",
        ),
        (
            "a = { one_line = true, max_len = 10 }",
            "a = { max_len = 20 }",
        ),
        (
            "a = { links = 'none' }",
            "a = { links = { host_in = ['acme.example'] } }",
        ),
        (
            "a = { max_len = 3 }",
            "a = { max_len = 3, optional = true }",
        ),
        ("", "a = { max_len = 3, optional = true }"),
        ("'a.city' = 'x'", "a = { members = ['city', 'zip'] }"),
        (
            "'a.city' = 'x'",
            "'a.city' = 'x'\n'a.zip' = { max_len = 5, optional = true }",
        ),
        (
            "'l.*.n' = { max = 5, min = 0 }",
            "'l.*.n' = { max = 6, min = 0 }",
        ),
        (
            "'l.*.n' = { sum = { max = 5 } }",
            "'l.*.n' = { sum = { max = 6, min = 0, negative = true } }",
        ),
        (
            "'l.*.n' = 1",
            "'l.*.n' = { one_of = [1, 2] }\n'l.*.note' = { max_len = 5, optional = true }",
        ),
    ] {
        // Nothing else is wider by accident. The only exception is the pair with `sum`, whose narrow side states no
        // `min`.
        let (narrow, wide) = (table(narrow), table(wide));
        if narrow.to_toml().contains("sum") {
            assert!(!narrow.is_within(&wide));
            continue;
        }
        assert!(
            narrow.is_within(&wide),
            "{}in {}",
            narrow.to_toml(),
            wide.to_toml()
        );
        assert!(
            !wide.is_within(&narrow),
            "{}in {}",
            wide.to_toml(),
            narrow.to_toml()
        );
    }
}

#[test]
fn windows_narrow_too() {
    let grants = |when: &str| {
        let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\n{when}\n");
        Grants::from_toml(&text).unwrap()
    };
    let always = grants("");
    let office = grants(
        "when = { days = ['mon-fri'], from = '08:00', to = '18:00', zone = 'Europe/Berlin' }",
    );
    let noon =
        grants("when = { days = ['mon'], from = '12:00', to = '13:00', zone = 'Europe/Berlin' }");
    let evening = grants("when = { from = '19:00', zone = 'Europe/Berlin' }");
    let paris = grants(
        "when = { days = ['mon-fri'], from = '08:00', to = '18:00', zone = 'Europe/Paris' }",
    );
    for (narrow, wide, within) in [
        (&office, &always, true),
        (&always, &office, false),
        (&noon, &office, true),
        (&office, &noon, false),
        (&noon, &evening, false),
        // The two zones agree today, but may differ in a later database.
        (&paris, &office, false),
    ] {
        assert_eq!(narrow.is_within(wide), within);
    }
    assert_eq!(
        office.within([&noon]).unwrap(),
        [noon.iter().cloned().collect::<Vec<_>>()]
    );
    assert!(office.within([&evening]).unwrap().is_empty());
    assert_eq!(office.within([&paris]).unwrap()[0].len(), 2);
}

/// An array that is a member is not stated to a basic condition, so such a condition never holds for it.
#[test]
fn an_array_member_is_not_within_a_basic_condition() {
    for (narrow, wide) in [
        (
            "a = '*'\n'a.b' = { exact = ['x'], count = { max = 3 } }",
            "a = '*'\n'a.b' = { max_len = 4 }",
        ),
        (
            "a = '*'\n'a.b' = { exact = [], count = { max = 0 } }",
            "a = '*'\n'a.b' = { max_len = 4 }",
        ),
    ] {
        assert!(!table(narrow).is_within(&table(wide)), "{narrow}");
    }
}

/// The sum of no values is 0. A table that excludes the values is within a bound only if 0 is.
#[test]
fn a_sum_of_nothing_has_to_be_in_range() {
    let bounded = |bound: &str| {
        table(&format!(
            "x = '*'\nlines = {{ optional = true }}\n'lines.*.amount' = {{ sum = {{ {bound} }} }}"
        ))
    };
    let without_lines = table("x = '*'");
    assert!(without_lines.is_within(&bounded("max = 5")));
    for bound in ["min = 5", "min = 5, max = 9", "max = -5, negative = true"] {
        assert!(!without_lines.is_within(&bounded(bound)), "{bound}");
    }
}
