//! Tests of names that a block may not state, and of authority blocks that do not follow the profile.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, authority_without},
};
use bailiwick_token::datalog::names;

use crate::{ALLOW, expect, order};

#[test]
fn no_token_states_the_verifiers_facts() {
    let root = Root::new();
    let reserved = names::RESERVED.iter().chain([&names::NOW]);
    let cases = reserved.flat_map(|name| {
        [
            format!("{name}(1);"),
            format!("{name}(\"order\", 2026-11-23T12:00:00Z);"),
            format!("{name}($x) <- action($x);"),
            format!("{name}(\"x\") <- true;"),
        ]
    });
    let cases = cases.flat_map(|code| {
        let authority = Forge::authority(&root, &format!("{AUTHORITY}{code}"));
        let appended = Forge::honest(&root).append(&code);
        [
            (format!("authority: {code}"), authority, "reserved_name"),
            (format!("appended: {code}"), appended, "reserved_name"),
        ]
    });
    expect(&root, &order(), cases);
}

/// The basic attack is an expired token that states its own time.
#[test]
fn a_holders_own_time_defeats_no_expiry() {
    let root = Root::new();
    let expired = AUTHORITY.replace("12:15:00Z", "11:59:00Z");
    expect(
        &root,
        &order(),
        [
            ("expired", Forge::authority(&root, &expired), "expired"),
            (
                "with a time in the authority block",
                Forge::authority(&root, &format!("{expired}time(2026-11-23T11:58:30Z);")),
                "reserved_name",
            ),
            (
                "with a time in an appended block",
                Forge::authority(&root, &expired).append("time(2026-11-23T11:58:30Z);"),
                "reserved_name",
            ),
        ],
    );
}

#[test]
fn no_appended_block_states_what_only_an_issuer_may() {
    let root = Root::new();
    let cases = names::AUTHORITY_ONLY.iter().flat_map(|name| {
        [
            format!("{name}(\"order\");"),
            format!("{name}(1, 2);"),
            format!("{name}($x) <- action($x);"),
        ]
        .map(|code| {
            let forge = Forge::honest(&root).append(&code);
            (code, forge, "reserved_name")
        })
    });
    expect(&root, &order(), cases);
}

