//! The parts of a call that can be varied, each with its choices.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Aspect,
    conditions::{joined, relation},
    demand::Demand,
    dimension::{Choice, Dimension, sample},
    draft::Draft,
    times,
    values::{self, is_apart, number_sum},
};
use crate::{
    condition::{ArgPath, Condition},
    grant::{Grant, top_level},
    timestamp::Timestamp,
    value::Value,
};

/// The variations of a call for one grant and the grants of the other list that it overlaps.
pub(super) struct Space {
    pub(super) dimensions: Vec<Dimension>,
    /// The conditions that compare an argument with another one, by its path; those of the varied grant come last.
    relations: Vec<(String, Condition)>,
    now: Timestamp,
}

impl Space {
    pub(super) fn new(grant: &Grant, others: &[&Grant], now: Timestamp) -> Space {
        let all = || std::iter::once(grant).chain(others.iter().copied());
        let paths: BTreeSet<&String> = all()
            .flat_map(|grant| &grant.args)
            .flat_map(BTreeMap::keys)
            .collect();
        let mut relations = Vec::new();
        let mut pools: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
        // The other list comes first, because its edges are where the decisions differ.
        for other in others.iter().copied().chain([grant]) {
            for (path, constraint) in other.args.iter().flatten() {
                let conditions = constraint.conditions();
                let pool = pools.entry(path).or_default();
                pool.extend(joined(&conditions));
                for condition in conditions {
                    pool.extend(values::pool(&condition));
                    if relation(&condition).is_some() {
                        relations.push((path.clone(), condition));
                    }
                }
            }
        }
        // An argument that another one is compared with must be able to take the same values.
        for (path, condition) in &relations {
            if let Some(other) = relation(condition)
                && let Some((other, _)) = pools.get_key_value(other.to_string().as_str())
            {
                let other = *other;
                let pool = pools.get(path.as_str()).cloned().unwrap_or_default();
                pools.entry(other).or_default().extend(pool);
            }
        }
        let mut dimensions = vec![
            Dimension::actions(grant, others),
            Dimension::resources(grant, others),
        ];
        for path in &paths {
            let pool = pools.remove(path.as_str()).unwrap_or_default();
            dimensions.push(match Demand::of(grant, path) {
                // No call with this argument is allowed, so only its absence is tried.
                Demand::Refused => Dimension {
                    aspect: Aspect::Argument((*path).clone()),
                    choices: vec![Choice::Value((*path).clone(), None)],
                },
                _ => Dimension::values(path, pool),
            });
        }
        let mut name = "other".to_owned();
        while paths.iter().any(|path| top_level(path) == name) {
            name.push('_');
        }
        dimensions.push(Dimension {
            aspect: Aspect::OtherArguments,
            choices: vec![Choice::Other(name)],
        });
        let times = times::choices(all().filter_map(|grant| grant.when.as_ref()), now);
        dimensions.push(Dimension {
            aspect: Aspect::Time,
            choices: times.into_iter().map(Choice::Time).collect(),
        });
        Space {
            dimensions,
            relations,
            now,
        }
    }

    /// Builds a call that the grant allows, and that `other` allows too if possible. Otherwise it also returns the
    /// first part in which the call deviates from `other`.
    pub(super) fn base(&self, grant: &Grant, other: Option<&Grant>) -> (Draft, Option<Aspect>) {
        let mut deviation = None;
        let mut deviates = |aspect: Aspect| {
            deviation.get_or_insert(aspect);
        };
        let action = other.and_then(|other| grant.action.intersect(&other.action));
        let action = sample(&action.unwrap_or_else(|| grant.action.clone()));
        let resource = match (&grant.resource, other.map(|other| &other.resource)) {
            (Some(own), Some(Some(theirs))) => match own.intersect(theirs) {
                Some(both) => Some(both),
                None => {
                    deviates(Aspect::Resource);
                    Some(own.clone())
                }
            },
            (None, Some(Some(theirs))) => Some(theirs.clone()),
            (own, _) => own.clone(),
        };
        let mut draft = Draft {
            service: grant.service.clone(),
            action,
            resource: resource.as_ref().map(sample),
            values: BTreeMap::new(),
            fixed: None,
            other: None,
            time: self.now,
        };
        for dimension in &self.dimensions {
            match &dimension.aspect {
                Aspect::Argument(path) => {
                    let (value, is_common) = self.value(dimension, path, grant, other);
                    if !is_common {
                        deviates(dimension.aspect.clone());
                    }
                    draft.values.insert(path.clone(), value);
                }
                Aspect::Time => {
                    let mut times = dimension.choices.iter().filter_map(|choice| match choice {
                        Choice::Time(time) => Some(*time),
                        _ => None,
                    });
                    let is_in = |grant: &Grant, time: Timestamp| {
                        grant.when.as_ref().is_none_or(|when| when.holds(time))
                    };
                    let both = times.clone().find(|time| {
                        is_in(grant, *time) && other.is_none_or(|other| is_in(other, *time))
                    });
                    if both.is_none() {
                        deviates(Aspect::Time);
                    }
                    let time = both.or_else(|| times.find(|time| is_in(grant, *time)));
                    draft.time = time.unwrap_or(self.now);
                }
                _ => {}
            }
        }
        self.settle(&mut draft, None);
        (draft, deviation)
    }

