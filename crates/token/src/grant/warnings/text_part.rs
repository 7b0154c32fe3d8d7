//! Conditions on a part of a text that are meant to confine it, but cannot: a URL, a path, an address, a day, a
//! code, a query.

use std::collections::BTreeMap;

use super::{
    Warning, WarningKind,
    argument::{Argument, WHOLE},
    document,
    words::has_word,
};
use crate::{
    condition::{Day, PathUnder, UrlAt, is_listed_domain, is_listed_host},
    value::Value,
};

/// The kinds of text that have a grammar, and so are not confined by a part of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Url,
    Path,
    Email,
    Query,
    Day,
    Code,
}

/// Conditions on a part of a text.
const PARTS: [&str; 3] = ["prefix", "suffix", "contains"];

/// The warning about a `prefix`, `suffix` or `contains` on a text that has a grammar.
pub(super) fn warning(argument: &Argument<'_>) -> Option<Warning> {
    let table = argument.table()?;
    if argument.has(&WHOLE) || argument.has(&["min", "max", "after", "before"]) {
        return None;
    }
    let (key, part) = PARTS.iter().find_map(|key| match table.get(*key) {
        Some(Value::String(part)) => Some((*key, part.as_str())),
        _ => None,
    })?;
    let kind = looks_like(part).or_else(|| called(argument.name))?;
    let (next, bounds) = instead(kind, part);
    // Only a part at the usual end of the text shows what the condition is meant to confine.
    let end = if kind == Kind::Email {
        "suffix"
    } else {
        "prefix"
    };
    let bounds = bounds.filter(|_| key == end);
    let rewrite = bounds.and_then(|bounds| {
        let mut better: BTreeMap<String, Value> = table
            .iter()
            .filter(|(key, _)| !PARTS.contains(&key.as_str()))
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect();
        better.extend(bounds);
        argument.rewritten(&better)
    });
    Some(argument.warning(
        WarningKind::TextPart,
        format!("`{key}` does not confine {}", escape_of(kind)),
        next,
        rewrite,
    ))
}

/// The kind of text, and a text that evades a condition on a part of it.
fn escape_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Url => {
            "a URL: `https://api.acme.example.evil.test` begins like one of `api.acme.example`"
        }
        Kind::Path => "a path: `/srv/x/../../etc/passwd` begins with `/srv/`",
        Kind::Email => {
            "an e-mail address: `eve@evil.example,a@acme.example` ends in `@acme.example`"
        }
        Kind::Query => "a query: any text may follow the prefix",
        Kind::Day => "a day: `2026-11-evil` begins with `2026-11-`",
        Kind::Code => "a code: `47'; drop table x` begins with `47`",
    }
}

/// The kind that the part looks like.
fn looks_like(part: &str) -> Option<Kind> {
    let begins_path = ["/", "./", "../", "~/", "\\\\"];
    let is_drive = part.get(1..3) == Some(":\\");
    if part.contains("://") {
        return Some(Kind::Url);
    }
    if begins_path.iter().any(|begin| part.starts_with(begin)) || is_drive {
        return Some(Kind::Path);
    }
    if part.contains('@') {
        return Some(Kind::Email);
    }
    if document::is_query(part) || has_verb(part) {
        return Some(Kind::Query);
    }
    if begins_day(part) {
        return Some(Kind::Day);
    }
    let is_code = !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    is_code.then_some(Kind::Code)
}

/// Returns true for the beginning of a query, in capitals as queries are written.
fn has_verb(part: &str) -> bool {
    let verbs = ["SELECT ", "INSERT ", "UPDATE ", "DELETE ", "WITH "];
    verbs.iter().any(|verb| part.starts_with(verb))
}

/// Returns true for the beginning of a date: at least the year and a hyphen.
fn begins_day(part: &str) -> bool {
    let is_shaped = |(place, c): (usize, u8)| match place {
        4 | 7 => c == b'-',
        10.. => true,
        _ => c.is_ascii_digit(),
    };
    part.len() >= 5 && part.bytes().enumerate().all(is_shaped)
}