#[test]
fn an_authority_block_is_of_the_profile_or_refused() {
    let root = Root::new();
    let with = |line: &str| Forge::authority(&root, &format!("{AUTHORITY}{line}"));
    let replaced = |beginning: &str, line: &str| {
        Forge::authority(&root, &format!("{}{line}", authority_without(beginning)))
    };
    let mut cases: Vec<(String, Forge, &'static str)> = Vec::new();
    for name in [
        "profile",
        "issuer",
        "token_id",
        "agent",
        "principal",
        "issued_at",
    ] {
        let beginning = format!("{name}(");
        let line = AUTHORITY
            .lines()
            .find(|line| line.starts_with(&beginning))
            .expect("the fact");
        cases.push((
            format!("no {name}"),
            replaced(&beginning, ""),
            "not_profile",
        ));
        cases.push((format!("{name} twice, the same"), with(line), "not_profile"));
        cases.push((
            format!("{name} twice"),
            with(&format!("{name}(\"other\");")),
            "not_profile",
        ));
        for mistyped in [
            "1",
            "true",
            "null",
            "\"a\", \"b\"",
            "hex:00",
            "{\"a\"}",
            "[\"bailiwick/1\"]",
        ] {
            let line = format!("{name}({mistyped});");
            cases.push((line.clone(), replaced(&beginning, &line), "not_profile"));
        }
    }
    for line in [
        "token_id(hex:000102030405060708090a0b0c0d0e);",
        "token_id(hex:000102030405060708090a0b0c0d0e0f10);",
    ] {
        cases.push((line.to_owned(), replaced("token_id(", line), "not_profile"));
    }
    // No watermark could name these.
    for name in ["agent", "principal", "tenant"] {
        for value in [String::new(), "n".repeat(513), "\u{e4}".repeat(257)] {
            let line = format!("{name}(\"{value}\");");
            let forge = replaced(&format!("{name}("), &line);
            cases.push((line, forge, "not_profile"));
        }
        let longest = format!("{name}(\"{}\");", "n".repeat(512));
        let forge = replaced(&format!("{name}("), &longest);
        cases.push((longest, forge, ALLOW));
    }
    for profile in ["bailiwick/2", "bailiwick/1 ", "Bailiwick/1", ""] {
        let line = format!("profile(\"{profile}\");");
        cases.push((line.clone(), replaced("profile(", &line), "not_profile"));
    }
    for line in [
        "tenant(1);",
        "task(1);",
        "tenant(\"a\"); tenant(\"b\");",
        "claim(\"a\", 1);",
        "claim(\"a\");",
        "claim(\"a\", \"b\"); claim(\"a\", \"c\");",
        "foo(1);",
        "delegate(\"a\");",
        "grant(\"order\");",
        "grant(\"order\", 1) <- action(\"order\");",
        "foo($x) <- action($x);",
        "agent($x) <- action($x);",
        "task($x) <- action($x);",
    ] {
        cases.push((line.to_owned(), with(line), "not_profile"));
    }
    // A later version may check these facts. This version refuses the token instead of ignoring them.
    for line in [
        "holder(hex:00);",
        "grant(\"order\") <- grant(\"order\");",
        "grant($x) <- action($x), grant(\"read\");",
    ] {
        cases.push((line.to_owned(), with(line), "unsupported"));
    }
    for line in ["tenant(\"a\");", "task(\"a\");", "claim(\"a\", \"b\");"] {
        cases.push((line.to_owned(), with(line), ALLOW));
    }
    cases.push((
        "no expiry".to_owned(),
        replaced("check if time($t), $t <", ""),
        "not_profile",
    ));
    cases.push((
        "no beginning".to_owned(),
        replaced("check if time($t), $t >=", ""),
        "not_profile",
    ));
    for end in [
        "check if time($t), $t < 2026-11-23T12:15:00Z or true;",
        "check all time($t), $t < 2026-11-23T12:15:00Z;",
        "check if time($t), $u < 2026-11-23T12:15:00Z, service($u);",
        "check if time($t), $t > 2026-11-23T11:15:00Z;",
        "check if time($t), 2026-11-23T12:15:00Z < $t;",
        "check if date($t), $t < 2026-11-23T12:15:00Z;",
    ] {
        cases.push((
            end.to_owned(),
            replaced("check if time($t), $t <", end),
            "not_profile",
        ));
    }
    let no_grant = Forge::authority(&root, &authority_without("grant("));
    cases.push(("no grants".to_owned(), no_grant, "wrong_service"));
    let other = Forge::authority(&root, &AUTHORITY.replace("issuer.example", "other.example"));
    cases.push((
        "another issuer under the same key".to_owned(),
        other,
        "not_profile",
    ));
    expect(&root, &order(), cases);
}

/// Facts of an appended block satisfy no check and no policy outside that block.
#[test]
fn descriptive_facts_decide_nothing() {
    let root = Root::new();
    let narrowed = "check if approved(\"order\");";
    expect(
        &root,
        &order(),
        [
            (
                "stated by the block itself",
                Forge::honest(&root).append(&format!("approved(\"order\"); {narrowed}")),
                ALLOW,
            ),
            (
                "stated by a later block",
                Forge::honest(&root)
                    .append(narrowed)
                    .append("approved(\"order\");"),
                "caveat",
            ),
            (
                "stated by an earlier block",
                Forge::honest(&root)
                    .append("approved(\"order\");")
                    .append(narrowed),
                "caveat",
            ),
            (
                "wanted by the authority block",
                Forge::authority(&root, &format!("{AUTHORITY}{narrowed}"))
                    .append("approved(\"order\");"),
                "caveat",
            ),
        ],
    );
}
