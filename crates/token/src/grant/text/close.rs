//! Closing of objects: naming a member in text closes its object to the members that are named.

use std::collections::{BTreeMap, BTreeSet};

use super::read::{at, join};
use crate::{
    condition::{Condition, steps_above},
    grant::{
        Constraint,
        mistake::Mistakes,
        table::{Args, below, members},
    },
};

/// Adds the condition `members` to each object whose members are named, unless the object is listed as open or states
/// its members itself.
pub(super) fn close(mistakes: &mut Mistakes, path: &str, args: &mut Args, open: &BTreeSet<String>) {
    let mut named: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for name in args.keys() {
        for (parent, member) in steps_above(name).filter(|(_, member)| *member != "*") {
            named
                .entry(parent.to_owned())
                .or_default()
                .insert(member.to_owned());
        }
    }
    for name in open.iter().filter(|name| name.ends_with(".*")) {
        // The entry could be mistaken for a condition on the elements.
        if below(args, name).next().is_none() {
            mistakes.add(at(
                &join(path, name),
                "\"*\" for the elements adds nothing; leave it out, or write \"*\" for the whole array",
            ));
        }
    }
    for (parent, names) in named {
        if open.contains(&parent) || members(args, &parent).is_some() {
            continue;
        }
        let constraint = args.entry(parent).or_insert_with(Constraint::any);
        *constraint = std::mem::take(constraint).also(Condition::Members(names));
    }
}