    /// Returns a value that both grants allow, and true; or a value that the first grant allows, and false.
    fn value(
        &self,
        dimension: &Dimension,
        path: &str,
        grant: &Grant,
        other: Option<&Grant>,
    ) -> (Option<Value>, bool) {
        let own = Demand::of(grant, path);
        let theirs = other.map(|other| Demand::of(other, path));
        let theirs = theirs.as_ref();
        if own.may_be_absent() && theirs.is_none_or(Demand::may_be_absent) {
            return (None, true);
        }
        let mut values = dimension.choices.iter().filter_map(|choice| match choice {
            Choice::Value(_, Some(value)) => Some(value),
            _ => None,
        });
        let both = values
            .clone()
            .find(|value| own.takes(value) && theirs.is_none_or(|theirs| theirs.takes(value)));
        if let Some(value) = both {
            return (Some(value.clone()), true);
        }
        if own.may_be_absent() {
            return (None, false);
        }
        (values.find(|value| own.takes(value)).cloned(), false)
    }

    /// Returns the call with one part replaced.
    pub(super) fn with(&self, base: &Draft, choice: &Choice) -> Draft {
        let mut draft = base.clone();
        match choice {
            Choice::Action(action) => draft.action.clone_from(action),
            Choice::Resource(resource) => draft.resource.clone_from(resource),
            Choice::Value(path, value) => {
                draft.values.insert(path.clone(), value.clone());
                draft.fixed = Some(path.clone());
                if value.is_none() {
                    // The values below an absent value are absent too.
                    let below = format!("{path}.");
                    let below = draft
                        .values
                        .iter_mut()
                        .filter(|(path, _)| path.starts_with(&below));
                    below.for_each(|(_, value)| *value = None);
                }
                self.settle(&mut draft, Some(path));
            }
            Choice::Other(name) => draft.other = Some((name.clone(), Value::from("x"))),
            Choice::Time(time) => draft.time = *time,
        }
        draft
    }

    /// Changes arguments that are compared with other arguments, except for the varied one, so that the comparisons
    /// hold.
    fn settle(&self, draft: &mut Draft, varied: Option<&str>) {
        for (path, condition) in &self.relations {
            if varied == Some(path.as_str()) || draft.values.get(path).is_none_or(Option::is_none) {
                continue;
            }
            let args = draft.args();
            let value_at = |path: &ArgPath| {
                let values = path.values(&args, &[]).unwrap_or_default();
                values.first().map(|value| (*value).clone())
            };
            let settled = match condition {
                Condition::EqualsArg(other) => value_at(other),
                Condition::EqualsSum { of, .. } => {
                    number_sum(&of.values(&args, &[]).unwrap_or_default())
                }
                Condition::DiffersFromArg(other) => value_at(other).and_then(|found| {
                    let dimension = self.dimensions.iter().find(
                        |dimension| matches!(&dimension.aspect, Aspect::Argument(named) if named == path),
                    )?;
                    let current = draft.values.get(path)?.as_ref()?;
                    let mut values = dimension.choices.iter().filter_map(|choice| match choice {
                        Choice::Value(_, value) => value.as_ref(),
                        _ => None,
                    });
                    match is_apart(current, &found) {
                        true => None,
                        false => values.find(|value| is_apart(value, &found)).cloned(),
                    }
                }),
                _ => None,
            };
            if let Some(value) = settled {
                draft.values.insert(path.clone(), Some(value));
            }
        }
    }
}
