//! Random tables of several arguments: the relations hold, and no form loses anything.

use proptest::prelude::*;

use super::meaning::{Call, allow, allows, monday};
use crate::{grant::Grants, value::Value};

/// Entries of a table, by path.
const ENTRIES: &[(&str, &[&str])] = &[
    (
        "n",
        &[
            "'*'",
            "5",
            "{ min = 0, max = 9 }",
            "{ max = 5, scale = 1, optional = true }",
            "{ positive = true }",
        ],
    ),
    (
        "s",
        &[
            "'*'",
            "'x'",
            "{ max_len = 2 }",
            "{ max_len = 1, optional = true }",
            "{ one_of = ['x', 'y'], optional = true }",
            "{ matches = '[a-z]+' }",
        ],
    ),
    (
        "t",
        &[
            "'*'",
            "{ equals_arg = 's' }",
            "{ differs_from_arg = 's', optional = true }",
        ],
    ),
    (
        "o",
        &[
            "'*'",
            "{ optional = true }",
            "{ members = ['a', 'b'] }",
            "{ members = ['a'], optional = true }",
            "{ present = true, members = 'any' }",
        ],
    ),
    (
        "o.a",
        &["'*'", "1", "{ max = 3 }", "{ max = 3, optional = true }"],
    ),
    (
        "o.b",
        &[
            "'*'",
            "'x'",
            "{ one_line = true, max_len = 2, optional = true }",
        ],
    ),
    ("o.c.d", &["'*'", "1", "{ optional = true, max = 3 }"]),
    (
        "l",
        &[
            "'*'",
            "{ count = { max = 2 } }",
            "{ count = { max = 2 }, optional = true }",
        ],
    ),
    ("l.*", &["'*'", "{ members = ['p', 'q'] }"]),
    (
        "l.*.p",
        &[
            "'*'",
            "{ min = 0, max = 3 }",
            "{ sum = { max = 4 } }",
            "{ max = 3, optional = true }",
        ],
    ),
    (
        "l.*.q",
        &["'*'", "'x'", "{ one_of = ['x', 'y'], optional = true }"],
    ),
];

/// Values of the arguments, by name.
const ARGUMENTS: &[(&str, &[&str])] = &[
    ("n", &["5", "0", "-1", "2.5", "2.55", "9", "\"5\""]),
    ("s", &["\"x\"", "\"y\"", "\"xyz\"", "\"\"", "null"]),
    ("t", &["\"x\"", "\" X\"", "\"z\""]),
    (
        "o",
        &[
            "{}",
            "null",
            "{\"a\":1}",
            "{\"a\":1,\"b\":\"x\"}",
            "{\"b\":\"x\"}",
            "{\"c\":{\"d\":1}}",
            "{\"a\":3,\"c\":{}}",
            "{\"a\":1,\"z\":1}",
            "[]",
        ],
    ),
    (
        "l",
        &[
            "[]",
            "[{}]",
            "[{\"p\":1}]",
            "[{\"p\":3,\"q\":\"x\"},{\"p\":1,\"q\":\"y\"}]",
            "[{\"p\":3},{\"p\":3}]",
            "[{\"q\":\"x\"}]",
            "[{\"p\":1,\"z\":1}]",
            "[1]",
            "[{\"p\":1},{\"p\":1},{\"p\":1}]",
        ],
    ),
];

fn choice(count: usize) -> impl Strategy<Value = Option<usize>> {
    prop_oneof![Just(None), (0..count).prop_map(Some)]
}

/// Picks an entry for some paths.
fn picks(
    lists: &'static [(&'static str, &'static [&'static str])],
) -> impl Strategy<Value = Vec<(&'static str, &'static str)>> {
    let each: Vec<_> = lists
        .iter()
        .map(|(_, entries)| choice(entries.len()).boxed())
        .collect();
    each.prop_map(move |picked| {
        let picked = lists.iter().zip(picked);
        picked
            .filter_map(|((name, entries), pick)| Some((*name, entries[pick?])))
            .collect()
    })
}

