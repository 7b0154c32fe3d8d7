//! Text, typed form and Datalog convert into each other without loss.

use bailiwick_biscuit::datalog::{Block, Code, Op, Predicate, Query, Term};

use super::corpus::{CONSTRAINTS, grants, table};
use crate::{
    caveat::Caveat,
    condition::{Condition, Meets, Test},
    datalog::{self, CheckMeaning, Native},
    grant::{Constraint, Grant, Grants},
    text::counted,
};

/// Tables whose objects and arrays are closed, open or absent in every way.
const TABLES: &[&str] = &[
    "'address.city' = 'x'",
    "'address.city' = 'x'\naddress = '*'",
    "'address.city' = '*'",
    "'address.city' = { max_len = 5, optional = true }",
    "'address.city' = 'x'\naddress = { optional = true }",
    "'address.city' = 'x'\naddress = { optional = true, members = 'any' }",
    "'address.city' = 'x'\naddress = { optional = true, members = ['city', 'zip'] }",
    "'address.city' = 'x'\naddress = { present = true }",
    "'address.city' = 'x'\naddress = { present = true, members = 'any' }",
    "'address.city' = 'x'\naddress = { exact = { city = 'x' } }",
    "'a.b.c' = 1",
    "'a.b.c' = 1\na = '*'",
    "'a.b.c' = 1\n'a.b' = '*'",
    "'a.b.c' = 1\n'a.b' = { optional = true }",
    "'a.b.c' = 1\n'a.d' = '*'\na = { optional = true }",
    "'lines.*.price' = { max = 100, min = 0 }",
    "'lines.*.price' = { max = 100 }\nlines = '*'",
    "'lines.*.price' = { max = 100 }\nlines = { count = { max = 20 }, optional = true }",
    "'lines.*.price' = { max = 100 }\n'lines.*' = '*'",
    "'lines.*.price' = { sum = { max = 100 } }\n'lines.*.note' = { max_len = 5, optional = true }",
    "'lines.*.tags.*' = 'x'",
    "'lines.*.at.city' = 'x'\n'lines.*.at' = { optional = true }",
    "'tags.*' = { one_of = ['x', 'y'] }",
    "'tags.*' = ['x']",
    "'tags.*' = { exact_json = '{\"a\":[null]}' }",
    "total = { equals_sum = 'lines.*.n' }\n'lines.*.n' = '*'",
    "debit = { differs_from_arg = 'credit' }\ncredit = '*'",
    "note = { exact_json = 'null', optional = true }",
];

fn all() -> Vec<Grants> {
    let mut all: Vec<Grants> = CONSTRAINTS.iter().map(|text| grants(text)).collect();
    all.extend(TABLES.iter().map(|text| table(text)));
    let window = "[[grant]]\nservice = 'erp'\naction = 'order:*'\nresource = 'eu/*'\nwhen = { days = ['mon-fri', 'sun'], from = '08:00', to = '18:00', zone = 'Europe/Berlin' }\n";
    all.push(Grants::from_toml(window).unwrap());
    all.push(Grants::from_toml(&format!("{window}args = {{ a = {{ scale = 2 }} }}\n")).unwrap());
    all
}

fn block(grants: &Grants) -> Code {
    let block = datalog::appended_block(&Caveat::new().scope(grants.clone())).unwrap();
    Code::from_blocks(&[block])
}

#[test]
fn text_is_read_back() {
    for grants in all() {
        let toml = grants.to_toml();
        assert_eq!(Grants::from_toml(&toml).as_ref(), Ok(&grants), "{toml}");
        let json = grants.to_json();
        assert_eq!(Grants::from_json(&json).as_ref(), Ok(&grants), "{json}");
        // Well-formed grants are in their normal form.
        assert_eq!(Grants::new(grants.clone()).as_ref(), Ok(&grants), "{toml}");
    }
}

#[test]
fn datalog_is_read_back() {
    for grants in all() {
        let code = block(&grants);
        let checks = code.checks(&code.blocks[0]);
        let shown = datalog::show(&grants);
        assert_eq!(
            datalog::written_scope(&code, &checks[0]).as_ref(),
            Some(&grants),
            "{shown}"
        );
        let listed: Vec<Grant> = grants.iter().cloned().collect();
        assert_eq!(
            datalog::meaning(&code, &checks[0]),
            CheckMeaning::Scope(listed),
            "{shown}"
        );
    }
}

