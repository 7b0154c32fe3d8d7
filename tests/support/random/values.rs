//! Random values, from vocabularies that are small enough for frequent matches.

use bailiwick_token::{
    grant::List,
    value::{Micros, Number, Value},
};
use proptest::{collection, prelude::*, sample::select};

const TEXTS: [&str; 8] = [
    "",
    "a",
    "ab",
    "abc",
    "EUR",
    "2026-01-01T00:00:00Z",
    "2026-06-01T02:00:00+02:00",
    "\"*\\ $x é\u{0}",
];
const NUMBERS: [&str; 10] = [
    "0",
    "1",
    "5",
    "5.0",
    "50e-1",
    "-3",
    "98.7",
    "0.0000001",
    "9223372036854775807",
    "1e30",
];
/// Texts that some condition is about, each beside texts that only look like it.
pub const WORDS: [&str; 58] = [
    "4.00",
    "4",
    "-4.5",
    "-0",
    "04",
    "4.0000001",
    "1e3",
    "999999999999999",
    "9999999999999999",
    "2026-12-01",
    "2026-11-31",
    "2026-02-29",
    "2024-02-29",
    "2026-12-1",
    "1969-12-31",
    "2026-12-01T08:00:00Z",
    "2026-12-01T08:00:00.123Z",
    "2026-12-01T09:00:00+01:00",
    "2026-12-01T08:00:60Z",
    "2026-12-01t08:00:00Z",
    "2026-12-01T08:00:00-00:00",
    "2026-12-01T24:00:00Z",
    "2026-12-01T08:00:00+14:01",
    "4711",
    "4799",
    "47'; drop table x",
    "47 11",
    "471",
    "eve@acme.example",
    "eve+x@acme.example",
    "EVE@ACME.example",
    "eve@evil.example,a@acme.example",
    "eve@mail.acme.example",
    "eve@xn--a.acme.example",
    "e..e@acme.example",
    "eve@acme.example\r\nBcc: x@evil.example",
    "https://api.acme.example/v1/x",
    "https://api.acme.example/v1/x?q=1",
    "https://acme.example/",
    "https://api.acme.example.evil.test/v1",
    "https://api.acme.example:8443/v1/x",
    "http://api.acme.example/v1/x",
    "https://eve@api.acme.example/v1",
    "https://api.acme.example/v1/../x",
    "https://API.acme.example/v1/x",
    "/srv/x/a.txt",
    "/srv/x/../../etc/passwd",
    "/srv/x",
    "/srv/x//a",
    "/srv/x/ a",
    "/srv/x/nul.txt",
    "10.1.2.3",
    "010.1.2.3",
    "192.168.0.1",
    "fd00::1",
    "::ffff:10.1.2.3",
    "64:ff9b::a01:203",
    "pay at pay.example",
];

pub fn word() -> impl Strategy<Value = String> {
    select(&WORDS[..]).prop_map(str::to_owned)
}

pub fn text() -> impl Strategy<Value = String> {
    select(&TEXTS[..]).prop_map(str::to_owned)
}

pub fn non_empty() -> impl Strategy<Value = String> {
    select(&TEXTS[1..]).prop_map(str::to_owned)
}

pub fn number() -> impl Strategy<Value = Number> {
    select(&NUMBERS[..]).prop_map(|text| text.parse().expect("a number"))
}

pub fn micros() -> impl Strategy<Value = Micros> {
    select(&[-3_000_000, 0, 1, 1_000_000, 5_000_000, 98_700_000, i64::MAX][..]).prop_map(Micros)
}

pub fn leaf() -> impl Strategy<Value = Value> {
    prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::Bool),
        2 => number().prop_map(Value::Number),
        2 => text().prop_map(Value::String),
        1 => word().prop_map(Value::String),
    ]
}

pub fn value() -> impl Strategy<Value = Value> {
    leaf().prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            collection::btree_map(
                select(&["city", "price", "0", "x"][..]).prop_map(str::to_owned),
                inner,
                0..3
            )
            .prop_map(Value::Object),
        ]
    })
}

pub fn list() -> impl Strategy<Value = List> {
    prop_oneof![
        collection::btree_set(text(), 1..4).prop_map(List::Strings),
        collection::btree_set(micros(), 1..4).prop_map(List::Numbers),
        collection::btree_set(any::<bool>(), 1..3).prop_map(List::Bools),
    ]
}
