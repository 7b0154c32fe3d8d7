//! The intersection of lists of grants: the calls that all of them allow.

use std::collections::BTreeSet;

use super::{
    Bound, Constraint, Grant, Grants, List,
    normal::normalize,
    table::{Args, below, may_be_absent, members},
    top_level,
};
use crate::{
    condition::{Meets, Merged, above, merge_values, steps_above},
    value::Value,
};

/// Maximum number of combinations to list. A token within its limits can have many more, too many for a person
/// to read.
const MAX_COMBINATIONS: usize = 1024;

/// One way in which a call can be inside several scopes at once: all of these grants must allow it. The list
/// has a single grant wherever one grant can express it.
pub type Effective = Vec<Grant>;

/// The error of scopes that combine in too many ways to list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "the blocks combine in more than {MAX_COMBINATIONS} ways and cannot be summed up; read the blocks one by one"
)]
pub struct TooManyCombinations;

impl Grants {
    /// Returns the effective authority: the calls that this list and all of `scopes` allow.
    ///
    /// An empty result means that no call is allowed.
    ///
    /// # Errors
    /// [`TooManyCombinations`] if there are too many combinations to list.
    pub fn within<'a>(
        &self,
        scopes: impl IntoIterator<Item = &'a Grants>,
    ) -> Result<Vec<Effective>, TooManyCombinations> {
        let mut left: Vec<Effective> = self.iter().map(|grant| vec![grant.clone()]).collect();
        for scope in scopes {
            let mut next: Vec<Effective> = Vec::new();
            for all in &left {
                for alternative in scope {
                    let Some(narrowed) = narrow(all, alternative) else {
                        continue;
                    };
                    // Repetitions would multiply with each further scope.
                    if next.contains(&narrowed) {
                        continue;
                    }
                    if next.len() == MAX_COMBINATIONS {
                        return Err(TooManyCombinations);
                    }
                    next.push(narrowed);
                }
            }
            left = next;
        }
        Ok(left)
    }
}

/// Adds `grant` to `all`, merging it into the first grant that can express both. Returns `None` if no call
/// meets all of them.
fn narrow(all: &[Grant], grant: &Grant) -> Option<Effective> {
    let mut all = all.to_vec();
    for part in &mut all {
        match part.intersect(grant) {
            Err(NoSingle::Nothing) => return None,
            Ok(one) => {
                *part = one;
                return Some(all);
            }
            Err(NoSingle::Both) => {}
        }
    }
    all.push(grant.clone());
    Some(all)
}

/// The reason why no single grant allows exactly the calls that two grants allow.
enum NoSingle {
    /// No call meets both grants.
    Nothing,
    /// A call must meet both grants, which no single grant can express.
    Both,
}

