//! Unmet conditions as sentences, and as JSON.

use bailiwick_token::{escape::code, text::counted, value::Value};
use serde::{Serialize, Serializer, ser::SerializeMap};

use super::{Refusal, UnmetCondition, Values, Wanted};

impl Refusal {
    /// Writes the refusal as a sentence, such as ``block 2 (delegate `agent:invoice-checker`): `amount` is
    /// 5000, at most 4200 is allowed``.
    #[must_use]
    pub fn sentence(&self, values: Values) -> String {
        let delegate = match &self.delegate {
            Some(delegate) => format!(" (delegate {})", code(delegate)),
            None if self.block == 0 => " (authority)".to_owned(),
            None => String::new(),
        };
        format!(
            "block {}{delegate}: {}",
            self.block,
            self.condition.sentence(values)
        )
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
            Wanted::MaxLen { .. } => "max_len",
        }
    }

    /// Completes a sentence that begins with the value found.
    fn sentence(&self) -> String {
        match self {
            Wanted::Exactly(value) => format!("exactly {value} is allowed"),
            Wanted::OneOf(values) => format!("one of {values} is allowed"),
            Wanted::NotOneOf(values) => format!("none of {values} is allowed"),
            Wanted::Min(bound) => format!("at least {bound} is needed"),
            Wanted::Max(bound) => format!("at most {bound} is allowed"),
            Wanted::Prefix(text) => format!("it must begin with {text}"),
            Wanted::Suffix(text) => format!("it must end with {text}"),
            Wanted::Contains(text) => format!("it must contain {text}"),
            Wanted::AllOfIn(values) => format!("each element must be one of {values}"),
            Wanted::MaxLen { limit, .. } => format!("a length of at most {limit} is allowed"),
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
            | UnmetCondition::Value { argument, .. } => Some(argument),
            _ => None,
        }
    }

    /// The condition in words, without its block.
    fn sentence(&self, values: Values) -> String {
        let hidden = values == Values::Hidden;
        match self {
            UnmetCondition::NoAlternative { offered, .. } if offered.is_empty() => {
                "it allows nothing".to_owned()
            }
            UnmetCondition::NoAlternative { offered, further } => {
                let offered: Vec<String> = offered
                    .iter()
                    .map(|offer| code(offer).to_string())
                    .collect();
                let further = match further {
                    0 => String::new(),
                    further => format!(", and {further} more"),
                };
                format!(
                    "nothing here allows this service and action; allowed are {}{further}",
                    offered.join(", ")
                )
            }
            UnmetCondition::Resource {
                found: None,
                needed,
            } => format!("the call names no resource, {} is allowed", code(needed)),
            UnmetCondition::Resource { needed, .. } if hidden => {
                format!("the resource is another, {} is allowed", code(needed))
            }
            UnmetCondition::Resource {
                found: Some(found),
                needed,
            } => format!(
                "the resource is {}, {} is allowed",
                code(found),
                code(needed)
            ),
            UnmetCondition::Missing { argument, needed } => {
                format!("{} is missing ({needed})", code(argument))
            }
            UnmetCondition::Extra { argument } => {
                format!("{} is not among the arguments allowed", code(argument))
            }
            UnmetCondition::Type {
                argument,
                found,
                needed,
            } => format!("{} is {found}, {needed} is needed", code(argument)),
            UnmetCondition::Unrepresentable { argument, found } => {
                let is = match hidden {
                    true => "does not fit".to_owned(),
                    false => format!("is {found}"),
                };
                format!(
                    "{} {is}, but only numbers with at most six decimal places, up to 9223372036854.775807, can be compared",
                    code(argument)
                )
            }
            UnmetCondition::Value {
                argument,
                needed: Wanted::MaxLen { found, limit },
                ..
            } => format!(
                "{} has a length of {found}, at most {limit} is allowed",
                code(argument)
            ),
            UnmetCondition::Value {
                argument, needed, ..
            } if hidden => format!("{} does not fit, {}", code(argument), needed.sentence()),
            UnmetCondition::Value {
                argument,
                found,
                needed,
            } => format!("{} is {found}, {}", code(argument), needed.sentence()),
            UnmetCondition::NotBefore { found, needed } => {
                format!("it is valid from {needed}, and it is now {found}")
            }
            UnmetCondition::Expires { found, needed } => {
                format!("it expired at {needed}, and it is now {found}")
            }
            UnmetCondition::Depth { found, needed } => {
                format!(
                    "the token has {}, above its limit of {needed}",
                    counted(*found, "appended block")
                )
            }
            UnmetCondition::Datalog { text: Some(text) } => {
                format!("this check does not hold: {text}")
            }
            UnmetCondition::Datalog { text: None } => {
                "a check that is too long to show does not hold".to_owned()
            }
        }
    }

    /// The text for the value needed.
    fn needed(&self) -> Option<String> {
        match self {
            UnmetCondition::Resource { needed, .. } | UnmetCondition::Missing { needed, .. } => {
                Some(needed.clone())
            }
            UnmetCondition::NoAlternative { offered, .. } => Some(offered.join(", ")),
            UnmetCondition::Type { needed, .. } => Some((*needed).to_owned()),
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
            UnmetCondition::Type { found, .. } => entry(Some(Value::from(*found))),
            UnmetCondition::NotBefore { found, .. } | UnmetCondition::Expires { found, .. } => {
                entry(Some(Value::from(found.to_string())))
            }
            UnmetCondition::Depth { found, .. } => {
                entry(i64::try_from(*found).ok().map(Value::from))
            }
            _ => entry(None),
        }
    }
}

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
