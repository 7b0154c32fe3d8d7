//! Holes: places in grants that parameters fill.

use std::collections::BTreeSet;

use bailiwick_token::{
    grant::{Constraint, List, Pattern},
    value::Value,
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
        let segments = self.segments.iter().map(|segment| match segment {
            Item::Fixed(Value::String(text)) => Some(text.clone()),
            Item::Param(name) => values.get(name)?.text(),
            _ => None,
        });
        let text = segments.collect::<Option<Vec<_>>>()?.join("/");
        Some(match self.is_prefix {
            true => Pattern::Prefix(text),
            false => Pattern::Exact(text),
        })
    }
}

impl ArgumentHole {
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
        }
        Some(())
    }
}

impl Items {
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
    pub(super) fn fill(&self, values: &ParamValues) -> Option<Value> {
        match self {
            Item::Fixed(value) => Some(value.clone()),
            Item::Param(name) => values.get(name)?.value(),
            Item::Text(text) => text.fill(values).map(Value::from),
        }
    }
}
