//! The readers of conditions that are tables themselves. Their values are checked with the grant.

use std::collections::BTreeSet;

use super::{
    read::{any_or_none, arg_path, array, at, length, micros, string, strings, yes},
    table::Table,
};
use crate::{
    condition::{ArgPath, Condition, Domains, Email, Ip, PathChars, PathUnder, Scheme, UrlAt},
    grant::{GrantsError, mistake::Mistakes},
    value::Value,
};

pub(super) fn email(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let mut table = Table::open(mistakes, path, value, &["domain_in", "domain_under", "tag"])?;
    let email = Email {
        domains: domains(&mut table, "domain_in", "domain_under"),
        tag: table.get("tag", any_or_none).unwrap_or(true),
    };
    table.finish(Condition::Email(email))
}

fn domains(table: &mut Table<'_, '_>, exactly: &str, under: &str) -> Domains {
    Domains {
        exactly: table.get(exactly, strings).unwrap_or_default(),
        under: table.get(under, strings).unwrap_or_default(),
    }
}

/// Links: none, or URLs at certain places.
pub(super) fn links(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    match value {
        Value::String(none) if none == "none" => Some(Condition::Links(None)),
        Value::Object(_) => url(mistakes, path, value).map(|url| Condition::Links(Some(url))),
        _ => {
            mistakes.add(at(path, "neither \"none\" nor a table; write \"none\", or the hosts as `{ host_in = [\"acme.example\"] }`"));
            None
        }
    }
}

pub(super) fn url(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<UrlAt> {
    let known = [
        "scheme",
        "host_in",
        "host_under",
        "port",
        "path_under",
        "query",
    ];
    let mut table = Table::open(mistakes, path, value, &known)?;
    let https = BTreeSet::from([Scheme::Https]);
    let url = UrlAt {
        schemes: table.get("scheme", schemes).unwrap_or(https),
        hosts: domains(&mut table, "host_in", "host_under"),
        port: table.get("port", port),
        path_under: table.get("path_under", string),
        query: table.get("query", any_or_none).unwrap_or(false),
    };
    table.finish(url)
}

fn port(path: &str, value: &Value) -> Result<u16, GrantsError> {
    let port = length(path, value)
        .ok()
        .and_then(|port| u16::try_from(port).ok());
    let port = port.filter(|port| *port > 0);
    port.ok_or_else(|| at(path, "not a port; write a number from 1 to 65535"))
}

/// One scheme, or a list of them.
fn schemes(path: &str, value: &Value) -> Result<BTreeSet<Scheme>, GrantsError> {
    let names = match value {
        Value::String(name) => BTreeSet::from([name.clone()]),
        list => strings(path, list)?,
    };
    let schemes = names.iter().map(|name| {
        let scheme = Scheme::ALL
            .into_iter()
            .find(|scheme| scheme.as_str() == name);
        scheme.ok_or_else(|| at(path, "not a scheme; write http, https, ws or wss"))
    });
    schemes.collect()
}

pub(super) fn file_path(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let mut table = Table::open(mistakes, path, value, &["under", "chars"])?;
    let under = table.need("under", string);
    let chars = table.get("chars", chars).unwrap_or(PathChars::Plain);
    let under = under.unwrap_or_default();
    table.finish(Condition::Path(PathUnder { under, chars }))
}

fn chars(path: &str, value: &Value) -> Result<PathChars, GrantsError> {
    match string(path, value)?.as_str() {
        "plain" => Ok(PathChars::Plain),
        "any" => Ok(PathChars::Any),
        _ => Err(at(
            path,
            "not one of the choices; write \"plain\" or \"any\"",
        )),
    }
}

pub(super) fn ip(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let mut table = Table::open(mistakes, path, value, &["in"])?;
    let networks = table.need("in", networks);
    table.finish(networks).flatten().map(Condition::Ip)
}

fn networks(path: &str, value: &Value) -> Result<Ip, GrantsError> {
    const HINT: &str = "write networks such as \"10.0.0.0/8\", without host bits";
    let items = array(path, value)?;
    if items.is_empty() {
        return Err(at(path, format!("the list is empty; {HINT}")));
    }
    let mut networks = Vec::with_capacity(items.len());
    for item in items {
        let text = string(path, item)?;
        let Some(ip) = Ip::within([&text]) else {
            return Err(at(path, format!("`{text}` is not a network; {HINT}")));
        };
        networks.extend_from_slice(ip.networks());
    }
    Ip::new(networks).ok_or_else(|| at(path, HINT))
}

pub(super) fn count(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let mut table = Table::open(mistakes, path, value, &["min", "max"])?;
    let (min, max) = (table.get("min", length), table.get("max", length));
    table.finish(Condition::Count { min, max })
}

pub(super) fn sum(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let mut table = Table::open(mistakes, path, value, &["min", "max", "negative"])?;
    let (min, max) = (table.get("min", micros), table.get("max", micros));
    let negative = table.get("negative", yes).unwrap_or(false);
    table.finish(Condition::Sum { min, max, negative })
}

/// The path of the summands, or a table with it.
pub(super) fn equals_sum(mistakes: &mut Mistakes, path: &str, value: &Value) -> Option<Condition> {
    let Value::Object(_) = value else {
        let of: ArgPath = mistakes.take(arg_path(path, value))?;
        return Some(Condition::EqualsSum {
            of,
            negative: false,
        });
    };
    let mut table = Table::open(mistakes, path, value, &["of", "negative"])?;
    let of = table.need("of", arg_path);
    let negative = table.get("negative", yes).unwrap_or(false);
    let (of, negative) = table.finish((of, negative))?;
    Some(Condition::EqualsSum { of: of?, negative })
}
