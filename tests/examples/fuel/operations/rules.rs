//! Joins, rules and checks.

use super::LENGTHS;
use crate::fuel::{
    climb::{BLOCK, Choices},
    text::{KINDS, terms},
};

pub(super) fn rows(c: &mut Choices<'_>) -> String {
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(200));
    let (count, arity) = (
        c.of("facts", &[4usize, 16, 60]),
        c.of("terms", &[1usize, 2, 8]),
    );
    let terms = terms(count + 1, kind, length);
    let before = "0, ".repeat(arity - 1);
    let facts: String = terms[1..]
        .iter()
        .map(|term| format!("f({before}{term});"))
        .collect();
    let wanted = &terms[0];
    let bound: String = (0..4).map(|n| format!("f({before}$x{n}), ")).collect();
    format!("{facts} check if {bound} f({before}{wanted});")
}

pub(super) fn bindings(c: &mut Choices<'_>) -> String {
    let (kind, arity) = (c.of("", &KINDS), c.of("terms", &[1usize, 2, 4, 8]));
    let same = c.of("variables", &["new", "bound"]);
    let terms = terms(30, kind, 3);
    let facts: String = terms
        .iter()
        .map(|term| format!("f({});", vec![term.as_str(); arity].join(",")))
        .collect();
    let body: Vec<String> = (0..8)
        .map(|scan| {
            let variables = (0..arity).map(|term| match same {
                "new" => format!("$x{scan}_{term}"),
                _ => format!("$x{scan}"),
            });
            format!("f({})", variables.collect::<Vec<_>>().join(","))
        })
        .collect();
    format!("{facts} check if {}, false;", body.join(","))
}

pub(super) fn derived(c: &mut Choices<'_>) -> String {
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(400));
    let (count, arity) = (
        c.of("facts", &[16usize, 40, 60]),
        c.of("terms", &[1usize, 2, 3, 8]),
    );
    let terms = terms(count, kind, length.min(8000 / count));
    let facts: String = terms.iter().map(|term| format!("f({term});")).collect();
    let head: Vec<&str> = ["$a", "$b", "$c", "$d", "$a", "$b", "$c", "$d"][..arity].to_vec();
    let body = ["f($a)", "f($b)", "f($c)", "f($d)"][..arity.min(4)].join(", ");
    let body = if arity < 3 {
        "f($a), f($b), f($c)".to_owned()
    } else {
        body
    };
    format!("{facts} g({}) <- {body};", head.join(", "))
}

pub(super) fn derived_again(c: &mut Choices<'_>) -> String {
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(1000));
    let (count, arity) = (
        c.of("facts", &[1usize, 10, 30]),
        c.of("terms", &[1usize, 2]),
    );
    let terms = terms(count, kind, length.min(8000 / count));
    let facts: String = terms.iter().map(|term| format!("f({term});")).collect();
    let head = ["$a", "$b"][..arity].join(", ");
    let rows: String = (0..40).map(|number| format!("n({number});")).collect();
    format!("{facts}{rows} g({head}) <- f($a), f($b), n($c), n($d), n($e);")
}

pub(super) fn origins(c: &mut Choices<'_>) -> String {
    let (blocks, facts) = (
        c.of("blocks", &[8usize, 12, 16, 30]),
        c.of("facts", &[1usize, 3]),
    );
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(100));
    let facts: String = terms(facts, kind, length)
        .iter()
        .map(|term| format!("f({term});"))
        .collect();
    vec![format!("{facts} f($x) <- f($x) trusting previous;"); blocks].join(BLOCK)
}

pub(super) fn rounds(c: &mut Choices<'_>) -> String {
    let steps = c.of("rounds", &[4usize, 30, 200]);
    let beside = c.of("predicates beside", &[0usize, 20, 300]);
    let rules = c.of("rules", &[1usize, 10, 60]);
    let scans = c.of("predicates in a body", &[1usize, 4, 16]);
    let next: String = (0..steps)
        .map(|n| format!("next({n}, {});", n + 1))
        .collect();
    let beside: String = (0..beside).map(|n| format!("beside{n}(1);")).collect();
    let body = vec!["p($a)"; scans].join(", ");
    let rules: String = (0..rules)
        .map(|n| format!("g{n}($a) <- {body}, nothing($a);"))
        .collect();
    format!("{next}{beside} p(0); p($b) <- p($a), next($a, $b); {rules}")
}

pub(super) fn checks(c: &mut Choices<'_>) -> String {
    let body = c.of("of", &["false", "f(1)", "f($a), g($b)", "time($t)"]);
    let kind = c.of("", &["check if", "check all", "reject if"]);
    let alternatives = c.of("alternatives", &[1usize, 10, 100]);
    let query = vec![body; alternatives].join(" or ");
    let check = format!("{kind} {query};");
    check.repeat(30_000 / (4 * alternatives + 6).max(body.len()))
}
