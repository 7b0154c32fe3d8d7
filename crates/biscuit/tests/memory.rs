//! Tests that compare the memory counted by the engine with the memory from the allocator.
//!
//! This is a program of its own, because other tests would allocate at the same time.

#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bailiwick_biscuit::engine::{Budget, Outcome};
use peak_alloc::PeakAlloc;

mod support;

use support::{externs, program};

#[global_allocator]
static ALLOCATED: PeakAlloc = PeakAlloc;

fn list(count: usize) -> String {
    let items: Vec<String> = (0..count).map(|item| item.to_string()).collect();
    items.join(",")
}

/// Programs with their names, each of which fills memory in a different way.
fn hoarders() -> Vec<(&'static str, String)> {
    let facts: String = (0..60).map(|number| format!("f({number});")).collect();
    let text = "x".repeat(14_000);
    let sum = " + $s".repeat(400);
    let each = |inner: &str| {
        let list = list(60);
        format!("[{list}].all($i -> [{list}].all($j -> [{list}].all($k -> {inner})))")
    };
    let entries: Vec<String> = (0..60).map(|key| format!("{key}: 1")).collect();
    let entries = format!("{{{}}}", entries.join(","));
    let unions = format!(".union({{{}}})", list(300)).repeat(2);
    let patterns: String = (0..60)
        .map(|number| format!("check if \"a\".matches(\"{number}\\\\w[a-zä-ü]+\") || true;"))
        .collect();
    let slots: Vec<String> = (0..2000).map(|number| format!("f($v{number})")).collect();
    vec![
        (
            "strings added up",
            format!("s(\"{text}\"); check if s($s), ($s{sum}).length() < 0;"),
        ),
        (
            "strings in closures",
            format!(
                "s(\"{}\"); check if s($s), {};",
                &text[..500],
                each("($s + $s) !== \"\"")
            ),
        ),
        (
            "names of types",
            format!("check if {};", each("$k.type() === \"integer\"")),
        ),
        (
            "sets",
            format!(
                "s({{{}}}); check if s($s), {};",
                list(300),
                each(&format!("$s{unions}.length() > 0"))
            ),
        ),
        (
            "entries of maps",
            format!("check if {};", each(&format!("{entries}.all($e -> true)"))),
        ),
        (
            "facts",
            format!("{facts} g($a, $b, $c, $d) <- f($a), f($b), f($c), f($d);"),
        ),
        (
            "facts of one term",
            format!("{facts} g($e) <- f($a), f($b), h($e); h(1); g($d) <- f($d), f($b), f($c);"),
        ),
        (
            "facts of many terms",
            format!(
                "{facts} g({}) <- f($a), f($b), f($c);",
                ["$a, $b, $c"; 10].join(", ")
            ),
        ),
        ("regular expressions", patterns),
        (
            "external functions",
            format!(
                "s([{}]); check if s($s), {};",
                list(3000),
                each("$s.extern::same() === $s")
            ),
        ),
        ("variables", format!("f(1); check if {};", slots.join(", "))),
        (
            "operations",
            format!("check if {} > 0;", vec!["1"; 1000].join(" + ")),
        ),
        (
            "predicates",
            (0..1500)
                .map(|number| format!("g{number}($a) <- f($a);"))
                .collect::<String>()
                + "f(1);",
        ),
    ]
}

/// The allocator provides at most three times the counted memory, whatever fills it, with a small limit and
/// with the default.
#[test]
fn the_allocator_gives_little_more_than_is_counted() {
    /// Allowance for the few allocations that every evaluation makes, in bytes.
    const BESIDES: usize = 4096;
    let externs = externs();
    let mut filled = 0;
    for (name, code) in hoarders() {
        for memory in [1 << 20, Budget::default().memory] {
            let program = program(&code);
            let budget = Budget {
                memory,
                ..Budget::default()
            };
            let before = ALLOCATED.current_usage();
            ALLOCATED.reset_peak_usage();
            let burnt = program.burn(&externs, budget);
            let given = ALLOCATED.peak_usage() - before;
            println!(
                "{name}, {memory}: {:?}, {} units, {} counted, {given} given",
                burnt.outcome, burnt.fuel, burnt.memory
            );
            assert!(
                !matches!(burnt.outcome, Outcome::Error(_)),
                "{name}: {burnt:?}"
            );
            filled += usize::from(burnt.outcome == Outcome::OutOfMemory);
            assert!(burnt.memory <= memory, "{name}: {burnt:?}");
            let most = 3 * burnt.memory + BESIDES;
            assert!(
                given <= most,
                "{name}: {given} given, {} counted",
                burnt.memory
            );
        }
    }
    // At least the strings reach both bounds.
    assert!(filled >= 2, "{filled} ran out of memory");
}
