//! Random conditions beyond plain Datalog, and values that meet or nearly meet them.

use bailiwick_token::{
    condition::{
        ArgPath, Condition, Day, Days, Domains, During, Email, Instant, Ip, PathChars, PathUnder,
        Range, Scheme, TextPattern, TimeOfDay, UrlAt,
    },
    grant::{Constraint, List},
    value::Value,
};
use proptest::{collection, option, prelude::*, sample::select};

use super::values::{WORDS, leaf, list, micros, text};
use crate::support::oracle::texts::PATTERNS;

pub fn constraint() -> impl Strategy<Value = Constraint> {
    (collection::vec(condition(), 0..3), any::<bool>()).prop_map(|(conditions, optional)| {
        let all = conditions
            .into_iter()
            .fold(Constraint::any(), Constraint::also);
        match optional {
            true => all.optional(),
            false => all,
        }
    })
}

fn condition() -> BoxedStrategy<Condition> {
    let of_many = select(&["lines.*.price", "tags.*"][..]);
    let of_one = select(&["vendor", "note", "amount", "address.city"][..]);
    let texts = || collection::btree_set(text(), 1..3);
    prop_oneof![
        any::<bool>().prop_map(|empty| Condition::Present { empty }),
        leaf().prop_map(Condition::Exact),
        (list(), any::<bool>()).prop_map(|(values, ignore_case)| Condition::OneOf {
            values,
            ignore_case
        }),
        texts().prop_map(|set| Condition::NotOneOf(List::Strings(set))),
        (0_u32..5).prop_map(Condition::MaxLen),
        range().prop_map(Condition::Number),
        range().prop_map(Condition::Decimal),
        bounds(
            &["2026-01-01", "2026-11-30", "2026-12-01", "2027-01-01"],
            Day::parse
        )
        .prop_map(|(min, max)| Condition::Day { min, max }),
        bounds(
            &[
                "2026-12-01T08:00:00Z",
                "2026-12-01T08:00:00.123Z",
                "2027-01-01T00:00:00Z"
            ],
            Instant::parse
        )
        .prop_map(|(after, before)| Condition::Instant { after, before }),
        select(&PATTERNS[..])
            .prop_map(|text| Condition::Matches(TextPattern::new(text).expect("a pattern"))),
        select(&[3_u32, 20, 1024][..]).prop_map(Condition::OneLine),
        option::of(url()).prop_map(Condition::Links),
        (domains(), any::<bool>())
            .prop_map(|(domains, tag)| Condition::Email(Email { domains, tag })),
        url().prop_map(Condition::Url),
        select(&[PathChars::Plain, PathChars::Any][..]).prop_map(|chars| {
            let under = "/srv/x".to_owned();
            Condition::Path(PathUnder { under, chars })
        }),
        collection::vec(
            select(
                &[
                    "10.0.0.0/8",
                    "10.1.2.3/32",
                    "fd00::/8",
                    "::/0",
                    "64:ff9b::/96",
                    "0.0.0.0/0"
                ][..]
            ),
            1..3
        )
        .prop_map(|networks| Condition::Ip(Ip::within(networks).expect("networks"))),
        (option::of(0_u32..2), option::of(1_u32..3))
            .prop_map(|(min, max)| Condition::Count { min, max }),
        (option::of(micros()), option::of(micros()), any::<bool>())
            .prop_map(|(min, max, negative)| Condition::Sum { min, max, negative }),
        (of_many, any::<bool>()).prop_map(|(of, negative)| Condition::EqualsSum {
            of: path_of(of),
            negative
        }),
        of_one
            .clone()
            .prop_map(|other| Condition::EqualsArg(path_of(other))),
        of_one.prop_map(|other| Condition::DiffersFromArg(path_of(other))),
        collection::btree_set(
            select(&["city", "price", "x"][..]).prop_map(str::to_owned),
            1..3
        )
        .prop_map(Condition::Members),
    ]
    .boxed()
}

fn path_of(text: &str) -> ArgPath {
    text.parse().expect("a path")
}

