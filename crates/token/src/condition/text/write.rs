//! The writer of the canonical text.

use std::collections::BTreeSet;

use super::kind::{self, OPTIONAL};
use crate::{
    condition::{Condition, PathChars, Range, UrlAt},
    value::Value,
};

impl Condition {
    /// The second term of `meets`, with one flag in `optional` for each part of the path.
    #[must_use]
    pub fn text(&self, optional: &[bool]) -> String {
        let (kind, condition) = self.to_entry();
        let optional = optional.iter().map(|&optional| Value::Bool(optional));
        object([
            (kind, condition),
            (OPTIONAL, Value::Array(optional.collect())),
        ])
        .to_string()
    }

    /// The name of the kind. The conditions of one argument are sorted by kind, and each kind occurs once.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Condition::Present { .. } => kind::PRESENT,
            Condition::Exact(_) => kind::EXACT,
            Condition::OneOf { .. } => kind::ONE_OF,
            Condition::NotOneOf(_) => kind::NOT_ONE_OF,
            Condition::Prefix(_) => kind::PREFIX,
            Condition::Suffix(_) => kind::SUFFIX,
            Condition::Contains(_) => kind::CONTAINS,
            Condition::AllOfIn(_) => kind::ALL_OF_IN,
            Condition::MaxLen(_) => kind::MAX_LEN,
            Condition::Date { .. } => kind::DATE,
            Condition::Number(_) => kind::NUMBER,
            Condition::Decimal(_) => kind::DECIMAL,
            Condition::Day { .. } => kind::DAY,
            Condition::Instant { .. } => kind::INSTANT,
            Condition::Matches(_) => kind::MATCHES,
            Condition::OneLine(_) => kind::ONE_LINE,
            Condition::Links(_) => kind::LINKS,
            Condition::Email(_) => kind::EMAIL,
            Condition::Url(_) => kind::URL,
            Condition::Path(_) => kind::PATH,
            Condition::Ip(_) => kind::IP,
            Condition::Count { .. } => kind::COUNT,
            Condition::Sum { .. } => kind::SUM,
            Condition::EqualsSum { .. } => kind::EQUALS_SUM,
            Condition::EqualsArg(_) => kind::EQUALS_ARG,
            Condition::DiffersFromArg(_) => kind::DIFFERS_FROM_ARG,
            Condition::Members(_) => kind::MEMBERS,
        }
    }

    fn to_entry(&self) -> (&'static str, Value) {
        match self {
            Condition::Present { empty } => (kind::PRESENT, object([("empty", (*empty).into())])),
            Condition::Exact(value) => (kind::EXACT, value.clone()),
            Condition::OneOf {
                values,
                ignore_case,
            } => {
                let members = [
                    ("ignore_case", (*ignore_case).into()),
                    ("values", Value::Array(values.values())),
                ];
                (kind::ONE_OF, object(members))
            }
            Condition::NotOneOf(list) => (kind::NOT_ONE_OF, Value::Array(list.values())),
            Condition::Prefix(text) => (kind::PREFIX, text.clone().into()),
            Condition::Suffix(text) => (kind::SUFFIX, text.clone().into()),
            Condition::Contains(text) => (kind::CONTAINS, text.clone().into()),
            Condition::AllOfIn(set) => {
                let values = set.iter().cloned().map(Value::from);
                (kind::ALL_OF_IN, Value::Array(values.collect()))
            }
            Condition::MaxLen(length) => (kind::MAX_LEN, i64::from(*length).into()),
            Condition::Date { min, max } => (kind::DATE, range(min, max)),
            Condition::Number(range) => (kind::NUMBER, decimal(range)),
            Condition::Decimal(range) => (kind::DECIMAL, decimal(range)),
            Condition::Day { min, max } => (kind::DAY, range(min, max)),
            Condition::Instant { after, before } => {
                let members = [("after", shown(after)), ("before", shown(before))];
                (kind::INSTANT, object(members))
            }
            Condition::Matches(pattern) => (kind::MATCHES, pattern.as_str().into()),
            Condition::OneLine(length) => (
                kind::ONE_LINE,
                object([("max_len", i64::from(*length).into())]),
            ),
            Condition::Links(None) => (kind::LINKS, Value::Null),
            Condition::Links(Some(at)) => (kind::LINKS, url(at)),
            Condition::Email(email) => {
                let members = [
                    ("domain_in", texts(&email.domains.exactly)),
                    ("domain_under", texts(&email.domains.under)),
                    ("tag", email.tag.into()),
                ];
                (kind::EMAIL, object(members))
            }
            Condition::Url(at) => (kind::URL, url(at)),
            Condition::Path(path) => {
                let chars = match path.chars {
                    PathChars::Plain => "plain",
                    PathChars::Any => "any",
                };
                let members = [
                    ("chars", chars.into()),
                    ("under", path.under.clone().into()),
                ];
                (kind::PATH, object(members))
            }
            Condition::Ip(ip) => {
                let networks = ip
                    .networks()
                    .iter()
                    .map(|network| Value::from(network.to_string()));
                (kind::IP, Value::Array(networks.collect()))
            }
            Condition::Count { min, max } => {
                let count = |count: &Option<u32>| match count {
                    Some(count) => i64::from(*count).into(),
                    None => Value::Null,
                };
                (
                    kind::COUNT,
                    object([("max", count(max)), ("min", count(min))]),
                )
            }
            Condition::Sum { min, max, negative } => {
                let members = [
                    ("max", shown(max)),
                    ("min", shown(min)),
                    ("negative", (*negative).into()),
                ];
                (kind::SUM, object(members))
            }
            Condition::EqualsSum { of, negative } => {
                let members = [
                    ("negative", (*negative).into()),
                    ("of", of.to_string().into()),
                ];
                (kind::EQUALS_SUM, object(members))
            }
            Condition::EqualsArg(other) => (kind::EQUALS_ARG, other.to_string().into()),
            Condition::DiffersFromArg(other) => (kind::DIFFERS_FROM_ARG, other.to_string().into()),
            Condition::Members(names) => (kind::MEMBERS, texts(names)),
        }
    }
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members = members
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value));
    Value::Object(members.collect())
}

fn texts(set: &BTreeSet<String>) -> Value {
    Value::Array(set.iter().map(|text| Value::from(text.as_str())).collect())
}

fn shown(value: &Option<impl ToString>) -> Value {
    match value {
        Some(value) => value.to_string().into(),
        None => Value::Null,
    }
}

fn range(min: &Option<impl ToString>, max: &Option<impl ToString>) -> Value {
    object([("max", shown(max)), ("min", shown(min))])
}

fn decimal(range: &Range) -> Value {
    let scale = range
        .scale
        .map_or(Value::Null, |scale| i64::from(scale).into());
    object([
        ("max", shown(&range.max)),
        ("min", shown(&range.min)),
        ("positive", range.positive.into()),
        ("scale", scale),
    ])
}

fn url(at: &UrlAt) -> Value {
    let schemes = at.schemes.iter().map(|scheme| Value::from(scheme.as_str()));
    let port = at.port.map_or(Value::Null, |port| i64::from(port).into());
    object([
        ("host_in", texts(&at.hosts.exactly)),
        ("host_under", texts(&at.hosts.under)),
        ("path_under", shown(&at.path_under)),
        ("port", port),
        ("query", at.query.into()),
        ("scheme", Value::Array(schemes.collect())),
    ])
}
