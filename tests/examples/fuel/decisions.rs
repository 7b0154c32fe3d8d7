//! Measurement of complete decisions: a cached token and a call that use all of their fuel.

use std::{fmt::Write, hint::black_box, time::Instant};

use bailiwick_testkit::{Root, forge::Forge, now};
use bailiwick_verifier::{Call, Reason};

use super::{
    climb::Signature,
    text::{changed, text},
};
use crate::MEMORY;

const TURNS: usize = 60;

/// A block to append, and a call.
struct Case {
    token: &'static str,
    code: String,
    call: &'static str,
    args: String,
}

fn cases() -> Vec<Case> {
    let join = |item: &str, count: usize, between: &str| vec![item; count].join(between);
    let rows: String = (0..40).map(|row| format!("f({row});")).collect();
    let own = text(6000, "two letters");
    let part = changed(&own[..60], "last");
    let small = || r#"{"x":"abab"}"#.to_owned();
    let long = || format!(r#"{{"x":"{}"}}"#, text(65_000, "two letters"));
    let numbers = || format!(r#"{{"x":[{}]}}"#, join("1", 32_700, ","));
    let searched = join(
        &format!("arg(\"x\", $x), $x.contains(\"{part}\")"),
        60,
        " or ",
    );
    let summed = format!(
        "check if arg(\"x\", $x), {} === \"\" or true;",
        join("$x", 120, " + ")
    );
    let listed = "check if arg(\"x\", $x), $x.all($p -> [1, 2].contains($p));".to_owned();
    let others: Vec<String> = (2..900).map(|item| item.to_string()).collect();
    let others = format!(
        "check if arg(\"x\", $x), $x.all($p -> [{}].contains($p));",
        others.join(",")
    );
    let case = |token, code, call, args| Case {
        token,
        code,
        call,
        args,
    };
    let search_own = format!(
        "{rows} s(\"{own}\"); check if f($a), f($b), s($s), $s.contains(\"{part}\") or true;"
    );
    vec![
        case("honest", String::new(), "small", small()),
        case("searches a string of its own", search_own, "small", small()),
        case(
            "adds up a string of its own",
            format!(
                "{rows} s(\"{}\"); check if f($a), s($s), {} === \"\" or true;",
                &own[..4000],
                join("$s", 120, " + ")
            ),
            "small",
            small(),
        ),
        case(
            "joins",
            format!("{rows} check if f($a), f($b), f($c), f($d), $a > 99 or true;"),
            "small",
            small(),
        ),
        case("honest", String::new(), "a string of 65,000 bytes", long()),
        case(
            "searches it",
            format!("check if {searched} or true;"),
            "a string of 65,000 bytes",
            long(),
        ),
        case("adds it up", summed, "a string of 65,000 bytes", long()),
        case(
            "joins",
            format!("{rows} check if f($a), f($b), f($c), f($d), arg($e, $x), $a > 99 or true;"),
            "a string of 65,000 bytes",
            long(),
        ),
        case(
            "honest",
            String::new(),
            "an array of 32,700 numbers",
            numbers(),
        ),
        case(
            "honest, `all_of_in` of two",
            listed,
            "an array of 32,700 numbers",
            numbers(),
        ),
        case(
            "each against 898 others",
            others,
            "an array of 32,700 numbers",
            numbers(),
        ),
        case(
            "searches a string of its own",
            format!(
                "{rows} s(\"{own}\"); check if arg(\"x\", $x), f($a), f($b), s($s), $s.contains(\"{part}\") or true;"
            ),
            "an array of 32,700 numbers",
            numbers(),
        ),
        case(
            "joins",
            format!("{rows} check if arg(\"x\", $x), f($a), f($b), f($c), f($d), $a > 99 or true;"),
            "an array of 32,700 numbers",
            numbers(),
        ),
    ]
}

/// Measures each case, compared with one signature and with the honest token for the same call.
pub fn table() -> String {
    let root = Root::fixed();
    let signature = Signature::new();
    let mut table = String::from(
        "| appended block | call | outcome | µs | signatures | of the honest one | bytes |\n|---|---|---|--:|--:|--:|--:|\n",
    );
    let mut honest = 0.0;
    for case in cases() {
        let verifier = root.verifier();
        let token = match case.code.as_str() {
            "" => Forge::honest(&root),
            code => Forge::honest(&root).append(code),
        };
        let text = token.text();
        let call = format!(r#"{{"action":"order","args":{}}}"#, case.args);
        let decide = || verifier.check(&text, &Call::from_json(&call).expect("a call"), now());
        let outcome = decide().reason().map_or("allow", Reason::code);
        let (mut best, mut reference) = (f64::MAX, f64::MAX);
        for _ in 0..TURNS {
            let start = Instant::now();
            let _decision = black_box(decide());
            best = best.min(start.elapsed().as_nanos() as f64);
            reference = reference.min(signature.nanos());
        }
        let before = MEMORY.current_usage();
        MEMORY.reset_peak_usage();
        let _decision = black_box(decide());
        let bytes = MEMORY.peak_usage().saturating_sub(before);
        if case.code.is_empty() {
            honest = best;
        }
        let _ = writeln!(
            table,
            "| {} | {} | `{outcome}` | {:.1} | {:.2} | {:.2} | {bytes} |",
            case.token,
            case.call,
            best / 1000.0,
            best / reference,
            best / honest,
        );
    }
    table
}
