//! Tests of Datalog outside the profile, and of evaluations that fail.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};
use bailiwick_verifier::Call;
use biscuit_auth::format::schema;

use crate::{ALLOW, expect, order, outcome};

#[test]
fn the_language_is_the_profiles() {
    let root = Root::new();
    let both = |code: &str, expected: &'static str| {
        let authority = Forge::authority(&root, &format!("{AUTHORITY}{code}"));
        let appended = Forge::honest(&root).append(code);
        [
            (format!("authority: {code}"), authority, expected),
            (format!("appended: {code}"), appended, expected),
        ]
    };
    let unsupported = [
        "check if action($a) trusting authority;",
        "check if action($a) trusting previous;",
        "reject if action(\"other\");",
        "reject if action(\"order\") or action(\"other\");",
        "reject if action(\"other\") or action(\"order\");",
        "reject if false;",
        "check if action($a), $a.matches(\"^order$\");",
        "check if action($a), $a.matches(\"\\\\w{400}\");",
        "check if action($a), $a.extern::f();",
        "check if action($a), $a.extern::f(1);",
        "check if action($a), true && $a === \"order\";",
        "check if action($a), $a === \"order\" || true;",
        "check if action($a), {\"order\"}.any($p -> $p === $a);",
        "check if action($a), [\"order\"].all($p -> $p === $a);",
        "check if action($a), [\"order\"].all($p -> [\"order\"].contains($p));",
        "check if args($n), $n.any($p -> [\"\"].contains($p));",
        "check if args($n), $n.all($p -> [\"\"].contains($n));",
        "check if args($n), $n.all($p -> [[]].any($q -> true) || true);",
        "check if args($n), $n.all($p -> [\"\"].contains($p) && true);",
        "check if true.try_or(false);",
        "check if (1 / 0 == 1).try_or(true);",
    ];
    let legal = [
        "check if args($n), $n.all($p -> [\"\"].contains($p));",
        "check all action($a), $a === \"order\";",
        "check if action($a), $a != 1;",
        "check if true;",
        "check if grant(\"order\");",
        "check if {\"a\"}.union({\"b\"}).intersection({\"b\"}).length() === 1;",
    ];
    let cases = unsupported
        .iter()
        .flat_map(|code| both(code, "unsupported"));
    let cases = cases.chain(legal.iter().flat_map(|code| both(code, ALLOW)));
    expect(&root, &order(), cases);
    let rules = [
        "f($x) <- action($x);",
        "f(1) <- true;",
        "task($x) <- action($x);",
    ];
    expect(
        &root,
        &order(),
        rules.map(|code| (code, Forge::honest(&root).append(code), "unsupported")),
    );
    use schema::scope::{Content, ScopeType};
    let trusts = |kind: ScopeType| {
        Forge::honest(&root).append_changed("f(1);", |block| {
            let content = Some(Content::ScopeType(kind as i32));
            block.scope = vec![schema::Scope { content }];
        })
    };
    expect(
        &root,
        &order(),
        [
            (
                "a block that trusts the authority",
                trusts(ScopeType::Authority),
                "unsupported",
            ),
            (
                "a block that trusts all before it",
                trusts(ScopeType::Previous),
                "unsupported",
            ),
        ],
    );
    let trusting = format!("{AUTHORITY}grant(\"x\") <- action(\"x\") trusting previous;");
    expect(
        &root,
        &order(),
        [(
            "a rule that trusts",
            Forge::authority(&root, &trusting),
            "unsupported",
        )],
    );
}

