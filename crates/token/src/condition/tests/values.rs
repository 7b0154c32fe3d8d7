//! Values that conditions accept and refuse.

use super::*;

#[test]
fn addresses_lie_at_the_listed_domains() {
    let email = Email {
        domains: domains(&["acme.example", "xn--bcher-kva.example"], &["eu.example"]),
        tag: true,
    };
    admits(
        |text| email.holds(text),
        &[
            "ada@acme.example",
            "Ada.L-1_x+orders@ACME.Example",
            "_a@acme.example",
            "a@de.eu.example",
            "a@x.y.eu.example",
            "a@xn--bcher-kva.example",
        ],
        &[
            "",
            "@acme.example",
            "acme.example",
            "a@eu.example",
            "a@acme.example.evil.test",
            "a@notacme.example",
            "a@x.acme.example",
            "a@.eu.example",
            "a@x..eu.example",
            "a@-x.eu.example",
            "a@xn--a.eu.example",
            "eve@evil.example,a@acme.example",
            "eve@evil.example@acme.example",
            "a@acme.example\r\nBcc: eve@evil.example",
            "a@acme.example ",
            " a@acme.example",
            "\"a b\"@acme.example",
            "a..b@acme.example",
            "a.@acme.example",
            ".a@acme.example",
            "-a@acme.example",
            "ä@acme.example",
            "a@acme.example.",
            "a@[127.0.0.1]",
            "Ada <a@acme.example>",
        ],
    );
    let long = format!("{}@acme.example", "a".repeat(65));
    assert!(!email.holds(&long) && email.holds(&long[1..]));
    let untagged = Email {
        tag: false,
        ..email
    };
    admits(
        |text| untagged.holds(text),
        &["a@acme.example"],
        &["a+b@acme.example"],
    );
}

#[test]
fn listed_domains_have_one_form() {
    admits(
        is_listed_domain,
        &["acme.example", "a.b", "xn--bcher-kva.example", "1.example"],
        &[
            "",
            "acme",
            "Acme.example",
            "acme.example.",
            ".acme.example",
            "a..b",
            "10.0.0.1",
            "a_b.example",
            "bücher.example",
        ],
    );
}

#[test]
fn addresses_lie_within_networks() {
    let ip = |networks: &[&str]| {
        let networks = networks.iter().map(|network| network.parse().unwrap());
        Ip::new(networks.collect()).unwrap()
    };
    let private = ip(&["10.0.0.0/8", "fd00::/8"]);
    admits(
        |text| private.holds(text),
        &["10.0.0.0", "10.255.255.255", "fd00::1", "::ffff:10.1.2.3"],
        &[
            "",
            "11.0.0.1",
            "010.0.0.1",
            "10.1",
            "10.0.0.1/8",
            "0x0a000001",
            "167772161",
            "10.0.0.1 ",
            "fd00::1%eth0",
            "FD00::1",
            "fd00:0::1",
            "fe00::1",
            "::ffff:11.1.2.3",
            "::ffff:a01:203",
            "10.0.0.1:80",
            "[fd00::1]",
        ],
    );
    let all = ip(&["::/0"]);
    admits(
        |text| all.holds(text),
        &["2001:db8::1", "fd00::1"],
        &[
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "2002:a00:1::",
            "::a00:1",
            "10.0.0.1",
            "::1",
        ],
    );
    let translated = ip(&["64:ff9b::/96"]);
    admits(
        |text| translated.holds(text),
        &["64:ff9b::a00:1"],
        &["64:ff9b:1::1"],
    );
    assert!(Ip::new(vec!["10.0.0.1/8".parse().unwrap()]).is_none());
    assert!(Ip::new(Vec::new()).is_none());
}

