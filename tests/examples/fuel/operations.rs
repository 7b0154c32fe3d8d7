//! Programs that make one operation over and over, written from choices.

use bailiwick_verifier::engine::Budget;

use super::{
    climb::{BLOCK, Choices},
    text::{BY, KINDS, changed, repeated, terms, text},
};

/// An operation of the engine.
pub struct Operation {
    pub name: &'static str,
    pub code: fn(&mut Choices<'_>) -> String,
    fuel: u64,
}

impl Operation {
    /// Memory is measured, not limited.
    pub fn budget(&self) -> Budget {
        Budget {
            fuel: self.fuel,
            memory: 1 << 30,
        }
    }
}

const LENGTHS: [usize; 12] = [0, 1, 7, 8, 15, 16, 33, 63, 64, 200, 1000, 4000];
const COUNTS: [usize; 6] = [1, 2, 4, 16, 60, 200];
const LETTERS: [&str; 3] = ["one letter", "two letters", "words"];
const PLACES: [&str; 3] = ["first", "middle", "last"];

pub fn all() -> Vec<Operation> {
    let of = |name, code| Operation {
        name,
        code,
        fuel: 60_000,
    };
    let mut all = vec![
        of("rows that do not match", rows),
        of("rows that match", bindings),
        of("integers", integers),
        of("booleans", booleans),
        of("comparison of strings", equal_strings),
        of("comparison of bytes", equal_bytes),
        of("comparison of terms", equal_terms),
        of("`contains` of strings", search),
        of("`starts_with`, `ends_with` of strings", ends),
        of("`starts_with`, `ends_with` of arrays", array_ends),
        of("`contains` of sets and arrays", listed),
        of("`contains` of a set in a set", superset),
        of("`union`, `intersection`", merge),
        of("`get`", get),
        of("`length`, `type`", length),
        of("`+` of strings", concat),
        of("`all`, `any`", closures),
        of("`try_or`", try_or),
        of("external functions", externs),
        of("`matches`", matching),
        of("facts derived", derived),
        of("facts derived again", derived_again),
        of("the same facts with other origins", origins),
        of("rounds of rules", rounds),
        of("checks and their alternatives", checks),
    ];
    all.push(Operation {
        name: "regular expressions compiled",
        code: patterns,
        fuel: 1_000_000,
    });
    all.push(Operation {
        name: "facts derived, a million units",
        code: derived,
        fuel: 1_000_000,
    });
    all
}

fn rows(c: &mut Choices<'_>) -> String {
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

fn bindings(c: &mut Choices<'_>) -> String {
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

fn integers(c: &mut Choices<'_>) -> String {
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

fn booleans(c: &mut Choices<'_>) -> String {
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

fn equal_strings(c: &mut Choices<'_>) -> String {
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

fn equal_bytes(c: &mut Choices<'_>) -> String {
    let length = c.of("length", &LENGTHS).min(3000);
    let facts = format!(
        "s(hex:{}01); t(hex:{}02);",
        "00".repeat(length),
        "00".repeat(length)
    );
    repeated(&facts, "s($s), t($t), ", "$s === $t", false, c.of("", &BY))
}

fn equal_terms(c: &mut Choices<'_>) -> String {
    let (kind, length) = (c.of("", &KINDS), c.of("length", &LENGTHS).min(200));
    let count = c.of("elements", &COUNTS);
    let container = c.of("in", &["an array", "a set", "a map", "nothing"]);
    let terms = terms(count + 1, kind, length.min(4000 / count));
    let whole = |last: &str| {
        let items: Vec<&str> = terms[..count - 1]
            .iter()
            .map(String::as_str)
            .chain([last])
            .collect();
        match container {
            "an array" => format!("[{}]", items.join(",")),
            "a set" => format!("{{{}}}", items.join(",")),
            "a map" => {
                let pairs = items
                    .iter()
                    .enumerate()
                    .map(|(key, item)| format!("{key}: {item}"));
                format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
            }
            _ => last.to_owned(),
        }
    };
    let facts = format!(
        "s({}); t({});",
        whole(&terms[count - 1]),
        whole(&terms[count])
    );
    let operator = c.of("", &["===", "=="]);
    repeated(
        &facts,
        "s($s), t($t), ",
        &format!("$s {operator} $t"),
        false,
        c.of("", &BY),
    )
}

fn search(c: &mut Choices<'_>) -> String {
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

fn ends(c: &mut Choices<'_>) -> String {
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

fn array_ends(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    let method = c.of("", &["starts_with", "ends_with"]);
    let terms = terms(count + 1, kind, length.min(4000 / count));
    let (whole, part) = (
        terms[..count].join(","),
        [&terms[..count - 1], &terms[count..]].concat().join(","),
    );
    repeated(
        &format!("s([{whole}]); t([{part}]);"),
        "s($s), t($t), ",
        &format!("$s.{method}($t)"),
        false,
        c.of("", &BY),
    )
}

fn listed(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    let terms = terms(count + 1, kind, length.min(4000 / count));
    let items = terms[..count].join(",");
    let facts = match c.of("in", &["an array", "a set"]) {
        "an array" => format!("s([{items}]);"),
        _ => format!("s({{{items}}});"),
    };
    // In an array of its own it has another place.
    let facts = format!("{facts} t([{}]);", terms[count]);
    repeated(
        &facts,
        "s($s), t($t), ",
        "$s.contains($t.get(0))",
        false,
        c.of("", &BY),
    )
}

fn superset(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    let terms = terms(count + 1, kind, length.min(4000 / count));
    let facts = format!(
        "s({{{}}}); t({{{}}});",
        terms[..count].join(","),
        [&terms[..count - 1], &terms[count..]].concat().join(",")
    );
    repeated(
        &facts,
        "s($s), t($t), ",
        "$s.contains($t)",
        false,
        c.of("", &BY),
    )
}

fn merge(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(200),
    );
    let further = c.of("others", &COUNTS);
    let method = c.of("", &["union", "intersection"]);
    let order = c.of("", &["same", "behind"]);
    let terms = terms(count + further, kind, length.min(4000 / (count + further)));
    let other = match order {
        "same" => &terms[..further.min(count)],
        _ => &terms[count..],
    };
    let facts = format!(
        "s({{{}}}); t({{{}}});",
        terms[..count].join(","),
        other.join(",")
    );
    let times = format!(".{method}($t)").repeat(c.of("times", &[1usize, 2, 20]));
    repeated(
        &facts,
        "s($s), t($t), ",
        &format!("$s{times} === {{}}").replace("{}", "{,}"),
        false,
        c.of("", &BY),
    )
}

fn get(c: &mut Choices<'_>) -> String {
    let count = c.of("entries", &[1usize, 4, 16, 60, 200]);
    let length = c.of("length", &LENGTHS).min(3000 / count);
    let (facts, key) = match c.of("of", &["an array", "a map by integers", "a map by strings"]) {
        "an array" => (
            format!("s([{}]);", terms(count, "integers", 0).join(",")),
            (count - 1).to_string(),
        ),
        "a map by integers" => {
            let pairs: Vec<String> = (0..count).map(|key| format!("{key}: 1")).collect();
            (format!("s({{{}}});", pairs.join(",")), "-1".to_owned())
        }
        _ => {
            let keys = terms(count + 1, "strings", length);
            let pairs: Vec<String> = keys[1..].iter().map(|key| format!("{key}: 1")).collect();
            (format!("s({{{}}});", pairs.join(",")), keys[0].clone())
        }
    };
    repeated(
        &facts,
        "s($s), ",
        &format!("$s.get({key}) == \"x\""),
        false,
        c.of("", &BY),
    )
}

fn length(c: &mut Choices<'_>) -> String {
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

fn concat(c: &mut Choices<'_>) -> String {
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

fn closures(c: &mut Choices<'_>) -> String {
    let (count, kind) = (c.of("elements", &[1usize, 2, 60, 200]), c.of("", &KINDS));
    let terms = terms(count, kind, 2);
    let list = match c.of("of", &["an array", "a set", "a map"]) {
        "an array" => format!("[{}]", terms.join(",")),
        "a set" => format!("{{{}}}", terms.join(",")),
        _ => {
            let pairs = terms
                .iter()
                .enumerate()
                .map(|(key, item)| format!("{key}: {item}"));
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
    };
    let inside = c.of("", &["true", "[1, 2].contains($x)", "$x == $x"]);
    let (method, answer) = if inside.starts_with('[') {
        ("any", false)
    } else {
        ("all", true)
    };
    repeated(
        &format!("s({list});"),
        "s($s), ",
        &format!("$s.{method}($x -> {inside})"),
        answer,
        c.of("", &BY),
    )
}

fn try_or(c: &mut Choices<'_>) -> String {
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

fn externs(c: &mut Choices<'_>) -> String {
    let (count, kind, length) = (
        c.of("elements", &COUNTS),
        c.of("", &KINDS),
        c.of("length", &LENGTHS).min(400),
    );
    let terms = terms(count, kind, length.min(4000 / count));
    let list = match c.of("of", &["an array", "a set", "a map", "one"]) {
        "an array" => format!("[{}]", terms.join(",")),
        "a set" => format!("{{{}}}", terms.join(",")),
        "a map" => {
            let pairs = terms.iter().enumerate().map(|(key, item)| {
                format!(
                    "\"{}{key:04}\": {item}",
                    text(length.min(4000 / count), "one letter")
                )
            });
            format!("{{{}}}", pairs.collect::<Vec<_>>().join(","))
        }
        _ => terms[0].clone(),
    };
    repeated(
        &format!("s({list});"),
        "s($s), ",
        "$s.extern::same() == null",
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

fn matching(c: &mut Choices<'_>) -> String {
    let whole = text(
        c.of("length", &[1usize, 16, 64, 1000, 8000]),
        c.of("", &LETTERS),
    );
    let pattern = c.of("by", &PATTERNS);
    let repeats = format!("({pattern}){{{}}}", c.of("times", &[1usize, 2, 4, 8]));
    let facts = format!("s(\"{whole}\");");
    // Compiled once: by a query of its own it would cost more than the rest.
    repeated(
        &facts,
        "s($s), ",
        &format!("$s.matches(\"{repeats}Z\")"),
        false,
        c.of("", &BY),
    )
}

fn patterns(c: &mut Choices<'_>) -> String {
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
        // Refused by its length.
        false => "check if true;".to_owned(),
    }
}

fn derived(c: &mut Choices<'_>) -> String {
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

fn derived_again(c: &mut Choices<'_>) -> String {
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

fn origins(c: &mut Choices<'_>) -> String {
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

fn rounds(c: &mut Choices<'_>) -> String {
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

fn checks(c: &mut Choices<'_>) -> String {
    let body = c.of("of", &["false", "f(1)", "f($a), g($b)", "time($t)"]);
    let kind = c.of("", &["check if", "check all", "reject if"]);
    let alternatives = c.of("alternatives", &[1usize, 10, 100]);
    let query = vec![body; alternatives].join(" or ");
    let check = format!("{kind} {query};");
    check.repeat(30_000 / (4 * alternatives + 6).max(body.len()))
}
