//! Tests of the number of steps that comparisons take.

#![allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]

use bailiwick_token::{grant::Grants, timestamp::Timestamp};

use super::*;
use crate::{
    call::{Call, CallLimits, DEFAULT_CALL_BYTES},
    native::{CallAnswers, Native, NativeTable},
};

const PLENTY: u64 = 1 << 40;

fn grants(args: impl Fn(usize) -> String) -> Vec<Alternative> {
    let grant = |index| {
        format!(
            "[[grant]]\nservice = \"erp\"\naction = \"order\"\nargs = {{ {} }}\n",
            args(index)
        )
    };
    let text: String = (0..63).map(grant).collect();
    let grants = Grants::from_toml(&text).unwrap();
    let no_native = |native: Native| panic!("{native:?} is a native condition");
    let alternatives = grants.iter().cloned();
    alternatives
        .map(|grant| Alternative::new(grant, no_native))
        .collect()
}

/// Counts the steps to explain a call against all of these grants, and the grants that allow it.
fn steps(grants: &[Alternative], args: &str) -> (u64, usize) {
    let call = Call::from_args_json("order", None, Some(args)).unwrap();
    let call = call.state(CallLimits::of(DEFAULT_CALL_BYTES)).unwrap();
    let table = NativeTable::default();
    let answers = CallAnswers::new(&table, call.values(), now());
    let comparison = Comparison {
        service: "erp",
        call: &call,
        answers: &answers,
    };
    let mut explainer = Explainer::new(comparison, Steps::new(PLENTY));
    let mut allowed = 0;
    for grant in grants {
        allowed += usize::from(matches!(explainer.with(grant), Ok(ExplainedVerdict::Met)));
    }
    (PLENTY - explainer.steps.left, allowed)
}

fn now() -> Timestamp {
    "2026-11-23T12:00:00Z".parse().unwrap()
}

fn ones(count: usize) -> String {
    format!(r#"{{"a":[{}]}}"#, vec!["1"; count].join(","))
}

/// Each excerpt is made once. When it was made for each alternative, a call with an array of 32,700 times `1` took 203
/// ms to explain against 63 alternatives `a = { exact = [i] }`.
#[test]
fn an_excerpt_is_made_once_for_all_alternatives() {
    let exact = grants(|index| format!("a = {{ exact = [{}] }}", index + 2));
    let (short, _) = steps(&exact, &ones(2));
    assert_eq!(steps(&exact, &ones(32_700)), (short, 0));
    assert!(short < 5_000, "{short}");
}

#[test]
fn elements_are_read_once_and_compared_for_each_alternative() {
    let listed = grants(|index| format!("a = {{ all_of_in = [1, {}], max_len = 3 }}", index + 2));
    let (short, _) = steps(&listed, &ones(10));
    let (long, _) = steps(&listed, &ones(1_010));
    // Reading an element takes two steps, and comparing it takes two for each of 63 alternatives.
    assert_eq!(long - short, 1_000 * (2 + 63 * 2));
    // A first element that is not listed ends the comparison.
    let array = format!(r#"{{"a":[0,{}]}}"#, vec!["1"; 1_009].join(","));
    assert!(steps(&listed, &array).0 < short + 4 * 1_010);
}

#[test]
fn searching_is_charged_by_the_bytes_searched() {
    let contains = grants(|index| format!("a = {{ contains = \"b{index}\" }}"));
    let text = |bytes: usize| format!(r#"{{"a":"{}"}}"#, "a".repeat(bytes));
    let (short, _) = steps(&contains, &text(800));
    let (long, _) = steps(&contains, &text(8_000));
    assert_eq!(long - short, 63 * 7_200 / 12);
    let prefix = grants(|index| format!("a = {{ prefix = \"b{index}\" }}"));
    assert_eq!(steps(&prefix, &text(800)), steps(&prefix, &text(8_000)));
}

/// However many names a call has, at most one more is examined than the grant allows.
#[test]
fn names_are_looked_at_up_to_the_first_extra_one() {
    let closed = grants(|index| format!("a{index} = \"*\""));
    let arguments = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!("\"x{index}\":1")).collect();
        format!("{{{}}}", members.join(","))
    };
    assert_eq!(
        steps(&closed, &arguments(2)),
        steps(&closed, &arguments(1_000))
    );
}

/// A budget that runs out within an alternative ends the comparison.
#[test]
fn a_spent_budget_stays_spent() {
    let exact = grants(|index| format!("a = {{ exact = [{}] }}", index + 2));
    let call = Call::from_args_json("order", None, Some(&ones(2))).unwrap();
    let call = call.state(CallLimits::of(DEFAULT_CALL_BYTES)).unwrap();
    let table = NativeTable::default();
    let answers = CallAnswers::new(&table, call.values(), now());
    let comparison = Comparison {
        service: "erp",
        call: &call,
        answers: &answers,
    };
    let (all, _) = steps(&exact, &ones(2));
    for budget in [0, 1, all / 2, all - 1] {
        let mut explainer = Explainer::new(comparison, Steps::new(budget));
        let mut results = exact.iter().map(|grant| explainer.with(grant).is_ok());
        assert!(results.by_ref().any(|compared| !compared), "{budget}");
        assert!(results.all(|compared| !compared), "{budget}");
    }
}
