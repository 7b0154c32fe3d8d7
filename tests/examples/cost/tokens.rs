//! Honest tokens of increasing size, and hostile tokens for each way of making the verifier work.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
    now, scope, toml,
};
use bailiwick_token::{grant::Grants, limits::TokenLimits, token::Token};
use bailiwick_verifier::Reason;

use crate::{Point, request};

pub const HONEST: &str = "honest, one appended block";
pub const HONEST_CHAIN: &str = "honest, more blocks";

const SIZES: [usize; 6] = [1000, 2000, 3500, 5000, 6500, 8192];

pub fn all(root: &Root) -> Vec<Point> {
    let mut points = Vec::new();
    for grants in [1, 4, 8, 14, 20, 27, 34, 41, 48, 55] {
        let token = root
            .mint(&honest_grants(grants))
            .attenuate(&scope(honest_grants(2)));
        if let Ok(token) = token {
            points.extend(point(root, HONEST, token.to_base64().to_string()));
        }
    }
    for blocks in [2, 4, 6, 8, 10, 12, 15] {
        let narrow = |token: Token| {
            token
                .attenuate(&scope(honest_grants(2)))
                .expect("a token within its limits")
        };
        let token = (0..blocks).fold(root.mint(&honest_grants(3)), |token, _| narrow(token));
        points.extend(point(root, HONEST_CHAIN, token.to_base64().to_string()));
    }
    for (family, forge) in families() {
        let made = |size: usize| forge(root, size);
        let mut last = 0;
        for size in SIZES {
            // The largest token of this kind that is still evaluated.
            let fits = |count: usize| {
                let token = made(count);
                token.bytes().len() <= size && point(root, family, token.text()).is_some()
            };
            let (mut low, mut high) = (0, 4096);
            while low + 1 < high {
                let middle: usize = usize::midpoint(low, high);
                if fits(middle) {
                    low = middle;
                } else {
                    high = middle;
                }
            }
            if low > last {
                points.extend(point(root, family, made(low).text()));
                last = low;
            }
        }
    }
    points
}

/// Measures a token; `None` if it is refused before it is evaluated, which is cheaper.
fn point(root: &Root, family: &'static str, text: String) -> Option<Point> {
    let decision = root.verifier().check(&text, &request(), now());
    let outcome = decision.reason().map_or("allow", Reason::code);
    let token = Token::parse(&text).ok()?;
    let evaluated = [
        "allow",
        "caveat",
        "no_grant",
        "out_of_fuel",
        "evaluation_error",
    ]
    .contains(&outcome);
    (evaluated && TokenLimits::default().check(&token).is_ok()).then(|| Point {
        family,
        bytes: token.as_bytes().len(),
        text,
        outcome,
        micros: 0.0,
    })
}

fn honest_grants(count: usize) -> Grants {
    let further = (1..count).map(|index| {
        format!(
            "[[grant]]\nservice = \"erp\"\naction = \"invoice:{index}\"\nresource = \"eu/{index}/*\"\nargs = {{ amount = {{ min = \"1\", max = \"{index}00\" }}, note = \"*\" }}\n"
        )
    });
    toml(&format!(
        "[[grant]]\nservice = \"erp\"\naction = \"order\"\nargs = {{ amount = {{ max = \"10000\" }}, currency = \"EUR\", vendor = {{ one_of = [\"acme\", \"globex\"] }} }}\n{}",
        further.collect::<String>()
    ))
}

type Family = (&'static str, fn(&Root, usize) -> Forge);

fn families() -> [Family; 8] {
    fn facts(count: usize) -> String {
        (0..count).map(|index| format!("f({index});")).collect()
    }
    fn numbers(count: usize) -> String {
        (0..count)
            .map(|item| item.to_string())
            .collect::<Vec<_>>()
            .join(",")
    }
    fn append(root: &Root, code: String) -> Forge {
        Forge::honest(root).append(&code)
    }
    [
        ("a join of four", |root, count| {
            append(
                root,
                format!(
                    "{} check if f($a), f($b), f($c), f($d), $a > 9999 or true;",
                    facts(count)
                ),
            )
        }),
        ("joins in sixty alternatives", |root, count| {
            let either = ["f($a), f($b), false"; 60].join(" or ");
            append(root, format!("{} check if {either} or true;", facts(count)))
        }),
        ("bindings, sixteen to a body", |root, count| {
            append(
                root,
                format!(
                    "{} check if {}, false or true;",
                    facts(count),
                    (0..16)
                        .map(|index| format!("f($x{index})"))
                        .collect::<Vec<_>>()
                        .join(", ")
                ),
            )
        }),
        ("grants that join claims", |root, count| {
            let claims: String = (0..count)
                .map(|index| format!("claim(\"{index}\", \"a\");"))
                .collect();
            let grants: String = (0..20)
                .map(|index| {
                    format!("grant(\"g{index}\") <- claim($a, $b), claim($c, $b), claim($d, $b);")
                })
                .collect();
            Forge::authority(root, &format!("{AUTHORITY}{claims}{grants}")).append("check if true;")
        }),
        ("a long string summed up", |root, count| {
            let sum = ["$x"; 60].join(" + ");
            append(
                root,
                format!(
                    "s(\"{}\"); {} check if f($a), f($b), s($x), {sum} === \"\" or true;",
                    "x".repeat(count),
                    facts(20)
                ),
            )
        }),
        ("sets united", |root, count| {
            let set = format!("{{{}}}", numbers(count));
            append(
                root,
                format!(
                    "{} check if f($a), f($b), {set}.union({{1}}).length() === $a + 9999 or true;",
                    facts(40)
                ),
            )
        }),
        ("elements against a list", |root, count| {
            let list = numbers(count);
            append(
                root,
                format!(
                    "x([{list}]); {} check if f($a), x($x), $x.all($p -> [{list}].contains($p)), $a > 99 or true;",
                    facts(20)
                ),
            )
        }),
        ("alternatives that are read, not run", |root, count| {
            let either = (0..count).map(|index| {
                format!("service(\"erp\"), action(\"order\"), arg(\"amount\", $a), $a === {index}")
            });
            append(
                root,
                format!(
                    "check if {} or true;",
                    either.collect::<Vec<_>>().join(" or ")
                ),
            )
        }),
    ]
}