#[test]
fn days_and_instants_have_one_form() {
    admits(
        |text| Day::parse(text).is_some(),
        &["1970-01-01", "2024-02-29", "9999-12-31"],
        &[
            "",
            "2026-02-29",
            "2026-13-01",
            "2026-00-01",
            "2026-11-31",
            "1969-12-31",
            "2026-1-01",
            "2026-11-evil",
            "20261101",
            "2026-11-01 ",
            "٢٠٢٦-11-01",
            "+2026-11-1",
            "2026-11-01T00:00:00Z",
        ],
    );
    admits(
        |text| Instant::parse(text).is_some(),
        &[
            "2026-12-05T08:00:00Z",
            "2026-12-05T08:00:00.123Z",
            "2026-12-05T08:00:00.123456Z",
            "2026-12-05T23:59:59+14:00",
            "2026-12-05T00:00:00-12:30",
            "2026-12-05T00:00:00+00:00",
        ],
        &[
            "2026-12-05",
            "2026-12-05t08:00:00Z",
            "2026-12-05T08:00:00z",
            "2026-12-05 08:00:00Z",
            "2026-12-05T08:00Z",
            "2026-12-05T24:00:00Z",
            "2026-12-05T08:60:00Z",
            "2026-12-05T08:00:60Z",
            "2026-12-05T08:00:00.1234567Z",
            "2026-12-05T08:00:00.Z",
            "2026-12-05T08:00:00",
            "2026-12-05T08:00:00-00:00",
            "2026-12-05T08:00:00+14:01",
            "2026-12-05T08:00:00+1400",
            "2026-12-05T08:00:00Z[UTC]",
            "2026-12-05T08:00:00+01:00[Europe/Berlin]",
            "2026-02-30T08:00:00Z",
            "2026-12-05T08:00:00Z ",
        ],
    );
    let at = |text| Instant::parse(text).unwrap();
    assert_eq!(at("2026-12-05T08:00:00+01:00"), at("2026-12-05T07:00:00Z"));
    assert!(at("2026-12-05T08:00:00.000001Z") > at("2026-12-05T08:00:00Z"));
}

#[test]
fn decimals_are_exact_and_short() {
    let micros = |text: &str| text.parse::<crate::value::Number>().unwrap().micros();
    let range = Range {
        min: micros("-5"),
        max: micros("4000"),
        scale: Some(2),
        positive: false,
    };
    admits(
        |text| range.holds_text(text),
        &["0", "4000", "4000.00", "-5", "0.01", "3999.99"],
        &[
            "",
            "-",
            "-0",
            "-0.00",
            "4000.01",
            "-5.01",
            "1.500",
            "1.",
            ".5",
            "01",
            "+1",
            "1e3",
            "1,5",
            " 1",
            "1 ",
            "٤",
            "1234567890123456",
            "0x10",
            "NaN",
        ],
    );
    admits(
        |text| range.holds_number(&Value::parse(text).unwrap()),
        &["0", "4000", "1.50", "1.5", "15e-1", "-0", "1.500"],
        &[
            "4000.01",
            "1.005",
            "-5.5",
            "\"1\"",
            "null",
            "1e400",
            "0.1234567",
        ],
    );
    let positive = Range {
        positive: true,
        min: None,
        ..range
    };
    admits(|text| positive.holds_text(text), &["0.01"], &["0", "-1"]);
    let any = Range::default();
    admits(
        |text| any.holds_number(&Value::parse(text).unwrap()),
        &["999999999999.999", "123456789012345e-3"],
        &["1234567890123456", "1e16", "999999999999.9999"],
    );
}

#[test]
fn urls_have_one_reading() {
    let url = UrlAt {
        schemes: [Scheme::Https].into(),
        hosts: domains(
            &["api.acme.example", "10.0.0.1", "[fd00::1]"],
            &["files.acme.example"],
        ),
        port: Some(8443),
        path_under: Some("/v1".to_owned()),
        query: false,
    };
    admits(
        |text| url.holds(text),
        &[
            "https://api.acme.example/v1",
            "https://api.acme.example/v1/orders/7",
            "https://api.acme.example:8443/v1/",
            "https://eu.files.acme.example/v1/a%20b",
            "https://10.0.0.1/v1",
            "https://[fd00::1]/v1/x",
        ],
        &[
            "",
            "https://api.acme.example",
            "https://api.acme.example/",
            "https://api.acme.example/v10",
            "https://api.acme.example/v2",
            "http://api.acme.example/v1",
            "https://api.acme.example.evil.test/v1",
            "https://evil.test@api.acme.example/v1",
            "https://api.acme.example@evil.test/v1",
            "https://api.acme.example:443/v1",
            "https://api.acme.example:9/v1",
            "https://API.acme.example/v1",
            "https://api.acme.example./v1",
            "https://files.acme.example/v1",
            "https://api.acme.example/v1/../admin",
            "https://api.acme.example/v1/%2e%2e/admin",
            "https://api.acme.example/v1/%2E%2E/admin",
            "https://api.acme.example/v1/..%2fadmin",
            "https://api.acme.example/v1/..;/admin",
            "https://api.acme.example/v1/a%00",
            "https://api.acme.example/v1/%252e",
            "https://api.acme.example/v1/%ff",
            "https://api.acme.example/v1/%EF%BC%8E%EF%BC%8E",
            "https://api.acme.example/v1?",
            "https://api.acme.example/v1?a=b",
            "https://api.acme.example/v1#x",
            "https://api.acme.example\\v1",
            "https:/api.acme.example/v1",
            "https://api.acme.example/v1\n",
            " https://api.acme.example/v1",
            "https://api.acme.example/v1/{x}",
            "https://api.acme.example/v1/|",
            "javascript:alert(1)",
            "//api.acme.example/v1",
            "https://0x0a000001/v1",
            "https://167772161/v1",
            "https://x\".files.acme.example/v1",
            "https://!.files.acme.example/v1",
            "https://{.files.acme.example/v1",
            "https://x,y.files.acme.example/v1",
            "https://-x.files.acme.example/v1",
            "https://10.0.0.1.files.acme.example:1/v1",
            // Java's `URI` finds no host in these, and others may cut them.
            "https://a_b.files.acme.example/v1",
            "https://evil.test&.files.acme.example/v1",
            "https://evil.test;.files.acme.example/v1",
            "https://.files.acme.example/v1",
            "https://a..files.acme.example/v1",
            // A server that decodes these as a form and trims segments, or drops invisible characters, goes up
            // a directory.
            "https://api.acme.example/v1/..+/admin",
            "https://api.acme.example/v1/..%20/admin",
            "https://api.acme.example/v1/.%E2%80%8B./admin",
        ],
    );
    let queried = UrlAt { query: true, ..url };
    admits(
        |text| queried.holds(text),
        &["https://api.acme.example/v1?a=b"],
        &["https://api.acme.example/v1#a"],
    );
}

