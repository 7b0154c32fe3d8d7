//! Forged tokens with `meets` and `during`: the verifier alone decides them, and only in the one form that it writes.

use bailiwick_testkit::{
    Root, denied,
    forge::{AUTHORITY, Forge, authority_without},
    now,
};
use bailiwick_token::{
    attenuate::AttenuateError,
    caveat::Caveat,
    condition::{Condition, During, MAX_PATTERNS, Test, TextPattern},
    grant::{Grant, Grants},
    limits::{LimitError, TokenLimits},
    token::Token,
};
use bailiwick_verifier::{Call, Limits, Reason, Values, Verifier, explain::UnmetCondition};

use crate::{ALLOW, expect, order, outcome};

/// A condition that `order` with `a = "abc"` meets, in its only text.
const TEXT: &str = r#"{"max_len":3,"optional":[false]}"#;

fn call() -> Call {
    order().arg("a", "abc")
}

/// A Datalog string.
fn quoted(text: &str) -> String {
    format!("{text:?}")
}

fn meets(path: &str, text: &str) -> String {
    format!("meets({}, {})", quoted(path), quoted(text))
}

/// A token whose only grant has this condition.
fn granting(root: &Root, condition: &str) -> Forge {
    let grant = format!("grant(\"order\") <- service(\"erp\"), action(\"order\"), {condition};");
    Forge::authority(root, &format!("{}{grant}", authority_without("grant(")))
}

fn checking(root: &Root, condition: &str) -> Forge {
    Forge::honest(root).append(&format!("check if {condition};"))
}

fn both(root: &Root) -> [Verifier; 2] {
    let limits = Limits {
        explain: 1 << 20,
        ..Limits::default()
    };
    let verifier = || root.verifier().limits(limits.clone());
    [verifier(), verifier().engine_only()]
}

#[test]
fn the_written_form_is_decided() {
    let root = Root::new();
    let window = r#"{"days":["mon"],"from":"12:00","to":"14:00","zone":"Europe/Berlin"}"#;
    assert!(Test::parse("a", TEXT).is_ok() && During::parse(window).is_ok());
    let open = format!("during({})", quoted(window));
    let closed = open.replace("14:00", "13:00");
    for (condition, request, holds) in [
        (meets("a", TEXT), call(), true),
        (meets("a", TEXT), order().arg("a", "abcd"), false),
        (meets("a", TEXT), order().arg("b", "abc"), false),
        (open, call(), true),
        (closed, call(), false),
    ] {
        for verifier in both(&root) {
            let found = [
                outcome(&verifier, &granting(&root, &condition).text(), &request),
                outcome(&verifier, &checking(&root, &condition).text(), &request),
            ];
            let expected = match holds {
                true => [ALLOW; 2],
                false => ["no_grant", "caveat"],
            };
            assert_eq!(found, expected, "{condition}");
        }
    }
}

/// No token can state that a condition is met, because only the verifier decides that.
#[test]
fn no_block_states_that_a_condition_is_met() {
    let root = Root::new();
    let states = [
        meets("a", TEXT),
        "meets(\"a\")".to_owned(),
        "meets(1, 2, 3)".to_owned(),
        "during(\"always\")".to_owned(),
        "during(1, 2)".to_owned(),
    ];
    for fact in states {
        for code in [format!("{fact};"), format!("{fact} <- action(\"order\");")] {
            let authority = Forge::authority(&root, &format!("{AUTHORITY}{code}"));
            expect(
                &root,
                &call(),
                [
                    (format!("authority: {code}"), authority, "reserved_name"),
                    (
                        format!("appended: {code}"),
                        Forge::honest(&root).append(&code),
                        "reserved_name",
                    ),
                ],
            );
        }
    }
    // With variables as terms, the head could match any condition.
    let rule = "meets($p, $t) <- action($p), service($t);";
    expect(
        &root,
        &call(),
        [(rule, Forge::honest(&root).append(rule), "reserved_name")],
    );
}

