use super::*;
use crate::{
    condition::Test,
    grant::{
        table::{Args, optional_parts},
        top_level,
    },
};

/// Returns true if a grant allows a call. This judge evaluates the typed grant without a verifier.
fn allows(grant: &Grant, call: &Example) -> bool {
    let resource = match (&grant.resource, &call.resource) {
        (None, _) => true,
        (Some(pattern), Some(resource)) => pattern.matches(resource),
        (Some(_), None) => false,
    };
    let args = grant.args.as_ref().is_none_or(|args| {
        let is_named = |name: &String| args.keys().any(|path| top_level(path) == name);
        let names = call.args.keys().all(is_named);
        names && args.keys().all(|path| meets(path, args, call))
    });
    let time = grant.when.as_ref().is_none_or(|when| when.holds(call.time));
    let names = grant.service == call.service && grant.action.matches(&call.action);
    names && resource && args && time
}

fn meets(path: &str, args: &Args, call: &Example) -> bool {
    args[path].conditions().into_iter().all(|condition| {
        let test = Test {
            path: path.parse().unwrap(),
            condition,
            optional: optional_parts(args, path),
        };
        test.evaluate(&call.args).is_ok()
    })
}

fn grants(text: &str) -> Grants {
    Grants::from_toml(text).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn args(text: &str) -> Grants {
    grants(&format!(
        "[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{text}"
    ))
}

/// Monday, 30 November 2026, noon in UTC.
fn noon() -> Timestamp {
    "2026-11-30T12:00:00Z".parse().unwrap()
}

fn found(wide: &Grants, narrow: &Grants) -> Found {
    let judge = |call: &Example| -> Result<Judgement, std::convert::Infallible> {
        if !wide.iter().any(|grant| allows(grant, call)) {
            return Ok(Judgement::Refused);
        }
        Ok(match narrow.iter().any(|grant| allows(grant, call)) {
            true => Judgement::Allowed,
            false => Judgement::Differs(String::new()),
        })
    };
    search(wide, narrow, noon(), 20_000, judge).unwrap()
}

/// Arguments of a wide and of a narrow grant, and the argument in which they differ.
const DIFFERING: [(&str, &str, &str); 32] = [
    ("a = { min = 0, max = 10 }", "a = { min = 0, max = 9 }", "a"),
    (
        "a = { min = 0, max = 10 }",
        "a = { min = 1, max = 10 }",
        "a",
    ),
    (
        "a = { min = 0, max = 10 }",
        "a = { min = 0, max = 10, scale = 2 }",
        "a",
    ),
    (
        "a = { min = 0, max = 10, scale = 3 }",
        "a = { min = 0, max = 10, scale = 2 }",
        "a",
    ),
    (
        "a = { min = 0, max = 10 }",
        "a = { min = 0, max = 10, positive = true }",
        "a",
    ),
    (
        "a = { as = 'decimal', max = 10 }",
        "a = { as = 'decimal', max = 10, scale = 1 }",
        "a",
    ),
    ("a = '*'", "a = { present = true }", "a"),
    ("a = '*'", "a = { optional = true, max_len = 9 }", "a"),
    (
        "a = { optional = true, max_len = 9 }",
        "a = { max_len = 9 }",
        "a",
    ),
    ("a = { one_of = ['x', 'y'] }", "a = 'x'", "a"),
    (
        "a = { one_of = ['x', 'y'], ignore_case = true }",
        "a = { one_of = ['x', 'y'] }",
        "a",
    ),
    ("a = { max_len = 20 }", "a = { max_len = 19 }", "a"),
    (
        "a = { prefix = 'eu' }",
        "a = { prefix = 'eu', suffix = '.pdf' }",
        "a",
    ),
    (
        "a = { matches = '47[0-9]{2}' }",
        "a = { matches = '47[0-8]{2}' }",
        "a",
    ),
    (
        "a = { prefix = '47' }",
        "a = { matches = '47[0-9]{2}' }",
        "a",
    ),
    (
        "a = { max_len = 200 }",
        "a = { one_line = true, max_len = 200 }",
        "a",
    ),
    (
        "a = { one_line = true }",
        "a = { one_line = true, links = 'none' }",
        "a",
    ),
    (
        "a = { suffix = '@acme.example' }",
        "a = { email = { domain_in = ['acme.example'] } }",
        "a",
    ),
    (
        "a = { email = { domain_in = ['acme.example'] } }",
        "a = { email = { domain_in = ['acme.example'], tag = 'none' } }",
        "a",
    ),
    (
        "a = { url = { host_in = ['acme.example'] } }",
        "a = { url = { host_in = ['acme.example'], path_under = '/v1' } }",
        "a",
    ),
    (
        "a = { url = { host_in = ['acme.example'], query = 'any' } }",
        "a = { url = { host_in = ['acme.example'] } }",
        "a",
    ),
    (
        "a = { prefix = '/srv/' }",
        "a = { path = { under = '/srv' } }",
        "a",
    ),
    (
        "a = { path = { under = '/srv' } }",
        "a = { path = { under = '/srv/x' } }",
        "a",
    ),
    (
        "a = { ip = { in = ['10.0.0.0/8'] } }",
        "a = { ip = { in = ['10.0.0.0/9'] } }",
        "a",
    ),
    (
        "a = { prefix = '2026-11' }",
        "a = { min = '2026-11-01', max = '2026-11-30' }",
        "a",
    ),
    (
        "a = { min = '2026-11-01' }",
        "a = { min = '2026-11-02' }",
        "a",
    ),
    (
        "'l.*.p' = { min = 0, max = 9 }",
        "'l.*.p' = { min = 0, max = 8 }",
        "l.*.p",
    ),
    (
        "'l.*.p' = { min = 0 }\nl = '*'",
        "'l.*.p' = { min = 0 }\nl = { count = { max = 3 } }",
        "l",
    ),
    (
        "'l.*.p' = { min = 0 }\nt = { min = 0, max = 5 }",
        "'l.*.p' = { min = 0 }\nt = { min = 0, max = 5, equals_sum = 'l.*.p' }",
        "t",
    ),
    (
        "'l.*.p' = { min = 0 }\nt = { min = 0, max = 6, equals_sum = 'l.*.p' }",
        "'l.*.p' = { min = 0 }\nt = { min = 0, max = 5, equals_sum = 'l.*.p' }",
        "l.*.p",
    ),
    (
        "a = { max_len = 9 }\nb = { max_len = 9 }",
        "a = { max_len = 9 }\nb = { max_len = 9, differs_from_arg = 'a' }",
        "b",
    ),
    ("a = 1\nb = '*'", "a = 1", "b"),
];

#[test]
fn each_difference_in_an_argument_is_found() {
    for (wide, narrow, path) in DIFFERING {
        let found = found(&args(wide), &args(narrow));
        assert!(!found.is_within && !found.is_cut_off, "{wide} {narrow}");
        let mut aspects = found.differences.iter().map(|found| &found.aspect);
        let expected = Aspect::Argument(path.to_owned());
        assert!(
            aspects.any(|aspect| *aspect == expected),
            "{wide} {narrow}: {found:?}"
        );
    }
}

/// In the other direction, most pairs are proven, and the search finds nothing in any of them.
#[test]
fn nothing_is_found_where_nothing_is_wider() {
    for (wide, narrow, _) in DIFFERING {
        if wide.contains("prefix = '/srv/'") || wide.contains("suffix = '@") {
            continue;
        }
        let found = found(&args(narrow), &args(wide));
        assert_eq!(found.differences, [], "{narrow} {wide}");
    }
}

#[test]
fn differences_outside_arguments_are_found() {
    let base = "[[grant]]\nservice = 'erp'\naction = 'order:*'\n";
    let hours = |to: &str| {
        format!(
            "when = {{ days = ['mon-fri'], from = '08:00', to = '{to}', zone = 'Europe/Berlin' }}"
        )
    };
    for (wide, narrow, aspect) in [
        (base.to_owned(), base.replace('*', "read"), Aspect::Action),
        (base.to_owned(), base.replace("erp", "crm"), Aspect::Action),
        (
            base.to_owned(),
            format!("{base}resource = 'eu/*'"),
            Aspect::Resource,
        ),
        (
            format!("{base}resource = 'eu*'"),
            format!("{base}resource = 'eu/*'"),
            Aspect::Resource,
        ),
        (
            base.to_owned(),
            format!("{base}args = {{}}"),
            Aspect::OtherArguments,
        ),
        (
            base.to_owned(),
            format!("{base}{}", hours("18:00")),
            Aspect::Time,
        ),
        (
            format!("{base}{}", hours("18:30")),
            format!("{base}{}", hours("18:00")),
            Aspect::Time,
        ),
        (
            format!("{base}{}", hours("18:00")),
            format!(
                "{base}{}",
                hours("18:00").replace("Europe/Berlin", "Etc/GMT-1")
            ),
            Aspect::Time,
        ),
    ] {
        let found = found(&grants(&wide), &grants(&narrow));
        let aspects: Vec<_> = found
            .differences
            .iter()
            .map(|found| &found.aspect)
            .collect();
        assert!(aspects.contains(&&aspect), "{wide} {narrow}: {found:?}");
    }
}

/// Each of two grants allows one argument to be large, and only a call with two of them is outside both.
#[test]
fn a_union_is_left_by_two_variations() {
    let wide = args("a = { min = 0 }\nb = { min = 0 }");
    let one = "[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n";
    let union = grants(&format!(
        "{one}a = {{ min = 0, max = 9 }}\nb = {{ min = 0 }}\n{one}a = {{ min = 0 }}\nb = {{ min = 0, max = 9 }}\n"
    ));
    let found = found(&wide, &union);
    assert_eq!(found.differences.len(), 1, "{found:?}");
    assert_eq!(found.differences[0].aspect, Aspect::Together);
}

#[test]
fn the_search_is_bounded() {
    let wide = args("a = { min = 0 }\nb = { min = 0 }");
    let mut judged = 0_u64;
    let result = search(&wide, &args("a = 1\nb = 2"), noon(), 7, |_| {
        judged += 1;
        Ok::<_, std::convert::Infallible>(Judgement::Refused)
    });
    let found = result.unwrap();
    assert!(
        found.is_cut_off && found.calls == 7 && judged == 7,
        "{found:?}"
    );
    assert!(search(&wide, &args("a = 1\nb = 2"), noon(), 7, |_| Err("broken")).is_err());
}

#[test]
fn what_is_proven_is_not_searched() {
    let found = found(
        &args("a = { min = 2, max = 3 }"),
        &args("a = { min = 1, max = 3 }"),
    );
    assert!(found.is_within && found.calls == 0 && found.differences.is_empty());
}