#[test]
fn failures_during_evaluation_are_denials() {
    let root = Root::new();
    let failing = [
        "check if 1 / 0 === 1;",
        "check if 9223372036854775807 + 1 === 1;",
        "check if -9223372036854775808 - 1 === 1;",
        "check if -9223372036854775808 / -1 === 1;",
        "check if 9223372036854775807 * 2 === 1;",
        "check if \"a\" === 1;",
        "check if \"a\" < \"b\";",
        "check if 1;",
        "check if \"true\";",
        "check if null;",
        "check if !1;",
        "check if 1.length() === 1;",
        "check if action($a), $a < 5;",
        "check if action($a), $a.starts_with(1);",
        "check if {1} === [1];",
        "check if args($a), $a.all($b -> [1].contains($a));",
    ];
    let cases = failing.map(|code| {
        let expected = if code.contains("-> [1].contains($a)") {
            "unsupported"
        } else {
            "evaluation_error"
        };
        (code, Forge::honest(&root).append(code), expected)
    });
    expect(&root, &order(), cases);
    let grants = [
        "grant($x) <- action($x), $x < 5;",
        "grant($x) <- action($x), 1 / 0 === 1;",
    ];
    let cases = grants.map(|code| {
        (
            code,
            Forge::authority(&root, &format!("{AUTHORITY}{code}")),
            "evaluation_error",
        )
    });
    expect(&root, &order(), cases);
    let harmless = [
        ("check if [1].get(-1) == null;", ALLOW),
        ("check if 1 / 2 === 0;", ALLOW),
        // biscuit-auth raises an error here, contrary to the specification.
        ("check if {1, 2}.contains(null);", "caveat"),
        ("check if false;", "caveat"),
        ("check if nothing($x);", "caveat"),
        ("check if action($a), nothing($a);", "caveat"),
    ];
    expect(
        &root,
        &order(),
        harmless.map(|(code, expected)| (code, Forge::honest(&root).append(code), expected)),
    );
}

/// A closure that shadows a variable is found when its block is compiled, and the call is denied.
#[test]
fn a_shadowed_variable_is_denied() {
    let root = Root::new();
    let request = order().arg("tags", vec!["a"]);
    let shadowed = "check if arg(\"tags\", $p), $p.all($p -> [\"a\"].contains($p));";
    let honest = shadowed.replace("\"tags\", $p), $p.all", "\"tags\", $t), $t.all");
    expect(
        &root,
        &request,
        [
            (
                "shadowed",
                Forge::honest(&root).append(shadowed),
                "evaluation_error",
            ),
            ("not shadowed", Forge::honest(&root).append(&honest), ALLOW),
        ],
    );
}

/// If an operation fails for one of several facts, the answer of biscuit-auth depends on its hash order. Here,
/// facts are tried in the order of their names until one matches.
#[test]
fn an_error_beside_a_match_has_one_outcome() {
    let root = Root::new();
    let verifier = root.verifier();
    let token = Forge::honest(&root)
        .append("check if arg($n, $v), $v.starts_with(\"EU\");")
        .text();
    for (a, b, expected) in [
        ("\"EU\"", "5", ALLOW),
        ("5", "\"EU\"", "evaluation_error"),
        ("\"US\"", "5", "evaluation_error"),
        ("\"US\"", "\"CH\"", "caveat"),
    ] {
        let call = format!(r#"{{"action":"order","args":{{"a":{a},"b":{b}}}}}"#);
        let request = Call::from_json(&call).expect("a call");
        for _ in 0..20 {
            assert_eq!(outcome(&verifier, &token, &request), expected, "{call}");
        }
    }
}

/// The empty string is always among the names of arguments, so an empty set of them matches nothing.
#[test]
fn the_closed_world_stays_closed() {
    let root = Root::new();
    let closed =
        "check if service(\"erp\"), action(\"order\"), args($n), {\"\", \"a\"}.contains($n);";
    let token = || Forge::honest(&root).append(closed);
    let call = |text: &str| Call::from_json(text).expect("a call");
    let cases: [(&str, &'static str); 4] = [
        (r#"{"action":"order"}"#, ALLOW),
        (r#"{"action":"order","args":{"a":1}}"#, ALLOW),
        (r#"{"action":"order","args":{"a":1,"b":1}}"#, "caveat"),
        (r#"{"action":"order","args":{"A":1}}"#, "caveat"),
    ];
    for (text, expected) in cases {
        expect(&root, &call(text), [(text, token(), expected)]);
    }
}
