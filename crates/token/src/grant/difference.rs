//! The search for calls that one list of grants allows and another does not.
//!
//! The calls are made from the bounds of both lists: with values at the edges, just past them, of other types, near
//! patterns, and absent. This module never concludes by itself whether a list allows a call: a judge decides each call,
//! and where people see the result, the judge is the verifier. Unlike [`Grants::is_within`], a search that finds
//! nothing proves nothing.

mod conditions;
mod demand;
mod dimension;
mod draft;
mod hunt;
mod numbers;
mod pattern;
mod space;
#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]
mod tests;
mod texts;
mod times;
mod values;

use std::{
    collections::BTreeMap,
    fmt::{self, Display},
};

use super::{Grant, Grants};
use crate::{escape::name, timestamp::Timestamp, value::Value};
use hunt::Hunt;

/// A call at a time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// The called service.
    pub service: String,
    /// The action.
    pub action: String,
    /// The resource, if the call has one.
    pub resource: Option<String>,
    /// The arguments.
    pub args: BTreeMap<String, Value>,
    /// The time of the call.
    pub time: Timestamp,
}

/// The decisions on one call under two lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Judgement {
    /// The first list refuses the call.
    Refused,
    /// Both allow it.
    Allowed,
    /// The first list allows the call and the second refuses it, for this reason. Calls that are refused for the same
    /// reason are examples of the same difference, so the reason must not contain details of the call.
    Differs(String),
}

/// The part of a grant in which two lists differ.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Aspect {
    /// The service and the action.
    Action,
    /// The resource.
    Resource,
    /// The argument at this path.
    Argument(String),
    /// Arguments that no grant names.
    OtherArguments,
    /// The time of the call.
    Time,
    /// Several of these together.
    Together,
}

/// A difference, with an example.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Position of the grant that allows the example, counted from 0.
    pub grant: usize,
    /// The part of the grant.
    pub aspect: Aspect,
    /// A call that the first list allows and the second refuses.
    pub example: Example,
}

/// The result of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The differences, each with one example.
    pub differences: Vec<Difference>,
    /// True if the first list is proven to allow only what the second allows.
    pub is_within: bool,
    /// Number of calls that were judged.
    pub calls: u64,
    /// True if calls were left when the limit was reached.
    pub is_cut_off: bool,
}

/// Searches for calls that `allowing` allows and `refusing` does not. `judge` decides at most `limit` calls; `now` is
/// the time of calls where the time does not matter.
///
/// ```
/// use bailiwick_token::{grant::{Grants, difference::{Aspect, Judgement, search}}, timestamp::Timestamp};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let grants = |max: u32| Grants::from_toml(&format!(
///     "[[grant]]\nservice = 'erp'\naction = 'order'\nargs = {{ amount = {{ min = 1, max = {max} }} }}"
/// ));
/// // A judge of these two lists only. Others ask a verifier.
/// let found = search(&grants(10)?, &grants(5)?, Timestamp::from_unix(0).ok_or("time")?, 1000, |call| {
///     let amount = call.args.get("amount").and_then(|amount| amount.to_string().parse().ok());
///     Ok::<_, std::convert::Infallible>(match amount {
///         Some(1..=5) => Judgement::Allowed,
///         Some(6..=10) => Judgement::Differs("at most 5".to_owned()),
///         _ => Judgement::Refused,
///     })
/// })?;
/// assert_eq!(found.differences.len(), 1);
/// assert_eq!(found.differences.first().map(|found| &found.aspect), Some(&Aspect::Argument("amount".to_owned())));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// The first error of `judge`.
pub fn search<E>(
    allowing: &Grants,
    refusing: &Grants,
    now: Timestamp,
    limit: u64,
    judge: impl FnMut(&Example) -> Result<Judgement, E>,
) -> Result<Found, E> {
    let mut hunt = Hunt::new(allowing, refusing, now, limit, judge);
    hunt.run()?;
    Ok(hunt.into_found())
}

impl Difference {
    /// Describes in words the calls that the grant allows in this aspect.
    pub fn allowed<'g>(&'g self, grant: &'g Grant) -> impl fmt::Display + 'g {
        fmt::from_fn(move |f| match &self.aspect {
            Aspect::Action | Aspect::Together => {
                write!(
                    f,
                    "{} {}",
                    name(&grant.service),
                    name(&grant.action.to_string())
                )
            }
            Aspect::Resource => match &grant.resource {
                None => f.write_str("any resource, or none"),
                Some(resource) => name(&resource.to_string()).fmt(f),
            },
            Aspect::Argument(path) => match grant.args.as_ref().and_then(|args| args.get(path)) {
                Some(constraint) if constraint.is_any() => f.write_str("any value, or absent"),
                Some(constraint) => constraint.fmt(f),
                None if grant.args.is_none() => f.write_str("any arguments, or none"),
                None => f.write_str("no condition"),
            },
            Aspect::OtherArguments => f.write_str("any arguments, or none"),
            Aspect::Time => match &grant.when {
                None => f.write_str("at any time"),
                Some(when) => when.fmt(f),
            },
        })
    }
}

impl fmt::Display for Aspect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Aspect::Action => f.write_str("the action"),
            Aspect::Resource => f.write_str("the resource"),
            Aspect::Argument(path) => write!(f, "the argument {}", name(path)),
            Aspect::OtherArguments => f.write_str("other arguments"),
            Aspect::Time => f.write_str("the time"),
            Aspect::Together => f.write_str("the grant as a whole"),
        }
    }
}
