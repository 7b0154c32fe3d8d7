//! Tests of tokens and calls that make the verifier work: every loop that they drive uses fuel.

use bailiwick_testkit::{Root, forge::Forge};
use bailiwick_verifier::Call;

use crate::{ALLOW, expect, order};

const OUT_OF_FUEL: &str = "out_of_fuel";

fn call(args: &str) -> Call {
    Call::from_json(&format!(r#"{{"action":"order","args":{args}}}"#)).expect("a call")
}

fn joined(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(",")
}

#[test]
fn joins() {
    let root = Root::new();
    let few: String = (0..20).map(|index| format!("f({index});")).collect();
    let facts: String = (0..60).map(|index| format!("f({index});")).collect();
    let join = |count: usize| {
        let facts = if count == 2 { &few } else { &facts };
        let body: Vec<String> = (0..count).map(|index| format!("f($x{index})")).collect();
        format!("{facts} check if {}, $x0 > 100 or true;", body.join(", "))
    };
    let all = join(4)
        .replace("check if", "check all")
        .replace("> 100 or true", ">= 0");
    let fails_at_once = join(4)
        .replace("check if", "check all")
        .replace(" or true", "");
    let spread = (0..4).fold(Forge::honest(&root), |forge, _| forge.append(&join(3)));
    let trap = Forge::honest(&root).append(&join(4));
    assert!(trap.bytes().len() < 2048);
    let one_block = format!(
        "{facts} check if {} or true;",
        ["f($a), f($b), false"; 20].join(" or ")
    );
    expect(
        &root,
        &order(),
        [
            ("no join", Forge::honest(&root).append(&join(1)), ALLOW),
            (
                "a join of two",
                Forge::honest(&root).append(&join(2)),
                ALLOW,
            ),
            ("a join of four, which ran for 15 s", trap, OUT_OF_FUEL),
            (
                "a join of 16",
                Forge::honest(&root).append(&join(16)),
                OUT_OF_FUEL,
            ),
            ("check all", Forge::honest(&root).append(&all), OUT_OF_FUEL),
            (
                "check all, which its first match fails",
                Forge::honest(&root).append(&fails_at_once),
                "caveat",
            ),
            ("joins of three in four blocks", spread, OUT_OF_FUEL),
            (
                "joins of two, twenty times",
                Forge::honest(&root).append(&one_block),
                OUT_OF_FUEL,
            ),
        ],
    );
}

/// A match copies nothing, however large the bound values; comparing is charged by size.
#[test]
fn joins_over_few_and_heavy_facts() {
    let root = Root::new();
    let heavy = call(&format!(
        r#"{{"x":[{}]}}"#,
        joined((0..5_000).map(|_| "1".to_owned()))
    ));
    let body = |same: bool| {
        let terms = (0..16).map(|index| format!("arg(\"x\", $a{})", if same { 0 } else { index }));
        format!("{}, false", terms.collect::<Vec<_>>().join(", "))
    };
    let token = |count: usize, same: bool| {
        Forge::honest(&root).append(&format!(
            "check if {} or true;",
            vec![body(same); count].join(" or ")
        ))
    };
    expect(
        &root,
        &heavy,
        [
            ("none", Forge::honest(&root), ALLOW),
            ("bound", token(20, false), ALLOW),
            // A span equals itself without a comparison of its elements.
            ("compared with itself", token(20, true), ALLOW),
        ],
    );
    // Constants are compared with every fact.
    let set = joined((1000..1060).map(|item| item.to_string()));
    let facts: String = (0..20)
        .map(|index| format!("f({index}, {{{set}}});"))
        .collect();
    let compared = ["a", "b", "c"]
        .map(|name| format!("f(${name}, {{{set}}})"))
        .join(", ");
    let sets = Forge::honest(&root).append(&format!("{facts} check if {compared}, false or true;"));
    expect(&root, &order(), [("sets", sets, OUT_OF_FUEL)]);
}

#[test]
fn expressions_that_grow() {
    let root = Root::new();
    let text = call(&format!(
        r#"{{"x":"{}","y":[{}]}}"#,
        "x".repeat(60_000),
        joined((0..300).map(|item| item.to_string()))
    ));
    let sum = |count: usize| {
        let sum = vec!["$x"; count].join(" + ");
        Forge::honest(&root).append(&format!("check if arg(\"x\", $x), {sum} === \"\" or true;"))
    };
    let items = joined((0..300).map(|item| item.to_string()));
    let unions = vec![format!("{{{items}}}"); 4].join(".union(") + &")".repeat(3);
    let each = "check if arg(\"x\", $x), arg(\"y\", $y), $y.length() > 0".to_owned();
    expect(
        &root,
        &text,
        [
            (
                "a long string looked at",
                Forge::honest(&root).append("check if arg(\"x\", $x), $x.starts_with(\"x\");"),
                ALLOW,
            ),
            ("a long string doubled", sum(2), ALLOW),
            ("a long string summed up", sum(120), OUT_OF_FUEL),
            (
                "and in sixty alternatives",
                Forge::honest(&root).append(&format!(
                    "check if {};",
                    vec!["arg(\"x\", $x), $x + $x + $x + $x + $x + $x + $x === \"\" or true"; 30]
                        .join(" or ")
                )),
                OUT_OF_FUEL,
            ),
            (
                "unions",
                Forge::honest(&root).append(&format!("check if {unions}.length() === 300;")),
                ALLOW,
            ),
            (
                "looked at often",
                Forge::honest(&root).append(&format!("{each};")),
                ALLOW,
            ),
        ],
    );
}

/// `all_of_in` compares each element with each listed value.
#[test]
fn huge_arrays() {
    let root = Root::new();
    let array = |count: usize| {
        call(&format!(
            r#"{{"x":[{}]}}"#,
            joined((0..count).map(|_| "1".to_owned()))
        ))
    };
    let listed = joined((0..200).map(|item| item.to_string()));
    let few = "check if arg(\"x\", $x), $x.all($p -> [1, 2].contains($p));";
    let many = format!("check if arg(\"x\", $x), $x.all($p -> [{listed}].contains($p));");
    let last = many.replace("[0,1,", "[0,").replace(",199]", ",199,1]");
    let token = |code: &str| Forge::honest(&root).append(code);
    expect(
        &root,
        &array(1000),
        [("a thousand of few", token(few), ALLOW)],
    );
    expect(
        &root,
        &array(200),
        [("hundreds of hundreds", token(&many), ALLOW)],
    );
    expect(
        &root,
        &array(30_000),
        [
            ("a huge array of few", token(few), ALLOW),
            ("each against the last of many", token(&last), OUT_OF_FUEL),
        ],
    );
    expect(
        &root,
        &array(30_000),
        [("that no one looks at", Forge::honest(&root), ALLOW)],
    );
}

/// Strings are stored once, and facts that no condition reads are not stored at all.
#[test]
fn calls_of_many_strings() {
    let root = Root::new();
    let strings = |count: usize| {
        call(&format!(
            r#"{{"x":[{}]}}"#,
            joined((0..count).map(|item| format!("\"{item:x}\"")))
        ))
    };
    let members = |count: usize| {
        let members = joined((0..count).map(|item| format!("\"m{item:x}\":{item}")));
        call(&format!("{{{members}}}"))
    };
    let name = "n".repeat(400);
    let paths = call(&format!(
        r#"{{"x":{{"{name}":{{{}}}}}}}"#,
        joined((0..500).map(|item| format!("\"{item:x}\":1")))
    ));
    let looks = "check if arg(\"x\", $x) or arg(\"mff\", $x) or num(\"x.ff\", $x) or action($x);";
    for (name, request) in [
        ("four thousand strings", strings(4000)),
        ("a thousand arguments", members(1000)),
        ("hundreds of long paths", paths),
    ] {
        expect(
            &root,
            &request,
            [
                (name, Forge::honest(&root), ALLOW),
                ("and looked at", Forge::honest(&root).append(looks), ALLOW),
            ],
        );
    }
    expect(
        &root,
        &strings(9000),
        [
            ("nine thousand strings", Forge::honest(&root), ALLOW),
            ("and looked at", Forge::honest(&root).append(looks), ALLOW),
        ],
    );
}

/// A row is charged for every compared term, and the profile has no wide predicates at all.
#[test]
fn wide_predicates() {
    let root = Root::new();
    let wide = |terms: usize, last: u32| format!("w({}, {last})", vec!["[]"; terms].join(", "));
    let facts: String = (0..20).map(|index| format!("a({index});")).collect();
    let join = |terms: usize| {
        let (fact, wanted) = (wide(terms, 1), wide(terms, 2));
        format!("{facts} {fact}; check if a($x), a($y), a($z), {wanted} or z([0]) or true;")
    };
    expect(
        &root,
        &order(),
        [
            (
                "fifteen terms",
                Forge::honest(&root).append(&join(14)),
                OUT_OF_FUEL,
            ),
            (
                "seventeen terms",
                Forge::honest(&root).append(&join(16)),
                "too_large",
            ),
            (
                "hundreds",
                Forge::honest(&root).append(&join(500)),
                "too_large",
            ),
        ],
    );
}

/// Each key that a block names is searched for among the earlier ones.
#[test]
fn a_thousand_keys() {
    let root = Root::new();
    let keys: Vec<u8> = (0..=255u8)
        .flat_map(|index| {
            let key = [&[8, 0, 18, 32][..], &[index; 32]].concat();
            [&[0x42, 36][..], &key].concat()
        })
        .collect();
    let short: Vec<u8> = (0..900u16)
        .flat_map(|index| {
            let [high, low] = index.to_be_bytes();
            [0x42, 6, 8, 0, 18, 2, high, low]
        })
        .collect();
    let block = |keys: Vec<u8>| Forge::honest(&root).append_bytes([vec![0x18, 6], keys].concat());
    let many: Vec<u8> = keys.iter().copied().take(190 * 38).collect();
    expect(
        &root,
        &order(),
        [
            ("short keys", block(short), "malformed"),
            ("many keys", block(many), "unsupported"),
        ],
    );
}
