//! Unmet conditions as the fields of a JSON object.

use bailiwick_token::value::Value;
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Refusal, UnmetCondition, Values, Wanted};

/// A refusal as a JSON object: its fields, and the sentence as `text`.
pub(crate) struct Shown<'a>(pub(crate) &'a Refusal, pub(crate) Values);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Shown(refusal, values) = *self;
        let condition = &refusal.condition;
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("block", &refusal.block)?;
        map.serialize_entry("delegate", &refusal.delegate)?;
        map.serialize_entry("alternative", &refusal.alternative)?;
        map.serialize_entry("condition", condition.name())?;
        map.serialize_entry("argument", &condition.argument())?;
        condition.write_found(values, &mut map)?;
        map.serialize_entry("needed", &condition.needed())?;
        map.serialize_entry("text", &refusal.sentence(values))?;
        map.end()
    }
}

impl Wanted {
    /// The name of the constraint in the text of grants.
    fn name(&self) -> &'static str {
        match self {
            Wanted::Exactly(_) => "exact",
            Wanted::OneOf(_) => "one_of",
            Wanted::NotOneOf(_) => "not_one_of",
            Wanted::Min(_) => "min",
            Wanted::Max(_) => "max",
            Wanted::Prefix(_) => "prefix",
            Wanted::Suffix(_) => "suffix",
            Wanted::Contains(_) => "contains",
            Wanted::AllOfIn(_) => "all_of_in",
            Wanted::Condition { kind, .. } => kind,
            Wanted::MaxLen { .. } => "max_len",
        }
    }
}

impl UnmetCondition {
    fn name(&self) -> &'static str {
        match self {
            UnmetCondition::NoAlternative { .. } => "no_alternative",
            UnmetCondition::Resource { .. } => "resource",
            UnmetCondition::Missing { .. } => "missing_argument",
            UnmetCondition::Extra { .. } => "extra_argument",
            UnmetCondition::Type { .. } => "wrong_type",
            UnmetCondition::Unrepresentable { .. } => "unrepresentable_number",
            UnmetCondition::Value { needed, .. } => needed.name(),
            UnmetCondition::Shape { .. } => "wrong_shape",
            UnmetCondition::Sum { .. } => "sum",
            UnmetCondition::Incomparable { .. } => "incomparable",
            UnmetCondition::During { .. } => "during",
            UnmetCondition::Unknown { .. } => "unknown_condition",
            UnmetCondition::NotBefore { .. } => "not_before",
            UnmetCondition::Expires { .. } => "expires",
            UnmetCondition::Depth { .. } => "depth",
            UnmetCondition::Datalog { .. } => "datalog",
        }
    }

    fn argument(&self) -> Option<&str> {
        match self {
            UnmetCondition::Missing { argument, .. }
            | UnmetCondition::Extra { argument }
            | UnmetCondition::Type { argument, .. }
            | UnmetCondition::Unrepresentable { argument, .. }
            | UnmetCondition::Shape { argument, .. }
            | UnmetCondition::Sum { argument, .. }
            | UnmetCondition::Incomparable { argument, .. }
            | UnmetCondition::Value { argument, .. } => Some(argument),
            UnmetCondition::Unknown { argument, .. } => argument.as_deref(),
            _ => None,
        }
    }

    /// The text for the value needed.
    fn needed(&self) -> Option<String> {
        match self {
            UnmetCondition::Resource { needed, .. } | UnmetCondition::Missing { needed, .. } => {
                Some(needed.clone())
            }
            UnmetCondition::NoAlternative { offered, .. } => Some(offered.join(", ")),
            UnmetCondition::Type { needed, .. } | UnmetCondition::Shape { needed, .. } => {
                Some((*needed).to_owned())
            }
            UnmetCondition::Sum { needed, .. }
            | UnmetCondition::Incomparable { needed, .. }
            | UnmetCondition::During { needed, .. }
            | UnmetCondition::Unknown { needed, .. } => Some(needed.clone()),
            UnmetCondition::Value { needed, .. } => Some(needed.sentence()),
            UnmetCondition::NotBefore { needed, .. } | UnmetCondition::Expires { needed, .. } => {
                Some(needed.to_string())
            }
            UnmetCondition::Depth { needed, .. } => Some(needed.to_string()),
            UnmetCondition::Datalog { text } => text.clone(),
            UnmetCondition::Extra { .. } | UnmetCondition::Unrepresentable { .. } => None,
        }
    }

    /// Writes the value found as the entry `found`. Arguments' values are written only if `values` allows it.
    fn write_found<M: SerializeMap>(&self, values: Values, map: &mut M) -> Result<(), M::Error> {
        let mut entry = |found: Option<Value>| map.serialize_entry("found", &found);
        match self {
            UnmetCondition::Unrepresentable { found, .. } | UnmetCondition::Value { found, .. }
                if values == Values::Shown =>
            {
                map.serialize_entry("found", found)
            }
            UnmetCondition::Resource {
                found: Some(found), ..
            } if values == Values::Shown => entry(Some(Value::from(found.as_str()))),
            UnmetCondition::Sum { found, .. } if values == Values::Shown => {
                entry(Some(Value::Number((*found).into())))
            }
            UnmetCondition::Type { found, .. } => entry(Some(Value::from(*found))),
            UnmetCondition::NotBefore { found, .. }
            | UnmetCondition::Expires { found, .. }
            | UnmetCondition::During { found, .. } => entry(Some(Value::from(found.to_string()))),
            UnmetCondition::Depth { found, .. } => {
                entry(i64::try_from(*found).ok().map(Value::from))
            }
            _ => entry(None),
        }
    }
}
