//! Tests of the budget of an evaluation: work is charged by the bytes and elements that it reads, and memory by
//! the bytes held.
//!
//! No test reads a clock. `tests/examples/fuel.rs`, at the root of the repository, measures the time that a
//! unit takes.

#![cfg(test)]
#![allow(
    clippy::arithmetic_side_effects,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use bailiwick_biscuit::engine::{Budget, Burnt, Outcome};
use proptest::prelude::*;

mod support;

use support::{externs, program};

fn burn(code: &str, budget: impl Into<Budget>) -> Burnt {
    program(code).burn(&externs(), budget)
}

/// Fuel spent by a check of one expression on two strings.
fn burnt(left: &str, right: &str, expression: &str) -> u64 {
    let code = format!("s(\"{left}\"); t(\"{right}\"); check if s($s), t($t), {expression};");
    burn(&code, u64::MAX).fuel
}

fn letters() -> impl Strategy<Value = String> {
    prop_oneof!["[ab]{0,3000}", "a{0,3000}", "[a-z]{0,3000}"]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A search reads each byte of the text.
    #[test]
    fn searching_is_charged_by_the_text(text in letters(), part in "[ab]{1,100}") {
        prop_assume!(!text.contains(&part) && part.len() <= text.len());
        let least = text.len() as u64 / 20;
        prop_assert!(burnt(&text, &part, "$s.contains($t)") >= least);
    }

    #[test]
    fn comparing_is_charged_by_the_bytes(text in letters()) {
        let other = format!("{text}a");
        let text = format!("{text}b");
        for expression in ["$s === $t", "$s == $t", "$s.starts_with($t)", "$s.ends_with($t)"] {
            let fuel = burnt(&text, &other, expression);
            prop_assert!(fuel >= text.len() as u64 / 64, "{expression}: {fuel}");
        }
    }

    #[test]
    fn new_strings_are_charged_and_held(text in letters(), times in 1usize..20) {
        let sum = " + $s".repeat(times);
        let code = format!("s(\"{text}\"); check if s($s), ($s{sum}).length() > 0;");
        let made: usize = (2..=times + 1).map(|count| count * text.len()).sum();
        let program = program(&code);
        let (nothing, all) = (program.burn(&externs(), 0), program.burn(&externs(), 1_000_000));
        prop_assert!(all.fuel >= made as u64 / 64, "{} for {made}", all.fuel);
        let held = all.memory - nothing.memory;
        prop_assert!(held >= made, "{held} for {made}");
    }

    /// A hash reads each byte, and derived facts take memory.
    #[test]
    fn facts_are_charged_by_their_terms(text in "[ab]{100,1000}", count in 20usize..60) {
        let facts: String = (0..count).map(|number| format!("f(\"{text}{number}\");")).collect();
        let program = program(&format!("{facts} g($a, $a) <- f($a);"));
        let (nothing, all) = (program.burn(&externs(), 0), program.burn(&externs(), 1_000_000));
        let hashed = (count - 16) * 2 * text.len();
        prop_assert!(all.fuel >= hashed as u64 / 8);
        prop_assert!(all.memory - nothing.memory >= count * (2 * 16 + 16));
    }

    /// A program spends the same budget on every run, and one unit or byte less does not suffice.
    #[test]
    fn burnt_budgets_suffice_exactly(text in letters(), count in 1usize..20) {
        let facts: String = (0..count).map(|number| format!("f({number});")).collect();
        let code = format!(
            "s(\"{text}\"); {facts} g($a, $s) <- f($a), s($s);
             check if g($a, $s), ($s + $s).contains(\"ab\") || {{1, 2}}.union({{3}}).length() > 2;"
        );
        let program = program(&code);
        let ample = Budget { fuel: 1_000_000, memory: 1 << 20 };
        let burnt = program.burn(&externs(), ample);
        prop_assert_eq!(&program.burn(&externs(), ample), &burnt);
        let exact = Budget { fuel: burnt.fuel, memory: burnt.memory };
        prop_assert_eq!(&program.burn(&externs(), exact), &burnt);
        let less = Budget { fuel: burnt.fuel - 1, ..exact };
        prop_assert_eq!(program.burn(&externs(), less).outcome, Outcome::OutOfFuel);
        let less = Budget { memory: burnt.memory - 1, ..exact };
        prop_assert_eq!(program.burn(&externs(), less).outcome, Outcome::OutOfMemory);
    }
}

/// Values that operations make are released after the condition that used them.
#[test]
fn conditions_hold_only_their_own_values() {
    let facts: String = (0..100).map(|number| format!("f({number});")).collect();
    let text = "x".repeat(1000);
    let code = format!("s(\"{text}\"); {facts} check if f($a), s($s), ($s + $s).length() < $a;");
    let program = program(&code);
    let (nothing, all) = (
        program.burn(&externs(), 0),
        program.burn(&externs(), 1_000_000),
    );
    assert_eq!(all.memory - nothing.memory, 2000);
}

/// Running out of memory is not an error that `try_or` can catch.
#[test]
fn try_or_does_not_catch_out_of_memory() {
    let sum = " + $s".repeat(100);
    let code = format!(
        "s(\"{}\"); check if s($s), (($s{sum}).length() > 0).try_or(true);",
        "x".repeat(1000)
    );
    let budget = Budget {
        fuel: 1_000_000,
        memory: 100_000,
    };
    assert_eq!(burn(&code, budget).outcome, Outcome::OutOfMemory);
}