type Entries = Vec<(&'static str, &'static str)>;

/// The grants of a table that is well formed.
fn grants(entries: &Entries) -> Option<Grants> {
    let args = entries
        .iter()
        .map(|(path, entry)| format!("'{path}' = {entry}\n"));
    let args: String = args.collect();
    Grants::from_toml(&format!(
        "[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{args}"
    ))
    .ok()
}

/// Makes tables that are well formed, and skips the others.
fn tables() -> impl Strategy<Value = Grants> {
    picks(ENTRIES).prop_filter_map("not well formed", |entries| grants(&entries))
}

/// Two tables that differ in one entry or two, so that one often lies within the other.
fn neighbours() -> impl Strategy<Value = (Grants, Grants)> {
    let change = (
        0..ENTRIES.len(),
        any::<prop::sample::Index>(),
        any::<bool>(),
    );
    let changes = proptest::collection::vec(change, 1..=2);
    (picks(ENTRIES), changes).prop_filter_map("not well formed", |(entries, changes)| {
        let mut other = entries.clone();
        for (place, pick, is_dropped) in changes {
            let (path, choices) = ENTRIES[place];
            other.retain(|(name, _)| *name != path);
            if !is_dropped {
                other.push((path, choices[pick.index(choices.len())]));
            }
        }
        Some((grants(&entries)?, grants(&other)?))
    })
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = picks(ARGUMENTS).prop_map(|args| {
        args.into_iter()
            .map(|(name, value)| (name.to_owned(), Value::parse(value).unwrap()))
            .collect()
    });
    proptest::collection::vec(call, 60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn within_is_never_wider((one, other) in neighbours(), calls in calls()) {
        for (narrow, wide) in [(&one, &other), (&other, &one)] {
            let outside = |call: &&Call| {
                allow(narrow, call, monday()) && !allow(wide, call, monday())
            };
            let outside = calls.iter().find(outside);
            prop_assert!(
                outside.is_none() || !narrow.is_within(wide),
                "{}\nin {}\n{:?}", narrow.to_toml(), wide.to_toml(), outside
            );
        }
    }

    #[test]
    fn effective_is_what_both_allow(one in tables(), other in tables(), calls in calls()) {
        let effective = one.within([&other]).unwrap();
        for call in calls {
            let both = allow(&one, &call, monday()) && allow(&other, &call, monday());
            let shown = effective.iter().any(|all| all.iter().all(|grant| allows(grant, &call, monday())));
            prop_assert_eq!(both, shown, "{}\nand {}\n{:?}\n{:?}", one.to_toml(), other.to_toml(), effective, call);
        }
    }

    #[test]
    fn no_form_loses_anything(grants in tables()) {
        let toml = grants.to_toml();
        prop_assert_eq!(Grants::from_toml(&toml), Ok(grants.clone()), "{}", toml);
        prop_assert_eq!(Grants::from_json(&grants.to_json()), Ok(grants.clone()));
        let caveat = crate::caveat::Caveat::new().scope(grants.clone());
        let block = crate::datalog::appended_block(&caveat).unwrap();
        let code = bailiwick_biscuit::datalog::Code::from_blocks(&[block]);
        let scope = crate::datalog::written_scope(&code, &code.checks(&code.blocks[0])[0]);
        prop_assert_eq!(scope, Some(grants), "{}", toml);
    }

    #[test]
    fn grants_are_within_themselves(grants in tables()) {
        prop_assert!(grants.is_within(&grants), "{}", grants.to_toml());
    }
}

#[test]
fn neighbours_often_lie_within_each_other() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let within = (0..400).filter(|_| {
        let (one, other) = neighbours().new_tree(&mut runner).unwrap().current();
        one != other && (one.is_within(&other) || other.is_within(&one))
    });
    let within = within.count();
    assert!(within > 40, "only {within} of 400");
}
