//! Recorded calls, compared with the arguments that grants name.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Warning, WarningKind,
    argument::{WHOLE, argument_path},
    distance::is_near,
    document::{self, NOT_BOUNDED},
};
use crate::{escape::code, grant::Grants, value::Value};

/// Maximum number of argument names that are kept for each grant, to be suggested.
const MAX_NAMES: usize = 256;

/// The arguments in the recorded calls, by grant.
#[derive(Debug)]
pub(super) struct Seen(Vec<SeenGrant>);

#[derive(Debug, Default)]
struct SeenGrant {
    calls: u64,
    /// Paths of the grant that no call has had so far.
    unseen: BTreeSet<String>,
    /// Names of arguments in the calls.
    names: BTreeSet<String>,
    /// Paths of the grant whose values carried a document, with its kind.
    documents: BTreeMap<String, &'static str>,
}

impl Seen {
    pub(super) fn new(grants: &Grants) -> Seen {
        let seen = grants.iter().map(|grant| SeenGrant {
            unseen: grant
                .args
                .iter()
                .flat_map(BTreeMap::keys)
                .cloned()
                .collect(),
            ..SeenGrant::default()
        });
        Seen(seen.collect())
    }

    pub(super) fn add(
        &mut self,
        grants: &Grants,
        service: &str,
        action: &str,
        args: &BTreeMap<String, Value>,
    ) {
        for (grant, seen) in grants.iter().zip(&mut self.0) {
            if grant.service != service || !grant.action.matches(action) {
                continue;
            }
            seen.calls = seen.calls.saturating_add(1);
            seen.unseen.retain(|path| first(path, args).is_none());
            for name in args.keys() {
                if seen.names.len() < MAX_NAMES && !seen.names.contains(name) {
                    seen.names.insert(name.clone());
                }
            }
            for path in grant.args.iter().flat_map(BTreeMap::keys) {
                if let Some(kind) = first(path, args).and_then(document::carried) {
                    seen.documents.insert(path.clone(), kind);
                }
            }
        }
    }

    pub(super) fn grants_without_calls(&self) -> Vec<usize> {
        let seen = self.0.iter().enumerate();
        seen.filter(|(_, seen)| seen.calls == 0)
            .map(|(index, _)| index)
            .collect()
    }

    /// Warnings about the arguments of a grant, as they are written.
    pub(super) fn warnings(&self, grant: usize, args: &BTreeMap<String, Value>) -> Vec<Warning> {
        let Some(seen) = self.0.get(grant).filter(|seen| seen.calls > 0) else {
            return Vec::new();
        };
        let unseen = args.iter().filter(|(path, value)| {
            // An argument that may have any value refuses nothing, even if no call has it.
            let is_open = matches!(value, Value::String(star) if star == "*");
            !is_open && seen.unseen.contains(*path)
        });
        let unseen = unseen.map(|(path, _)| seen.never(grant, path));
        let documents = args.iter().filter_map(|(path, value)| {
            let is_whole = match value {
                Value::Object(table) => WHOLE.iter().any(|key| table.contains_key(*key)),
                Value::String(star) => star != "*",
                _ => true,
            };
            let kind = seen.documents.get(path).filter(|_| !is_whole)?;
            Some(Warning {
                kind: WarningKind::DocumentInString,
                path: argument_path(grant, path),
                line: None,
                message: format!(
                    "{} carried {kind} in a recorded call, {NOT_BOUNDED}",
                    code(path)
                ),
                next: document::NEXT.to_owned(),
                rewrite: None,
            })
        });
        unseen.chain(documents).collect()
    }
}

impl SeenGrant {
    fn never(&self, grant: usize, path: &str) -> Warning {
        let argument = path.split('.').next().unwrap_or_default();
        let near = self.names.iter().find(|name| is_near(name, argument));
        let next = match near {
            Some(name) if name != argument => {
                format!("write {} if that is meant, or remove the line", code(name))
            }
            _ => "correct the name, or remove the line".to_owned(),
        };
        let calls = match self.calls {
            1 => "the only recorded call of this action does not have".to_owned(),
            calls => format!("none of the {calls} recorded calls of this action has"),
        };
        Warning {
            kind: WarningKind::NeverSeen,
            path: argument_path(grant, path),
            line: None,
            message: format!("{calls} the argument {}", code(path)),
            next,
            rewrite: None,
        }
    }
}

/// The first value at a path, where `*` stands for the elements of an array.
fn first<'v>(path: &str, args: &'v BTreeMap<String, Value>) -> Option<&'v Value> {
    let mut parts = path.split('.');
    let value = args.get(parts.next()?)?;
    below(value, &parts.collect::<Vec<_>>())
}

/// Recursion is bounded by the depth of a call's values.
fn below<'v>(value: &'v Value, parts: &[&str]) -> Option<&'v Value> {
    let Some((part, rest)) = parts.split_first() else {
        return Some(value);
    };
    match (*part, value) {
        ("*", Value::Array(items)) => items.iter().find_map(|item| below(item, rest)),
        (name, Value::Object(members)) => below(members.get(name)?, rest),
        _ => None,
    }
}
