//! The combination of two conditions of the same kind into one.

use std::collections::BTreeSet;

use super::{
    Condition, Domains, Email, Ip, PathUnder, Range, UrlAt, domain::is_label, email::is_unreserved,
    ip, url::is_under,
};
use crate::value::List;

/// The combination of two conditions of the same kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Both {
    /// One condition, met by exactly the values that meet both.
    One(Condition),
    /// No value meets both.
    Never,
    /// No single condition is equivalent to both.
    Neither,
}

impl From<Option<Condition>> for Both {
    fn from(one: Option<Condition>) -> Both {
        one.map_or(Both::Never, Both::One)
    }
}

impl Condition {
    /// Combines two conditions of the same kind.
    pub(crate) fn both(&self, other: &Condition) -> Both {
        use Condition::*;
        if self == other {
            return Both::One(self.clone());
        }
        match (self, other) {
            (Exact(_), Exact(_)) => Both::Never,
            (Present { empty: a }, Present { empty: b }) => Both::One(Present { empty: *a && *b }),
            (
                OneOf {
                    values: a,
                    ignore_case: a_ignores,
                },
                OneOf {
                    values: b,
                    ignore_case: b_ignores,
                },
            ) => one_of((a, *a_ignores), (b, *b_ignores)).into(),
            (NotOneOf(a), NotOneOf(b)) => union(a, b).map(NotOneOf).into(),
            (Prefix(a), Prefix(b)) => longer(a, b, |long, short| long.starts_with(short))
                .map(Prefix)
                .into(),
            (Suffix(a), Suffix(b)) => longer(a, b, |long, short| long.ends_with(short))
                .map(Suffix)
                .into(),
            // One string can contain both texts, even if neither contains the other.
            (Contains(a), Contains(b)) => match longer(a, b, |long, short| long.contains(short)) {
                Some(text) => Both::One(Contains(text)),
                None => Both::Neither,
            },
            // The empty array meets both, but a list without values cannot be written.
            (AllOfIn(a), AllOfIn(b)) => unless_empty(a & b, AllOfIn),
            // The object without members meets both too, and cannot be written either.
            (Members(a), Members(b)) => unless_empty(a & b, Members),
            (MaxLen(a), MaxLen(b)) => Both::One(MaxLen(*a.min(b))),
            (OneLine(a), OneLine(b)) => Both::One(OneLine(*a.min(b))),
            (
                Date { min, max },
                Date {
                    min: low,
                    max: high,
                },
            ) => overlap((min, max), (low, high))
                .map(|(min, max)| Date { min, max })
                .into(),
            (
                Day { min, max },
                Day {
                    min: low,
                    max: high,
                },
            ) => overlap((min, max), (low, high))
                .map(|(min, max)| Day { min, max })
                .into(),
            (
                Count { min, max },
                Count {
                    min: low,
                    max: high,
                },
            ) => overlap((min, max), (low, high))
                .map(|(min, max)| Count { min, max })
                .into(),
            (Number(a), Number(b)) => a.intersect(b).map(Number).into(),
            (Decimal(a), Decimal(b)) => a.intersect(b).map(Decimal).into(),
            (
                Instant { after, before },
                Instant {
                    after: low,
                    before: high,
                },
            ) => {
                let both = overlap((after, before), (low, high));
                // `before` is excluded, so equal bounds leave no time.
                let both = both.filter(|(after, before)| after.is_none() || after != before);
                both.map(|(after, before)| Instant { after, before }).into()
            }
            (Links(None), Links(_)) | (Links(_), Links(None)) => Both::One(Links(None)),
            // Without a place that both allow, a text without links still meets both.
            (Links(Some(a)), Links(Some(b))) => Both::One(Links(a.intersect(b))),
            (Email(a), Email(b)) => a.intersect(b).map(Email).into(),
            (Url(a), Url(b)) => a.intersect(b).map(Url).into(),
            (Path(a), Path(b)) => a.intersect(b).map(Path).into(),
            (Ip(a), Ip(b)) => a.intersect(b).map(Ip).into(),
            (
                Sum { min, max, negative },
                Sum {
                    min: low,
                    max: high,
                    negative: other,
                },
            ) => {
                let both = overlap((min, max), (low, high));
                let negative = *negative && *other;
                both.map(|(min, max)| Sum { min, max, negative }).into()
            }
            (
                EqualsSum { of, negative },
                EqualsSum {
                    of: other_of,
                    negative: other,
                },
            ) if of == other_of => Both::One(EqualsSum {
                of: of.clone(),
                negative: *negative && *other,
            }),
            // Two patterns, two sums, two other arguments, and conditions of different kinds.
            _ => Both::Neither,
        }
    }
}

fn unless_empty<T>(set: BTreeSet<T>, condition: fn(BTreeSet<T>) -> Condition) -> Both {
    match set.is_empty() {
        true => Both::Neither,
        false => Both::One(condition(set)),
    }
}

