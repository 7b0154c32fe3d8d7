//! Holes: places in grants that parameters fill.

use std::collections::BTreeSet;

use bailiwick_token::{
    condition::{Condition, Domains, Instant, is_listed_domain},
    grant::{Bound, Constraint, List, Pattern},
    value::{Micros, Value},
};

use crate::profile::{
    param::{ParamValue, ParamValues},
    text::Text,
};

/// A place in the grants that a parameter fills.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hole {
    pub(super) grant: usize,
    /// The path of the place, such as `grant[0].args.amount.max`.
    pub(super) path: String,
    pub(super) place: HolePlace,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum HolePlace {
    Resource(Resource),
    /// A condition on the argument of this name.
    Argument(String, ArgumentHole),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum ArgumentHole {
    Exact(Item),
    OneOf(Items),
    AllOfIn(Items),
    Min(String),
    Max(String),
    Prefix(Text),
    /// A list that is compared without case.
    OneOfAnyCase(Items),
    After(String),
    Before(String),
    SumMin(String),
    SumMax(String),
    /// The domains or hosts of a condition of this kind.
    Domains {
        kind: &'static str,
        list: DomainList,
        items: Items,
    },
    /// The segments of a directory.
    Under(Vec<Item>),
    /// Not filled by a parameter: marks the argument as optional. This mark would otherwise be lost when parameters
    /// fill all conditions of the argument.
    Optional,
    /// Not filled by a parameter: removes the condition that stood in for those that parameters fill.
    Present,
}

/// One of the two lists of domains that a condition has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum DomainList {
    Exactly,
    Under,
}

/// A resource pattern in which some segments are parameters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Resource {
    pub(super) segments: Vec<Item>,
    /// True if the pattern ends in a star.
    pub(super) is_prefix: bool,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Items {
    Param(String),
    List(Vec<Item>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item {
    Fixed(Value),
    Param(String),
    Text(Text),
}

impl Resource {
    pub(super) fn fill(&self, values: &ParamValues) -> Option<Pattern> {
        let text = joined(&self.segments, values)?;
        Some(match self.is_prefix {
            true => Pattern::Prefix(text),
            false => Pattern::Exact(text),
        })
    }
}

impl ArgumentHole {
    /// Returns true if the hole cannot be checked with a sample: a bound could contradict a fixed one, and a sample
    /// is not a domain.
    pub(super) fn takes_no_sample(&self) -> bool {
        matches!(
            self,
            ArgumentHole::Min(_)
                | ArgumentHole::Max(_)
                | ArgumentHole::After(_)
                | ArgumentHole::Before(_)
                | ArgumentHole::SumMin(_)
                | ArgumentHole::SumMax(_)
                | ArgumentHole::Domains { .. }
        )
    }

    /// The fault of a value that does not fit.
    pub(super) fn fault(&self) -> &'static str {
        match self {
            ArgumentHole::Domains { .. } => "is not the name of a domain, in lower case",
            ArgumentHole::Under(_) => "is not a path of a directory",
            _ => "is too long, or cannot be compared exactly",
        }
    }

    pub(super) fn params<'t>(&'t self, names: &mut BTreeSet<&'t str>) {
        match self {
            ArgumentHole::Exact(item) => item.params(names),
            ArgumentHole::OneOf(items)
            | ArgumentHole::AllOfIn(items)
            | ArgumentHole::OneOfAnyCase(items)
            | ArgumentHole::Domains { items, .. } => items.params(names),
            ArgumentHole::Min(name)
            | ArgumentHole::Max(name)
            | ArgumentHole::After(name)
            | ArgumentHole::Before(name)
            | ArgumentHole::SumMin(name)
            | ArgumentHole::SumMax(name) => {
                names.insert(name);
            }
            ArgumentHole::Prefix(text) => names.extend(text.params()),
            ArgumentHole::Under(segments) => segments.iter().for_each(|item| item.params(names)),
            ArgumentHole::Optional | ArgumentHole::Present => {}
        }
    }

    pub(super) fn fill(&self, constraint: &mut Constraint, values: &ParamValues) -> Option<()> {
        match self {
            ArgumentHole::Exact(item) => constraint.exact = Some(item.fill(values)?),
            ArgumentHole::OneOf(items) => {
                let list = List::from_values(&items.fill(values)?).ok()?;
                constraint.one_of = Some(list);
            }
            ArgumentHole::AllOfIn(items) => {
                let items = items.fill(values)?;
                let set: Option<BTreeSet<_>> = items.iter().map(Value::as_scalar).collect();
                constraint.all_of_in = Some(set?);
            }
            ArgumentHole::Min(name) => constraint.min = Some(values.get(name)?.bound()?),
            ArgumentHole::Max(name) => constraint.max = Some(values.get(name)?.bound()?),
            ArgumentHole::Prefix(text) => constraint.prefix = Some(text.fill(values)?),
            ArgumentHole::OneOfAnyCase(items) => {
                let list = List::from_values(&items.fill(values)?).ok()?;
                let Condition::OneOf { values, .. } = condition(constraint, "one_of")? else {
                    return None;
                };
                *values = list;
            }
            ArgumentHole::After(name) => {
                let time = instant(name, values)?;
                let Condition::Instant { after, .. } = condition(constraint, "instant")? else {
                    return None;
                };
                *after = Some(time);
            }
            ArgumentHole::Before(name) => {
                let time = instant(name, values)?;
                let Condition::Instant { before, .. } = condition(constraint, "instant")? else {
                    return None;
                };
                *before = Some(time);
            }
            ArgumentHole::SumMin(name) => {
                let bound = micros(name, values)?;
                let Condition::Sum { min, .. } = condition(constraint, "sum")? else {
                    return None;
                };
                *min = Some(bound);
            }
            ArgumentHole::SumMax(name) => {
                let bound = micros(name, values)?;
                let Condition::Sum { max, .. } = condition(constraint, "sum")? else {
                    return None;
                };
                *max = Some(bound);
            }
            ArgumentHole::Domains { kind, list, items } => {
                let names = items.domains(values)?;
                let domains = domains(condition(constraint, kind)?)?;
                match list {
                    DomainList::Exactly => domains.exactly = names,
                    DomainList::Under => domains.under = names,
                }
            }
            ArgumentHole::Under(segments) => {
                let under = joined(segments, values)?;
                let Condition::Path(path) = condition(constraint, "path")? else {
                    return None;
                };
                path.under = under;
            }
            ArgumentHole::Optional => *constraint = std::mem::take(constraint).optional(),
            ArgumentHole::Present => {
                let conditions = &mut constraint.meets.as_mut()?.conditions;
                conditions.retain(|condition| *condition != Condition::Present { empty: true });
            }
        }
        Some(())
    }
}