#[test]
fn paths_lie_below_their_directory() {
    let path = |chars| PathUnder {
        under: "/srv/onboarding".to_owned(),
        chars,
    };
    let plain = path(PathChars::Plain);
    admits(
        |text| plain.holds(text),
        &[
            "/srv/onboarding/a.txt",
            "/srv/onboarding/2026/Müller (1).pdf",
            "/srv/onboarding/a+b@c=d,e",
            "/srv/onboarding/.env",
            "/srv/onboarding/名前",
            "/srv/onboarding/com10",
        ],
        &[
            "",
            "/srv/onboarding",
            "/srv/onboarding/",
            "/srv/onboardingx/a",
            "/srv/onboarding/../x",
            "/srv/onboarding/./x",
            "/srv/onboarding//x",
            "srv/onboarding/x",
            "/srv/onboarding/x/..",
            "/srv/onboarding/a\\b",
            "/srv/onboarding/a%2fb",
            "/srv/onboarding/-rf",
            "/srv/onboarding/~root",
            "/srv/onboarding/ a",
            "/srv/onboarding/a ",
            "/srv/onboarding/a.",
            "/srv/onboarding/...",
            "/srv/onboarding/a\n",
            "/srv/onboarding/a\0",
            "/srv/onboarding/a;b",
            "/srv/onboarding/$(x)",
            "/srv/onboarding/\u{ff0e}\u{ff0e}",
            "/srv/onboarding/a\u{2215}b/\u{ff0f}",
            "/srv/onboarding/e\u{301}",
            "/srv/onboarding/con",
            "/srv/onboarding/NUL.txt",
            "/srv/onboarding/com1",
            "/srv/onboarding/LPT9.log",
            "/srv/onboarding/a\u{200b}",
            "/srv/onboarding/\u{202e}a",
        ],
    );
    let any = path(PathChars::Any);
    admits(
        |text| any.holds(text),
        &[
            "/srv/onboarding/-rf",
            "/srv/onboarding/a;b",
            "/srv/onboarding/con",
        ],
        &[
            "/srv/onboarding/..",
            "/srv/onboarding/a/../b",
            "/srv/onboarding/a\n",
            "/srv/onboarding//",
        ],
    );
    admits(
        PathUnder::is_directory,
        &["/srv", "/srv/a b"],
        &["", "/", "srv", "/srv/", "/srv/..", "//"],
    );
}