impl Grant {
    fn intersect(&self, other: &Grant) -> Result<Grant, NoSingle> {
        let Some(action) = self.action.intersect(&other.action) else {
            return Err(NoSingle::Nothing);
        };
        if self.service != other.service {
            return Err(NoSingle::Nothing);
        }
        let resource = match (&self.resource, &other.resource) {
            (Some(a), Some(b)) => match a.intersect(b) {
                Some(resource) => Some(resource),
                None => return Err(NoSingle::Nothing),
            },
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let args = match (&self.args, &other.args) {
            (Some(a), Some(b)) => Some(arguments(a, b)?),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let when = match (&self.when, &other.when) {
            (Some(a), Some(b)) => match a.both(b) {
                Ok(Some(both)) => Some(both),
                Ok(None) => return Err(NoSingle::Nothing),
                Err(_) => return Err(NoSingle::Both),
            },
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        Ok(Grant {
            service: self.service.clone(),
            action,
            resource,
            args,
            when,
        })
    }
}

fn arguments(a: &Args, b: &Args) -> Result<Args, NoSingle> {
    let names = |args: &Args| {
        args.keys()
            .map(|name| top_level(name).to_owned())
            .collect::<BTreeSet<_>>()
    };
    let (in_a, in_b) = (names(a), names(b));
    // One side denies an argument that only the other side lists, so the other must let it be absent.
    for (args, others) in [(a, &in_b), (b, &in_a)] {
        let mut unshared = args
            .keys()
            .map(|name| top_level(name))
            .filter(|name| !others.contains(*name));
        if !unshared.all(|name| may_be_absent(args, name)) {
            return Err(NoSingle::Nothing);
        }
    }
    let shared = |name: &str| in_a.contains(top_level(name)) && in_b.contains(top_level(name));
    let paths: BTreeSet<&String> = a
        .keys()
        .chain(b.keys())
        .filter(|name| shared(name))
        .collect();
    let mut both = Args::new();
    for path in paths {
        let merged = match (a.get(path), b.get(path)) {
            (Some(a), Some(b)) if a.meets.is_none() && b.meets.is_none() => a.intersect(b)?,
            (Some(one), None) | (None, Some(one)) if one.meets.is_none() => one.clone(),
            (one, other) => meets(path, one, other, (a, b))?,
        };
        both.insert(path.clone(), merged);
    }
    // A path leads to a member that its closed object does not list: no call meets both, or only one without
    // that object.
    let misplaced = both.keys().any(|path| {
        let mut steps = steps_above(path);
        steps
            .any(|(parent, name)| members(&both, parent).is_some_and(|names| !names.contains(name)))
    });
    if misplaced {
        return Err(NoSingle::Both);
    }
    drop_stars(&mut both);
    match normalize(&mut both) {
        Ok(()) => Ok(both),
        Err(_) => Err(NoSingle::Both),
    }
}

/// Merges the constraints at a path, at least one of which is in `meets`.
fn meets(
    path: &str,
    one: Option<&Constraint>,
    other: Option<&Constraint>,
    (a, b): (&Args, &Args),
) -> Result<Constraint, NoSingle> {
    // A part may be absent only if both sides let it be absent.
    let optional = |part: &str| may_be_absent(a, part) && may_be_absent(b, part);
    let conditions = [one, other]
        .into_iter()
        .flatten()
        .flat_map(Constraint::conditions);
    match merge_values(conditions.collect(), path.contains('.')) {
        // Conditions on members below the path already require that it is there.
        Merged::Into(conditions) if conditions.is_empty() && !optional(path) => {
            Ok(Constraint::any())
        }
        Merged::Into(conditions) => Ok(Constraint {
            meets: Some(Meets {
                optional: optional(path),
                conditions,
            }),
            ..Constraint::any()
        }),
        // No value meets both, but the member may be absent.
        Merged::Never if above(path).chain([path]).any(optional) => Err(NoSingle::Both),
        Merged::Never => Err(NoSingle::Nothing),
        Merged::Neither(_) => Err(NoSingle::Both),
    }
}

/// Drops wildcards beside constraints on members of the same argument, to which they add nothing.
fn drop_stars(args: &mut Args) {
    let stars = args
        .iter()
        .filter(|(name, constraint)| constraint.is_any() && below(args, name).next().is_some());
    let stars: Vec<String> = stars.map(|(name, _)| name.clone()).collect();
    for star in stars {
        args.remove(&star);
    }
}

impl Constraint {
    /// Intersects the basic conditions, and ignores those in `meets`.
    fn intersect(&self, other: &Constraint) -> Result<Constraint, NoSingle> {
        let exact = match (&self.exact, &other.exact) {
            (Some(a), Some(b)) if a != b => return Err(NoSingle::Nothing),
            (a, b) => a.clone().or_else(|| b.clone()),
        };
        let merged = Constraint {
            exact,
            one_of: either(&self.one_of, &other.one_of, common)?,
            not_one_of: either(&self.not_one_of, &other.not_one_of, union)?,
            min: either(&self.min, &other.min, |a, b| {
                same_kind(*a, *b, (*a).max(*b))
            })?,
            max: either(&self.max, &other.max, |a, b| {
                same_kind(*a, *b, (*a).min(*b))
            })?,
            prefix: either(&self.prefix, &other.prefix, |a, b| {
                longer(a, b, |long, short| long.starts_with(short))
            })?,
            suffix: either(&self.suffix, &other.suffix, |a, b| {
                longer(a, b, |long, short| long.ends_with(short))
            })?,
            contains: either(&self.contains, &other.contains, |a, b| {
                // One string can contain both texts, even if neither contains the other.
                longer(a, b, |long, short| long.contains(short)).map_err(|_| NoSingle::Both)
            })?,
            all_of_in: either(&self.all_of_in, &other.all_of_in, |a, b| {
                let common: BTreeSet<_> = a.intersection(b).cloned().collect();
                // The empty array still meets both conditions, but a set without elements cannot be written.
                if common.is_empty() {
                    Err(NoSingle::Both)
                } else {
                    Ok(common)
                }
            })?,
            max_len: either(&self.max_len, &other.max_len, |a, b| Ok(*a.min(b)))?,
            meets: None,
        };
        merged.satisfiable()
    }

    /// Drops conditions that another condition implies; [`NoSingle::Nothing`] if two conditions contradict
    /// each other.
    fn satisfiable(mut self) -> Result<Constraint, NoSingle> {
        if let (Some(min), Some(max)) = (self.min, self.max)
            && (same_kind(min, max, min).is_err() || min > max)
        {
            return Err(NoSingle::Nothing);
        }
        if let Some(value) = &self.exact {
            let in_list = self.one_of.as_ref().is_none_or(|list| list.holds(value));
            let not_in_list = self
                .not_one_of
                .as_ref()
                .is_none_or(|list| list.has_type_of(value) && !list.holds(value));
            let in_range = self.min.is_none_or(|min| bounded(value, |v| v >= min, min))
                && self.max.is_none_or(|max| bounded(value, |v| v <= max, max));
            if !in_list || !not_in_list || !in_range {
                return Err(NoSingle::Nothing);
            }
            // The exact value meets these conditions, so they add nothing.
            (self.one_of, self.not_one_of, self.min, self.max) = (None, None, None, None);
        }
        Ok(self)
    }
}

/// Combines two optional conditions: the one that is set, or both merged.
fn either<T: Clone>(
    a: &Option<T>,
    b: &Option<T>,
    merge: impl Fn(&T, &T) -> Result<T, NoSingle>,
) -> Result<Option<T>, NoSingle> {
    match (a, b) {
        (Some(a), Some(b)) => merge(a, b).map(Some),
        (a, b) => Ok(a.clone().or_else(|| b.clone())),
    }
}

/// Returns `chosen` if both bounds are numbers or both are dates. No value meets bounds of both kinds.
fn same_kind(a: Bound, b: Bound, chosen: Bound) -> Result<Bound, NoSingle> {
    match (a, b) {
        (Bound::Number(_), Bound::Number(_)) | (Bound::Date(_), Bound::Date(_)) => Ok(chosen),
        _ => Err(NoSingle::Nothing),
    }
}

fn longer(a: &str, b: &str, covers: impl Fn(&str, &str) -> bool) -> Result<String, NoSingle> {
    if covers(a, b) {
        Ok(a.to_owned())
    } else if covers(b, a) {
        Ok(b.to_owned())
    } else {
        Err(NoSingle::Nothing)
    }
}

fn common(a: &List, b: &List) -> Result<List, NoSingle> {
    let list = match (a, b) {
        (List::Strings(a), List::Strings(b)) => List::Strings(a.intersection(b).cloned().collect()),
        (List::Numbers(a), List::Numbers(b)) => List::Numbers(a.intersection(b).copied().collect()),
        (List::Bools(a), List::Bools(b)) => List::Bools(a.intersection(b).copied().collect()),
        _ => return Err(NoSingle::Nothing),
    };
    if list.is_empty() {
        Err(NoSingle::Nothing)
    } else {
        Ok(list)
    }
}

fn union(a: &List, b: &List) -> Result<List, NoSingle> {
    match (a, b) {
        (List::Strings(a), List::Strings(b)) => Ok(List::Strings(a | b)),
        (List::Numbers(a), List::Numbers(b)) => Ok(List::Numbers(a | b)),
        (List::Bools(a), List::Bools(b)) => Ok(List::Bools(a | b)),
        // No value has both types.
        _ => Err(NoSingle::Nothing),
    }
}

/// Returns true if `value` has the type of `bound`, and `holds` is true for the value in that form.
pub(super) fn bounded(value: &Value, holds: impl Fn(Bound) -> bool, bound: Bound) -> bool {
    let value = match (value, bound) {
        (Value::Number(number), Bound::Number(_)) => number.micros().map(Bound::Number),
        (Value::String(text), Bound::Date(_)) => text.parse().ok().map(Bound::Date),
        _ => None,
    };
    value.is_some_and(holds)
}
