//! Measurement of the conditions that the verifier decides itself: the time that a unit of their price takes.

use std::{collections::BTreeMap, fmt::Write, hint::black_box, time::Instant};

use bailiwick_token::{condition::Test, value::Value};

use super::{climb::Signature, text::text};

/// Number of turns. The best turn of each side counts.
const TURNS: usize = 25;

/// Evaluations in one turn, so that it takes long enough for the clock.
const REPEATED: usize = 40;

/// The terms of `meets`, by the name of the condition.
const CONDITIONS: [(&str, &str, &str); 22] = [
    (
        "present",
        "a",
        r#"{"optional":[false],"present":{"empty":false}}"#,
    ),
    (
        "one_of",
        "a",
        r#"{"one_of":{"ignore_case":true,"values":["x","y"]},"optional":[false]}"#,
    ),
    (
        "contains",
        "a",
        r#"{"contains":"aaaaaaab","optional":[false]}"#,
    ),
    (
        "all_of_in",
        "a",
        r#"{"all_of_in":[1,"a","b"],"optional":[false]}"#,
    ),
    (
        "number",
        "a",
        r#"{"number":{"max":"100","min":"0","positive":false,"scale":2},"optional":[false]}"#,
    ),
    (
        "decimal",
        "a",
        r#"{"decimal":{"max":"100","min":"0","positive":false,"scale":2},"optional":[false]}"#,
    ),
    (
        "day",
        "a",
        r#"{"day":{"max":null,"min":"2026-12-01"},"optional":[false]}"#,
    ),
    (
        "instant",
        "a",
        r#"{"instant":{"after":"2026-12-01T00:00:00Z","before":null},"optional":[false]}"#,
    ),
    (
        "matches",
        "a",
        r#"{"matches":"47[0-9]{2}","optional":[false]}"#,
    ),
    (
        "matches, a large one",
        "a",
        r#"{"matches":"([a-z]{1,9}|[a-f0-9]{1,9}){0,20}[0-9]","optional":[false]}"#,
    ),
    (
        "one_line",
        "a",
        r#"{"one_line":{"max_len":1000000},"optional":[false]}"#,
    ),
    ("links", "a", r#"{"links":null,"optional":[false]}"#),
    (
        "email",
        "a",
        r#"{"email":{"domain_in":["acme.example"],"domain_under":["example.com"],"tag":true},"optional":[false]}"#,
    ),
    (
        "url",
        "a",
        r#"{"optional":[false],"url":{"host_in":["api.acme.example"],"host_under":["acme.example"],"path_under":"/v1","port":null,"query":true,"scheme":["https"]}}"#,
    ),
    (
        "path",
        "a",
        r#"{"optional":[false],"path":{"chars":"plain","under":"/srv/x"}}"#,
    ),
    (
        "ip",
        "a",
        r#"{"ip":["10.0.0.0/8","fd00::/8"],"optional":[false]}"#,
    ),
    (
        "count",
        "a",
        r#"{"count":{"max":20,"min":1},"optional":[false]}"#,
    ),
    (
        "each element",
        "a.*",
        r#"{"number":{"max":"100","min":"0","positive":false,"scale":null},"optional":[false,false]}"#,
    ),
    (
        "sum",
        "a.*.b",
        r#"{"optional":[false,false,false],"sum":{"max":"100","min":null,"negative":false}}"#,
    ),
    (
        "equals_sum",
        "t",
        r#"{"equals_sum":{"negative":false,"of":"a.*.b"},"optional":[false]}"#,
    ),
    (
        "differs_from_arg",
        "a",
        r#"{"differs_from_arg":"o","optional":[false]}"#,
    ),
    (
        "members",
        "a",
        r#"{"members":["b","c"],"optional":[false]}"#,
    ),
];

/// Values of the argument `a`, of about this many bytes.
fn values(bytes: usize) -> Vec<(&'static str, String)> {
    let string = |text: &str| Value::from(text).to_string();
    let listed = |item: &str| format!("[{}]", vec![item; bytes / item.len() + 1].join(","));
    let members: Vec<String> = (0..bytes / 8)
        .map(|name| format!("\"m{name}\":1"))
        .collect();
    vec![
        ("one letter", string(&text(bytes, "one letter"))),
        ("words", string(&text(bytes, "words"))),
        (
            "letters beyond ASCII",
            string(&"é\u{301}ﬁ".repeat(bytes / 7 + 1)),
        ),
        ("dots and colons", string(&"a.b:".repeat(bytes / 4 + 1))),
        ("zeros", string(&"0".repeat(bytes + 1))),
        (
            "a URL",
            string(&format!(
                "https://api.acme.example/v1/{}",
                "a%20/".repeat(bytes / 5)
            )),
        ),
        (
            "a URL of another host",
            string(&format!("https://{}.evil.example/", text(bytes, "words"))),
        ),
        (
            "an address",
            string(&format!("{}@acme.example", text(bytes, "words"))),
        ),
        (
            "a path",
            string(&format!("/srv/x/{}", "é/".repeat(bytes / 3 + 1))),
        ),
        ("an IP address", string("10.1.2.3")),
        ("an instant", string("2026-12-01T08:00:00.123456+01:00")),
        ("a decimal", string("-123456789012.345678")),
        ("a number", "99.75".to_owned()),
        ("numbers", listed("1")),
        ("strings", listed("\"ab\"")),
        ("objects", listed("{\"b\":1.25}")),
        ("members", format!("{{{}}}", members.join(","))),
    ]
}

/// For each condition, the value for which a unit of its price takes longest.
pub fn table(wanted: &str) -> String {
    let signature = Signature::new();
    let mut table = String::from(
        "| condition | ns a unit | units for a `verify_strict` | least units | most expensive with |\n|---|--:|--:|--:|---|\n",
    );
    for (name, path, condition) in CONDITIONS {
        if !name.contains(wanted) {
            continue;
        }
        let test = Test::parse(path, condition).expect(condition);
        let (mut worst, mut least, mut with) = (0.0, usize::MAX, String::new());
        for bytes in [1, 16, 100, 1_000, 60_000] {
            for (shape, value) in values(bytes) {
                let args = args(&value);
                let units = test.cost(&args);
                let nanos = nanos(&test, &args) / units as f64;
                least = least.min(units);
                if nanos > worst {
                    (worst, with) = (nanos, format!("{shape}, {bytes} bytes"));
                }
            }
        }
        let per_signature = (0..TURNS)
            .map(|_| signature.nanos())
            .fold(f64::MAX, f64::min)
            / worst;
        let _ = writeln!(
            table,
            "| {name} | {worst:.1} | {per_signature:.0} | {least} | {with} |"
        );
    }
    table
}

fn args(value: &str) -> BTreeMap<String, Value> {
    let text = format!(r#"{{"a":{value},"o":{value},"t":1}}"#);
    match Value::parse(&text).expect("JSON") {
        Value::Object(args) => args,
        other => panic!("{other:?}"),
    }
}

/// Nanoseconds of one evaluation, with its price.
fn nanos(test: &Test, args: &BTreeMap<String, Value>) -> f64 {
    let mut best = f64::MAX;
    for _ in 0..TURNS {
        let start = Instant::now();
        for _ in 0..REPEATED {
            black_box((test.cost(black_box(args)), test.evaluate(args).is_ok()));
        }
        best = best.min(start.elapsed().as_nanos() as f64);
        // A single turn measures a long evaluation well enough.
        if best > 20e6 {
            break;
        }
    }
    best / REPEATED as f64
}
