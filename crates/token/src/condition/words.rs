//! Conditions in words.

use std::{collections::BTreeSet, fmt};

use super::{Condition, Domains, Meets, PathChars, Range, Scheme, UrlAt};
use crate::{
    escape::quote,
    value::{List, Listed, separated},
};

impl fmt::Display for Meets {
    /// Writes the conditions piece by piece, so that a writer with a limit can stop early.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.conditions.is_empty() {
            f.write_str("any value")?;
        }
        separated_by_and(f, &self.conditions)?;
        f.write_str(if self.optional { ", or absent" } else { "" })
    }
}

fn separated_by_and(f: &mut fmt::Formatter<'_>, conditions: &[Condition]) -> fmt::Result {
    separated(f, " and ", conditions, |f, condition| {
        write!(f, "{condition}")
    })
}

impl Condition {
    /// The type of value that the condition is about, as in "a string".
    #[must_use]
    pub fn needs(&self) -> &'static str {
        match self {
            Condition::Present { .. } | Condition::EqualsArg(_) | Condition::DiffersFromArg(_) => {
                "a value of the same type"
            }
            Condition::Exact(value) => value.kind(),
            Condition::OneOf { values, .. } | Condition::NotOneOf(values) => match values {
                List::Strings(_) => "a string",
                List::Numbers(_) => "a number",
                List::Bools(_) => "a boolean",
            },
            Condition::Number(_) | Condition::Sum { .. } | Condition::EqualsSum { .. } => {
                "a number"
            }
            Condition::AllOfIn(_) => "an array of strings, booleans and integers",
            Condition::MaxLen(_) => "a string, or an array of strings, booleans and integers",
            Condition::Count { .. } => "an array",
            Condition::Members(_) => "an object",
            Condition::Prefix(_)
            | Condition::Suffix(_)
            | Condition::Contains(_)
            | Condition::Date { .. }
            | Condition::Decimal(_)
            | Condition::Day { .. }
            | Condition::Instant { .. }
            | Condition::Matches(_)
            | Condition::OneLine(_)
            | Condition::Links(_)
            | Condition::Email(_)
            | Condition::Url(_)
            | Condition::Path(_)
            | Condition::Ip(_) => "a string",
        }
    }
}

impl fmt::Display for Condition {
    /// Writes the condition in words, such as `at least 0 and at most 100`, piece by piece, so that a writer with a
    /// limit can stop early.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Condition::Present { empty: true } => f.write_str("present"),
            Condition::Present { empty: false } => f.write_str("present and not empty"),
            Condition::Exact(value) => write!(f, "exactly {}", value.shown()),
            Condition::OneOf {
                values,
                ignore_case,
            } => {
                let case = if *ignore_case { " in any case" } else { "" };
                write!(f, "one of {values}{case}")
            }
            Condition::NotOneOf(list) => write!(f, "none of {list}"),
            Condition::Prefix(text) => write!(f, "begins with {}", quote(text)),
            Condition::Suffix(text) => write!(f, "ends with {}", quote(text)),
            Condition::Contains(text) => write!(f, "contains {}", quote(text)),
            Condition::AllOfIn(set) => write!(f, "each element one of {}", Listed(set)),
            Condition::MaxLen(length) => write!(f, "length at most {length}"),
            Condition::Date { min, max } => ends(f, "", min, max),
            Condition::Number(range) => decimal(f, range),
            Condition::Decimal(range) => {
                f.write_str("a decimal in a string")?;
                match range.is_any() {
                    true => Ok(()),
                    false => {
                        f.write_str(", ")?;
                        decimal(f, range)
                    }
                }
            }
            Condition::Day { min, max } => ends(f, "a day ", min, max),
            Condition::Instant { after, before } => {
                f.write_str("a date-time")?;
                if let Some(after) = after {
                    write!(f, " from {after} on")?;
                }
                match before {
                    Some(before) => write!(f, " before {before}"),
                    None => Ok(()),
                }
            }
            Condition::Matches(pattern) => write!(f, "matches {}", quote(pattern.as_str())),
            Condition::OneLine(length) => write!(f, "one line of at most {length} bytes"),
            Condition::Links(None) => f.write_str("without links"),
            Condition::Links(Some(url)) => {
                f.write_str("without links, but ")?;
                urls(f, "URLs", url)
            }
            Condition::Email(email) => {
                f.write_str("an e-mail address at ")?;
                domains(f, &email.domains)?;
                f.write_str(if email.tag { "" } else { " without a tag" })
            }
            Condition::Url(url) => urls(f, "a URL", url),
            Condition::Path(path) => {
                write!(f, "a path below {}", quote(&path.under))?;
                f.write_str(match path.chars {
                    PathChars::Plain => "",
                    PathChars::Any => " of any characters",
                })
            }
            Condition::Ip(ip) => {
                f.write_str("an IP address in ")?;
                separated(f, ", ", ip.networks(), |f, network| write!(f, "{network}"))
            }
            Condition::Count { min, max } => ends(f, "number of elements ", min, max),
            Condition::Sum { min, max, negative } => {
                ends(f, "sum ", min, max)?;
                may_be_negative(f, *negative)
            }
            Condition::EqualsSum { of, negative } => {
                write!(f, "the sum of {}", quote(&of.to_string()))?;
                may_be_negative(f, *negative)
            }
            Condition::EqualsArg(other) => write!(f, "the value of {}", quote(&other.to_string())),
            Condition::DiffersFromArg(other) => {
                write!(f, "a value other than {}", quote(&other.to_string()))
            }
            Condition::Members(names) => {
                f.write_str("an object with no members but ")?;
                texts(f, names)
            }
        }
    }
}

