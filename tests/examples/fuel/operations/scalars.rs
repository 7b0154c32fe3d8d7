//! Operations on numbers and booleans, and operations whose price does not depend on a size.

use crate::fuel::{
    climb::Choices,
    text::{BY, repeated},
};

pub(super) fn integers(c: &mut Choices<'_>) -> String {
    let operator = c.of("", &["+", "-", "*", "/", "&", "|", "^"]);
    let (times, by) = (c.of("times", &[1usize, 4, 16, 60]), c.of("", &BY));
    let divisor = c.of("by", &["1", "3"]);
    let chain = format!("{operator} {divisor}").repeat(times);
    let chain = if operator == "*" {
        "* 1".repeat(times)
    } else {
        chain
    };
    repeated(
        "",
        "",
        &format!("4611686018427387904 {chain} < -4611686018427387904"),
        false,
        by,
    )
}

pub(super) fn booleans(c: &mut Choices<'_>) -> String {
    let term = c.of(
        "",
        &[
            "&& true",
            "|| false",
            "&& !false",
            "&& (1 < 2)",
            "&& (2026-01-01T00:00:00Z <= 2026-01-02T00:00:00Z)",
            "&& null != 1",
        ],
    );
    let times = c.of("times", &[1usize, 4, 16, 40]);
    repeated(
        "",
        "",
        &format!("true {}", term.repeat(times)),
        true,
        c.of("", &BY),
    )
}

pub(super) fn length(c: &mut Choices<'_>) -> String {
    let (term, by) = (
        c.of("of", &["\"x\"", "[1]", "{1}", "{1: 1}", "hex:00"]),
        c.of("", &BY),
    );
    match c.of("", &["length", "type"]) {
        "length" => repeated("", "", &format!("{term}.length() === 5"), false, by),
        _ => repeated(
            "",
            "",
            &format!(
                "{term}{} === \"x\"",
                ".type()".repeat(c.of("times", &[1usize, 8]))
            ),
            false,
            by,
        ),
    }
}

pub(super) fn try_or(c: &mut Choices<'_>) -> String {
    let fails = c.of(
        "",
        &[
            "1 / 0 === 1",
            "1 === \"1\"",
            "1.extern::missing()",
            "9223372036854775807 + 1 > 1",
        ],
    );
    let nested = c.of("nested", &[1usize, 3, 10]);
    let inner = (0..nested).fold(fails.to_owned(), |inner, _| {
        format!("({inner}).try_or(false)")
    });
    repeated("", "", &inner, false, c.of("", &BY))
}
