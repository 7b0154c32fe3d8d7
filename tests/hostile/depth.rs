//! Tests of attacks through `depth`, the only fact about a call that a holder changes by appending blocks.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};
use bailiwick_verifier::Call;

use crate::{ALLOW, expect, order, outcome};

/// Bodies that become true, or hide an error, once there are more blocks.
const WIDENING: &[&str] = &[
    "depth($d), $d >= 1",
    "depth($d), $d > 0",
    "depth($d), 1 <= $d",
    "depth($d), $d === 1",
    "depth($d), $d == 1",
    "depth($d), $d !== 0",
    "depth($d), $d != 0",
    "depth($d), !($d <= 0)",
    "depth($d), 0 - $d <= 0",
    "depth($d), $d <= $d",
    "depth($d), {1, 2}.contains($d)",
    "depth($d), $d <= 3, $d >= 1",
    "depth($d), depth($e), $e >= 1, $d <= 3",
    "depth($d), arg(\"n\", $d), $d <= 3",
    "depth($d)",
    "depth(1)",
    "depth(0)",
    "depth($d), $d <= 0, 1 / 0 === 1",
    "depth($d), $d <= 0, args($n), [1].contains($n)",
    "depth($d), $d.type() === \"integer\", $d <= 3",
];

#[test]
fn depth_is_bounded_from_above_only() {
    let root = Root::new();
    let cases = WIDENING.iter().flat_map(|body| {
        let authority = |code: String| Forge::authority(&root, &format!("{AUTHORITY}{code}"));
        [
            ("grant", authority(format!("grant(\"order\") <- {body};"))),
            ("check", authority(format!("check if {body};"))),
            (
                "alternative",
                authority(format!("check if true or {body};")),
            ),
            (
                "caveat",
                Forge::honest(&root).append(&format!("check if {body};")),
            ),
            (
                "check all",
                Forge::honest(&root).append(&format!("check all {body};")),
            ),
        ]
        .map(|(place, forge)| (format!("{place}: {body}"), forge, "unsupported"))
    });
    expect(&root, &order(), cases);
    let in_head = format!("{AUTHORITY}grant($d) <- depth($d), $d <= 3;");
    let all = "check all depth($d), $d <= 3;";
    expect(
        &root,
        &order(),
        [
            (
                "in a head",
                Forge::authority(&root, &in_head),
                "unsupported",
            ),
            (
                "of each match",
                Forge::honest(&root).append(all),
                "unsupported",
            ),
        ],
    );
}

#[test]
fn the_one_shape_of_depth_narrows() {
    let root = Root::new();
    let shapes = [
        "check if depth($d), $d <= 1;",
        "check if action(\"order\"), depth($d), $d <= 1;",
        "check if depth($d), action($a), $a.starts_with(\"o\"), $d <= 1;",
        "check if depth($d), $d <= 1 or action(\"other\");",
    ];
    for code in shapes {
        let token = Forge::authority(&root, &format!("{AUTHORITY}{code}"));
        let once = token.clone().append("task(\"a\");");
        let twice = once.clone().append("task(\"b\");");
        let denied = match code == shapes[0] {
            true => "depth",
            false => "caveat",
        };
        expect(
            &root,
            &order(),
            [
                (code, token, ALLOW),
                (code, once, ALLOW),
                (code, twice, denied),
            ],
        );
    }
    let granted = format!("{AUTHORITY}grant(\"read\") <- action(\"read\"), depth($d), $d <= 0;");
    let token = Forge::authority(&root, &granted);
    let read = Call::new("read");
    let verifier = root.verifier();
    assert_eq!(outcome(&verifier, &token.text(), &read), ALLOW);
    let handed_on = token.append("task(\"a\");");
    assert_eq!(outcome(&verifier, &handed_on.text(), &read), "no_grant");
}

/// If a limit on `depth` is exceeded, a check over grants sees one grant fewer, so a grant for which the check
/// fails or raises an error could disappear.
#[test]
fn no_check_looks_for_grants_that_depth_ends() {
    let root = Root::new();
    let ending = "grant(\"other\") <- action($a), depth($d), $d <= 0;";
    let checks = [
        "check all grant($g), $g === \"order\";",
        "check if grant($g), 1 / 0 === 1;",
        "check if grant($g), $g === \"order\";",
    ];
    let cases = checks.iter().flat_map(|check| {
        let own = format!("{AUTHORITY}{ending} {check}");
        let authority = Forge::authority(&root, &format!("{AUTHORITY}{ending}"));
        [
            (format!("own: {check}"), Forge::authority(&root, &own)),
            (format!("appended: {check}"), authority.append(check)),
        ]
        .map(|(name, forge)| (name, forge, "unsupported"))
    });
    expect(&root, &order(), cases);
    // Without `depth` the same checks are legal.
    let plain = format!("{AUTHORITY}grant(\"other\") <- action($a); {}", checks[2]);
    expect(
        &root,
        &order(),
        [("no depth", Forge::authority(&root, &plain), ALLOW)],
    );
}
