use super::*;

fn kinds(warnings: &[Warning]) -> Vec<WarningKind> {
    warnings.iter().map(|warning| warning.kind).collect()
}

fn of(text: &str) -> Vec<Warning> {
    let grants = Grants::from_toml(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    Review::of_toml(text, &grants).unwrap().warnings()
}

/// The warnings about an argument.
fn about(line: &str) -> Vec<Warning> {
    of(&format!(
        "[[grant]]\nservice = 'erp'\naction = 'a'\n[grant.args]\n{line}"
    ))
}

/// Each line, with the kind of its only warning and the text to write instead.
const WARNED: [(&str, WarningKind, Option<&str>); 34] = [
    (
        "count = { max = 10 }",
        WarningKind::MaxWithoutMin,
        Some(r#"count = { min = "0", max = 10 }"#),
    ),
    ("count = { max = '-1.5' }", WarningKind::MaxWithoutMin, None),
    (
        "tags = ['a', 'b']",
        WarningKind::BareArray,
        Some(r#"tags = { one_of = ["a", "b"] }"#),
    ),
    (
        "'a.b' = 'acme*'",
        WarningKind::StarInValue,
        Some(r#""a.b" = { prefix = "acme" }"#),
    ),
    (
        "name = '*acme'",
        WarningKind::StarInValue,
        Some(r#"name = { suffix = "acme" }"#),
    ),
    (
        "name = '*acme*'",
        WarningKind::StarInValue,
        Some(r#"name = { contains = "acme" }"#),
    ),
    (
        "name = 'a.*b'",
        WarningKind::StarInValue,
        Some(r#"name = { matches = "a\\..*b" }"#),
    ),
    (
        "name = { one_of = ['acme*', 'globex'] }",
        WarningKind::StarInValue,
        Some(r#"name = { matches = "acme.*|globex" }"#),
    ),
    (
        "name = { prefix = 'acme*' }",
        WarningKind::StarInValue,
        Some(r#"name = { prefix = "acme" }"#),
    ),
    ("name = '**'", WarningKind::StarInValue, None),
    (
        "to = { prefix = 'https://api.acme.example' }",
        WarningKind::TextPart,
        Some(r#"to = { url = { host_in = ["api.acme.example"] } }"#),
    ),
    (
        "to = { prefix = 'http://api.acme.example/v1/', max_len = 99 }",
        WarningKind::TextPart,
        Some(
            r#"to = { max_len = 99, url = { host_in = ["api.acme.example"], path_under = "/v1", scheme = "http" } }"#,
        ),
    ),
    (
        "callbackUrl = { prefix = 'x' }",
        WarningKind::TextPart,
        None,
    ),
    (
        "where = { prefix = '/srv/onboarding/' }",
        WarningKind::TextPart,
        Some(r#"where = { path = { under = "/srv/onboarding" } }"#),
    ),
    (
        "where = { contains = '/srv/onboarding/' }",
        WarningKind::TextPart,
        None,
    ),
    ("file = { suffix = '.pdf' }", WarningKind::TextPart, None),
    (
        "to = { suffix = '@acme.example' }",
        WarningKind::TextPart,
        Some(r#"to = { email = { domain_in = ["acme.example"] } }"#),
    ),
    (
        "email = { suffix = 'acme.example' }",
        WarningKind::TextPart,
        None,
    ),
    (
        "text = { prefix = 'SELECT name FROM' }",
        WarningKind::TextPart,
        None,
    ),
    (
        "period = { prefix = '2026-11' }",
        WarningKind::TextPart,
        Some(r#"period = { min = "2026-11-01", max = "2026-11-30" }"#),
    ),
    (
        "when_due = { prefix = '2028-02-' }",
        WarningKind::TextPart,
        Some(r#"when_due = { min = "2028-02-01", max = "2028-02-29" }"#),
    ),
    (
        "cost_center = { prefix = '47' }",
        WarningKind::TextPart,
        Some(r#"cost_center = { matches = "47[0-9]{2}" }"#),
    ),
    (
        "amount = { min = 0, max = '10.5' }",
        WarningKind::MoneyWithoutScale,
        Some(r#"amount = { min = 0, max = "10.5", scale = 2 }"#),
    ),
    (
        "amountCents = { min = 0, max = 1050 }",
        WarningKind::MoneyWithoutScale,
        Some("amountCents = { min = 0, max = 1050, scale = 0 }"),
    ),
    (
        "'lines.*.unitPrice' = { positive = true }",
        WarningKind::MoneyWithoutScale,
        Some(r#""lines.*.unitPrice" = { positive = true, scale = 2 }"#),
    ),
    (
        "'lines.*.amount' = { sum = { max = 9 } }",
        WarningKind::MoneyWithoutScale,
        Some(r#""lines.*.amount" = { scale = 2, sum = { max = 9 } }"#),
    ),
    (
        "'entries.*.v' = { sum = { max = 9, negative = true } }",
        WarningKind::MaxWithoutMin,
        Some(r#""entries.*.v" = { sum = { min = "0", max = 9, negative = true } }"#),
    ),
    (
        "vendor = { not_one_of = ['evil'] }",
        WarningKind::NotOneOfAlone,
        None,
    ),
    (
        "vendor = { not_one_of = ['evil'], max_len = 20 }",
        WarningKind::NotOneOfAlone,
        None,
    ),
    ("payload_json = '*'", WarningKind::DocumentInString, None),
    (
        "sql = { max_len = 200 }",
        WarningKind::DocumentInString,
        None,
    ),
    (
        "command = { one_line = true }",
        WarningKind::DocumentInString,
        None,
    ),
    ("'args.script' = '*'", WarningKind::DocumentInString, None),
    (
        "note = { optional = true, prefix = '/tmp/' }",
        WarningKind::TextPart,
        Some(r#"note = { optional = true, path = { under = "/tmp" } }"#),
    ),
];

#[test]
fn each_suspicious_constraint_is_reported() {
    for (line, kind, rewrite) in WARNED {
        let warnings = about(line);
        assert_eq!(kinds(&warnings), [kind], "{line}");
        let warning = &warnings[0];
        assert_eq!(warning.rewrite.as_deref(), rewrite, "{line}");
        assert_eq!(warning.line, Some(5), "{line}");
        assert!(
            warning.path.starts_with("grant[0].args."),
            "{}",
            warning.path
        );
    }
}

/// A rewrite is valid grants text, and does not cause the same warning again.
#[test]
fn each_rewrite_can_be_written() {
    for (line, kind, _) in WARNED {
        for rewrite in about(line)
            .into_iter()
            .filter_map(|warning| warning.rewrite)
        {
            assert!(!kinds(&about(&rewrite)).contains(&kind), "{rewrite}");
        }
    }
}

#[test]
fn what_was_said_on_purpose_is_not_reported() {
    for line in [
        "count = { min = 0, max = 10 }",
        "count = { max = 10, positive = true }",
        "due = { max = '2026-12-01' }",
        "due = { max = '2026-12-01T00:00:00Z' }",
        "tags = { exact = ['a', 'b'] }",
        "tags = { all_of_in = ['a', 'b'] }",
        "tags = []",
        "tags = ['a', 1]",
        "name = { exact = 'acme*' }",
        "name = { matches = 'acme.*' }",
        "name = '*'",
        "'lines.*.qty' = { min = 1, max = 9 }",
        "note = { prefix = 'Re: ' }",
        "to = { email = { domain_in = ['acme.example'] } }",
        "amount = { min = 0, max = 10, scale = 2 }",
        "amount = { one_of = [5, 10] }",
        "total_count = { min = 0, max = 10 }",
        "vendor = { not_one_of = ['evil'], matches = '[a-z]+' }",
        "level = { not_one_of = [7] }",
        "command = { one_of = ['start', 'stop'] }",
        "command = 'start'",
        "sum = { optional = true }",
    ] {
        assert_eq!(about(line), [], "{line}");
    }
}

#[test]
fn arguments_are_judged_beside_each_other() {
    let parent = about("address = '*'\n'address.city' = 'Berlin'");
    assert_eq!(kinds(&parent), [WarningKind::OpenParent]);
    assert_eq!(parent[0].line, Some(5));
    assert_eq!(about("address_city = 'Berlin'\naddress = '*'"), []);

    let currency = "currency = '*'\namount = { min = 0, max = 9, scale = 2 }";
    let warnings = about(currency);
    assert_eq!(kinds(&warnings), [WarningKind::OpenCurrency]);
    assert_eq!(
        warnings[0].rewrite.as_deref(),
        Some("currency = { present = true }")
    );
    assert_eq!(about("currency = '*'\nnote = '*'"), []);
}

#[test]
fn grants_are_judged_beside_each_other() {
    let grant = |action: &str, rest: &str| {
        format!("[[grant]]\nservice = 'erp'\naction = '{action}'\n{rest}\n")
    };
    let two = [
        grant("order:*", ""),
        grant("order:read", "resource = 'eu/*'"),
    ]
    .concat();
    let warnings = of(&two);
    assert_eq!(kinds(&warnings), [WarningKind::WithinAnother]);
    assert_eq!(
        (warnings[0].path.as_str(), warnings[0].line),
        ("grant[1]", Some(5))
    );
    // Of two equal grants, the second is superfluous, and nothing else is wrong.
    let same = [grant("order:read", ""), grant("order:read", "")].concat();
    assert_eq!(
        of(&same)
            .iter()
            .map(|w| w.path.as_str())
            .collect::<Vec<_>>(),
        ["grant[1]"]
    );
    let apart = [grant("order:read", ""), grant("order:create", "")].concat();
    assert_eq!(of(&apart), []);

    let prefix = of(&grant("contact*", ""));
    assert_eq!(kinds(&prefix), [WarningKind::ActionPrefix]);
    assert_eq!(
        prefix[0].rewrite.as_deref(),
        Some(r#"action = "contact:*""#)
    );
    for action in ["contact:*", "get_*", "*", "contact"] {
        assert_eq!(of(&grant(action, "")), [], "{action}");
    }
}

#[test]
fn json_is_rewritten_as_json() {
    let text = r#"{"grant":[{"service":"erp","action":"a*","args":{"tags":["a"]}}]}"#;
    let grants = Grants::from_json(text).unwrap();
    let review = Review::of_value(Value::parse(text).unwrap(), &grants);
    let warnings = review.warnings();
    let rewrites: Vec<_> = warnings
        .iter()
        .filter_map(|w| w.rewrite.as_deref())
        .collect();
    assert_eq!(
        rewrites,
        [r#""action":"a:*""#, r#""tags":{"one_of":["a"]}"#]
    );
    assert!(warnings.iter().all(|warning| warning.line.is_none()));
}

#[test]
fn recorded_calls_show_misspelt_arguments_and_documents() {
    let text = "[[grant]]\nservice = 'erp'\naction = 'a'\n[grant.args]\nammount = 5\nbody = '*'\n'lines.*.qty' = 1\nopen = '*'\n[[grant]]\nservice = 'crm'\naction = 'b'\n";
    let grants = Grants::from_toml(text).unwrap();
    let mut review = Review::of_toml(text, &grants).unwrap();
    assert_eq!(review.warnings(), []);
    for args in [
        r#"{"amount":5,"lines":[{"qty":1}]}"#,
        r#"{"amount":5,"body":"{\"admin\":true}"}"#,
    ] {
        let Value::Object(args) = Value::parse(args).unwrap() else {
            panic!()
        };
        review.add_call("erp", "a", &args);
    }
    let warnings = review.warnings();
    assert_eq!(
        kinds(&warnings),
        [WarningKind::NeverSeen, WarningKind::DocumentInString]
    );
    assert!(
        warnings[0].next.contains("`amount`"),
        "{}",
        warnings[0].next
    );
    assert_eq!(review.grants_without_calls(), [1]);
}
