//! The writer of conditions that plain Datalog cannot express: the table that the reader of grants text reads.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    condition::{Condition, Meets, PathChars, Range, Scheme, UrlAt},
    value::Value,
};

/// The members of the table, without defaults.
pub(super) fn members(meets: &Meets) -> BTreeMap<String, Value> {
    let mut members = Table::default();
    members.flag("optional", meets.optional);
    for condition in &meets.conditions {
        members.condition(condition);
    }
    members.0
}

#[derive(Default)]
struct Table(BTreeMap<String, Value>);

impl Table {
    fn set(&mut self, key: &str, value: impl Into<Value>) {
        self.0.insert(key.to_owned(), value.into());
    }

    fn flag(&mut self, key: &str, is_set: bool) {
        if is_set {
            self.set(key, true);
        }
    }

    fn shown(&mut self, key: &str, value: Option<impl ToString>) {
        if let Some(value) = value {
            self.set(key, value.to_string());
        }
    }

    fn number(&mut self, key: &str, value: Option<impl Into<i64>>) {
        if let Some(value) = value {
            self.set(key, value.into());
        }
    }

    fn texts(&mut self, key: &str, set: &BTreeSet<String>) {
        if !set.is_empty() {
            let texts = set.iter().map(|text| Value::from(text.as_str()));
            self.set(key, Value::Array(texts.collect()));
        }
    }

    fn range(&mut self, range: &Range) {
        self.shown("min", range.min);
        self.shown("max", range.max);
        self.number("scale", range.scale);
        self.flag("positive", range.positive);
    }

    fn condition(&mut self, condition: &Condition) {
        match condition {
            Condition::Present { empty: true } => self.set("present", "any"),
            Condition::Present { empty: false } => self.set("present", true),
            Condition::Exact(value) => self.set("exact", value.clone()),
            Condition::OneOf {
                values,
                ignore_case,
            } => {
                self.set("one_of", Value::Array(values.values()));
                self.flag("ignore_case", *ignore_case);
            }
            Condition::NotOneOf(list) => self.set("not_one_of", Value::Array(list.values())),
            Condition::Prefix(text) => self.set("prefix", text.as_str()),
            Condition::Suffix(text) => self.set("suffix", text.as_str()),
            Condition::Contains(text) => self.set("contains", text.as_str()),
            Condition::AllOfIn(set) => {
                let values = set.iter().cloned().map(Value::from);
                self.set("all_of_in", Value::Array(values.collect()));
            }
            Condition::MaxLen(length) => self.set("max_len", i64::from(*length)),
            Condition::Date { min, max } => {
                self.shown("min", *min);
                self.shown("max", *max);
            }
            Condition::Number(range) => self.range(range),
            Condition::Decimal(range) => {
                self.set("as", "decimal");
                self.range(range);
            }
            Condition::Day { min, max } => {
                self.shown("min", *min);
                self.shown("max", *max);
            }
            Condition::Instant { after, before } => {
                self.shown("after", *after);
                self.shown("before", *before);
            }
            Condition::Matches(pattern) => self.set("matches", pattern.as_str()),
            Condition::OneLine(length) => {
                self.set("one_line", true);
                self.set("max_len", i64::from(*length));
            }
            Condition::Links(None) => self.set("links", "none"),
            Condition::Links(Some(at)) => self.set("links", url(at)),
            Condition::Email(email) => {
                let mut table = Table::default();
                table.texts("domain_in", &email.domains.exactly);
                table.texts("domain_under", &email.domains.under);
                if !email.tag {
                    table.set("tag", "none");
                }
                self.set("email", Value::Object(table.0));
            }
            Condition::Url(at) => self.set("url", url(at)),
            Condition::Path(path) => {
                let mut table = Table::default();
                table.set("under", path.under.as_str());
                if path.chars == PathChars::Any {
                    table.set("chars", "any");
                }
                self.set("path", Value::Object(table.0));
            }
            Condition::Ip(ip) => {
                let mut table = Table::default();
                let networks = ip
                    .networks()
                    .iter()
                    .map(|network| Value::from(network.to_string()));
                table.set("in", Value::Array(networks.collect()));
                self.set("ip", Value::Object(table.0));
            }
            Condition::Count { min, max } => {
                let mut table = Table::default();
                table.number("min", *min);
                table.number("max", *max);
                self.set("count", Value::Object(table.0));
            }
            Condition::Sum { min, max, negative } => {
                let mut table = Table::default();
                table.shown("min", *min);
                table.shown("max", *max);
                table.flag("negative", *negative);
                self.set("sum", Value::Object(table.0));
            }
            Condition::EqualsSum {
                of,
                negative: false,
            } => self.set("equals_sum", of.to_string()),
            Condition::EqualsSum { of, negative: true } => {
                let mut table = Table::default();
                table.set("of", of.to_string());
                table.flag("negative", true);
                self.set("equals_sum", Value::Object(table.0));
            }
            Condition::EqualsArg(other) => self.set("equals_arg", other.to_string()),
            Condition::DiffersFromArg(other) => self.set("differs_from_arg", other.to_string()),
            Condition::Members(names) => {
                let names = names.iter().map(|name| Value::from(name.as_str()));
                self.set("members", Value::Array(names.collect()));
            }
        }
    }
}

fn url(at: &UrlAt) -> Value {
    let mut table = Table::default();
    table.texts("host_in", &at.hosts.exactly);
    table.texts("host_under", &at.hosts.under);
    if at.schemes != BTreeSet::from([Scheme::Https]) {
        let schemes = at.schemes.iter().map(|scheme| Value::from(scheme.as_str()));
        table.set("scheme", Value::Array(schemes.collect()));
    }
    table.number("port", at.port);
    table.shown("path_under", at.path_under.as_deref());
    if at.query {
        table.set("query", "any");
    }
    Value::Object(table.0)
}
