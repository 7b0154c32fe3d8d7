//! Long and hostile inputs.

use super::*;

/// Long inputs of the kind that slows parsers down. Each has about as many bytes as the largest call.
fn hostile() -> Vec<String> {
    let unit = [
        "a",
        "a.",
        "-",
        "(",
        "a@",
        "a:",
        "://",
        ".",
        "/",
        "/a",
        "/..",
        "%2e",
        "%",
        "0",
        "\u{301}",
        "e\u{301}",
        "\u{ff0e}",
        "\u{fdfa}",
        "\u{200b}",
        " ",
        "\n",
        "xn--a.",
        "https://a.example/ ",
        "https://",
        "[",
        "::",
        "1.",
        "\u{1f468}\u{200d}",
        "\u{3bb}",
        "\u{df}",
        "\u{130}",
        "\u{1100}\u{1161}",
        "\0",
    ];
    unit.iter()
        .map(|unit| unit.repeat((256_usize * 1024).checked_div(unit.len()).unwrap()))
        .collect()
}

#[test]
fn long_texts_take_no_time() {
    let at = UrlAt::hosts(["a.example"]);
    let conditions = [
        Condition::Matches(TextPattern::compiled("(a|aa)+b").unwrap()),
        Condition::Matches(TextPattern::compiled(".*x.*y").unwrap()),
        Condition::OneLine(u32::MAX),
        Condition::Links(None),
        Condition::Links(Some(at.clone())),
        Condition::Email(Email::at(["a.example"])),
        Condition::Url(at),
        Condition::Path(PathUnder::new("/a")),
        Condition::Ip(Ip::within(["::/0"]).unwrap()),
        Condition::Decimal(Range::default()),
        Condition::Day {
            min: None,
            max: Day::parse("2026-12-01"),
        },
        Condition::Instant {
            after: None,
            before: Instant::parse("2026-12-01T00:00:00Z"),
        },
        Condition::Contains("ab".to_owned()),
        Condition::DiffersFromArg("b".parse().unwrap()),
    ];
    for text in hostile() {
        let value = Value::from(text.as_str());
        let args = BTreeMap::from([("a".to_owned(), value.clone()), ("b".to_owned(), value)]);
        for condition in &conditions {
            let test = Test {
                path: "a".parse().unwrap(),
                condition: condition.clone(),
                optional: vec![false],
            };
            let start = std::time::Instant::now();
            let _ = test.evaluate(&args);
            let time = start.elapsed();
            // A quadratic algorithm would take minutes for this many bytes.
            assert!(
                time.as_secs() < 10,
                "{condition} takes {time:?} for {:?}",
                &text[..text.floor_char_boundary(20)]
            );
            assert!(test.cost(&args) >= 4);
        }
        // The parsers of texts in tokens and files refuse the inputs quickly too.
        assert_eq!(Test::parse("a", &text), Err(UnknownCondition));
        assert_eq!(During::parse(&text), Err(UnknownCondition));
        assert!(TextPattern::new(&text).is_err());
        assert!(text.parse::<ArgPath>().is_err() || !text.contains('*'));
    }
}

#[test]
fn patterns_stay_small() {
    for text in [
        "((a{1000}){1000}){1000}",
        "(((){1000}){1000}){1000}",
        "((()?){1000}){1000}",
        "((|a){1000}){1000}",
        "(((((a?){9}){9}){9}){9}){9}",
        "[^a]{1000}",
        ".{1000}",
        "(.{30}){30}",
        "(a|b|c){999}",
        "((((((((((((((((a))))))))))))))))",
        "(?:a*)*b",
        "a{0,1000}a{0,1000}",
    ] {
        let start = std::time::Instant::now();
        if let Ok(pattern) = TextPattern::compiled(text) {
            assert!(
                pattern.compiled_size() <= 8 * MAX_COMPILED,
                "{text}: {}",
                pattern.compiled_size()
            );
            assert!(!pattern.holds("!"));
        }
        assert!(start.elapsed().as_secs() < 5, "{text}");
    }
    // Patterns that people write fit.
    for text in [
        "[A-Z]{2}-[0-9]{4}",
        "[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
        "[A-Za-z0-9_-]{1,64}",
        "DE[0-9]{20}",
        "INV-20[0-9]{2}-[0-9]{6}",
    ] {
        let pattern = TextPattern::compiled(text);
        assert!(pattern.is_ok(), "{text}: {pattern:?}");
    }
}