#[test]
fn other_terms_are_unsupported() {
    let root = Root::new();
    let text = quoted(TEXT);
    let others = [
        "meets($p, $t)".to_owned(),
        format!("action($p), meets($p, {text})"),
        format!("meets($p, {text})"),
        "meets(\"a\", $t)".to_owned(),
        "meets(\"a\")".to_owned(),
        format!("meets(\"a\", {text}, {text})"),
        format!("meets(1, {text})"),
        "meets(\"a\", 1)".to_owned(),
        "meets(\"a\", true)".to_owned(),
        "meets(\"a\", hex:00)".to_owned(),
        "meets(\"a\", 2026-01-01T00:00:00Z)".to_owned(),
        format!("meets(\"a\", {{{text}}})"),
        format!("meets(\"a\", [{text}])"),
        "meets(\"a\", null)".to_owned(),
        "during($w)".to_owned(),
        "during(\"a\", \"b\")".to_owned(),
        "during(1)".to_owned(),
        // No argument has a path with a star.
        "arg(\"lines.*.price\", $a)".to_owned(),
        "arg(\"tags.*\", \"x\")".to_owned(),
        "num(\"lines.*.price\", $a), $a < 5".to_owned(),
        "date(\"lines.*.due\", $a)".to_owned(),
        "json(\"lines.*\", \"{}\")".to_owned(),
    ];
    for condition in others {
        for forge in [granting(&root, &condition), checking(&root, &condition)] {
            expect(&root, &call(), [(&condition, forge, "unsupported")]);
        }
        let all = Forge::honest(&root).append(&format!("check all {condition};"));
        expect(&root, &call(), [(&condition, all, "unsupported")]);
        // The condition is refused even beside an alternative that holds.
        let either = format!("check if {condition} or action(\"order\");");
        let either = Forge::honest(&root).append(&either);
        expect(&root, &call(), [(&condition, either, "unsupported")]);
    }
}

/// Texts that are nearly [`TEXT`]. None is the text of a condition, so none is ever met.
#[test]
fn unknown_texts_are_never_met() {
    let root = Root::new();
    let verifiers = both(&root);
    let texts = [
        "",
        "{}",
        "null",
        "max_len",
        r#"{"max_len":3}"#,
        r#"{"optional":[false]}"#,
        r#"{"max_len":3,"optional":[]}"#,
        r#"{"max_len":3,"optional":[false,false]}"#,
        r#"{"max_len":3,"optional":false}"#,
        r#"{"max_len":3,"optional":[0]}"#,
        r#"{"max_len":3,"optional":[null]}"#,
        r#"{"optional":[false],"max_len":3}"#,
        r#"{"max_len": 3,"optional":[false]}"#,
        r#" {"max_len":3,"optional":[false]}"#,
        "{\"max_len\":3,\"optional\":[false]}\n",
        r#"{"max_len":3.0,"optional":[false]}"#,
        r#"{"max_len":03,"optional":[false]}"#,
        r#"{"max_len":"3","optional":[false]}"#,
        r#"{"max_len":-3,"optional":[false]}"#,
        r#"{"max_len":3,"max_len":3,"optional":[false]}"#,
        r#"{"max_len":3,"optional":[false],"optional":[false]}"#,
        r#"{"max_len":3,"max_length":3,"optional":[false]}"#,
        r#"{"max_len":3,"min_len":1,"optional":[false]}"#,
        r#"{"max_len":3,"one_line":{"max_len":3},"optional":[false]}"#,
        r#"{"MAX_LEN":3,"optional":[false]}"#,
        r#"{"\u006dax_len":3,"optional":[false]}"#,
        r#"{"not":{"max_len":2},"optional":[false]}"#,
        r#"{"one_line":{"max_len":3,"new":true},"optional":[false]}"#,
        r#"{"one_line":{},"optional":[false]}"#,
        r#"{"matches":"(","optional":[false]}"#,
        r#"{"matches":"(?i)abc","optional":[false]}"#,
        r#"{"present":{"empty":null},"optional":[false]}"#,
    ];
    let paths = [
        "", "*", "*.a", ".", "a.", ".a", "a..b", "a*", "a.*.*.*", "a.b*",
    ];
    let pairs = texts.iter().map(|text| ("a", *text));
    let pairs = pairs.chain(paths.iter().map(|path| (*path, TEXT)));
    for (path, text) in pairs {
        let condition = meets(path, text);
        for (forge, reason) in [
            (granting(&root, &condition), Reason::NoGrant),
            (checking(&root, &condition), Reason::Caveat),
            (
                Forge::honest(&root).append(&format!("check all {condition};")),
                Reason::Caveat,
            ),
        ] {
            for verifier in &verifiers {
                let deny = denied(verifier.check(&forge.text(), &call(), now()));
                assert_eq!(deny.reason(), reason, "{condition}: {}", deny.detail());
                let [refusal] = &deny.refusals[..] else {
                    panic!("{condition}: {:?}", deny.refusals);
                };
                assert!(
                    matches!(refusal.condition, UnmetCondition::Unknown { .. }),
                    "{condition}: {refusal:?}"
                );
                assert!(
                    refusal
                        .sentence(Values::Hidden)
                        .contains("older than the token"),
                    "{condition}"
                );
            }
        }
    }
}