#[test]
fn each_condition_is_stated_as_its_own_pair() {
    for grants in all() {
        let code = block(&grants);
        let query = &code.queries(&code.checks(&code.blocks[0])[0])[0];
        let mut tests = Vec::new();
        for native in datalog::natives(&code, query) {
            match native {
                Native::Meets { path, text } => tests.push(Test::parse(path, text).unwrap()),
                Native::During { text } => {
                    let window = crate::condition::During::parse(text).unwrap();
                    assert_eq!(grants.iter().next().unwrap().when, Some(window));
                }
                Native::Malformed => panic!("{}", datalog::show(&grants)),
            }
        }
        assert_eq!(
            tests,
            grants.iter().next().unwrap().tests(),
            "{}",
            datalog::show(&grants)
        );
    }
}

#[test]
fn words_say_each_condition() {
    for (constraint, words) in [
        (
            "{ min = 0, max = 10, scale = 2 }",
            "at least 0 and at most 10 and at most 2 decimals",
        ),
        (
            "{ as = 'decimal', positive = true }",
            "a decimal in a string, above 0",
        ),
        (
            "{ max_len = 5, optional = true }",
            "length at most 5, or absent",
        ),
        ("{ min = '2026-12-01' }", "a day at least 2026-12-01"),
        (
            "{ before = '2026-12-01T00:00:00Z' }",
            "a date-time before 2026-12-01T00:00:00Z",
        ),
        (
            "{ email = { domain_in = ['a.example'], domain_under = ['b.example'], tag = 'none' } }",
            r#"an e-mail address at "a.example", or below "b.example" without a tag"#,
        ),
        (
            "{ url = { host_in = ['a.example'], path_under = '/v1' } }",
            r#"a URL at "a.example", at or below "/v1", by https"#,
        ),
        ("{ path = { under = '/srv' } }", r#"a path below "/srv""#),
        (
            "{ ip = { in = ['10.0.0.0/8'] } }",
            "an IP address in 10.0.0.0/8",
        ),
        (
            "{ count = { min = 1, max = 3 } }",
            "number of elements at least 1 and at most 3",
        ),
        (
            "{ one_line = true, links = 'none' }",
            "without links and one line of at most 1024 bytes",
        ),
        (
            "{ members = ['city'] }",
            r#"an object with no members but "city""#,
        ),
        ("{ equals_sum = 'l.*.n' }", r#"the sum of "l.*.n""#),
        ("{ differs_from_arg = 'b' }", r#"a value other than "b""#),
        ("{ present = true }", "present and not empty"),
    ] {
        let grants = grants(constraint);
        let args = grants.iter().next().unwrap().args.as_ref().unwrap();
        assert_eq!(args["a"].to_string(), words);
    }
    let grant = Grants::from_toml(
        "[[grant]]\nservice = 'erp'\naction = 'order'\nwhen = { days = ['mon-fri'], from = '08:00', zone = 'UTC' }\nargs = {}\n",
    );
    let grant = grant.unwrap().iter().next().unwrap().to_string();
    assert_eq!(
        grant,
        "erp order on mon-fri from 08:00 to 24:00 (UTC) (no arguments)"
    );
}

#[test]
fn builders_and_text_agree() {
    let built = Grants::new([Grant::new("erp", "order")
        .arg(
            "a",
            Constraint::any()
                .min(0.into())
                .max(10.into())
                .also(Condition::Number(crate::condition::Range {
                    scale: Some(2),
                    ..Default::default()
                })),
        )
        .arg(
            "b",
            Constraint::from(Condition::OneLine(1024))
                .max_len(20)
                .optional(),
        )
        .arg("c", Constraint::from(Condition::MaxLen(5)))
        .arg("d", Constraint::any().optional())]);
    let text = table(
        "a = { min = 0, max = 10, scale = 2 }\nb = { one_line = true, max_len = 20, optional = true }\nc = { max_len = 5 }\nd = '*'",
    );
    assert_eq!(built, Ok(text));
}

#[test]
fn conditions_that_no_value_meets_are_refused() {
    let of =
        |constraint: Constraint| Grants::new([Grant::new("erp", "order").arg("a", constraint)]);
    let scale = |scale| {
        Condition::Number(crate::condition::Range {
            scale: Some(scale),
            ..Default::default()
        })
    };
    for constraint in [
        Constraint::from(scale(2)).also(Condition::Day {
            min: None,
            max: crate::condition::Day::parse("2026-12-01"),
        }),
        Constraint::exact("x").also(scale(2)),
        Constraint::from(Condition::Contains("x".into())).also(Condition::Contains("y".into())),
        Constraint::from(Condition::Exact(1.into())).also(Condition::Exact(2.into())),
        Constraint {
            meets: Some(Meets {
                optional: false,
                conditions: vec![Condition::Members(Default::default())],
            }),
            ..Constraint::any()
        },
    ] {
        assert!(of(constraint.clone()).is_err(), "{constraint:?}");
    }
}

/// A body with one predicate beside `service` and `action`.
fn body(name: &str, terms: Vec<Term>) -> Code {
    let text = |text: &str| Term::Str(text.to_owned());
    let query = Query {
        body: vec![
            Predicate::new("service", vec![text("erp")]),
            Predicate::new("action", vec![text("order")]),
            Predicate::new("args", vec![Term::Variable("n".to_owned())]),
            Predicate::new(name, terms),
        ],
        expressions: vec![vec![
            Op::Value(Term::Set([text(""), text("a")].into())),
            Op::Value(Term::Variable("n".to_owned())),
            Op::Binary(bailiwick_biscuit::datalog::Binary::Contains),
        ]],
        ..Query::default()
    };
    let check = bailiwick_biscuit::datalog::BlockCheck {
        kind: bailiwick_biscuit::datalog::Kind::One,
        queries: vec![query],
    };
    Code::from_blocks(&[Block {
        checks: vec![check],
        ..Block::default()
    }])
}

#[test]
fn forged_pairs_are_no_grants() {
    let text = |text: &str| Term::Str(text.to_owned());
    let variable = || Term::Variable("x".to_owned());
    let good = r#"{"max_len":3,"optional":[true]}"#;
    let is_grant = |code: &Code| {
        let checks = code.checks(&code.blocks[0]);
        datalog::meaning(code, &checks[0]) != CheckMeaning::Datalog
    };
    assert!(is_grant(&body("meets", vec![text("a"), text(good)])));
    for terms in [
        vec![text("a"), text(r#"{"optional":[true],"max_len":3}"#)],
        vec![
            text("a"),
            text(r#"{"max_len":3,"new":1,"optional":[true]}"#),
        ],
        vec![text("a"), text(r#"{"max_len":3,"optional":[true,true]}"#)],
        vec![text(""), text(good)],
        vec![text("b"), text(good)],
        // Plain Datalog says this, so it is not the encoding of a grant.
        vec![text("a"), text(r#"{"max_len":3,"optional":[false]}"#)],
    ] {
        let code = body("meets", terms);
        assert!(!is_grant(&code), "{code:?}");
    }
    for (name, terms) in [
        ("meets", vec![text("a"), variable()]),
        ("meets", vec![variable(), text(good)]),
        ("meets", vec![text("a")]),
        ("meets", vec![text("a"), text(good), text(good)]),
        ("meets", vec![]),
        ("meets", vec![text("a"), Term::Integer(1)]),
        ("during", vec![variable()]),
        ("during", vec![]),
        ("during", vec![text("{}"), text("{}")]),
    ] {
        let code = body(name, terms);
        let query = &code.queries(&code.checks(&code.blocks[0])[0])[0];
        let natives: Vec<Native<'_>> = datalog::natives(&code, query).collect();
        assert_eq!(natives, [Native::Malformed]);
        let source = code.resolve_query(query);
        assert_eq!(
            datalog::natives_of(&source).collect::<Vec<_>>(),
            [Native::Malformed]
        );
        assert!(!is_grant(&code));
    }
    for name in ["arg", "num", "date", "json"] {
        for (path, has_star) in [("a.*", true), ("a*", true), ("a.b", false)] {
            let code = body(name, vec![text(path), variable()]);
            let query = &code.queries(&code.checks(&code.blocks[0])[0])[0];
            assert_eq!(datalog::has_each_outside_meets(&code, query), has_star);
            assert!(!has_star || !is_grant(&code));
        }
    }
    let meets = body("meets", vec![text("a.*"), text(good)]);
    let query = &meets.queries(&meets.checks(&meets.blocks[0])[0])[0];
    assert!(!datalog::has_each_outside_meets(&meets, query));
}

#[test]
fn conditions_have_at_most_8_patterns() {
    let with = |count: usize| {
        let args = (0..count).map(|number| format!("a{number} = {{ matches = 'x{number}' }}"));
        let args = args.collect::<Vec<_>>().join("\n");
        let text = format!("[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{args}\n");
        Grants::from_toml(&text).map(|grants| grants.len())
    };
    assert_eq!(with(8), Ok(1));
    assert!(with(9).is_err(), "{}", counted(9, "pattern"));
}
