//! Calls inside and outside of grants text.

use super::{
    corpus::table,
    meaning::{allow, call, monday},
};
use crate::{grant::Grants, timestamp::Timestamp};

#[track_caller]
fn decides(args: &str, allowed: &[&str], denied: &[&str]) {
    let grants = table(args);
    for text in allowed {
        assert!(
            allow(&grants, &call(text), monday()),
            "{args}\ndenies {text}"
        );
    }
    for text in denied {
        assert!(
            !allow(&grants, &call(text), monday()),
            "{args}\nallows {text}"
        );
    }
}

#[test]
fn naming_a_member_closes_its_object() {
    decides(
        "'address.city' = 'Berlin'",
        &[r#"{"address":{"city":"Berlin"}}"#],
        &[
            r#"{"address":{"city":"Berlin","iban":"DE00"}}"#,
            r#"{"address":{}}"#,
            "{}",
            r#"{"address":[]}"#,
        ],
    );
    decides(
        "'address.city' = 'Berlin'\naddress = '*'",
        &[r#"{"address":{"city":"Berlin","iban":"DE00"}}"#],
        &[r#"{"address":{"iban":"DE00"}}"#, "{}"],
    );
    decides(
        "'address.city' = '*'\n'address.zip' = { max_len = 5, optional = true }",
        &[
            r#"{"address":{}}"#,
            r#"{"address":{"city":1}}"#,
            r#"{"address":{"zip":"10115"}}"#,
        ],
        &[
            r#"{"address":{"zip":"101156"}}"#,
            r#"{"address":{"iban":1}}"#,
            "{}",
            r#"{"address":null}"#,
        ],
    );
    decides(
        "'a.b.c' = 1\na = '*'",
        &[r#"{"a":{"b":{"c":1},"x":1}}"#],
        &[r#"{"a":{"b":{"c":1,"x":1}}}"#],
    );
    decides(
        "'address.city' = 'Berlin'\naddress = { optional = true }",
        &["{}", r#"{"address":{"city":"Berlin"}}"#],
        &[
            r#"{"address":{}}"#,
            r#"{"address":null}"#,
            r#"{"address":{"city":"Berlin","iban":1}}"#,
        ],
    );
}

#[test]
fn every_element_is_bound() {
    decides(
        "'lines.*.price' = { min = 0, max = 100 }\n'lines.*.note' = { one_line = true, max_len = 9, optional = true }",
        &[r#"{"lines":[{"price":100},{"price":1,"note":"x"}]}"#],
        &[
            r#"{"lines":[{"price":1},{"price":101}]}"#,
            r#"{"lines":[{"price":1},{"note":"x"}]}"#,
            r#"{"lines":[{"price":1,"discount":99}]}"#,
            r#"{"lines":[{"price":1,"note":"a\nb"}]}"#,
            r#"{"lines":[]}"#,
            r#"{"lines":{"0":{"price":1}}}"#,
            r#"{"lines":[{"price":1},null]}"#,
        ],
    );
    decides(
        "'tags.*' = { one_of = ['a', 'b'] }\ntags = { count = { max = 2 } }",
        &[r#"{"tags":["a"]}"#, r#"{"tags":["a","b"]}"#],
        &[
            r#"{"tags":["a","b","a"]}"#,
            r#"{"tags":["c"]}"#,
            r#"{"tags":[]}"#,
            r#"{"tags":"a"}"#,
        ],
    );
    decides(
        "total = { equals_sum = 'lines.*.amount', max = 100, scale = 2 }\n'lines.*.amount' = { min = 0 }",
        &[r#"{"total":0.3,"lines":[{"amount":0.1},{"amount":0.2}]}"#],
        &[
            r#"{"total":0.4,"lines":[{"amount":0.1},{"amount":0.2}]}"#,
            r#"{"total":101,"lines":[{"amount":101}]}"#,
            r#"{"total":1,"lines":[{"amount":2},{"amount":-1}]}"#,
        ],
    );
}

#[test]
fn adding_a_condition_never_widens() {
    use super::corpus::{CONSTRAINTS, calls};
    let additions = [
        "present = 'any'",
        "present = true",
        "scale = 6",
        "links = 'none'",
        "one_line = true",
        "count = { min = 0 }",
        "positive = true",
        "matches = '.*'",
    ];
    let calls = calls();
    let mut compared = 0;
    for text in CONSTRAINTS {
        let Some(inner) = text
            .strip_prefix("{ ")
            .and_then(|text| text.strip_suffix(" }"))
        else {
            continue;
        };
        for addition in additions {
            let both = format!("a = {{ {inner}, {addition} }}\nb = '*'\n'l.*.n' = '*'");
            let both =
                format!("[[grant]]\nservice = 'erp'\naction = 'order'\n[grant.args]\n{both}\n");
            // Some combinations repeat a condition, or allow no value.
            let Ok(both) = Grants::from_toml(&both) else {
                continue;
            };
            compared += 1;
            let alone = super::corpus::grants(text);
            for call in &calls {
                let widened = allow(&both, call, monday()) && !allow(&alone, call, monday());
                assert!(!widened, "{inner} and {addition}: {call:?}");
            }
        }
    }
    assert!(compared > 300, "{compared}");
}

#[test]
fn windows_open_and_close_to_the_second() {
    let text = "[[grant]]\nservice = 'erp'\naction = 'order'\nwhen = { days = ['mon-fri'], from = '08:00', to = '18:00', zone = 'Europe/Berlin' }\n";
    let grants = Grants::from_toml(text).unwrap();
    let night = "[[grant]]\nservice = 'erp'\naction = 'order'\nwhen = { days = ['fri'], from = '22:00', zone = 'Europe/Berlin' }\n[[grant]]\nservice = 'erp'\naction = 'order'\nwhen = { days = ['sat'], to = '06:00', zone = 'Europe/Berlin' }\n";
    let night = Grants::from_toml(night).unwrap();
    for (time, by_day, by_night) in [
        ("2026-11-30T06:59:59Z", false, false),
        ("2026-11-30T07:00:00Z", true, false),
        ("2026-11-30T16:59:59Z", true, false),
        ("2026-11-30T17:00:00Z", false, false),
        // In summer, the zone is an hour further ahead.
        ("2026-07-06T06:00:00Z", true, false),
        ("2026-07-06T05:59:59Z", false, false),
        ("2026-07-06T16:00:00Z", false, false),
        // Friday evening, Saturday morning.
        ("2026-12-04T20:59:59Z", false, false),
        ("2026-12-04T21:00:00Z", false, true),
        ("2026-12-04T22:59:59Z", false, true),
        ("2026-12-04T23:00:00Z", false, true),
        ("2026-12-05T04:59:59Z", false, true),
        ("2026-12-05T05:00:00Z", false, false),
        // 02:30 occurs twice in the night in which summer time ends.
        ("2026-10-25T00:30:00Z", false, false),
    ] {
        let now: Timestamp = time.parse().unwrap();
        let call = call("{}");
        assert_eq!(allow(&grants, &call, now), by_day, "{time}");
        assert_eq!(allow(&night, &call, now), by_night, "{time}");
    }
}
