//! The rules that a condition must follow, whichever form it was written in.

use super::{Condition, Domains, Email, Test, UrlAt, domain::is_listed_domain, is_listed_host};
use crate::value::{List, MAX_DEPTH, Scalar, Value};

/// Maximum number of digits after the point that a scale can allow.
pub(super) const MAX_SCALE: u8 = 6;

/// A mistake in a condition.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Malformed {
    /// The key in grants text at which the mistake is, such as `max` or `url.host_in`.
    pub key: &'static str,
    /// A description of the mistake and its correction.
    pub message: String,
}

fn at<T>(key: &'static str, message: impl Into<String>) -> Result<T, Malformed> {
    Err(Malformed {
        key,
        message: message.into(),
    })
}

impl Test {
    /// Checks that the condition is well formed and fits its path.
    ///
    /// # Errors
    /// [`Malformed`] for the first mistake.
    pub fn check(&self) -> Result<(), Malformed> {
        if !self.path.can_miss(&self.optional) {
            return at(
                "optional",
                "an element of an array cannot be absent; write `optional` at the array",
            );
        }
        let is_many = self.path.has_each();
        match &self.condition {
            Condition::Sum { .. } if !is_many => at(
                "sum",
                "a single value has no sum; write `sum` at a path such as `lines.*.amount`",
            ),
            Condition::EqualsSum { .. } if is_many => at(
                "equals_sum",
                "a path with a star names many values, but the sum is compared with one; write this condition at a path without stars",
            ),
            Condition::EqualsArg(_) if is_many => at("equals_arg", ONE_VALUE),
            Condition::DiffersFromArg(_) if is_many => at("differs_from_arg", ONE_VALUE),
            Condition::EqualsArg(other) if *other == self.path => at("equals_arg", ITSELF),
            Condition::DiffersFromArg(other) if *other == self.path => {
                at("differs_from_arg", ITSELF)
            }
            condition => condition.well_formed(),
        }
    }
}

const ONE_VALUE: &str = "a path with a star names many values, but only one can be compared; write a path without stars";
const ITSELF: &str = "an argument is compared with itself; name another argument";
const EMPTY_LIST: &str = "the list is empty";
const EMPTY_TEXT: &str = "the text is empty, so every string would match it";
const NO_BOUND: &str = "`min` and `max` are both missing; write at least one of them";
const CROSSED: &str = "the range is empty, because `min` is greater than `max`";
const CROSSED_TIMES: &str = "the range is empty, because `min` is later than `max`";

impl Condition {
    /// Checks that the condition is well formed, whatever its path.
    ///
    /// # Errors
    /// [`Malformed`] for the first mistake.
    pub fn well_formed(&self) -> Result<(), Malformed> {
        match self {
            Condition::Exact(value) => exact(value),
            Condition::OneOf {
                values,
                ignore_case,
            } => match values {
                values if values.is_empty() => at("one_of", EMPTY_LIST),
                List::Numbers(_) | List::Bools(_) if *ignore_case => {
                    at("ignore_case", "only strings have a case; leave it out")
                }
                _ => Ok(()),
            },
            Condition::NotOneOf(list) if list.is_empty() => at("not_one_of", EMPTY_LIST),
            Condition::Prefix(text) if text.is_empty() => at("prefix", EMPTY_TEXT),
            Condition::Suffix(text) if text.is_empty() => at("suffix", EMPTY_TEXT),
            Condition::Contains(text) if text.is_empty() => at("contains", EMPTY_TEXT),
            Condition::AllOfIn(set) if set.is_empty() => at("all_of_in", EMPTY_LIST),
            Condition::AllOfIn(set) if set.contains(&Scalar::Null) => at(
                "all_of_in",
                "null cannot be in a list; use strings, booleans and integers of 64 bits",
            ),
            Condition::Date { min, max } => ends("max", min, max, CROSSED_TIMES),
            Condition::Day { min, max } => ends("max", min, max, CROSSED_TIMES),
            Condition::Number(range) | Condition::Decimal(range) => {
                if range.scale.is_some_and(|scale| scale > MAX_SCALE) {
                    return at(
                        "scale",
                        "the scale is above 6; write a number of decimals from 0 to 6",
                    );
                }
                if matches!(self, Condition::Number(_)) && range.is_any() {
                    return at("min", NO_BOUND);
                }
                match range.is_empty() {
                    true if range.positive => at(
                        "max",
                        "the range is empty; `positive` needs a `max` above zero, and not below `min`",
                    ),
                    true => at("max", CROSSED),
                    false => Ok(()),
                }
            }
            Condition::Instant { after, before } => match (after, before) {
                (None, None) => at(
                    "after",
                    "`after` and `before` are both missing; write at least one of them",
                ),
                (Some(after), Some(before)) if after >= before => at(
                    "before",
                    "the range is empty, because `before` is not later than `after`",
                ),
                _ => Ok(()),
            },
            Condition::Links(Some(url)) => url_at("links", url),
            Condition::Url(url) => url_at("url", url),
            Condition::Email(Email { domains, .. }) => hosts(
                "email",
                domains,
                is_listed_domain,
                "domain_in",
                "domain_under",
            ),
            Condition::Path(path) if !super::PathUnder::is_directory(&path.under) => at(
                "path.under",
                "not an absolute path of a directory; write one such as \"/srv/onboarding\": not `/`, without a final `/`, dots or control characters",
            ),
            Condition::Count { min, max } => ends("count", min, max, CROSSED),
            Condition::Sum { min, max, .. } => ends("sum", min, max, CROSSED),
            Condition::EqualsSum { of, .. } if !of.has_each() => at(
                "equals_sum",
                "one value has no sum; name a path such as `lines.*.amount`",
            ),
            Condition::EqualsArg(other) if other.has_each() => at("equals_arg", ONE_VALUE),
            Condition::DiffersFromArg(other) if other.has_each() => {
                at("differs_from_arg", ONE_VALUE)
            }
            Condition::Members(names) => match names {
                names if names.is_empty() => at("members", EMPTY_LIST),
                names if names.iter().any(|name| !is_member_name(name)) => at(
                    "members",
                    "a member's name is empty, or contains a dot or a star; such a member can only be granted with the whole argument",
                ),
                _ => Ok(()),
            },
            _ => Ok(()),
        }
    }
}

