//! Tests of calls that cannot be decided, and of calls that only look undecidable.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};
use bailiwick_verifier::{Call, CallError, Decision, Limits, Reason};

use crate::{ALLOW, expect, order, outcome};

fn with_args(args: &str) -> String {
    format!(r#"{{"action":"order","args":{args}}}"#)
}

fn nested(open: &str, close: &str, depth: usize) -> String {
    format!(
        r#"{{"x":{}1{}}}"#,
        open.repeat(depth - 1),
        close.repeat(depth - 1)
    )
}

#[test]
fn calls_that_two_readers_could_read_differently_are_refused() {
    let long = "x".repeat(64 * 1024);
    let refused = [
        String::new(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"order\"".to_owned(),
        "{}".to_owned(),
        r#"{"action":null}"#.to_owned(),
        r#"{"action":1}"#.to_owned(),
        r#"{"action":["order"]}"#.to_owned(),
        r#"["order",null,{}]"#.to_owned(),
        r#"{"action":"order","argz":{}}"#.to_owned(),
        r#"{"action":"order","action":"order"}"#.to_owned(),
        r#"{"action":"order","\u0061ction":"other"}"#.to_owned(),
        r#"{"action":"order","args":{},"args":{}}"#.to_owned(),
        r#"{"action":"order","resource":"a","resource":"b"}"#.to_owned(),
        r#"{"action":"order"} {}"#.to_owned(),
        r#"{"action":"order",}"#.to_owned(),
        "{\"action\":\"order\"}\0".to_owned(),
        "\u{feff}{\"action\":\"order\"}".to_owned(),
        with_args("null"),
        with_args("[]"),
        with_args("1"),
        with_args("\"{}\""),
        with_args(r#"{"a":1,"a":1}"#),
        with_args(r#"{"a":1,"\u0061":2}"#),
        with_args(r#"{"a":{"b":1,"b":2}}"#),
        with_args(r#"{"a":[{"b":1,"b":2}]}"#),
        with_args(r#"{"":1}"#),
        with_args(r#"{"a.b":1}"#),
        with_args(r#"{".":1}"#),
        with_args(&nested("[", "]", 9)),
        with_args(&nested("{\"x\":", "}", 9)),
        with_args(&nested("[", "]", 120)),
        with_args(&nested("[", "]", 30_000)),
        with_args(r#"{"a":1e9999999999999}"#),
        with_args(r#"{"a":1e-9999999999999}"#),
        with_args(r#"{"a":01}"#),
        with_args(r#"{"a":+1}"#),
        with_args(r#"{"a":.5}"#),
        with_args(r#"{"a":0x10}"#),
        with_args(r#"{"a":NaN}"#),
        with_args(r#"{"a":-Infinity}"#),
        with_args(r#"{"a":"\ud800"}"#),
        with_args(r#"{"a":"\udc00\ud800"}"#),
        with_args(r#"{"\ud800":1}"#),
        with_args("{\"a\":\"\n\"}"),
        with_args("{'a':1}"),
        with_args("{\"a\":1 /* comment */}"),
        format!(r#"{{"action":"order","note":"{long}"}}"#),
        with_args(&format!(r#"{{"a":"{long}"}}"#)),
    ];
    for text in refused {
        let error = Call::from_json(&text).expect_err(&text);
        let decision = Decision::bad_request(error);
        assert_eq!(decision.reason(), Some(Reason::BadRequest));
    }
}

#[test]
fn calls_at_their_limits() {
    let call = |text: &str| Call::from_json(text);
    let filled = |bytes: usize| {
        let frame = with_args(r#"{"a":""}"#).len();
        with_args(&format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - frame)))
    };
    assert!(call(&filled(64 * 1024)).is_ok());
    assert_eq!(
        call(&filled(64 * 1024 + 1)),
        Err(CallError::TooLong(64 * 1024))
    );
    assert!(call(&with_args(&nested("[", "]", 8))).is_ok());
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!("\"{index}\":1")).collect();
        with_args(&format!("{{{}}}", members.join(",")))
    };
    assert!(call(&members(1024)).is_ok());
    assert_eq!(call(&members(1025)), Err(CallError::TooMany(1024)));
    // The paths would repeat a long name for each of the thousand members below it.
    let inner: Vec<String> = (0..1000).map(|index| format!("\"{index}\":1")).collect();
    let paths = |name: usize| {
        with_args(&format!(
            r#"{{"x":{{"{}":{{{}}}}}}}"#,
            "n".repeat(name),
            inner.join(",")
        ))
    };
    assert!(call(&paths(100)).is_ok());
    assert_eq!(call(&paths(40_000)), Err(CallError::Paths(512 * 1024)));
    let empty = vec!["[]"; 8000].join(",");
    let arrays = |name: usize| with_args(&format!(r#"{{"{}":[{empty}]}}"#, "n".repeat(name)));
    assert!(call(&arrays(10)).is_ok());
    assert_eq!(call(&arrays(30_000)), Err(CallError::Paths(512 * 1024)));
}

/// A service may allow calls of up to 4 MiB. Every other limit of a call grows in proportion.
#[test]
fn longer_calls_of_a_service_that_allows_them() {
    const MIB: usize = 1 << 20;
    let root = Root::new();
    let token = Forge::honest(&root).text();
    let filled = |bytes: usize| {
        let frame = with_args(r#"{"a":""}"#).len();
        with_args(&format!(r#"{{"a":"{}"}}"#, "x".repeat(bytes - frame)))
    };
    let within = |text: &str, bytes: usize| Call::from_json_within(text, bytes);
    let long = filled(MIB);
    assert_eq!(Call::from_json(&long), Err(CallError::TooLong(64 * 1024)));
    let call = within(&long, MIB).expect("a call at the limit");
    assert_eq!(within(&filled(MIB + 1), MIB), Err(CallError::TooLong(MIB)));
    // Whatever a service allows, no call may be longer than 4 MiB.
    assert!(within(&filled(4 * MIB), usize::MAX).is_ok());
    assert_eq!(
        within(&filled(4 * MIB + 1), usize::MAX),
        Err(CallError::TooLong(4 * MIB))
    );
    // A verifier that does not allow long calls refuses one even if it could be read.
    assert_eq!(outcome(&root.verifier(), &token, &call), "bad_request");
    let wide = root.verifier().limits(Limits::for_calls(MIB));
    assert_eq!(outcome(&wide, &token, &call), ALLOW);
    let lines = |count: usize| {
        let lines: Vec<String> = (0..count).map(|line| format!("{{\"n\":{line}}}")).collect();
        with_args(&format!("{{\"lines\":[{}]}}", lines.join(",")))
    };
    assert_eq!(Call::from_json(&lines(1024)), Err(CallError::TooMany(1024)));
    assert!(within(&lines(16_383), MIB).is_ok());
    assert_eq!(
        within(&lines(16_384), MIB),
        Err(CallError::TooMany(16 * 1024))
    );
}

/// A condition may read every element of a long call. Calls of any allowed length get enough fuel for that.
#[test]
fn the_longest_calls_are_decided_within_their_fuel() {
    let root = Root::new();
    let text = r#"{"all_of_in":["a"],"optional":[false]}"#;
    let token = Forge::honest(&root)
        .append(&format!("check if meets(\"a\", {text:?});"))
        .text();
    for bytes in [64 * 1024, 4 << 20] {
        let count = (bytes - 100) / 4;
        let call = |last: &str| {
            let items = "\"a\",".repeat(count);
            let text = with_args(&format!("{{\"a\":[{items}\"{last}\"]}}"));
            Call::from_json_within(&text, bytes).expect("a call")
        };
        let (all, but_one) = (call("a"), call("b"));
        let verifier = || root.verifier().limits(Limits::for_calls(bytes));
        for verifier in [verifier(), verifier().engine_only()] {
            assert_eq!(outcome(&verifier, &token, &all), ALLOW, "{bytes} bytes");
            assert_eq!(
                outcome(&verifier, &token, &but_one),
                "caveat",
                "{bytes} bytes"
            );
        }
    }
}

/// A name with a dot or a star would make a path ambiguous. No path leads to such a member or below it, and it meets no
/// condition, but the text of its object still contains it.
#[test]
fn members_that_no_path_can_name() {
    let root = Root::new();
    let verifier = root.verifier();
    let of = |text: &str| Call::from_json(&with_args(text)).expect("a call");
    let checks = |code: &str| Forge::honest(&root).append(code).text();
    let any = checks("check if arg($n, \"x\");");
    for args in [
        r#"{"a":{"b.c":"x"}}"#,
        r#"{"a":{"":"x"}}"#,
        r#"{"a":{"*":"x"}}"#,
        r#"{"a":{"b*":"x"}}"#,
        r#"{"a":{"b.c":{"d":"x"}}}"#,
        r#"{"a":[[{"b.c":"x"}]]}"#,
        r#"{"a":[{"*":{"d":"x"}}]}"#,
        r#"{"a*":"x"}"#,
        r#"{"*":{"b":"x"}}"#,
    ] {
        assert_eq!(outcome(&verifier, &any, &of(args)), "caveat", "{args}");
    }
    assert_eq!(outcome(&verifier, &any, &of(r#"{"a":{"b":"x"}}"#)), ALLOW);
    // `a.b` is the member `b` of `a`, whatever other members `a` has.
    let member = checks("check if arg(\"a.b\", \"x\");");
    let call = of(r#"{"a":{"b":"x","b.c":"y"}}"#);
    assert_eq!(outcome(&verifier, &member, &call), ALLOW);
    let whole = checks(r#"check if json("a", "{\"b\":\"x\",\"b.c\":\"y\"}");"#);
    assert_eq!(outcome(&verifier, &whole, &call), ALLOW);
    // A closed list of arguments or members names none of them.
    let closed = checks("check if args($n), {\"\", \"a\"}.contains($n);");
    assert_eq!(
        outcome(&verifier, &closed, &of(r#"{"a":1,"a*":1}"#)),
        "caveat"
    );
    let text = r#"{"members":["b"],"optional":[false]}"#;
    let members = checks(&format!("check if meets(\"a\", {text:?});"));
    assert_eq!(
        outcome(&verifier, &members, &of(r#"{"a":{"b":"x"}}"#)),
        ALLOW
    );
    for extra in ["b.c", "", "*", "b*", "c"] {
        let call = of(&format!(r#"{{"a":{{"b":"x","{extra}":1}}}}"#));
        assert_eq!(outcome(&verifier, &members, &call), "caveat", "{extra}");
    }
}

#[test]
fn malformed_actions_and_resources_are_refused() {
    let root = Root::new();
    let verifier = root.verifier();
    let token = Forge::authority(
        &root,
        &format!("{AUTHORITY}grant($a) <- service(\"erp\"), action($a);"),
    )
    .text();
    for action in [
        "",
        "*",
        "order*",
        "or*der",
        "order\0",
        "order\n",
        "\u{7f}",
        "order\u{85}",
        "\u{9b}31m",
    ] {
        assert_eq!(
            outcome(&verifier, &token, &Call::new(action)),
            "bad_request",
            "{action:?}"
        );
        let json = serde_json::json!({ "action": action }).to_string();
        assert_eq!(Call::from_json(&json), Err(CallError::Action), "{action:?}");
    }
    for resource in [
        "", "/", "a/", "/a", "a//b", ".", "..", "a/..", "../a", "a/./b", "a\\b", "..\\a", "a%2fb",
        "%2e%2e", "a?b", "a#b", "a\0", "a\nb", "a\u{85}b", "...", "a/..;b",
    ] {
        assert_eq!(
            outcome(&verifier, &token, &order().resource(resource)),
            "bad_request",
            "{resource:?}"
        );
    }
    for resource in ["a", "a/b", "a..b", ".a", "a b", "é", "*", "a/*"] {
        assert_eq!(
            outcome(&verifier, &token, &order().resource(resource)),
            ALLOW,
            "{resource:?}"
        );
    }
    // A call that a program builds is checked like one that came as text.
    for name in ["", "a.b"] {
        assert_eq!(
            outcome(&verifier, &token, &order().arg(name, 1)),
            "bad_request",
            "{name:?}"
        );
    }
}

/// Numbers that no fact can represent are not stated, so a limit on them denies.
#[test]
fn numbers_at_the_edge() {
    let root = Root::new();
    let verifier = root.verifier();
    let bounded = Forge::honest(&root)
        .append("check if num(\"a\", $a), $a >= -9223372036854775807, $a <= 10000000;")
        .text();
    let open = Forge::honest(&root).text();
    for (number, expected) in [
        ("1", ALLOW),
        ("10", ALLOW),
        ("10.000000", ALLOW),
        ("10.0000000000000000000000000000000000001", "caveat"),
        ("100e-1", ALLOW),
        ("1000000000000000000000000e-23", ALLOW),
        ("10.000001", "caveat"),
        ("11", "caveat"),
        ("-0", ALLOW),
        ("-0.0e400", ALLOW),
        ("0e1000000000", ALLOW),
        ("1e400", "caveat"),
        ("1e-400", "caveat"),
        ("-1e400", "caveat"),
        ("1e1000000000", "caveat"),
        ("1e-1000000000", "caveat"),
        ("9223372036854775808", "caveat"),
        ("18446744073709551626", "caveat"),
        ("18446744073719.551616", "caveat"),
        ("-9223372036854.775809", "caveat"),
        ("true", "caveat"),
        ("\"1\"", "caveat"),
        ("[1]", "caveat"),
        ("null", "caveat"),
    ] {
        let request = Call::from_json(&with_args(&format!("{{\"a\":{number}}}"))).expect(number);
        assert_eq!(outcome(&verifier, &bounded, &request), expected, "{number}");
        assert_eq!(outcome(&verifier, &open, &request), ALLOW, "{number}");
    }
}

/// Strings are compared byte for byte: without normalization, with case, and past a NUL.
#[test]
fn strings_are_what_they_are() {
    let root = Root::new();
    let verifier = root.verifier();
    let token = Forge::honest(&root)
        .append("check if arg(\"a\", \"é\");")
        .text();
    for (text, expected) in [
        ("\u{e9}", ALLOW),
        ("e\u{301}", "caveat"),
        ("É", "caveat"),
        ("é\0", "caveat"),
        ("é ", "caveat"),
        ("", "caveat"),
    ] {
        assert_eq!(
            outcome(&verifier, &token, &order().arg("a", text)),
            expected,
            "{text:?}"
        );
    }
}

/// An argument is found by its name, however many there are.
#[test]
fn each_of_many_arguments_is_found() {
    let root = Root::new();
    for count in [1, 8, 9, 20] {
        let name = |index: usize| format!("a{index:02}");
        let call = (0..count).fold(order(), |call, index| call.arg(&name(index), index as i64));
        let check = |name: &str, value: usize| {
            Forge::honest(&root).append(&format!("check if arg(\"{name}\", {value});"))
        };
        let cases = (0..count).flat_map(|index| {
            [
                ("its value", check(&name(index), index), ALLOW),
                ("another's", check(&name(index), index + 1), "caveat"),
            ]
        });
        let absent = ["a", &name(count), "a005"].map(|name| ("absent", check(name, 0), "caveat"));
        expect(&root, &call, cases.chain(absent));
    }
}
