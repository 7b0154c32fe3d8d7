//! Forgeries that cause work: evaluations that would never end, and some that barely do.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};

use super::{Forgery, forgery};

const OUT_OF_FUEL: &str = "out_of_fuel";
const UNSUPPORTED: &str = "unsupported";

pub(super) fn all(root: &Root) -> Vec<Forgery> {
    let mut all = joins(root);
    all.extend(expressions(root));
    all.extend(of_others(root));
    all
}

fn facts(count: usize) -> String {
    (0..count).map(|index| format!("f({index});")).collect()
}

fn numbers(range: std::ops::Range<usize>) -> String {
    range
        .map(|item| item.to_string())
        .collect::<Vec<_>>()
        .join(",")
}

fn joins(root: &Root) -> Vec<Forgery> {
    let of = |name, attacks, code: &str, reason| {
        forgery(name, attacks, Forge::honest(root).append(code), reason)
    };
    let body = |count: usize| {
        (0..count)
            .map(|index| format!("f($x{index})"))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let join = |count: usize| format!("{} check if {}, $x0 > 100 or true;", facts(60), body(count));
    let all = join(4)
        .replace("check if", "check all")
        .replace("> 100 or true", ">= 0");
    let either = ["f($a), f($b), false"; 60].join(" or ");
    let spread = (0..14).fold(Forge::honest(root).append(&facts(20)), |forge, _| {
        forge.append(&format!(
            "{} check if {}, false or true;",
            facts(14),
            body(3)
        ))
    });
    let set = numbers(1000..1060);
    let sets: String = (0..20)
        .map(|index| format!("s({index}, {{{set}}});"))
        .collect();
    let compared = ["a", "b", "c"]
        .map(|name| format!("s(${name}, {{{set}}})"))
        .join(", ");
    let grants =
        (0..60).map(|index| format!("grant(\"g{index}\") <- f($a), f($b), $a + $b === 1000;"));
    let grants = format!("{AUTHORITY}{}", grants.collect::<String>());
    let texts: String = (0..60)
        .map(|index| format!("t(\"a rather long string, number {index:02}\");"))
        .collect();
    vec![
        of(
            "join-of-2",
            "a self-join of two that is evaluated to its end",
            &join(2).replace(&facts(60), &facts(20)),
            "allow",
        ),
        of(
            "join-of-4",
            "a self-join of four over sixty facts",
            &join(4),
            OUT_OF_FUEL,
        ),
        of(
            "join-of-16",
            "a self-join of sixteen over sixty facts",
            &join(16),
            OUT_OF_FUEL,
        ),
        of(
            "join-checked-for-all",
            "a self-join of four, of which every match counts",
            &all,
            OUT_OF_FUEL,
        ),
        of(
            "join-in-alternatives",
            "a self-join of two in each of sixty alternatives",
            &format!("{} check if {either} or true;", facts(60)),
            OUT_OF_FUEL,
        ),
        forgery(
            "join-in-blocks",
            "a self-join of three in each of fourteen blocks",
            spread,
            OUT_OF_FUEL,
        ),
        of(
            "join-over-sets",
            "a join that compares large sets",
            &format!("{sets} check if {compared}, false or true;"),
            OUT_OF_FUEL,
        ),
        of(
            "join-over-strings",
            "a join that compares sums of strings",
            &format!("{texts} check if t($a), t($b), t($c), $a + $b === $b + $c, false or true;"),
            OUT_OF_FUEL,
        ),
        // The root signs facts of its own, which the profile does not define.
        forgery(
            "grants-that-join",
            "grants that each join, in an authority block with facts",
            Forge::authority(root, &format!("{grants}{}", facts(60))),
            "not_profile",
        )
        .alone(OUT_OF_FUEL),
    ]
}

fn expressions(root: &Root) -> Vec<Forgery> {
    let of = |name, attacks, code: &str, reason| {
        forgery(name, attacks, Forge::honest(root).append(code), reason)
    };
    let long = format!(
        r#"{{"action":"order","args":{{"x":"{}"}}}}"#,
        "x".repeat(30_000)
    );
    let array = format!(
        r#"{{"action":"order","args":{{"x":[{}]}}}}"#,
        ["199"; 8_000].join(",")
    );
    let sum = ["$x"; 120].join(" + ");
    let own = "x".repeat(2000);
    let unions = format!("{{{}}}", numbers(0..300));
    let unions = format!("{}{}", [unions.as_str(); 4].join(".union("), ")".repeat(3));
    let each = format!("[{}].contains($p)", numbers(0..200));
    vec![
        of(
            "string-summed-up",
            "a long argument added to itself a hundred times",
            &format!("check if arg(\"x\", $x), {sum} === \"\" or true;"),
            OUT_OF_FUEL,
        )
        .with(&long),
        of(
            "string-summed-up-own",
            "a long string of its own added to itself, for each of sixty facts",
            &format!(
                "s(\"{own}\"); {} check if f($a), s($x), {sum} === \"\" or true;",
                facts(60)
            ),
            OUT_OF_FUEL,
        ),
        of(
            "string-searched",
            "a long argument searched in sixty alternatives",
            &format!(
                "check if {} or true;",
                ["arg(\"x\", $x), $x.contains(\"xxy\")"; 60].join(" or ")
            ),
            OUT_OF_FUEL,
        )
        .with(&long),
        of(
            "set-unions",
            "large sets united",
            &format!("check if {unions}.length() === 300;"),
            "allow",
        ),
        of(
            "set-unions-in-alternatives",
            "large sets united, once for each of forty facts",
            &format!(
                "{} check if f($a), {unions}.length() === $a or true;",
                facts(40)
            ),
            OUT_OF_FUEL,
        ),
        of(
            "array-against-a-list",
            "each of thousands of elements against a list",
            &format!("check if arg(\"x\", $x), $x.all($p -> {each});"),
            OUT_OF_FUEL,
        )
        .with(&array),
        of(
            "array-bound-often",
            "a large array bound sixteen times in twenty alternatives",
            &format!(
                "check if {} or true;",
                vec![["arg(\"x\", $x)"; 16].join(", ") + ", false"; 20].join(" or ")
            ),
            "allow",
        )
        .with(&array),
    ]
}

/// Tokens that only the profile refuses. Outside the profile, the engine evaluates such Datalog.
fn of_others(root: &Root) -> Vec<Forgery> {
    let of = |name, attacks, code: &str, outcome| {
        forgery(name, attacks, Forge::honest(root).append(code), UNSUPPORTED).alone(outcome)
    };
    let items = numbers(0..30);
    let nested = (0..5).fold("true".to_owned(), |inner, depth| {
        format!("[{items}].all($p{depth} -> {inner})")
    });
    let summed = format!(
        "[{items}].all($a -> [{items}].all($b -> {} !== \"\"))",
        ["$s"; 40].join(" + ")
    );
    let origins = (0..14).fold(Forge::honest(root), |forge, _| {
        forge.append("f(1); f(2); g($x, $y) <- f($x), f($y) trusting previous; h($x) <- g($x, $y), g($y, $x) trusting previous;")
    });
    let texts: String = (0..60)
        .map(|index| format!("s(\"{}{index}\");", "a".repeat(60)))
        .collect();
    vec![
        of(
            "rules-that-explode",
            "a rule that derives a hundred thousand facts",
            &format!(
                "{} g($a, $b, $c, $d, $e) <- f($a), f($b), f($c), f($d), f($e);",
                facts(10)
            ),
            OUT_OF_FUEL,
        ),
        of(
            "rules-in-a-circle",
            "rules that feed each other",
            &format!(
                "{} g($a, $b) <- f($a), f($b); g($b, $c) <- g($a, $b), g($b, $c); f($a) <- g($a, $b), $a > $b;",
                facts(30)
            ),
            OUT_OF_FUEL,
        ),
        forgery(
            "origins-that-double",
            "the same facts derived from every choice of blocks",
            origins,
            UNSUPPORTED,
        )
        .alone(OUT_OF_FUEL),
        of(
            "closures-nested",
            "thirty elements, five times nested",
            &format!("check if {nested};"),
            OUT_OF_FUEL,
        ),
        of(
            "closures-over-facts",
            "a closure over each pair of facts",
            &format!(
                "{} check if f($a), f($b), [{items}].all($p -> $p + $a > $b - 100), false;",
                facts(40)
            ),
            "deny",
        ),
        of(
            "regular-expression-over-facts",
            "a regular expression for each pair of strings",
            &format!(
                "{texts} check if s($a), s($b), $a.matches(\"(a|b|ab)*c\") || $b.matches(\"(a*)*c\");"
            ),
            OUT_OF_FUEL,
        ),
        of(
            "string-summed-in-closures",
            "a long string summed up in nested closures",
            &format!("s(\"{}\"); check if s($s), {summed};", "x".repeat(2000)),
            OUT_OF_FUEL,
        ),
    ]
}