/// Returns true if a member can be named in a path.
fn is_member_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '*'])
}

fn exact(value: &Value) -> Result<(), Malformed> {
    match value {
        Value::Number(number) if !number.is_read_alike() => at(
            "exact",
            format!(
                "`{number}` has more than 15 digits or is beyond 10^15, so services read different numbers; use a string"
            ),
        ),
        // Plain Datalog has the same restriction, since it can carry the same condition.
        Value::Number(number) if number.micros().is_none() && number.integer().is_none() => at(
            "exact",
            format!(
                "`{number}` cannot be compared exactly; use at most six decimal places, or an integer of 64 bits"
            ),
        ),
        // The arguments object is the first container, so a value in it has one less.
        Value::Array(_) | Value::Object(_) if value.depth() >= MAX_DEPTH => at(
            "exact",
            format!("containers nest more than {MAX_DEPTH} deep, so no call can carry this value"),
        ),
        _ => Ok(()),
    }
}

fn ends<T: PartialOrd>(
    key: &'static str,
    min: &Option<T>,
    max: &Option<T>,
    crossed: &str,
) -> Result<(), Malformed> {
    match (min, max) {
        (None, None) => at(key, NO_BOUND),
        (Some(min), Some(max)) if min > max => at(key, crossed),
        _ => Ok(()),
    }
}

fn url_at(key: &'static str, url: &UrlAt) -> Result<(), Malformed> {
    if url.schemes.is_empty() {
        return at(
            key,
            "the list of schemes is empty; write http, https, ws or wss, or leave `scheme` out",
        );
    }
    if url.port == Some(0) {
        return at(key, "the port is 0; write one from 1 to 65535");
    }
    if url
        .path_under
        .as_deref()
        .is_some_and(|under| !UrlAt::is_path(under))
    {
        return at(
            key,
            "`path_under` is not a path in the form that a URL contains; write one such as \"/v1/orders\", without a final `/` and without dots",
        );
    }
    hosts(key, &url.hosts, is_listed_host, "host_in", "host_under")
}

fn hosts(
    key: &'static str,
    hosts: &Domains,
    is_listed: fn(&str) -> bool,
    exactly: &str,
    under: &str,
) -> Result<(), Malformed> {
    if hosts.is_empty() {
        return at(
            key,
            format!(
                "`{exactly}` and `{under}` are both missing, so nothing would be allowed; write one of them"
            ),
        );
    }
    let unlisted = hosts.exactly.iter().find(|name| !is_listed(name));
    let unlisted = unlisted.or_else(|| hosts.under.iter().find(|name| !is_listed_domain(name)));
    match unlisted {
        None => Ok(()),
        Some(name) => at(
            key,
            format!(
                "`{name}` is not a name in the form that lists accept; write it in lower case, with `xn--` for other letters, at least two labels and no final dot"
            ),
        ),
    }
}
