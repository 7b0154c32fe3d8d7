//! Operations on strings and bytes.

use super::{LENGTHS, LETTERS, PLACES};
use crate::fuel::{
    climb::Choices,
    text::{BY, changed, repeated, text},
};

pub(super) fn equal_strings(c: &mut Choices<'_>) -> String {
    let one = text(c.of("length", &LENGTHS).max(1), c.of("", &LETTERS));
    let other = changed(&one, c.of("differs at its", &PLACES));
    let operator = c.of("", &["===", "=="]);
    repeated(
        &format!("s(\"{one}\"); t(\"{other}\");"),
        "s($s), t($t), ",
        &format!("$s {operator} $t"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn equal_bytes(c: &mut Choices<'_>) -> String {
    let length = c.of("length", &LENGTHS).min(3000);
    let facts = format!(
        "s(hex:{}01); t(hex:{}02);",
        "00".repeat(length),
        "00".repeat(length)
    );
    repeated(&facts, "s($s), t($t), ", "$s === $t", false, c.of("", &BY))
}

pub(super) fn search(c: &mut Choices<'_>) -> String {
    let letters = c.of("", &LETTERS);
    let whole = text(
        c.of(
            "length",
            &[8usize, 16, 60, 64, 200, 256, 300, 1000, 4000, 8000],
        ),
        letters,
    );
    let length = c.of(
        "part",
        &[
            1usize, 2, 4, 8, 16, 31, 32, 33, 60, 63, 64, 65, 66, 100, 1000, 4000,
        ],
    );
    let part = match c.of("of", &["its beginning", "its middle", "its own"]) {
        "its beginning" => whole[..length.min(whole.len())].to_owned(),
        "its middle" => whole[(whole.len() - length.min(whole.len())) / 2..]
            [..length.min(whole.len())]
            .to_owned(),
        _ => text(length, c.of("", &LETTERS)),
    };
    let part = changed(&part, c.of("changed at its", &PLACES));
    repeated(
        &format!("s(\"{whole}\"); t(\"{part}\");"),
        "s($s), t($t), ",
        "$s.contains($t)",
        false,
        c.of("", &BY),
    )
}

pub(super) fn ends(c: &mut Choices<'_>) -> String {
    let whole = text(c.of("length", &LENGTHS).max(1), c.of("", &LETTERS));
    let part = changed(&whole, c.of("differs at its", &PLACES));
    let method = c.of("", &["starts_with", "ends_with"]);
    repeated(
        &format!("s(\"{whole}\"); t(\"{part}\");"),
        "s($s), t($t), ",
        &format!("$s.{method}($t)"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn concat(c: &mut Choices<'_>) -> String {
    let whole = text(c.of("length", &LENGTHS).max(1), "words");
    let sum = " + $s".repeat(c.of("times", &[1usize, 2, 8, 60, 400]));
    repeated(
        &format!("s(\"{whole}\");"),
        "s($s), ",
        &format!("$s{sum} === \"\""),
        false,
        c.of("", &BY),
    )
}

const PATTERNS: [&str; 14] = [
    "a",
    "(x+x+)+y",
    "(a|b|ab)*c",
    "(a*)*c",
    "[ab]{30}c",
    "(.*)(.*)(.*)[0-9]",
    "(?i)ABA",
    "\\\\w{3}[0-9]",
    "^(([a-z])+.)+[A-Z]",
    ".{20}z",
    "(a?){30}z",
    "(ab|ba|aa|bb)*z",
    "\\\\p{L}*1",
    "(a|aa)+$",
];

pub(super) fn matching(c: &mut Choices<'_>) -> String {
    let whole = text(
        c.of("length", &[1usize, 16, 64, 1000, 8000]),
        c.of("", &LETTERS),
    );
    let pattern = c.of("by", &PATTERNS);
    let repeats = format!("({pattern}){{{}}}", c.of("times", &[1usize, 2, 4, 8]));
    let facts = format!("s(\"{whole}\");");
    // The pattern is compiled once. If each repetition were a query of its own, compiling would cost more than
    // matching.
    repeated(
        &facts,
        "s($s), ",
        &format!("$s.matches(\"{repeats}Z\")"),
        false,
        c.of("", &BY),
    )
}

pub(super) fn patterns(c: &mut Choices<'_>) -> String {
    let part = c.of(
        "of",
        &[
            "a",
            "ä",
            "(a|b)",
            "[a-z]",
            "\\\\d",
            "\\\\w",
            "\\\\p{L}",
            ".",
            "(?i)k",
            "(?:(?:(?:a)))",
            "a{30}",
            "[^a]",
            "\\\\b",
            "x*",
            "(x+)+",
            "[a-zä-ü一-龥]",
        ],
    );
    let times = c.of("times", &[1usize, 4, 20, 60, 200, 500]);
    let around = c.of("as", &["a sequence", "alternatives", "repeated", "nested"]);
    let joined = match around {
        "a sequence" => part.repeat(times),
        "alternatives" => vec![part; times].join("|"),
        "repeated" => format!("({part}){{{}}}", times.min(60)),
        _ => format!(
            "{}{part}{}",
            "(".repeat(times.min(45)),
            ")*".repeat(times.min(45))
        ),
    };
    let each: String = (0..50)
        .map(|number| format!("check if (\"a\".matches(\"{number}{joined}\")).try_or(true) != 5;"))
        .collect();
    match joined.len() < 1000 {
        true => each,
        // The engine would refuse a longer pattern.
        false => "check if true;".to_owned(),
    }
}