/// The kind that the argument's name suggests.
fn called(name: &str) -> Option<Kind> {
    let kinds: [(Kind, &[&str]); 5] = [
        (
            Kind::Url,
            &[
                "url", "urls", "uri", "href", "endpoint", "webhook", "callback",
            ],
        ),
        (
            Kind::Path,
            &[
                "path",
                "paths",
                "file",
                "files",
                "filename",
                "dir",
                "directory",
                "folder",
            ],
        ),
        (Kind::Email, &["email", "emails", "mail"]),
        (Kind::Query, &["sql", "query", "statement"]),
        (Kind::Day, &["date", "day", "month"]),
    ];
    kinds
        .into_iter()
        .find_map(|(kind, words)| has_word(name, words).then_some(kind))
}

type Members = BTreeMap<String, Value>;

/// The next step, and conditions that confine the text as the part was meant to.
fn instead(kind: Kind, part: &str) -> (&'static str, Option<Members>) {
    match kind {
        Kind::Url => ("name hosts and the path with `url`", url(part)),
        Kind::Path => ("name the folder with `path`", path(part)),
        Kind::Email => ("name the domains with `email`", email(part)),
        Kind::Query => (
            "let the service take the values as arguments of their own, or list whole texts with `one_of`",
            None,
        ),
        Kind::Day => (
            "name the first and the last day with `min` and `max`",
            days(part),
        ),
        Kind::Code => (
            "describe the whole code with `matches`, with all its digits",
            code(part),
        ),
    }
}

fn member(key: &str, table: impl IntoIterator<Item = (&'static str, Value)>) -> Members {
    let table = table
        .into_iter()
        .map(|(key, value)| (key.to_owned(), value));
    BTreeMap::from([(key.to_owned(), Value::Object(table.collect()))])
}

fn url(part: &str) -> Option<Members> {
    let (scheme, rest) = part.split_once("://")?;
    let (host, path) = match rest.split_once('/') {
        Some((host, path)) => (host, path.trim_end_matches('/')),
        None => (rest, ""),
    };
    let host = host.to_ascii_lowercase();
    if !is_listed_host(&host) {
        return None;
    }
    let mut table = vec![("host_in", Value::from(vec![host.as_str()]))];
    match scheme {
        "https" => {}
        "http" | "ws" | "wss" => table.push(("scheme", Value::from(scheme))),
        _ => return None,
    }
    if !path.is_empty() {
        let path = format!("/{path}");
        // A part that ends inside a segment names no folder.
        if !UrlAt::is_path(&path) || !part.ends_with('/') {
            return None;
        }
        table.push(("path_under", Value::from(path)));
    }
    Some(member("url", table))
}

fn path(part: &str) -> Option<Members> {
    let folder = part.strip_suffix('/')?;
    PathUnder::is_directory(folder).then(|| member("path", [("under", Value::from(folder))]))
}

fn email(part: &str) -> Option<Members> {
    let domain = part.strip_prefix('@')?.to_ascii_lowercase();
    is_listed_domain(&domain)
        .then(|| member("email", [("domain_in", Value::from(vec![domain.as_str()]))]))
}

/// The first and last day of a month or a year.
fn days(part: &str) -> Option<Members> {
    let begun = part.trim_end_matches('-');
    let (first, last) = match begun.len() {
        4 => (format!("{begun}-01-01"), format!("{begun}-12-31")),
        7 => {
            let first = format!("{begun}-01");
            let days = (28..=31_u8).rev().map(|day| format!("{begun}-{day}"));
            let last = days.into_iter().find(|day| Day::parse(day).is_some())?;
            (first, last)
        }
        _ => return None,
    };
    Day::parse(&first)?;
    Some(BTreeMap::from([
        ("min".to_owned(), Value::from(first)),
        ("max".to_owned(), Value::from(last)),
    ]))
}

fn code(part: &str) -> Option<Members> {
    let is_code = !part.is_empty() && part.bytes().all(|c| c.is_ascii_digit());
    is_code.then(|| {
        BTreeMap::from([(
            "matches".to_owned(),
            Value::from(format!("{part}[0-9]{{2}}")),
        )])
    })
}
