//! Demands of a grant on one argument.

use super::conditions::fits;
use crate::{
    condition::Condition,
    grant::{
        Constraint, Grant,
        table::{excludes, may_be_absent},
    },
    value::Value,
};

/// Demands of a grant on the value at a path.
pub(super) enum Demand {
    /// No call with a value there is allowed.
    Refused,
    /// The value must meet these conditions, and may be absent if the flag is true.
    Conditions(Vec<Condition>, bool),
}

impl Demand {
    pub(super) fn of(grant: &Grant, path: &str) -> Demand {
        let Some(args) = &grant.args else {
            return Demand::Conditions(Vec::new(), true);
        };
        if excludes(args, path) {
            return Demand::Refused;
        }
        let conditions = args.get(path).map(Constraint::conditions);
        Demand::Conditions(conditions.unwrap_or_default(), may_be_absent(args, path))
    }

    pub(super) fn may_be_absent(&self) -> bool {
        match self {
            Demand::Refused => true,
            Demand::Conditions(_, optional) => *optional,
        }
    }

    pub(super) fn takes(&self, value: &Value) -> bool {
        match self {
            Demand::Refused => false,
            Demand::Conditions(conditions, _) => fits(value, conditions),
        }
    }
}