/// Returns the values that both lists allow; `None` if there are none.
fn one_of((a, a_ignores): (&List, bool), (b, b_ignores): (&List, bool)) -> Option<Condition> {
    let (List::Strings(a), List::Strings(b)) = (a, b) else {
        return common(a, b).map(|values| Condition::OneOf {
            values,
            ignore_case: false,
        });
    };
    let listed = |set: &BTreeSet<String>, ignores: bool, value: &String| match ignores {
        true => set.iter().any(|listed| listed.eq_ignore_ascii_case(value)),
        false => set.contains(value),
    };
    // If one list compares with case, only its spelling meets both.
    let values: BTreeSet<String> = match a_ignores {
        true => b
            .iter()
            .filter(|value| listed(a, a_ignores, value))
            .cloned()
            .collect(),
        false => a
            .iter()
            .filter(|value| listed(b, b_ignores, value))
            .cloned()
            .collect(),
    };
    (!values.is_empty()).then_some(Condition::OneOf {
        values: List::Strings(values),
        ignore_case: a_ignores && b_ignores,
    })
}

fn common(a: &List, b: &List) -> Option<List> {
    let list = match (a, b) {
        (List::Strings(a), List::Strings(b)) => List::Strings(a & b),
        (List::Numbers(a), List::Numbers(b)) => List::Numbers(a & b),
        (List::Bools(a), List::Bools(b)) => List::Bools(a & b),
        _ => return None,
    };
    (!list.is_empty()).then_some(list)
}

/// Returns all values of two lists; `None` if their types differ, since no value has both types.
fn union(a: &List, b: &List) -> Option<List> {
    match (a, b) {
        (List::Strings(a), List::Strings(b)) => Some(List::Strings(a | b)),
        (List::Numbers(a), List::Numbers(b)) => Some(List::Numbers(a | b)),
        (List::Bools(a), List::Bools(b)) => Some(List::Bools(a | b)),
        _ => None,
    }
}

fn longer(a: &str, b: &str, covers: impl Fn(&str, &str) -> bool) -> Option<String> {
    match (covers(a, b), covers(b, a)) {
        (true, _) => Some(a.to_owned()),
        (false, true) => Some(b.to_owned()),
        (false, false) => None,
    }
}

type Ends<T> = (Option<T>, Option<T>);

/// Returns the common part of two ranges; `None` if there is none.
fn overlap<T: PartialOrd + Copy>(
    (min, max): (&Option<T>, &Option<T>),
    (low, high): (&Option<T>, &Option<T>),
) -> Option<Ends<T>> {
    let tighter = |a: &Option<T>, b: &Option<T>, is_tighter: fn(&T, &T) -> bool| match (a, b) {
        (Some(a), Some(b)) => Some(if is_tighter(a, b) { *a } else { *b }),
        (a, b) => a.or(*b),
    };
    let min = tighter(min, low, |a, b| a > b);
    let max = tighter(max, high, |a, b| a < b);
    let crossed = min.zip(max).is_some_and(|(min, max)| min > max);
    (!crossed).then_some((min, max))
}

impl Range {
    fn intersect(&self, other: &Range) -> Option<Range> {
        let (min, max) = overlap((&self.min, &self.max), (&other.min, &other.max))?;
        let scale = match (self.scale, other.scale) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        let range = Range {
            min,
            max,
            scale,
            positive: self.positive || other.positive,
        };
        (!range.is_empty()).then_some(range)
    }
}

fn domains(a: &Domains, b: &Domains, fit: impl Fn(&str) -> bool) -> Option<Domains> {
    let both = a.intersect(b, fit);
    (!both.is_empty()).then_some(both)
}

impl Email {
    fn intersect(&self, other: &Email) -> Option<Email> {
        Some(Email {
            domains: domains(&self.domains, &other.domains, is_unreserved)?,
            tag: self.tag && other.tag,
        })
    }
}

impl UrlAt {
    fn intersect(&self, other: &UrlAt) -> Option<UrlAt> {
        let schemes = &self.schemes & &other.schemes;
        let path_under = match (&self.path_under, &other.path_under) {
            (Some(a), Some(b)) => Some(longer(a, b, is_under)?),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let both = UrlAt {
            schemes,
            hosts: domains(&self.hosts, &other.hosts, is_label)?,
            port: self.port.filter(|port| other.port == Some(*port)),
            path_under,
            query: self.query && other.query,
        };
        (!both.schemes.is_empty()).then_some(both)
    }
}

impl PathUnder {
    fn intersect(&self, other: &PathUnder) -> Option<PathUnder> {
        Some(PathUnder {
            under: longer(&self.under, &other.under, is_under)?,
            // `Plain` is less than `Any`.
            chars: self.chars.min(other.chars),
        })
    }
}

impl Ip {
    fn intersect(&self, other: &Ip) -> Option<Ip> {
        let both = |these: &Ip, those: &Ip| {
            let both = these.networks().iter().filter(|network| {
                let mut those = those.networks().iter();
                those.any(|wide| ip::is_within(network, wide))
            });
            both.copied().collect::<Vec<_>>()
        };
        Ip::new([both(self, other), both(other, self)].concat())
    }
}
