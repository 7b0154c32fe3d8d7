//! Native conditions that do not hold, for explanations.

use bailiwick_biscuit::datalog::{Code, code::Query};
use bailiwick_token::{
    condition::{ArgPath, Blocked, BlockedKind, Condition, During, Miss, Test},
    datalog,
    timestamp::Timestamp,
};

use crate::{
    excerpt::{Excerpt, MAX_SHOWN_NAME, MAX_VALUE, beginning},
    explain::{UnmetCondition, Wanted},
    native::{Answer, Native},
};

/// The native condition of a body that this version does not know, if it has one. A body that asks for it never matches.
pub(crate) fn unknown(code: &Code, body: &Query) -> Option<UnmetCondition> {
    datalog::natives(code, body).find_map(|native| {
        let (argument, text, is_known) = match native {
            datalog::Native::Meets { path, text } => {
                (Some(path), text, Test::parse(path, text).is_ok())
            }
            datalog::Native::During { text } => (None, text, During::parse(text).is_ok()),
            // Admission refuses the token.
            datalog::Native::Malformed => return None,
        };
        (!is_known).then(|| UnmetCondition::Unknown {
            argument: argument.map(|path| beginning(path, MAX_SHOWN_NAME)),
            needed: beginning(text, MAX_VALUE),
        })
    })
}

/// A native condition that does not hold, with the value found.
pub(super) fn native_condition(
    path: &str,
    native: &Native,
    answer: Answer<'_>,
    now: Timestamp,
) -> UnmetCondition {
    let (test, miss) = match (native, answer) {
        (Native::Test(test), Answer::Missed(miss)) => (test, miss),
        (Native::Test(test), _) => {
            return UnmetCondition::Incomparable {
                argument: beginning(path, MAX_SHOWN_NAME),
                needed: beginning(&test.condition, MAX_VALUE),
            };
        }
        (Native::During(window), _) => {
            return UnmetCondition::During {
                found: now,
                needed: beginning(window, MAX_VALUE),
            };
        }
    };
    let argument = beginning(path, MAX_SHOWN_NAME);
    let needed = beginning(&test.condition, MAX_VALUE);
    let value = |found: Excerpt| UnmetCondition::Value {
        argument: argument.clone(),
        found,
        needed: Wanted::Condition {
            kind: test.condition.kind(),
            words: needed.clone(),
        },
    };
    match miss {
        Miss::Blocked(blocked) => blocked_at(&test.path, blocked, needed),
        Miss::Other(blocked) => match other(&test.condition) {
            Some(other) => blocked_at(other, blocked, needed),
            None => UnmetCondition::Incomparable { argument, needed },
        },
        Miss::Type(found) => UnmetCondition::Type {
            argument,
            found: found.kind(),
            needed: test.condition.needs(),
        },
        Miss::Value(found) => value(Excerpt::of(found)),
        Miss::Sum(sum) => UnmetCondition::Sum {
            argument,
            found: sum,
            needed,
        },
        _ => UnmetCondition::Incomparable { argument, needed },
    }
}

/// The unmet condition of a path that cannot be followed to its end.
fn blocked_at(path: &ArgPath, blocked: Blocked, needed: String) -> UnmetCondition {
    let argument = beginning(path.first(blocked.parts), MAX_SHOWN_NAME);
    let shape = match blocked.kind {
        BlockedKind::Missing => return UnmetCondition::Missing { argument, needed },
        BlockedKind::NotObject => "an object",
        BlockedKind::NotArray => "an array of at least one element",
    };
    UnmetCondition::Shape {
        argument,
        needed: shape,
    }
}

/// The path of the other argument that a condition names.
fn other(condition: &Condition) -> Option<&ArgPath> {
    match condition {
        Condition::EqualsArg(other) | Condition::DiffersFromArg(other) => Some(other),
        Condition::EqualsSum { of, .. } => Some(of),
        _ => None,
    }
}
