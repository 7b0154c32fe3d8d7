//! Tests of the explanations of conditions that the verifier decides itself: the value found, and the value needed.

use bailiwick_testkit::{Root, now, scope, toml};
use bailiwick_token::grant::Grants;
use bailiwick_verifier::{Call, Decision, Values};
use serde_json::{Value as Json, json};

/// For each condition: a table of arguments, the arguments of a call, and the condition, argument and value of the only
/// refusal.
fn refused() -> Vec<(&'static str, &'static str, &'static str, &'static str, Json)> {
    let text = |text: &str| json!(text);
    vec![
        (
            "a = { present = true }",
            r#"{"a":""}"#,
            "present",
            "a",
            text(""),
        ),
        (
            "a = { min = 0, max = \"100\", scale = 2 }",
            r#"{"a":1.005}"#,
            "number",
            "a",
            json!(1.005),
        ),
        (
            "a = { max = 100, positive = true }",
            r#"{"a":0}"#,
            "number",
            "a",
            json!(0),
        ),
        (
            "a = { max = 100, scale = 2 }",
            r#"{"a":"5"}"#,
            "wrong_type",
            "a",
            text("a string"),
        ),
        (
            "a = { as = \"decimal\", max = \"100\", scale = 2 }",
            r#"{"a":"100.01"}"#,
            "decimal",
            "a",
            text("100.01"),
        ),
        (
            "a = { min = \"2026-12-01\" }",
            r#"{"a":"2026-11-evil"}"#,
            "day",
            "a",
            text("2026-11-evil"),
        ),
        (
            "a = { after = \"2026-12-01T00:00:00Z\" }",
            r#"{"a":"2026-11-30T23:59:59.9Z"}"#,
            "instant",
            "a",
            text("2026-11-30T23:59:59.9Z"),
        ),
        (
            "a = { matches = \"47[0-9]{2}\" }",
            r#"{"a":"47'; drop table x"}"#,
            "matches",
            "a",
            text("47'; drop table x"),
        ),
        (
            "a = { one_line = true }",
            r#"{"a":"x\ny"}"#,
            "one_line",
            "a",
            text("x\ny"),
        ),
        (
            "a = { links = \"none\" }",
            r#"{"a":"see evil.example"}"#,
            "links",
            "a",
            text("see evil.example"),
        ),
        (
            "a = { one_of = [\"EUR\"], ignore_case = true }",
            r#"{"a":"usd"}"#,
            "one_of",
            "a",
            text("usd"),
        ),
        (
            "a = { email = { domain_in = [\"acme.example\"] } }",
            r#"{"a":"eve@evil.example"}"#,
            "email",
            "a",
            text("eve@evil.example"),
        ),
        (
            "a = { url = { host_in = [\"api.acme.example\"] } }",
            r#"{"a":"https://api.acme.example.evil.test/"}"#,
            "url",
            "a",
            text("https://api.acme.example.evil.test/"),
        ),
        (
            "a = { path = { under = \"/srv/x\" } }",
            r#"{"a":"/srv/x/../../etc/passwd"}"#,
            "path",
            "a",
            text("/srv/x/../../etc/passwd"),
        ),
        (
            "a = { ip = { in = [\"10.0.0.0/8\"] } }",
            r#"{"a":"192.168.0.1"}"#,
            "ip",
            "a",
            text("192.168.0.1"),
        ),
        (
            "a = { count = { max = 1 } }",
            r#"{"a":[1,2]}"#,
            "count",
            "a",
            json!([1, 2]),
        ),
        (
            "\"a.*.p\" = { min = 0, max = \"100\" }",
            r#"{"a":[{"p":1},{"p":101}]}"#,
            "number",
            "a.*.p",
            json!(101),
        ),
        (
            "\"a.*.p\" = { min = 0, max = \"100\" }",
            r#"{"a":[{"p":1},{}]}"#,
            "missing_argument",
            "a.*.p",
            Json::Null,
        ),
        (
            "\"a.*.p\" = { min = 0, max = \"100\" }",
            r#"{"a":[]}"#,
            "wrong_shape",
            "a",
            Json::Null,
        ),
        (
            "\"a.*.p\" = { min = 0, max = \"100\" }",
            r#"{"a":[1]}"#,
            "wrong_type",
            "a.*",
            text("a number"),
        ),
        (
            "\"a.*.p\" = { sum = { max = \"100\" } }",
            r#"{"a":[{"p":60},{"p":41}]}"#,
            "sum",
            "a.*.p",
            json!(101),
        ),
        (
            "\"a.*.p\" = { sum = { max = \"100\" } }",
            r#"{"a":[{"p":200},{"p":-100}]}"#,
            "sum",
            "a.*.p",
            json!(-100),
        ),
        (
            "t = { equals_sum = \"a.*.p\" }\n\"a.*.p\" = { min = 0, max = 9 }",
            r#"{"t":3,"a":[{"p":1},{"p":1}]}"#,
            "equals_sum",
            "t",
            json!(3),
        ),
        (
            "a = { equals_arg = \"b\" }\nb = \"*\"",
            r#"{"a":"x","b":"y"}"#,
            "equals_arg",
            "a",
            text("x"),
        ),
        (
            "a = { equals_arg = \"b\" }\nb = \"*\"",
            r#"{"a":"x"}"#,
            "missing_argument",
            "b",
            Json::Null,
        ),
        (
            "a = { differs_from_arg = \"b\" }\nb = \"*\"",
            r#"{"a":"ACME ","b":"acme"}"#,
            "differs_from_arg",
            "a",
            text("ACME "),
        ),
        (
            "a = { members = [\"city\"] }",
            r#"{"a":{"city":1,"iban":2}}"#,
            "members",
            "a",
            json!({"city": 1, "iban": 2}),
        ),
        (
            "a = { max_len = 3, optional = true }",
            r#"{"a":"abcd"}"#,
            "max_len",
            "a",
            text("abcd"),
        ),
        (
            "a = { max_len = 3, optional = true }",
            r#"{"a":null}"#,
            "wrong_type",
            "a",
            text("null"),
        ),
    ]
}

