//! The texts that are conditions and windows, and those that are not.

use super::*;

#[test]
fn only_the_canonical_text_is_a_condition() {
    let number =
        r#"{"number":{"max":"100","min":null,"positive":false,"scale":2},"optional":[false]}"#;
    assert_eq!(test("amount", number).text(), number);
    for (path, text) in [
        (
            "amount",
            r#"{"number":{"max":"100","min":null,"positive":false,"scale":2}}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100","min":null,"positive":false},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100","min":null,"new":1,"positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100.0","min":null,"positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":100,"min":null,"positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"min":null,"max":"100","positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100","max":"100","min":null,"positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#" {"number":{"max":"100","min":null,"positive":false,"scale":2},"optional":[false]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100","min":null,"positive":false,"scale":2},"optional":[]}"#,
        ),
        (
            "amount",
            r#"{"number":{"max":"100","min":null,"positive":false,"scale":2},"optional":[false,false]}"#,
        ),
        ("amount", r#"{"unknown":1,"optional":[false]}"#),
        ("amount", r#"{"optional":[false]}"#),
        ("amount", r#"{"exact":1,"max_len":3,"optional":[false]}"#),
        ("amount", r#"{"ip":["10.0.0.1/8"],"optional":[false]}"#),
        ("amount", r#"{"matches":"(?i)a","optional":[false]}"#),
        (
            "amount",
            r#"{"path":{"chars":"plain","under":"/"},"optional":[false]}"#,
        ),
        ("amount", r#"{"equals_arg":"a.*","optional":[false]}"#),
        ("", number),
        ("*", number),
        ("a..b", number),
        ("a*", number),
        ("a.*.b.*.c.*", number),
        ("amount", "{}"),
        ("amount", ""),
    ] {
        assert_eq!(
            Test::parse(path, text),
            Err(UnknownCondition),
            "{path} {text}"
        );
    }
    let long = format!(
        r#"{{"exact":"{}","optional":[false]}}"#,
        "x".repeat(100_000)
    );
    assert_eq!(Test::parse("a", &long), Err(UnknownCondition));
}

#[test]
fn windows_have_one_text() {
    let text = r#"{"days":["mon","fri"],"from":"08:00","to":"24:00","zone":"Europe/Berlin"}"#;
    let window = During::parse(text).unwrap();
    assert_eq!(window.text(), text);
    assert_eq!(
        window.to_string(),
        "on mon, fri from 08:00 to 24:00 (Europe/Berlin)"
    );
    for text in [
        "",
        "{}",
        r#"{"days":["fri","mon"],"from":"08:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon-fri"],"from":"08:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":[],"from":"08:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"08:00","to":"08:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"8:00","to":"24:00","zone":"Europe/Berlin"}"#,
        r#"{"days":["mon"],"from":"08:00","to":"24:00","zone":"europe/berlin"}"#,
        r#"{"days":["mon"],"from":"08:00","to":"24:00","zone":"Etc/Unknown"}"#,
        r#"{"days":["mon"],"from":"08:00","to":"24:00","zone":"../../etc/passwd"}"#,
        r#"{"days":["mon"],"from":"08:00","to":"24:00","zone":"CET-1CEST"}"#,
        r#"{"days":["mon"],"from":"08:00","new":1,"to":"24:00","zone":"UTC"}"#,
        r#"{"days":["mon","tue","wed","thu","fri","sat","sun"],"from":"00:00","to":"24:00","zone":"UTC"}"#,
    ] {
        assert_eq!(During::parse(text), Err(UnknownCondition), "{text}");
    }
}
