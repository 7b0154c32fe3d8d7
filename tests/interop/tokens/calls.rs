//! Calls at the limits of what can be decided, and the facts that a verifier states about them.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge},
};

use super::{Case, honest::case};

pub(super) fn all(root: &Root) -> Vec<Case> {
    let any = format!("{AUTHORITY}grant($a) <- service(\"erp\"), action($a);");
    let any = Forge::authority(root, &any);
    let mut all = form(&any);
    all.extend(facts(&any));
    all
}

/// Calls that are accepted or refused for their form, whatever the token grants.
fn form(any: &Forge) -> Vec<Case> {
    let args = |args: &str| format!(r#"{{"action":"act","args":{args}}}"#);
    let nested = |depth: usize| format!(r#"{{"x":{}1{}}}"#, "[".repeat(depth), "]".repeat(depth));
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|index| format!(r#""{index}":1"#)).collect();
        args(&format!("{{{}}}", members.join(",")))
    };
    let allowed = [
        r#"{"action":"act"}"#.to_owned(),
        " {\"args\" : { } , \"action\" : \"act\"}\n".to_owned(),
        args(r#"{"x":{"":1}}"#),
        args(r#"{"x":{"a.b":1,"a":{"b":2}}}"#),
        args(&nested(7)),
        args(r#"{"x":1e1000000000}"#),
        args(r#"{"x":"\ud83d\ude00"}"#),
        members(1024),
    ];
    let shape = [
        "",
        "null",
        "{}",
        r#"["act"]"#,
        r#"{"action":"act"} {}"#,
        r#"{"action":"act","args":null}"#,
        r#"{"action":"act","args":[]}"#,
        r#"{"action":"act","argz":{}}"#,
        r#"{"action":"act","action":"act"}"#,
        r#"{"action":"act","args":{},"\u0061rgs":{}}"#,
        r#"{"action":""}"#,
        r#"{"action":"act*"}"#,
        r#"{"action":"act\u0085"}"#,
    ];
    let arguments = [
        r#"{"x":1,"x":1}"#,
        r#"{"x":[{"y":1,"y":1}]}"#,
        r#"{"":1}"#,
        r#"{"x.city":1,"x":{"city":2}}"#,
        r#"{"x":1e1000000001}"#,
        r#"{"x":1e-1000000001}"#,
        r#"{"x":01}"#,
        r#"{"x":NaN}"#,
        r#"{"x":"\ud800"}"#,
        r#"{"\udc00":1}"#,
    ];
    let refused = shape
        .map(str::to_owned)
        .into_iter()
        .chain(arguments.map(args))
        .chain([args(&nested(8)), members(1025)]);
    vec![
        of("calls", "calls that can be decided", any, allowed, "allow"),
        Case {
            reads: None,
            ..of(
                "calls-of-another-form",
                "calls that cannot be decided because of their form, names, numbers or nesting",
                any,
                refused,
                "bad_request",
            )
        },
        of(
            "resources",
            "resources in normal form, which are compared unchanged",
            any,
            ["a", "eu/1", "..a/b..", "a b/c;v=1", ".a", "é", "*"].map(resource),
            "allow",
        ),
        Case {
            reads: None,
            ..of(
                "resources-of-another-form",
                "resources that some services read as others: separators, dots, escapes, parameters, and characters that NFKC changes",
                any,
                [
                    "",
                    "/",
                    "a/",
                    "/a",
                    "a//b",
                    ".",
                    "a/../b",
                    "a\\b",
                    "a%2fb",
                    "a?b",
                    "a#b",
                    "a\u{85}b",
                    "a/..;v/b",
                    "a/;v",
                    "a/ /b",
                    "a/\u{a0}/b",
                    "a/\u{200b}/b",
                    "a/\u{ff0e}\u{ff0e}/b",
                    "a\u{ff0f}b",
                    "a/\u{2025}/b",
                ]
                .map(resource),
                "bad_request",
            )
        },
    ]
}

fn resource(resource: &str) -> String {
    serde_json::json!({ "action": "act", "resource": resource }).to_string()
}

/// The facts about an argument `x`: values for which a check holds, and values for which it fails.
fn facts(any: &Forge) -> Vec<Case> {
    let of_x = |value: &str| format!(r#"{{"action":"act","args":{{"x":{value}}}}}"#);
    let one = |name: &str, about: &str, check: &str, good: &[&str], bad: &[&str]| {
        let good = good.iter().map(|value| (of_x(value), "allow"));
        let bad = bad.iter().map(|value| (of_x(value), "caveat"));
        let calls: Vec<(String, &str)> = good.chain(bad).collect();
        let calls: Vec<(&str, &str)> = calls
            .iter()
            .map(|(call, decision)| (call.as_str(), *decision))
            .collect();
        case(name, about, &any.clone().append(check), &calls)
    };
    vec![
        one(
            "names-of-arguments",
            "`args` is one fact, which holds the set of argument names and the empty string",
            "check if args({\"\", \"x\"});",
            &["1", r#"{"y":1}"#],
            &[r#"1,"y":1"#],
        ),
        one(
            "integer",
            "an integer of 64 bits, however it is written",
            "check if arg(\"x\", 4);",
            &["4", "4.0", "4e0", "0.4e1"],
            &["4.5", "5", r#""4""#, "[4]"],
        ),
        one(
            "millionths",
            "a number in whole millionths within 64 bits",
            "check if num(\"x\", $m), $m >= -9223372036854775807;",
            &[
                "0",
                "-0.0",
                "0.000001",
                "9223372036854.775807",
                "-9223372036854.775807",
            ],
            &["0.0000001", "9223372036854.775808", r#""1""#],
        ),
        one(
            "date",
            "a date-time of RFC 3339 in whole seconds",
            "check if date(\"x\", 2026-11-23T12:00:00Z);",
            &[
                r#""2026-11-23T12:00:00Z""#,
                r#""2026-11-23t12:00:00z""#,
                r#""2026-11-23T12:00:00.000Z""#,
                r#""2026-11-23T13:30:00+01:30""#,
            ],
            &[
                r#""2026-11-23T12:00:00.1Z""#,
                r#""2026-11-23 12:00:00Z""#,
                r#""2026-11-23T12:00:00""#,
                r#""2026-11-23T11:59:60Z""#,
                r#"" 2026-11-23T12:00:00Z""#,
            ],
        ),
        one(
            "array-of-scalars",
            "an array of strings, booleans, nulls and integers of 64 bits",
            "check if arg(\"x\", [\"a\", true, null, 4]);",
            &[r#"["a",true,null,4]"#, r#"["a",true,null,4.0]"#],
            &[r#"["a",true,null,4.5]"#, r#"["a",true,null,[4]]"#],
        ),
        one(
            "canonical-text",
            "any other array or object as canonical text",
            r#"check if json("x", "{\"a\":[1.5,\"é/\\n\\u0001\\\"\"],\"b\":1e+21,\"é\":1e-7}");"#,
            &[
                r#"{"b":1000000000000000000000,"é":0.0000001,"a":[1.50,"\u00e9\/\u000a\u0001\u0022"]}"#,
            ],
            &[r#"{"a":[1.5],"b":1e21}"#],
        ),
        one(
            "member-by-path",
            "a scalar member of an object by its path, with indices for the arrays on the way",
            "check if arg(\"x.0.y\", 1);",
            &[r#"[{"y":1}]"#, r#"{"0":{"y":1}}"#],
            &[r#"[{"y":[1]}]"#, r#"{"y":1}"#],
        ),
        one(
            "member-with-a-dot",
            "a member whose name has a dot is stated under no path, so it cannot pass for another member",
            "check if arg(\"x.a.b\", 2);",
            &[r#"{"a":{"b":2}}"#, r#"{"a.b":1,"a":{"b":2}}"#],
            &[r#"{"a.b":2}"#, r#"{"a.b":2,"a":{"b":1}}"#],
        ),
        one(
            "elements-of-arrays",
            "elements of arrays have no facts",
            "check if arg(\"x.0\", 1);",
            &[r#"{"0":1}"#],
            &["[1]", r#"[[1]]"#, r#"{"y":[1]}"#],
        ),
    ]
}

fn of(
    name: &str,
    about: &str,
    token: &Forge,
    calls: impl IntoIterator<Item = String>,
    decision: &str,
) -> Case {
    let calls: Vec<String> = calls.into_iter().collect();
    let calls: Vec<(&str, &str)> = calls.iter().map(|call| (call.as_str(), decision)).collect();
    case(name, about, token, &calls)
}
