//! Calls that conditions on paths accept and refuse.

use super::*;

#[test]
fn many_values_are_judged_each_and_together() {
    for (path, condition, accepted, refused) in [
        (
            "lines.*.price",
            r#"{"number":{"max":"100","min":"0","positive":false,"scale":null},"optional":[false,false,false]}"#,
            &[r#"{"lines":[{"price":100},{"price":1,"note":"x"}]}"#][..],
            &[
                r#"{"lines":[{"price":100},{"price":101}]}"#,
                r#"{"lines":[{"price":1},{}]}"#,
                r#"{"lines":[]}"#,
                r#"{"lines":[{"price":1},7]}"#,
                r#"{"lines":{"0":{"price":1}}}"#,
                r#"{"lines":[{"price":"1"}]}"#,
                r#"{"lines":null}"#,
                "{}",
            ][..],
        ),
        (
            "lines.*.note",
            r#"{"max_len":3,"optional":[false,false,true]}"#,
            &[r#"{"lines":[{"note":"abc"},{}]}"#],
            &[
                r#"{"lines":[{"note":"abcd"}]}"#,
                r#"{"lines":[{"note":null}]}"#,
                r#"{"lines":[]}"#,
                "{}",
            ],
        ),
        (
            "address.city",
            r#"{"exact":"Berlin","optional":[true,false]}"#,
            &["{}", r#"{"address":{"city":"Berlin"}}"#],
            &[
                r#"{"address":{}}"#,
                r#"{"address":null}"#,
                r#"{"address":"Berlin"}"#,
            ],
        ),
        (
            "tags.*",
            r#"{"one_of":{"ignore_case":true,"values":["a","b"]},"optional":[false,false]}"#,
            &[r#"{"tags":["A","b"]}"#],
            &[
                r#"{"tags":["c"]}"#,
                r#"{"tags":[]}"#,
                r#"{"tags":"a"}"#,
                r#"{"tags":[["a"]]}"#,
            ],
        ),
        (
            "lines.*.amount",
            r#"{"optional":[false,false,false],"sum":{"max":"5000","min":null,"negative":false}}"#,
            &[r#"{"lines":[{"amount":4999.99},{"amount":0.01}]}"#],
            &[
                r#"{"lines":[{"amount":5000},{"amount":0.01}]}"#,
                r#"{"lines":[{"amount":9000},{"amount":-4000}]}"#,
                r#"{"lines":[{"amount":1},{"amount":"1"}]}"#,
            ],
        ),
        (
            "total",
            r#"{"equals_sum":{"negative":false,"of":"lines.*.amount"},"optional":[false]}"#,
            &[r#"{"lines":[{"amount":0.1},{"amount":0.2}],"total":0.3}"#],
            &[
                r#"{"lines":[{"amount":0.1},{"amount":0.2}],"total":0.30001}"#,
                r#"{"lines":[{"amount":1}],"total":"1"}"#,
                r#"{"total":0}"#,
            ],
        ),
        (
            "debit",
            r#"{"differs_from_arg":"credit","optional":[false]}"#,
            &[
                r#"{"debit":"4711","credit":"4712"}"#,
                r#"{"debit":1,"credit":2}"#,
            ],
            &[
                r#"{"debit":"4711","credit":"4711"}"#,
                r#"{"debit":"4711","credit":"04711"}"#,
                r#"{"debit":"ACC","credit":" acc "}"#,
                r#"{"debit":"４７１１","credit":"4711"}"#,
                r#"{"debit":"4711\u200b","credit":"4711"}"#,
                r#"{"debit":"STRAẞE","credit":"straße"}"#,
                r#"{"debit":"Straẞe","credit":"strasse"}"#,
                r#"{"debit":"ıd","credit":"ID"}"#,
                r#"{"debit":"e\u200b\u0301","credit":"é"}"#,
                r#"{"debit":"٤٧١١","credit":"4711"}"#,
                r#"{"debit":"4711","credit":4712}"#,
                r#"{"debit":"4711"}"#,
                r#"{"debit":["a"],"credit":["b"]}"#,
            ],
        ),
        (
            "approver",
            r#"{"equals_arg":"manager","optional":[false]}"#,
            &[r#"{"approver":"ada","manager":"ada"}"#],
            &[
                r#"{"approver":"ada","manager":"Ada"}"#,
                r#"{"approver":"ada"}"#,
                r#"{"approver":1,"manager":"1"}"#,
            ],
        ),
        (
            "address",
            r#"{"members":["city"],"optional":[false]}"#,
            &[r#"{"address":{"city":1}}"#, r#"{"address":{}}"#],
            &[
                r#"{"address":{"city":1,"iban":2}}"#,
                r#"{"address":[]}"#,
                "{}",
            ],
        ),
        (
            "note",
            r#"{"optional":[false],"present":{"empty":false}}"#,
            &[r#"{"note":0}"#, r#"{"note":false}"#, r#"{"note":" "}"#],
            &[
                r#"{"note":""}"#,
                r#"{"note":null}"#,
                r#"{"note":[]}"#,
                r#"{"note":{}}"#,
                "{}",
            ],
        ),
        (
            "ids",
            r#"{"count":{"max":2,"min":1},"optional":[false]}"#,
            &[r#"{"ids":[1]}"#, r#"{"ids":[1,[2]]}"#],
            &[r#"{"ids":[]}"#, r#"{"ids":[1,2,3]}"#, r#"{"ids":"ab"}"#],
        ),
    ] {
        let test = test(path, condition);
        for text in accepted {
            assert_eq!(
                test.evaluate(&args(text)),
                Ok(()),
                "{path} {condition} {text}"
            );
        }
        for text in refused {
            assert!(
                test.evaluate(&args(text)).is_err(),
                "{path} {condition} {text}"
            );
        }
    }
}

#[test]
fn costs_grow_with_what_is_looked_at() {
    let cost = |path: &str, text: &str, call: &str| test(path, text).cost(&args(call));
    let number = r#"{"number":{"max":"100","min":null,"positive":false,"scale":null},"optional":[false,false]}"#;
    let few = cost("l.*", number, r#"{"l":[1]}"#);
    let many = cost(
        "l.*",
        number,
        &format!(r#"{{"l":[{}1]}}"#, "1,".repeat(999)),
    );
    assert!(many > 900 * (few - 2), "{few} {many}");
    let line = r#"{"one_line":{"max_len":1024},"optional":[false]}"#;
    let long = format!(r#"{{"a":"{}"}}"#, "x".repeat(8_000));
    assert!(cost("a", line, &long) > cost("a", line, r#"{"a":"x"}"#) + 900);
    assert!(cost("a", line, "{}") < 8);
}

#[test]
fn misses_say_where_and_what() {
    let blocked = |kind, parts| Err(Miss::Blocked(Blocked { kind, parts }));
    let price = test(
        "lines.*.price",
        r#"{"number":{"max":"100","min":null,"positive":false,"scale":null},"optional":[false,false,false]}"#,
    );
    assert_eq!(price.path.first(2).to_string(), "lines.*");
    for (call, miss) in [
        ("{}", blocked(BlockedKind::Missing, 1)),
        (r#"{"lines":{}}"#, blocked(BlockedKind::NotArray, 1)),
        (r#"{"lines":[]}"#, blocked(BlockedKind::NotArray, 1)),
        (r#"{"lines":[1]}"#, blocked(BlockedKind::NotObject, 2)),
        (r#"{"lines":[{}]}"#, blocked(BlockedKind::Missing, 3)),
        (
            r#"{"lines":[{"price":"1"}]}"#,
            Err(Miss::Type(&Value::from("1"))),
        ),
        (
            r#"{"lines":[{"price":100},{"price":101}]}"#,
            Err(Miss::Value(&Value::from(101))),
        ),
        (r#"{"lines":[{"price":100}]}"#, Ok(())),
    ] {
        assert_eq!(price.evaluate(&args(call)), miss, "{call}");
    }
    let sum = test(
        "l.*",
        r#"{"optional":[false,false],"sum":{"max":"5","min":null,"negative":true}}"#,
    );
    assert_eq!(
        sum.evaluate(&args(r#"{"l":[3,4]}"#)),
        Err(Miss::Sum(crate::value::Micros(7_000_000)))
    );
    let huge = format!(r#"{{"l":[{}]}}"#, ["9000000000000"; 3].join(","));
    assert_eq!(sum.evaluate(&args(&huge)), Err(Miss::Overflow));
    let differs = test("a", r#"{"differs_from_arg":"b","optional":[false]}"#);
    let missing = Blocked {
        kind: BlockedKind::Missing,
        parts: 1,
    };
    assert_eq!(
        differs.evaluate(&args(r#"{"a":"x"}"#)),
        Err(Miss::Other(missing))
    );
    assert_eq!(differs.condition.needs(), "a value of the same type");
}

#[test]
fn rounded_numbers_meet_nothing() {
    let big = Value::parse("9007199254740993").unwrap();
    for condition in [
        Condition::Present { empty: true },
        Condition::NotOneOf(List::Numbers([Micros(0)].into())),
        Condition::Exact(big.clone()),
    ] {
        assert_eq!(condition.holds(&big, false), Some(false));
    }
}