#[test]
fn patterns_match_the_whole_text() {
    let pattern = |text: &str| TextPattern::compiled(text);
    for (text, accepted, refused) in [
        (
            "47[0-9]{2}",
            &["4711", "4799"][..],
            &["", "471", "47111", "47'; drop table x", "x4711", "4711\n"][..],
        ),
        ("a|bc", &["a", "bc"], &["ab", "abc", "ac", "xa", "bcx"]),
        ("(a|b)+c?", &["a", "abac"], &["c", "abcc"]),
        (r"\d+\.\w*", &["1.", "12.a_Z9"], &["٣.a", "1.ä", "1,a"]),
        (
            "a.c",
            &["abc", "aäc", "a😀c"],
            &["a\nc", "a\rc", "a\u{85}c", "a\u{2028}c", "a\0c", "ac"],
        ),
        ("[^a]", &["b", "ä"], &["a", "\n", "\u{2029}", ""]),
        (r"\S+", &["a-b"], &["a b", "a\u{b}b", "a\nb"]),
        (r"x\*", &["x*"], &["x", "xx"]),
    ] {
        let pattern = pattern(text).unwrap();
        admits(|text| pattern.holds(text), accepted, refused);
    }
    for (text, says) in [
        ("", "1 to 256"),
        (&"a".repeat(257), "1 to 256"),
        ("(", "not a regular expression"),
        ("(?i)a", "a flag"),
        ("(?i:a)", "a flag"),
        ("(?<n>a)", "a named group"),
        ("^a$", "an anchor"),
        (r"\bword", "an anchor"),
        (r"\p{L}", "a Unicode class"),
        (r"[\p{L}]", "a Unicode class"),
        ("[[:alpha:]]", "a named class"),
        ("[a-zä]", "outside ASCII"),
        ("[a&&b]", "an operation"),
        ("[a[b]]", "a class within"),
        ("a{2000}", "too large"),
        ("((a{900}){900}){9}", "too large"),
    ] {
        let error = pattern(text).unwrap_err().to_string();
        assert!(error.contains(says), "{text}: {error}");
    }
}

#[test]
fn lines_show_all_that_they_hold() {
    admits(
        |text| Condition::OneLine(64).holds_alone(&Value::from(text)),
        &["", "Rechnung Nr. 7, 100 €", "日本語 😀", "a\u{a0}b"],
        &[
            "a\nb",
            "a\rb",
            "\t",
            "a\u{2028}b",
            "a\u{200b}b",
            "\u{202e}a",
            "a\u{ad}b",
            "\u{e000}",
            "\u{feff}",
            "a\u{85}",
        ],
    );
    let long = "x".repeat(65);
    assert!(!Condition::OneLine(64).holds_alone(&Value::from(long)));
}

#[test]
fn common_links_are_found() {
    let host = UrlAt {
        schemes: [Scheme::Https].into(),
        hosts: domains(&["acme.example"], &[]),
        port: None,
        path_under: None,
        query: false,
    };
    let none = Condition::Links(None);
    let some = Condition::Links(Some(host));
    let texts = [
        "Thanks, see you at 8:00.",
        "Total: 12.50 EUR",
        "a - b",
        "Version 1.2",
        "e.g. this",
        "Dr. No",
        "at 2026-12-01T10:30:00Z",
        "R&D and AT & T;",
        "",
    ];
    let links = [
        "see http://evil.test",
        "//evil.test",
        "evil.test",
        "www.evil",
        "EVIL.TEST/x",
        "mailto:eve",
        "javascript:alert(1)",
        "[click](x)",
        "<a href=x>",
        "ask eve@evil.test",
        "@evil",
        "evil\u{3002}test",
        "evil\u{ff0e}test",
        "e\u{200b}vil",
        "\\\\evil\\share",
        "tel:1",
        "bücher.example",
        // Some programs find a scheme or a name inside these words.
        "-tel:1",
        "2026-mailto:x",
        "evil.test.1",
        "a.evil.x",
        // HTML and Markdown read these as other characters, or as the target of a link elsewhere.
        "evil&#46;test",
        "evil&period;test",
        "&sol;&sol;evil",
        "evil\\.test",
        "[here]: /x",
    ];
    admits(|text| none.holds_alone(&Value::from(text)), &texts, &links);
    admits(
        |text| none.holds_alone(&Value::from(text)),
        &[],
        &["https://acme.example/x"],
    );
    admits(|text| some.holds_alone(&Value::from(text)), &texts, &links);
    admits(
        |text| some.holds_alone(&Value::from(text)),
        &["see https://acme.example/x", "(https://acme.example/x)."],
        &[
            "https://acme.example.evil.test/x",
            "https://acme.example/x evil.test",
            "xhttps://acme.example/",
            "https://acme.example/a,https://acme.example/b",
            "https://acme.example/\u{a0}x",
        ],
    );
    let below = Condition::Links(Some(UrlAt {
        path_under: Some("/v1".to_owned()),
        ..UrlAt::hosts(["acme.example"])
    }));
    admits(
        |text| below.holds_alone(&Value::from(text)),
        &["(https://acme.example/v1/x).", "https://acme.example/v1/."],
        // Some programs count dots as part of the URL, or continue after a space outside ASCII.
        &[
            "https://acme.example/v1/..",
            "https://acme.example/v1/...",
            "https://acme.example/v1\u{a0}/../admin",
            "https://acme.example/v1\u{b}/../admin",
        ],
    );
}