/// The condition of this kind.
fn condition<'c>(constraint: &'c mut Constraint, kind: &str) -> Option<&'c mut Condition> {
    let mut conditions = constraint.meets.as_mut()?.conditions.iter_mut();
    conditions.find(|condition| condition.kind() == kind)
}

fn domains(condition: &mut Condition) -> Option<&mut Domains> {
    match condition {
        Condition::Email(email) => Some(&mut email.domains),
        Condition::Url(url) | Condition::Links(Some(url)) => Some(&mut url.hosts),
        _ => None,
    }
}

fn instant(name: &str, values: &ParamValues) -> Option<Instant> {
    match values.get(name)?.bound()? {
        Bound::Date(date) => Instant::parse(&date.to_string()),
        Bound::Number(_) => None,
    }
}

fn micros(name: &str, values: &ParamValues) -> Option<Micros> {
    match values.get(name)?.bound()? {
        Bound::Number(micros) => Some(micros),
        Bound::Date(_) => None,
    }
}

/// Segments with their parameters filled in, as a path.
fn joined(segments: &[Item], values: &ParamValues) -> Option<String> {
    let segments = segments.iter().map(|segment| match segment {
        Item::Fixed(Value::String(text)) => Some(text.clone()),
        Item::Param(name) => values.get(name)?.text(),
        _ => None,
    });
    Some(segments.collect::<Option<Vec<_>>>()?.join("/"))
}

impl Items {
    pub(super) fn params<'t>(&'t self, names: &mut BTreeSet<&'t str>) {
        match self {
            Items::Param(name) => {
                names.insert(name);
            }
            Items::List(items) => items.iter().for_each(|item| item.params(names)),
        }
    }

    /// The names of domains. Those that a claim states must be such names.
    fn domains(&self, values: &ParamValues) -> Option<BTreeSet<String>> {
        let name = |text: &str| is_listed_domain(text).then(|| text.to_owned());
        match self {
            Items::Param(param) => match values.get(param)? {
                ParamValue::Strings(set) => set.iter().map(|text| name(text)).collect(),
                _ => None,
            },
            Items::List(items) => {
                let names = items.iter().map(|item| match item {
                    Item::Fixed(Value::String(text)) => Some(text.clone()),
                    Item::Param(param) => name(&values.get(param)?.text()?),
                    _ => None,
                });
                names.collect()
            }
        }
    }

    pub(super) fn fill(&self, values: &ParamValues) -> Option<Vec<Value>> {
        match self {
            Items::Param(name) => match values.get(name)? {
                ParamValue::Strings(set) => {
                    Some(set.iter().map(|text| Value::from(text.as_str())).collect())
                }
                _ => None,
            },
            Items::List(items) => items.iter().map(|item| item.fill(values)).collect(),
        }
    }
}

impl Item {
    pub(super) fn params<'t>(&'t self, names: &mut BTreeSet<&'t str>) {
        match self {
            Item::Fixed(_) => {}
            Item::Param(name) => {
                names.insert(name);
            }
            Item::Text(text) => names.extend(text.params()),
        }
    }

    pub(super) fn fill(&self, values: &ParamValues) -> Option<Value> {
        match self {
            Item::Fixed(value) => Some(value.clone()),
            Item::Param(name) => values.get(name)?.value(),
            Item::Text(text) => text.fill(values).map(Value::from),
        }
    }
}