#[test]
fn unknown_windows_are_never_open() {
    let root = Root::new();
    for text in [
        "",
        "always",
        r#"{"days":["mon"],"from":"00:00","to":"24:00","zone":"europe/berlin"}"#,
        r#"{"days":["mon"],"from":"00:00","to":"24:00","zone":"Local"}"#,
        r#"{"days":["mon"],"from":"00:00","to":"24:00","zone":"Mars/Olympus"}"#,
        r#"{"days":["mon"],"from":"00:00","to":"24:00"}"#,
        r#"{"days":["mon-fri"],"from":"00:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["tue","mon"],"from":"00:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon","mon"],"from":"00:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"0:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"00:00","to":"24:01","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"18:00","to":"08:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"00:00","holidays":false,"to":"24:00","zone":"Europe/Berlin"}"#,
    ] {
        let condition = format!("during({})", quoted(text));
        for verifier in both(&root) {
            let deny = denied(verifier.check(&granting(&root, &condition).text(), &call(), now()));
            assert_eq!(deny.reason(), Reason::NoGrant, "{condition}");
            assert!(
                matches!(deny.refusals[0].condition, UnmetCondition::Unknown { .. }),
                "{condition}: {:?}",
                deny.refusals
            );
        }
    }
}

/// An unknown condition in one alternative does not affect the others.
#[test]
fn an_unknown_condition_denies_only_where_it_stands() {
    let root = Root::new();
    let unknown = meets("a", r#"{"from_the_future":1,"optional":[false]}"#);
    let either = format!("check if {unknown} or {};", meets("a", TEXT));
    let token = Forge::honest(&root).append(&either).text();
    let both_needed = format!("check if {unknown}, {};", meets("a", TEXT));
    let both_needed = Forge::honest(&root).append(&both_needed).text();
    for verifier in both(&root) {
        assert_eq!(outcome(&verifier, &token, &call()), ALLOW);
        assert_eq!(
            outcome(&verifier, &token, &order().arg("a", "abcd")),
            "caveat"
        );
        assert_eq!(outcome(&verifier, &both_needed, &call()), "caveat");
    }
}

/// A condition of 100 KB fits no token. If a service raises the limits, one of 40 KB is unknown, and its explanation is
/// short.
#[test]
fn a_huge_condition_is_refused_unread() {
    let root = Root::new();
    let token = |bytes: usize| {
        let names: Vec<String> = (0..bytes / 9)
            .map(|name| format!("\"n{name:05}\""))
            .collect();
        let text = format!("{{\"members\":[{}],\"optional\":[false]}}", names.join(","));
        checking(&root, &meets("a", &text)).text()
    };
    let wide = root.verifier().limits(Limits {
        token: TokenLimits {
            token_bytes: 1 << 20,
            resolved_bytes: 1 << 20,
            ..TokenLimits::default()
        },
        explain: 1 << 24,
        ..Limits::default()
    });
    for verifier in [&root.verifier(), &wide] {
        assert_eq!(outcome(verifier, &token(100_000), &call()), "too_large");
    }
    let deny = denied(wide.check(&token(40_000), &call(), now()));
    assert_eq!(deny.reason(), Reason::Caveat);
    let [refusal] = &deny.refusals[..] else {
        panic!("{:?}", deny.refusals);
    };
    assert!(matches!(refusal.condition, UnmetCondition::Unknown { .. }));
    let text = refusal.sentence(Values::Shown);
    assert!(text.len() < 1_000, "{} bytes", text.len());
}

/// Each pattern is compiled and kept, so a token may have only a few.
#[test]
fn a_token_has_few_patterns() {
    let root = Root::new();
    let of = |count: usize| {
        let patterns = (0..count).map(|number| {
            let text = format!(
                r#"{{"matches":"[a-z]{{1,{}}}","optional":[false]}}"#,
                number + 3
            );
            assert!(Test::parse("a", &text).is_ok(), "{text}");
            format!("check if {};", meets("a", &text))
        });
        Forge::honest(&root).append(&patterns.collect::<String>())
    };
    let most = MAX_PATTERNS;
    let enough = root.verifier().limits(Limits {
        fuel: 1 << 20,
        ..Limits::default()
    });
    assert_eq!(outcome(&enough, &of(most).text(), &call()), ALLOW);
    assert_eq!(outcome(&enough, &of(most + 1).text(), &call()), "too_large");
    // Narrowing refuses to add a ninth pattern, because no verifier would accept the token.
    let full = Token::parse(&of(most).text()).unwrap();
    let pattern = TextPattern::new("[a-z]{1,2}").unwrap();
    let scope = Grants::new(vec![
        Grant::new("erp", "order").arg("a", Condition::Matches(pattern)),
    ]);
    let caveat = Caveat::new().scope(scope.unwrap());
    assert!(matches!(
        full.attenuate(&caveat),
        Err(AttenuateError::Limit(LimitError { found, .. })) if found == most + 1
    ));
    // A pattern that many arguments share is compiled once for each, but counts once.
    let text = r#"{"matches":"[a-z]{3}","optional":[false]}"#;
    let many: Vec<String> = (0..16)
        .map(|name| meets(&format!("a{name}"), text))
        .collect();
    let either = format!("check if {} or {};", many.join(" or "), meets("a", text));
    let token = Forge::honest(&root).append(&either).text();
    assert_eq!(outcome(&enough, &token, &call()), ALLOW);
}

/// A condition is charged in full once for each call, however many alternatives ask for it.
#[test]
fn a_condition_is_evaluated_once() {
    let root = Root::new();
    let text = r#"{"all_of_in":["a","b"],"optional":[false]}"#;
    assert!(
        matches!(Test::parse("a", text), Ok(test) if matches!(test.condition, Condition::AllOfIn(_)))
    );
    let needing = |count: usize| {
        let alternatives = vec![format!("{}, arg(\"b\", 1)", meets("a", text)); count];
        let check = format!("check if {};", alternatives.join(" or "));
        Forge::honest(&root).append(&check).text()
    };
    let call = order().arg("a", vec!["a"; 300]);
    let suffices = |text: &str, fuel: u64| {
        let verifier = root.verifier().limits(Limits {
            fuel,
            long_call_fuel: 0,
            ..Limits::default()
        });
        outcome(&verifier, text, &call) != "out_of_fuel"
    };
    let least = |text: &str| {
        let (mut low, mut high) = (0_u64, 1 << 16);
        while low + 1 < high {
            let middle = low.midpoint(high);
            match suffices(text, middle) {
                true => high = middle,
                false => low = middle,
            }
        }
        high
    };
    let (one, many) = (least(&needing(1)), least(&needing(40)));
    assert!(one > 300 && many - one < 40 * 30, "{one} and {many} units");
}
