//! The reader of the canonical text. It may ignore members, because they are missing once the text is written again.

use std::collections::{BTreeMap, BTreeSet};

use super::kind::{self, OPTIONAL};
use crate::{
    condition::{
        ArgPath, Condition, Day, Domains, Email, Instant, Ip, PathChars, PathUnder, Range, Scheme,
        Test, TextPattern, UrlAt,
    },
    timestamp::Timestamp,
    value::{List, Micros, Number, Scalar, Value},
};

/// Reads a condition. Members that are ignored make the written text differ from the one read.
pub(super) fn read(path: ArgPath, value: &Value) -> Option<Test> {
    let members = Members::of(value)?;
    let optional = members.array(OPTIONAL)?.iter().map(|value| match value {
        Value::Bool(optional) => Some(*optional),
        _ => None,
    });
    let optional: Vec<bool> = optional.collect::<Option<_>>()?;
    let mut kinds = members.0.iter().filter(|(name, _)| *name != OPTIONAL);
    let (kind, value) = kinds.next()?;
    Some(Test {
        condition: condition(kind, value)?,
        path,
        optional,
    })
}

fn condition(kind: &str, value: &Value) -> Option<Condition> {
    Some(match kind {
        kind::PRESENT => Condition::Present {
            empty: Members::of(value)?.bool("empty")?,
        },
        kind::EXACT => Condition::Exact(value.clone()),
        kind::ONE_OF => {
            let members = Members::of(value)?;
            Condition::OneOf {
                values: list(members.array("values")?)?,
                ignore_case: members.bool("ignore_case")?,
            }
        }
        kind::NOT_ONE_OF => Condition::NotOneOf(list(items(value)?)?),
        kind::PREFIX => Condition::Prefix(text(value)?.to_owned()),
        kind::SUFFIX => Condition::Suffix(text(value)?.to_owned()),
        kind::CONTAINS => Condition::Contains(text(value)?.to_owned()),
        kind::ALL_OF_IN => {
            let scalars = items(value)?.iter().map(Value::as_scalar);
            Condition::AllOfIn(scalars.collect::<Option<BTreeSet<Scalar>>>()?)
        }
        kind::MAX_LEN => Condition::MaxLen(whole(value)?),
        kind::DATE => {
            let members = Members::of(value)?;
            Condition::Date {
                min: members.parsed(|text| text.parse::<Timestamp>().ok(), "min")?,
                max: members.parsed(|text| text.parse::<Timestamp>().ok(), "max")?,
            }
        }
        kind::NUMBER => Condition::Number(Members::of(value)?.decimal_range()?),
        kind::DECIMAL => Condition::Decimal(Members::of(value)?.decimal_range()?),
        kind::DAY => {
            let members = Members::of(value)?;
            Condition::Day {
                min: members.parsed(Day::parse, "min")?,
                max: members.parsed(Day::parse, "max")?,
            }
        }
        kind::INSTANT => {
            let members = Members::of(value)?;
            Condition::Instant {
                after: members.parsed(Instant::parse, "after")?,
                before: members.parsed(Instant::parse, "before")?,
            }
        }
        // A pattern in a token is not compiled before it is used.
        kind::MATCHES => Condition::Matches(TextPattern::new(text(value)?).ok()?),
        kind::ONE_LINE => Condition::OneLine(whole(Members::of(value)?.get("max_len")?)?),
        kind::LINKS => match value {
            Value::Null => Condition::Links(None),
            value => Condition::Links(Some(Members::of(value)?.url()?)),
        },
        kind::EMAIL => {
            let members = Members::of(value)?;
            Condition::Email(Email {
                domains: members.domains("domain_in", "domain_under")?,
                tag: members.bool("tag")?,
            })
        }
        kind::URL => Condition::Url(Members::of(value)?.url()?),
        kind::PATH => {
            let members = Members::of(value)?;
            Condition::Path(PathUnder {
                under: text(members.get("under")?)?.to_owned(),
                chars: match text(members.get("chars")?)? {
                    "plain" => PathChars::Plain,
                    "any" => PathChars::Any,
                    _ => return None,
                },
            })
        }
        kind::IP => {
            let networks = items(value)?
                .iter()
                .map(|network| text(network)?.parse().ok());
            Condition::Ip(Ip::new(networks.collect::<Option<_>>()?)?)
        }
        kind::COUNT => {
            let members = Members::of(value)?;
            let count = |name| match members.get(name)? {
                Value::Null => Some(None),
                value => whole(value).map(Some),
            };
            Condition::Count {
                min: count("min")?,
                max: count("max")?,
            }
        }
        kind::SUM => {
            let members = Members::of(value)?;
            Condition::Sum {
                min: members.parsed(micros, "min")?,
                max: members.parsed(micros, "max")?,
                negative: members.bool("negative")?,
            }
        }
        kind::EQUALS_SUM => {
            let members = Members::of(value)?;
            Condition::EqualsSum {
                of: text(members.get("of")?)?.parse().ok()?,
                negative: members.bool("negative")?,
            }
        }
        kind::EQUALS_ARG => Condition::EqualsArg(text(value)?.parse().ok()?),
        kind::DIFFERS_FROM_ARG => Condition::DiffersFromArg(text(value)?.parse().ok()?),
        kind::MEMBERS => Condition::Members(strings(value)?),
        _ => return None,
    })
}

