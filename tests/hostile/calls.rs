//! Tests of calls that cannot be decided, and of calls that only look undecidable.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};
use bailiwick_verifier::{Call, CallError, Decision, Reason};

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
        with_args(r#"{"a":{"b.c":1}}"#),
        with_args(r#"{"a":[[{"b.c":1}]]}"#),
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
    assert_eq!(call(&filled(64 * 1024 + 1)), Err(CallError::TooLong));
    assert!(call(&with_args(&nested("[", "]", 8))).is_ok());
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!("\"{index}\":1")).collect();
        with_args(&format!("{{{}}}", members.join(",")))
    };
    assert!(call(&members(1024)).is_ok());
    assert_eq!(call(&members(1025)), Err(CallError::TooMany));
    // A long name with a thousand members below it would be spelled out a thousand times.
    let inner: Vec<String> = (0..1000).map(|index| format!("\"{index}\":1")).collect();
    let paths = |name: usize| {
        with_args(&format!(
            r#"{{"x":{{"{}":{{{}}}}}}}"#,
            "n".repeat(name),
            inner.join(",")
        ))
    };
    assert!(call(&paths(100)).is_ok());
    assert_eq!(call(&paths(40_000)), Err(CallError::Paths));
    let empty = vec!["[]"; 8000].join(",");
    let arrays = |name: usize| with_args(&format!(r#"{{"{}":[{empty}]}}"#, "n".repeat(name)));
    assert!(call(&arrays(10)).is_ok());
    assert_eq!(call(&arrays(30_000)), Err(CallError::Paths));
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
