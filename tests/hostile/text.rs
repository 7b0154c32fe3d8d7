//! Tests of untrusted text that is written to a terminal or a log.

use bailiwick_testkit::{
    Root,
    forge::{AUTHORITY, Forge, authority_without},
    now,
};
use bailiwick_token::token::Token;
use bailiwick_verifier::{Call, Decision, Values};
use prost::Message;

use crate::order;

/// An escape, a line feed, a C1 control, DEL, a change of direction, a line separator, a NUL.
const NASTY: &str = "\u{1b}[31m\nINFO all is well\u{9b}2J\u{7f}\u{202e}\u{2028}\u{feff}\0";

fn is_nasty(c: char) -> bool {
    c.is_control() || matches!(c, '\u{202e}' | '\u{2028}' | '\u{feff}')
}

fn assert_plain(decision: &Decision, what: &str) {
    assert!(!decision.is_allow(), "{what}");
    for values in [Values::Shown, Values::Hidden] {
        for line in decision.explain(values) {
            assert!(!line.contains(is_nasty), "{what}: {line:?}");
            assert!(line.len() < 16 * 1024, "{what}: {} bytes", line.len());
        }
        let json = decision.to_json(values);
        assert!(!json.contains(is_nasty), "{what}: {json}");
        serde_json::from_str::<serde_json::Value>(&json).expect("JSON");
    }
}

/// A description counts only if it occurs once, as text. Otherwise it is shown as facts.
#[test]
fn no_fact_of_a_holder_is_hidden() {
    let root = Root::new();
    let cases: [(&str, &[&str]); 6] = [
        (
            "delegate(\"first-one\"); delegate(\"second-one\");",
            &["first-one", "second-one"],
        ),
        (
            "task(\"first-one\"); task(\"second-one\"); delegate(\"third-one\");",
            &["first-one", "second-one", "third-one"],
        ),
        ("delegate(7391204);", &["7391204"]),
        ("task([\"first-one\"]);", &["first-one"]),
        (
            "task(\"first-one\", \"second-one\");",
            &["first-one", "second-one"],
        ),
        (
            "delegate(\"first-one\"); other(\"second-one\");",
            &["first-one", "second-one"],
        ),
    ];
    for (code, values) in cases {
        let token = Token::parse(&Forge::honest(&root).append(code).text()).expect("a token");
        let shown = token.inspect().to_string();
        for value in values {
            assert!(shown.contains(value), "{value} of {code}: {shown}");
        }
    }
}

#[test]
fn denials_are_fit_for_a_terminal() {
    let root = Root::new();
    let verifier = root.verifier();
    let check = |forge: &Forge, request: &Call| verifier.check(&forge.text(), request, now());
    let append = |code: &str| Forge::honest(&root).append(&code.replace("NASTY", NASTY));
    for code in [
        "check if action(\"NASTY\");",
        "check if service(\"erp\"), action(\"order\"), arg(\"a\", \"NASTY\");",
        "check if service(\"erp\"), action(\"order\"), arg(\"a\", $v), $v.starts_with(\"NASTY\");",
        "check if service(\"erp\"), action(\"order\"), arg(\"a\", $v), {\"NASTY\", \"b\"}.contains($v);",
        "check if service(\"erp\"), action(\"order\"), arg(\"NASTY\", \"a\");",
        "check if service(\"erp\"), action(\"other\"); delegate(\"NASTY\");",
        "check if service(\"erp\"), action(\"order\"), resource(\"a\"); delegate(\"NASTY\"); task(\"NASTY\");",
        "delegate(\"NASTY\"); check if false;",
    ] {
        let forge = append(code);
        let request = order()
            .arg("a", format!("!{NASTY}"))
            .arg("b", "x")
            .resource("b");
        let plain = order().arg("a", "x");
        assert_plain(&check(&forge, &request), code);
        assert_plain(&check(&forge, &plain), code);
        let token = Token::parse(&forge.text()).expect("a token");
        let shown = token.inspect().to_string();
        let effective = token.inspect().effective().expect("few ways").to_string();
        assert!(
            !format!("{shown}{effective}").contains(|c| is_nasty(c) && c != '\n'),
            "{code}: {shown:?}"
        );
        assert!(!shown.contains("\nINFO"), "{code}: {shown}");
    }
    // Names in an unsigned block, which are checked before any signature.
    for code in [
        format!("{AUTHORITY}xyz(1);"),
        AUTHORITY.to_owned(),
        authority_without("profile("),
    ] {
        let mut symbols = biscuit_auth::datalog::SymbolTable::new();
        let mut block =
            bailiwick_testkit::forge::block(&format!("{code}abc($v) <- abc($v);"), &mut symbols);
        for symbol in &mut block.symbols {
            if ["xyz", "abc"].contains(&symbol.as_str()) {
                *symbol = format!("{symbol}{}", NASTY.repeat(50));
            }
        }
        let forge = Forge::authority_bytes(&root, block.encode_to_vec());
        assert_plain(&check(&forge, &order()), &code);
    }
}

#[test]
fn refused_calls_are_fit_for_a_terminal() {
    let name = serde_json::Value::from(NASTY).to_string();
    for args in [
        format!("{{{name}:1,{name}:1}}"),
        format!("{{\"a.{}:1}}", &name[1..]),
        format!("{{\"a\":{{{name}:1,{name}:1}}}}"),
        format!("{{\"{}\":1}}", ".".repeat(50_000)),
    ] {
        let error = Call::from_args_json("order", None, Some(&args)).expect_err(&args);
        assert_plain(&Decision::bad_request(error), &args);
    }
    for text in [
        name.clone(),
        format!("{{{name}:1}}"),
        format!("{{\"action\":{name}}}"),
    ] {
        let error = Call::from_json(&text).expect_err(&text);
        assert_plain(&Decision::bad_request(error), &text);
    }
}

/// A short token can make each condition name a long delegate and a long argument; an explanation does not
/// repeat these in full.
#[test]
fn explanations_stay_short() {
    let root = Root::new();
    let verifier = root.verifier();
    let delegate = "\u{1}".repeat(6000);
    let checks = "check if false;".repeat(60);
    let repeated = Forge::honest(&root).append(&format!("delegate(\"{delegate}\"); {checks}"));
    let array = vec!["1"; 30_000].join(",");
    let alternatives = (0..60).map(|index| {
        format!("service(\"erp\"), action(\"order\"), args($n), {{\"\", \"a\"}}.contains($n), arg(\"a\", [{index}])")
    });
    let alternatives = alternatives.collect::<Vec<_>>().join(" or ");
    let compared = Forge::honest(&root).append(&format!("check if {alternatives};"));
    for (forge, args) in [
        (repeated, "{}".to_owned()),
        (compared.clone(), format!(r#"{{"a":[{array}]}}"#)),
        (compared, format!(r#"{{"a":["{}"]}}"#, "é".repeat(30_000))),
    ] {
        let request = Call::from_args_json("order", None, Some(&args)).expect("a call");
        let decision = verifier.check(&forge.text(), &request, now());
        assert_plain(&decision, "a long explanation");
        let Decision::Deny(deny) = &decision else {
            panic!("an allowed call")
        };
        assert!(deny.refusals.len() == 60 || deny.cut_off);
        assert!(deny.refusals.len() > 10, "{}", deny.refusals.len());
        assert!(decision.to_json(Values::Shown).len() < 64 * 1024);
        assert!(decision.explain(Values::Shown).concat().len() < 17 * 1024);
        assert!(decision.explain(Values::Hidden).concat().len() < 17 * 1024);
    }
}