fn ends(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    min: &Option<impl fmt::Display>,
    max: &Option<impl fmt::Display>,
) -> fmt::Result {
    f.write_str(what)?;
    if let Some(min) = min {
        write!(f, "at least {min}")?;
    }
    f.write_str(if min.is_some() && max.is_some() {
        " and "
    } else {
        ""
    })?;
    match max {
        Some(max) => write!(f, "at most {max}"),
        None => Ok(()),
    }
}

fn decimal(f: &mut fmt::Formatter<'_>, range: &Range) -> fmt::Result {
    let mut separator = "";
    let mut part = |words: fmt::Arguments<'_>| {
        f.write_str(std::mem::replace(&mut separator, " and "))?;
        f.write_fmt(words)
    };
    if range.positive {
        part(format_args!("above 0"))?;
    }
    if let Some(min) = range.min {
        part(format_args!("at least {min}"))?;
    }
    if let Some(max) = range.max {
        part(format_args!("at most {max}"))?;
    }
    match range.scale {
        Some(scale) => part(format_args!("at most {scale} decimals")),
        None => Ok(()),
    }
}

fn may_be_negative(f: &mut fmt::Formatter<'_>, negative: bool) -> fmt::Result {
    f.write_str(if negative {
        ", which may be negative"
    } else {
        ""
    })
}

fn urls(f: &mut fmt::Formatter<'_>, what: &str, url: &UrlAt) -> fmt::Result {
    write!(f, "{what} at ")?;
    domains(f, &url.hosts)?;
    if let Some(port) = url.port {
        write!(f, ", also at port {port}")?;
    }
    if let Some(under) = &url.path_under {
        write!(f, ", at or below {}", quote(under))?;
    }
    f.write_str(", by ")?;
    separated(f, " or ", &url.schemes, |f, scheme: &Scheme| {
        f.write_str(scheme.as_str())
    })?;
    f.write_str(if url.query { ", with any query" } else { "" })
}

fn domains(f: &mut fmt::Formatter<'_>, domains: &Domains) -> fmt::Result {
    texts(f, &domains.exactly)?;
    if domains.under.is_empty() {
        return Ok(());
    }
    f.write_str(if domains.exactly.is_empty() {
        ""
    } else {
        ", or "
    })?;
    f.write_str("below ")?;
    texts(f, &domains.under)
}

fn texts(f: &mut fmt::Formatter<'_>, set: &BTreeSet<String>) -> fmt::Result {
    separated(f, ", ", set, |f, text| write!(f, "{}", quote(text)))
}