fn grants(args: &str) -> Grants {
    toml(&format!(
        "[[grant]]\nservice = \"erp\"\naction = \"order\"\n[grant.args]\n{args}\n"
    ))
}

fn explained(decision: &Decision, values: Values) -> (Json, String) {
    let json: Json = serde_json::from_str(&decision.to_json(values)).expect("JSON");
    let explain = json["explain"].as_array().expect("an explanation");
    let [refusal] = &explain[..] else {
        panic!("{json}");
    };
    (
        refusal.clone(),
        refusal["text"].as_str().expect("a sentence").to_owned(),
    )
}

#[test]
fn each_condition_says_what_it_found_and_needs() {
    let root = Root::new();
    let open = toml("[[grant]]\nservice = \"erp\"\naction = \"*\"\n");
    for (args, call, condition, argument, found) in refused() {
        let request = Call::from_args_json("order", None, Some(call)).expect(call);
        let minted = root.mint(&grants(args));
        let narrowed = root
            .mint(&open)
            .attenuate(&scope(grants(args)))
            .expect("a scope");
        for token in [minted, narrowed] {
            let verifiers = [root.verifier(), root.verifier().engine_only()];
            let mut sentences = Vec::new();
            for verifier in verifiers {
                let decision = verifier.check(&token.to_base64(), &request, now());
                let (refusal, shown) = explained(&decision, Values::Shown);
                assert_eq!(refusal["condition"], condition, "{args}: {refusal}");
                assert_eq!(refusal["argument"], argument, "{args}: {refusal}");
                assert_eq!(refusal["found"], found, "{args}: {refusal}");
                assert!(refusal["needed"].is_string(), "{args}: {refusal}");
                let (hidden, sentence) = explained(&decision, Values::Hidden);
                if condition != "wrong_type" {
                    assert_eq!(hidden["found"], Json::Null, "{args}: {hidden}");
                }
                if let Some(text) = found.as_str().filter(|text| text.len() > 8) {
                    assert!(!sentence.contains(text), "{args}: {sentence}");
                }
                sentences.push(shown);
            }
            assert_eq!(sentences[0], sentences[1], "{args}");
        }
    }
}

#[test]
fn a_closed_window_says_when_it_opens() {
    let root = Root::new();
    let token = root.mint(&toml(
        "[[grant]]\nservice = \"erp\"\naction = \"order\"\nwhen = { days = [\"tue-fri\"], from = \"08:00\", to = \"18:00\", zone = \"Europe/Berlin\" }\n",
    ));
    for verifier in [root.verifier(), root.verifier().engine_only()] {
        let check = |now| verifier.check(&token.to_base64(), &Call::new("order"), now);
        let (refusal, sentence) = explained(&check(now()), Values::Hidden);
        assert_eq!(refusal["condition"], "during");
        assert_eq!(refusal["found"], "2026-11-23T12:00:00Z");
        assert!(
            sentence.contains("tue-fri") && sentence.contains("08:00"),
            "{sentence}"
        );
    }
}

/// A long value and a long list are cut like any others.
#[test]
fn explanations_of_conditions_are_short() {
    let root = Root::new();
    let hosts: Vec<String> = (0..100)
        .map(|host| format!("\"h{host}.acme.example\""))
        .collect();
    let grants = grants(&format!(
        "a = {{ url = {{ host_in = [{}] }} }}",
        hosts.join(",")
    ));
    let token = root.mint(&grants);
    let call = Call::new("order").arg("a", format!("https://evil.example/{}", "x".repeat(60_000)));
    let decision = root.verifier().check(&token.to_base64(), &call, now());
    let (refusal, sentence) = explained(&decision, Values::Shown);
    assert_eq!(refusal["condition"], "url");
    assert!(sentence.len() < 600, "{} bytes: {sentence}", sentence.len());
}
