//! Calls of any size, and tokens with many alternatives that refuse them, so that a denial must explain each
//! alternative.

use std::iter;

use bailiwick_testkit::{Root, SERVICE, scope};
use bailiwick_token::{
    condition::{Condition, Email, Ip, PathUnder, Range, TextPattern, UrlAt},
    grant::{Constraint, Grant, Grants, MAX_GRANTS},
    limits::TokenLimits,
    token::Token,
    value::{Micros, Scalar, Value},
};

pub const ACTION: &str = "order";

/// The largest call that a verifier reads by default, in bytes.
pub const MAX_CALL: usize = 64 * 1024;

/// A function that makes a call's arguments as JSON, of at most this many bytes.
type Shape = fn(usize) -> String;

/// Shapes of arguments, each of which drives one loop of the verifier. Each has an argument `a`, which the
/// tokens constrain.
pub const SHAPES: [(&str, Shape); 13] = [
    ("an array of ones", |bytes| array(bytes, |_| "1".to_owned())),
    ("an array of integers", |bytes| {
        array(bytes, |index| index.to_string())
    }),
    ("an array of strings", |bytes| {
        array(bytes, |index| format!("\"x{index}\""))
    }),
    ("an array of empty arrays", |bytes| {
        array(bytes, |_| "[]".to_owned())
    }),
    ("an array of objects", |bytes| {
        let items = listed(bytes, 1_000, |index| format!("{{\"b\":{index}}}"));
        format!(r#"{{"a":[{items}]}}"#)
    }),
    ("an object of members", |bytes| {
        let members = listed(bytes, 1_000, |index| format!("\"m{index}\":{index}"));
        format!(r#"{{"a":{{{members}}}}}"#)
    }),
    ("containers in containers", |bytes| {
        let items = listed(bytes, usize::MAX, |_| "[[[[1]]]]".to_owned());
        format!(r#"{{"a":[[{items}]]}}"#)
    }),
    ("a long string", |bytes| string(bytes, "a")),
    ("a long string of controls", |bytes| {
        string(bytes, "\\u0001")
    }),
    ("a long string of quotes", |bytes| string(bytes, "\\\"")),
    ("a number of many digits", |bytes| {
        format!(r#"{{"a":{}}}"#, "1".repeat(bytes.saturating_sub(40)))
    }),
    ("many arguments", |bytes| {
        let arguments = listed(bytes, 1_000, |index| format!("\"m{index}\":{index}"));
        format!(r#"{{"a":1,{arguments}}}"#)
    }),
    ("a long name", |bytes| {
        format!(
            r#"{{"a":"aaa","{}":1}}"#,
            "n".repeat(bytes.saturating_sub(60).max(1))
        )
    }),
];

fn array(bytes: usize, item: impl Fn(usize) -> String) -> String {
    format!(r#"{{"a":[{}]}}"#, listed(bytes, usize::MAX, item))
}

fn string(bytes: usize, unit: &str) -> String {
    let count = (bytes.saturating_sub(40) / unit.len()).max(1);
    format!(r#"{{"a":"{}"}}"#, unit.repeat(count))
}

/// As many items as fit beside the rest of a call, but no more than `most`.
fn listed(bytes: usize, most: usize, item: impl Fn(usize) -> String) -> String {
    let mut text = item(0);
    for index in 1..most {
        let item = item(index);
        if text.len() + item.len() + 45 > bytes {
            break;
        }
        text.push(',');
        text.push_str(&item);
    }
    text
}

/// The whole call as JSON.
pub fn json(args: &str) -> String {
    format!(r#"{{"action":"{ACTION}","args":{args}}}"#)
}

/// A function that makes one of many alternatives from its number.
type Alternative = fn(i64) -> Grant;

/// Kinds of alternatives, named by the constraint that most of the calls above fail.
pub const ALTERNATIVES: [(&str, Alternative); 33] = [
    ("exact number", |index| {
        a(Constraint::exact(1_000_000 + index))
    }),
    ("exact string", |index| {
        a(Constraint::exact(format!("aaaaaaaa{index}")))
    }),
    ("exact array", |index| {
        let items = [1; 8].into_iter().chain([1_000_000 + index]);
        a(Constraint::exact(items.collect::<Vec<i64>>()))
    }),
    ("exact object", |index| {
        let object = Value::parse(&format!(r#"{{"m0":0,"m1":{}}}"#, index + 2));
        a(Constraint::exact(object.expect("an object")))
    }),
    ("one of numbers", |index| {
        let numbers = [-1 - index, 1_000_000 + index].map(Value::from);
        a(one_of(&numbers))
    }),
    ("one of strings", |index| {
        a(one_of(&[Value::from(format!("x{}", 1_000_000 + index))]))
    }),
    ("none of numbers", |index| {
        let numbers = [1, 1_000_000 + index].map(Value::from);
        a(Constraint {
            not_one_of: one_of(&numbers).one_of,
            ..Constraint::any()
        })
    }),
    ("min", |index| {
        let bound = format!("{}", 9_000_000 + index).parse().expect("a bound");
        a(Constraint::any().min(bound))
    }),
    ("max", |index| {
        let bound = format!("{}", -1 - index).parse().expect("a bound");
        a(Constraint::any().max(bound))
    }),
    ("date", |index| {
        let bound = format!("2026-11-23T12:00:{:02}Z", index % 60).parse();
        a(Constraint::any().min(bound.expect("a bound")))
    }),
    ("prefix", |index| {
        a(Constraint::prefix(&format!("aaaaaaaaaaaaaaaa{index}")))
    }),
    ("suffix", |index| {
        a(Constraint {
            suffix: Some(format!("{index}aaaaaaaaaaaaaaaa")),
            ..Constraint::any()
        })
    }),
    ("contains", |index| {
        a(Constraint {
            contains: Some(format!("aaaaaaaaaaaaaaab{index}")),
            ..Constraint::any()
        })
    }),
    ("all conditions of strings", |index| {
        a(Constraint {
            prefix: Some("a".to_owned()),
            suffix: Some("aa".to_owned()),
            contains: Some("aaa".to_owned()),
            max_len: Some(u32::try_from(index % 3).expect("a length")),
            ..Constraint::any()
        })
    }),
    ("all of in, and max len", |index| {
        a(Constraint {
            all_of_in: Some([1, 2, 3, 5_000 + index].map(Scalar::Integer).into()),
            max_len: Some(u32::try_from(index % 3).expect("a length")),
            ..Constraint::any()
        })
    }),
    ("max len", |index| {
        a(Constraint::any().max_len(u32::try_from(index % 3).expect("a length")))
    }),
    ("missing", |index| {
        order().arg(&format!("z{index}"), Constraint::exact(index))
    }),
    ("extra", |index| {
        order().arg(&format!("z{index}"), Constraint::any())
    }),
    ("member", |index| {
        order().arg(
            "a.m1",
            Constraint::any().min(format!("{}", 2 + index).parse().expect("a bound")),
        )
    }),
    ("numbers of a scale", |index| {
        a(Constraint::from(Condition::Number(Range {
            scale: Some(0),
            ..at_least(2 + index)
        })))
    }),
    ("decimals", |index| {
        a(Constraint::from(Condition::Decimal(at_least(2 + index))))
    }),
    ("patterns", |index| {
        let pattern = TextPattern::new(&format!("b{{1,{}}}", 1 + index));
        a(Constraint::from(Condition::Matches(
            pattern.expect("a pattern"),
        )))
    }),
    ("one line", |index| {
        a(Constraint::from(Condition::OneLine(
            u32::try_from(index + 1).expect("a length"),
        )))
    }),
    ("no links", |index| {
        a(Constraint::from(Condition::Links(None)).also(one_of_ignoring_case(index)))
    }),
    ("links to one host", |index| {
        let at = UrlAt::hosts([format!("h{index}.acme.example")]);
        a(Constraint::from(Condition::Links(Some(at))).also(one_of_ignoring_case(index)))
    }),
    ("e-mail addresses", |index| {
        a(Constraint::from(Condition::Email(Email::at([format!(
            "d{index}.example"
        )]))))
    }),
    ("urls", |index| {
        a(Constraint::from(Condition::Url(UrlAt::hosts([format!(
            "h{index}.acme.example"
        )]))))
    }),
    ("paths", |index| {
        a(Constraint::from(Condition::Path(PathUnder::new(&format!(
            "/srv/{index}"
        )))))
    }),
    ("addresses", |index| {
        let ip = Ip::within([format!("10.{index}.0.0/16")]);
        a(Constraint::from(Condition::Ip(ip.expect("a network"))))
    }),
    ("each element", |index| {
        order().arg(
            "a.*",
            Constraint::from(Condition::Number(at_least(1_000_000 + index))),
        )
    }),
    ("each member, and their sum", |index| {
        let sum = Condition::Sum {
            min: Some(Micros(index * 1_000_000)),
            max: Some(Micros((1 + index) * 1_000_000)),
            negative: false,
        };
        order().arg("a.*.b", Constraint::from(sum))
    }),
    ("different arguments", |index| {
        let other = format!("z{index}").parse().expect("a path");
        a(Constraint::from(Condition::DiffersFromArg(other)))
            .arg(&format!("z{index}"), Constraint::any())
    }),
    ("members", |index| {
        a(Constraint::from(Condition::Members(
            [format!("m{index}")].into(),
        )))
    }),
];

fn at_least(min: i64) -> Range {
    Range {
        min: Some(Micros(min * 1_000_000)),
        ..Range::default()
    }
}

fn one_of_ignoring_case(index: i64) -> Condition {
    Condition::OneOf {
        values: bailiwick_token::grant::List::Strings([format!("x{index}")].into()),
        ignore_case: true,
    }
}

fn order() -> Grant {
    Grant::new(SERVICE, ACTION)
}

fn a(constraint: Constraint) -> Grant {
    order().arg("a", constraint)
}

fn one_of(values: &[Value]) -> Constraint {
    let list = bailiwick_token::grant::List::from_values(values);
    Constraint::one_of(list.expect("values of one type"))
}

/// A token narrowed to as many alternatives of one kind as fit.
pub struct Narrowed {
    /// The alternatives, as grants of the scope.
    pub grants: Grants,
    /// The narrowed token.
    pub token: Token,
    /// The same token, with a further alternative at the end that allows every call.
    pub open: Token,
}

pub fn narrowed(root: &Root, alternative: Alternative) -> Narrowed {
    let minted = root.mint(&Grants::new(vec![order()]).expect("a grant"));
    let narrow = |grants: &Grants| minted.attenuate(&scope(grants.clone())).ok();
    let limits = TokenLimits::default();
    // Of the alternatives that a token may have, one is the authority's and one is the open one.
    let most = i64::try_from(MAX_GRANTS).expect("a small number") - 2;
    let fits = (1..=most).rev().find_map(|count| {
        let grants: Vec<Grant> = (0..count).map(alternative).collect();
        let open: Vec<Grant> = grants.iter().cloned().chain(iter::once(order())).collect();
        let (grants, open) = (Grants::new(grants).ok()?, Grants::new(open).ok()?);
        let narrowed = Narrowed {
            token: narrow(&grants)?,
            open: narrow(&open)?,
            grants,
        };
        let within = |token: &Token| limits.check(token).is_ok();
        (within(&narrowed.token) && within(&narrowed.open)).then_some(narrowed)
    });
    fits.expect("some alternatives that fit a token")
}