/// The members of a JSON object.
#[derive(Clone, Copy)]
struct Members<'a>(&'a BTreeMap<String, Value>);

impl<'a> Members<'a> {
    fn of(value: &'a Value) -> Option<Members<'a>> {
        match value {
            Value::Object(members) => Some(Members(members)),
            _ => None,
        }
    }

    fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name)
    }

    fn array(self, name: &str) -> Option<&'a [Value]> {
        items(self.get(name)?)
    }

    fn bool(self, name: &str) -> Option<bool> {
        match self.get(name)? {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    /// A member that is text or null: `None` if it is neither, or cannot be parsed.
    fn parsed<T>(self, parse: impl Fn(&str) -> Option<T>, name: &str) -> Option<Option<T>> {
        match self.get(name)? {
            Value::Null => Some(None),
            value => parse(text(value)?).map(Some),
        }
    }

    fn decimal_range(self) -> Option<Range> {
        Some(Range {
            min: self.parsed(micros, "min")?,
            max: self.parsed(micros, "max")?,
            positive: self.bool("positive")?,
            scale: match self.get("scale")? {
                Value::Null => None,
                value => Some(u8::try_from(whole(value)?).ok()?),
            },
        })
    }

    fn domains(self, exactly: &str, under: &str) -> Option<Domains> {
        Some(Domains {
            exactly: strings(self.get(exactly)?)?,
            under: strings(self.get(under)?)?,
        })
    }

    fn url(self) -> Option<UrlAt> {
        let schemes = self.array("scheme")?.iter().map(|scheme| {
            let scheme = text(scheme)?;
            Scheme::ALL
                .into_iter()
                .find(|known| known.as_str() == scheme)
        });
        Some(UrlAt {
            schemes: schemes.collect::<Option<_>>()?,
            hosts: self.domains("host_in", "host_under")?,
            port: match self.get("port")? {
                Value::Null => None,
                value => Some(u16::try_from(whole(value)?).ok()?),
            },
            path_under: self.parsed(|text| Some(text.to_owned()), "path_under")?,
            query: self.bool("query")?,
        })
    }
}

fn items(value: &Value) -> Option<&[Value]> {
    match value {
        Value::Array(items) => Some(items),
        _ => None,
    }
}

fn text(value: &Value) -> Option<&str> {
    match value {
        Value::String(text) => Some(text),
        _ => None,
    }
}

fn strings(value: &Value) -> Option<BTreeSet<String>> {
    let texts = items(value)?
        .iter()
        .map(|item| text(item).map(str::to_owned));
    texts.collect()
}

fn whole(value: &Value) -> Option<u32> {
    match value {
        Value::Number(number) => u32::try_from(number.integer()?).ok(),
        _ => None,
    }
}

fn list(items: &[Value]) -> Option<List> {
    List::from_values(items).ok()
}

fn micros(text: &str) -> Option<Micros> {
    text.parse::<Number>().ok()?.micros()
}
