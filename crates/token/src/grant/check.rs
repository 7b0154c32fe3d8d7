//! The rules that every grant must follow, whichever form it was written in.

mod arguments;
mod constraint;
mod names;
mod place;

use std::collections::BTreeSet;

pub(super) use arguments::{argument, arguments};

use self::{
    names::{name, pattern, resource_form},
    place::Place,
};
use super::{
    Grant, GrantsError, MAX_GRANTS, Pattern,
    mistake::{Mistakes, first},
};
use crate::condition::{Condition, MAX_PATTERNS};

pub(super) fn check(mut grants: Vec<Grant>) -> Result<Vec<Grant>, GrantsError> {
    if grants.is_empty() {
        return Err(GrantsError::at(
            "grant",
            "the list of grants is empty and allows nothing; write at least one grant",
        ));
    }
    if grants.len() > MAX_GRANTS {
        return Err(GrantsError::at(
            "grant",
            format!(
                "there are more than {MAX_GRANTS} grants, which do not fit a token; write fewer"
            ),
        ));
    }
    for (index, grant) in grants.iter_mut().enumerate() {
        let mut mistakes = Mistakes::default();
        service(&mut mistakes, index, &grant.service);
        action(&mut mistakes, index, &grant.action);
        if let Some(pattern) = &grant.resource {
            resource(&mut mistakes, index, pattern);
        }
        if let Some(args) = &mut grant.args {
            for (name, constraint) in &*args {
                argument(&mut mistakes, index, name, constraint);
            }
            if mistakes.count() == 0 {
                arguments(&mut mistakes, index, args);
            }
        }
        mistakes.or(()).map_err(first)?;
    }
    let patterns = patterns(&grants);
    match patterns > MAX_PATTERNS {
        false => Ok(grants),
        true => Err(GrantsError::at(
            "grant",
            format!(
                "there are {patterns} different patterns in `matches`, above the limit of {MAX_PATTERNS} in a token; write `one_of` or `prefix` where these are enough"
            ),
        )),
    }
}

/// Number of different patterns.
fn patterns(grants: &[Grant]) -> usize {
    let constraints = grants.iter().flat_map(|grant| &grant.args).flatten();
    let meets = constraints.filter_map(|(_, constraint)| constraint.meets.as_ref());
    let patterns =
        meets
            .flat_map(|meets| &meets.conditions)
            .filter_map(|condition| match condition {
                Condition::Matches(pattern) => Some(pattern.as_str()),
                _ => None,
            });
    patterns.collect::<BTreeSet<_>>().len()
}

/// Checks the name of a service.
pub(super) fn service(mistakes: &mut Mistakes, grant: usize, service: &str) {
    mistakes.take(name(Place::of(grant, "service"), service));
}

/// Checks the pattern of an action.
pub(super) fn action(mistakes: &mut Mistakes, grant: usize, action: &Pattern) {
    mistakes.take(pattern(Place::of(grant, "action"), action));
}

/// Checks the pattern of a resource.
pub(super) fn resource(mistakes: &mut Mistakes, grant: usize, resource: &Pattern) {
    let place = Place::of(grant, "resource");
    mistakes.take(pattern(place, resource).and_then(|()| resource_form(place, resource)));
}
