//! The proof that every value that meets one condition meets another.

use super::{
    Condition, Email, Ip, PathChars, PathUnder, Range, UrlAt, check::MAX_SCALE, domain::is_label,
    email::is_unreserved, ip, merge::Types, url::is_under,
};
use crate::value::{List, Micros};

impl Condition {
    /// Returns true if each value that meets this condition meets `wide`. False may only mean that no proof was found.
    /// Listed values are not tried one by one here.
    pub(crate) fn implies(&self, wide: &Condition) -> bool {
        use Condition::*;
        match (self, wide) {
            (Exact(narrow), Exact(wide)) => narrow == wide,
            // Every condition requires the argument to be present.
            (_, Present { empty: true }) => true,
            (narrow, Present { empty: false }) => narrow.needs_more_than_empty(),
            (
                OneOf {
                    values: List::Strings(narrow),
                    ignore_case,
                },
                OneOf {
                    values: List::Strings(wide),
                    ignore_case: wide_ignores,
                },
            ) => narrow
                .iter()
                .all(|value| match (ignore_case, wide_ignores) {
                    (false, false) => wide.contains(value),
                    (_, true) => wide.iter().any(|wide| wide.eq_ignore_ascii_case(value)),
                    (true, false) => false,
                }),
            (NotOneOf(narrow), NotOneOf(wide)) => includes(narrow, wide),
            (Prefix(narrow), Prefix(wide)) => narrow.starts_with(wide),
            (Suffix(narrow), Suffix(wide)) => narrow.ends_with(wide),
            (Prefix(narrow) | Suffix(narrow) | Contains(narrow), Contains(wide)) => {
                narrow.contains(wide)
            }
            (AllOfIn(narrow), AllOfIn(wide)) => narrow.is_subset(wide),
            (MaxLen(narrow), MaxLen(wide)) | (OneLine(narrow), OneLine(wide)) => narrow <= wide,
            (OneLine(narrow), MaxLen(wide)) => narrow <= wide,
            (
                Date { min, max },
                Date {
                    min: low,
                    max: high,
                },
            ) => inside((min, max), (low, high)),
            (
                Day { min, max },
                Day {
                    min: low,
                    max: high,
                },
            ) => inside((min, max), (low, high)),
            (Number(narrow), Number(wide)) | (Decimal(narrow), Decimal(wide)) => {
                narrow.is_within(wide)
            }
            (
                Instant { after, before },
                Instant {
                    after: low,
                    before: high,
                },
            ) => inside((after, before), (low, high)),
            (Matches(narrow), Matches(wide)) => narrow == wide,
            (Links(None), Links(_)) => true,
            (Links(Some(narrow)), Links(Some(wide))) | (Url(narrow), Url(wide)) => {
                narrow.is_within(wide)
            }
            (Email(narrow), Email(wide)) => narrow.is_within(wide),
            (Path(narrow), Path(wide)) => narrow.is_within(wide),
            (Ip(narrow), Ip(wide)) => narrow.is_within(wide),
            (
                Count { min, max },
                Count {
                    min: low,
                    max: high,
                },
            ) => inside((min, max), (low, high)),
            (
                Sum { min, max, negative },
                Sum {
                    min: low,
                    max: high,
                    negative: wide_negative,
                },
            ) => inside((min, max), (low, high)) && (!negative || *wide_negative),
            (
                EqualsSum { of, negative },
                EqualsSum {
                    of: wide_of,
                    negative: wide_negative,
                },
            ) => of == wide_of && (!negative || *wide_negative),
            (EqualsArg(narrow), EqualsArg(wide)) => narrow == wide,
            (DiffersFromArg(narrow), DiffersFromArg(wide)) => narrow == wide,
            (Members(narrow), Members(wide)) => narrow.is_subset(wide),
            _ => false,
        }
    }

    /// Returns true if neither null nor an empty string, array or object meets the condition.
    fn needs_more_than_empty(&self) -> bool {
        match self {
            Condition::Present { empty } => !empty,
            // The parsers refuse empty texts, and so does the check of grants.
            Condition::Prefix(text) | Condition::Suffix(text) | Condition::Contains(text) => {
                !text.is_empty()
            }
            Condition::Number(_)
            | Condition::Decimal(_)
            | Condition::Date { .. }
            | Condition::Day { .. }
            | Condition::Instant { .. }
            | Condition::Email(_)
            | Condition::Url(_)
            | Condition::Path(_)
            | Condition::Ip(_)
            | Condition::EqualsSum { .. }
            | Condition::Sum { .. } => true,
            Condition::Count { min, .. } => min.is_some_and(|min| min > 0),
            _ => false,
        }
    }

    /// Returns true if only strings meet the condition.
    pub(crate) fn is_about_strings(&self) -> bool {
        self.types() == Types::STRING
    }
}

/// Returns true if the first range lies within the second. `None` is no bound.
fn inside<T: PartialOrd>(
    (min, max): (&Option<T>, &Option<T>),
    (low, high): (&Option<T>, &Option<T>),
) -> bool {
    let above = low
        .as_ref()
        .is_none_or(|low| min.as_ref().is_some_and(|min| min >= low));
    let below = high
        .as_ref()
        .is_none_or(|high| max.as_ref().is_some_and(|max| max <= high));
    above && below
}

/// Returns true if `all` has the type of `some` and each of its values.
fn includes(all: &List, some: &List) -> bool {
    match (all, some) {
        (List::Strings(all), List::Strings(some)) => some.is_subset(all),
        (List::Numbers(all), List::Numbers(some)) => some.is_subset(all),
        (List::Bools(all), List::Bools(some)) => some.is_subset(all),
        _ => false,
    }
}

impl Range {
    fn is_within(&self, wide: &Range) -> bool {
        let is_positive = self.positive || self.min.is_some_and(|min| min > Micros(0));
        let above = wide.min.is_none_or(|low| {
            self.min.is_some_and(|min| min >= low) || (is_positive && low <= Micros(0))
        });
        let below = wide
            .max
            .is_none_or(|high| self.max.is_some_and(|max| max <= high));
        // No number that is compared has more decimals than `MAX_SCALE`.
        let scale = wide
            .scale
            .is_none_or(|wide| wide >= MAX_SCALE || self.scale.is_some_and(|scale| scale <= wide));
        above && below && scale && (is_positive || !wide.positive)
    }
}

impl Email {
    fn is_within(&self, wide: &Email) -> bool {
        self.domains.are_within(&wide.domains, is_unreserved) && (!self.tag || wide.tag)
    }
}

impl UrlAt {
    fn is_within(&self, wide: &UrlAt) -> bool {
        let path = match (&self.path_under, &wide.path_under) {
            (_, None) => true,
            (None, Some(_)) => false,
            (Some(narrow), Some(wide)) => is_under(narrow, wide),
        };
        self.schemes.is_subset(&wide.schemes)
            && self.hosts.are_within(&wide.hosts, is_label)
            && (self.port.is_none() || self.port == wide.port)
            && path
            && (!self.query || wide.query)
    }
}

impl PathUnder {
    fn is_within(&self, wide: &PathUnder) -> bool {
        let chars = self.chars == PathChars::Plain || wide.chars == PathChars::Any;
        is_under(&self.under, &wide.under) && chars
    }
}

impl Ip {
    fn is_within(&self, wide: &Ip) -> bool {
        self.networks().iter().all(|network| {
            let mut wide = wide.networks().iter();
            wide.any(|wide| ip::is_within(network, wide))
        })
    }
}
