//! One part of a call, with the choices that are tried for it.

use std::collections::BTreeSet;

use super::{Aspect, values};
use crate::{
    grant::{Grant, Pattern},
    timestamp::Timestamp,
    value::Value,
};

/// Maximum number of choices of one argument.
const MAX_CHOICES: usize = 400;

/// A part of a call.
pub(super) struct Dimension {
    pub(super) aspect: Aspect,
    pub(super) choices: Vec<Choice>,
}

/// One choice for a part of a call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Choice {
    Action(String),
    Resource(Option<String>),
    /// The value at a path, or its absence.
    Value(String, Option<Value>),
    /// An argument that no grant names.
    Other(String),
    Time(Timestamp),
}

impl Dimension {
    pub(super) fn actions(grant: &Grant, others: &[&Grant]) -> Dimension {
        let patterns = others
            .iter()
            .map(|other| &other.action)
            .chain([&grant.action]);
        let actions: BTreeSet<String> = patterns
            .flat_map(near)
            .filter(|action| grant.action.matches(action))
            .collect();
        Dimension {
            aspect: Aspect::Action,
            choices: actions.into_iter().map(Choice::Action).collect(),
        }
    }

    pub(super) fn resources(grant: &Grant, others: &[&Grant]) -> Dimension {
        let patterns = others
            .iter()
            .map(|other| &other.resource)
            .chain([&grant.resource]);
        let resources: BTreeSet<String> = patterns
            .flatten()
            .flat_map(near)
            .chain(["other".to_owned()])
            .filter(|resource| {
                grant
                    .resource
                    .as_ref()
                    .is_none_or(|own| own.matches(resource))
            })
            .collect();
        let resources = resources
            .into_iter()
            .map(|resource| Choice::Resource(Some(resource)));
        Dimension {
            aspect: Aspect::Resource,
            choices: resources.chain([Choice::Resource(None)]).collect(),
        }
    }

    pub(super) fn values(path: &str, pool: Vec<Value>) -> Dimension {
        let mut choices: Vec<Choice> = Vec::new();
        let mut known = BTreeSet::new();
        for value in pool.into_iter().chain(values::of_each_type()) {
            if choices.len() < MAX_CHOICES && known.insert(value.clone()) {
                choices.push(Choice::Value(path.to_owned(), Some(value)));
            }
        }
        choices.push(Choice::Value(path.to_owned(), None));
        Dimension {
            aspect: Aspect::Argument(path.to_owned()),
            choices,
        }
    }
}

/// A name that matches a pattern.
pub(super) fn sample(pattern: &Pattern) -> String {
    match pattern {
        Pattern::Exact(name) => name.clone(),
        Pattern::Prefix(prefix) => format!("{prefix}x"),
    }
}

/// Names at the edges of a pattern, most of which match it.
fn near(pattern: &Pattern) -> Vec<String> {
    let text = match pattern {
        Pattern::Exact(name) => name,
        Pattern::Prefix(prefix) => prefix,
    };
    let mut shorter = text.clone();
    shorter.pop();
    let names = [
        text.clone(),
        format!("{text}x"),
        format!("{text}other"),
        shorter,
    ];
    names.into_iter().filter(|name| !name.is_empty()).collect()
}