fn range() -> impl Strategy<Value = Range> {
    (
        option::of(micros()),
        option::of(micros()),
        option::of(0_u8..3),
        any::<bool>(),
    )
        .prop_map(|(min, max, scale, positive)| Range {
            min,
            max,
            scale,
            positive,
        })
}

fn bounds<T: Clone + std::fmt::Debug + 'static>(
    texts: &'static [&'static str],
    parse: fn(&str) -> Option<T>,
) -> impl Strategy<Value = (Option<T>, Option<T>)> {
    let one = move || option::of(select(texts).prop_map(move |text| parse(text).expect("a bound")));
    (one(), one())
}

fn domains() -> impl Strategy<Value = Domains> {
    let names = || {
        collection::btree_set(
            select(&["acme.example", "api.acme.example"][..]).prop_map(str::to_owned),
            0..2,
        )
    };
    (names(), names()).prop_map(|(exactly, under)| Domains { exactly, under })
}

fn url() -> impl Strategy<Value = UrlAt> {
    let schemes = collection::btree_set(
        select(&[Scheme::Https, Scheme::Https, Scheme::Http][..]),
        1..3,
    );
    let under = option::of(select(&["/v1", "/v1/x"][..]).prop_map(str::to_owned));
    (
        schemes,
        domains(),
        option::of(Just(8443)),
        under,
        any::<bool>(),
    )
        .prop_map(|(schemes, hosts, port, path_under, query)| UrlAt {
            schemes,
            hosts,
            port,
            path_under,
            query,
        })
}

/// Windows that are open or closed at the time of the tests, some of them to the minute.
pub fn window() -> impl Strategy<Value = During> {
    let days = select(&["mon-fri", "mon", "sun-sun", "tue-thu", "mon-sun"][..]);
    let from = select(&["00:00", "07:00", "07:01", "13:00", "17:30"][..]);
    let to = select(&["07:00", "13:00", "13:01", "17:31", "24:00"][..]);
    let zone = select(&["Europe/Berlin", "America/New_York", "Asia/Kolkata"][..]);
    (days, from, to, zone).prop_filter_map(
        "a window that opens and closes",
        |(days, from, to, zone)| {
            let days: Days = days.parse().expect("days");
            let time = |text: &str| text.parse::<TimeOfDay>().expect("a time");
            During::new(days, time(from), time(to), zone).ok()
        },
    )
}

/// A value that the condition may allow.
pub fn fitting(condition: &Condition, pick: prop::sample::Index) -> Value {
    let one = |texts: &[&str]| Value::from(texts[pick.index(texts.len())]);
    let number = |text: &str| Value::Number(text.parse().expect("a number"));
    match condition {
        Condition::Exact(value) => value.clone(),
        Condition::OneOf {
            values,
            ignore_case,
        } => {
            let values = values.values();
            match &values[pick.index(values.len())] {
                Value::String(text) if *ignore_case => Value::from(text.to_ascii_uppercase()),
                value => value.clone(),
            }
        }
        Condition::Number(_) | Condition::Sum { .. } | Condition::EqualsSum { .. } => {
            number(["0", "1", "5", "4.25", "98.7", "-3"][pick.index(6)])
        }
        Condition::Decimal(_) => one(&WORDS[..9]),
        Condition::Day { .. } => one(&WORDS[9..15]),
        Condition::Instant { .. } => one(&WORDS[15..23]),
        Condition::Matches(_) => one(&["4711", "a", "ab", "abc"]),
        Condition::Email(_) => one(&WORDS[28..36]),
        Condition::Url(_) | Condition::Links(Some(_)) => one(&WORDS[36..45]),
        Condition::Path(_) => one(&WORDS[45..51]),
        Condition::Ip(_) => one(&WORDS[51..57]),
        Condition::Count { .. } => Value::Array(vec![Value::from("a"); pick.index(3)]),
        Condition::Members(_) => Value::Object([("city".to_owned(), Value::from("a"))].into()),
        _ => one(&["a", "ab", "abc", "EUR"]),
    }
}
