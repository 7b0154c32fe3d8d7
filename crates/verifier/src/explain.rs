//! Why not: in words for a person, in fields for a program.

use bailiwick_token::{
    escape::{code, quote, visible},
    grant::Bound,
    timestamp::Timestamp,
    value::Value,
};
use serde::{Serialize, Serializer, ser::SerializeMap};

/// Whether the values of arguments are shown. They may be secret, so the caller of the verifier
/// decides; bounds and listed values come from the token and are always shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Values {
    /// shown
    Shown,
    /// left out
    Hidden,
}

/// One condition that a call does not meet.
#[derive(Debug, Clone, PartialEq)]
pub struct Refusal {
    /// The block whose condition it is; 0 is the authority block.
    pub block: usize,
    /// To whom the token was handed on with that block.
    pub delegate: Option<String>,
    /// Which grant, or which alternative of the block's scope, counted from 0.
    pub alternative: Option<usize>,
    /// The condition.
    pub condition: Condition,
}

/// A condition that is not met.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Condition {
    /// The grant is for another service.
    Service {
        /// this verifier's service
        found: String,
        /// the grant's
        needed: String,
    },
    /// The grant is for another action.
    Action {
        /// the call's action
        found: String,
        /// the grant's pattern
        needed: String,
    },
    /// No grant or alternative of the block is for this service and action.
    NoAlternative {
        /// what the block allows: services and actions
        offered: Vec<String>,
    },
    /// The grant is for other resources.
    Resource {
        /// the call's resource
        found: Option<String>,
        /// the grant's pattern
        needed: String,
    },
    /// An argument that is constrained is not there.
    Missing {
        /// its name or path
        argument: String,
        /// what it must be
        needed: String,
    },
    /// An argument is there that the grant does not name.
    Extra {
        /// its name
        argument: String,
    },
    /// An argument is of another type.
    Type {
        /// its name or path
        argument: String,
        /// what it is
        found: &'static str,
        /// what it must be
        needed: &'static str,
    },
    /// A number that cannot be compared exactly.
    Unrepresentable {
        /// its name or path
        argument: String,
        /// the number
        found: Value,
    },
    /// An argument has another value.
    Value {
        /// its name or path
        argument: String,
        /// its value
        found: Value,
        /// what it must be
        needed: Wanted,
    },
    /// The block does not hold yet.
    NotBefore {
        /// from when it holds
        needed: Timestamp,
        /// the verifier's clock
        found: Timestamp,
    },
    /// The block no longer holds.
    Expires {
        /// until when it held
        needed: Timestamp,
        /// the verifier's clock
        found: Timestamp,
    },
    /// More blocks are appended than the issuer allows.
    Depth {
        /// how many there are
        found: usize,
        /// how many there may be
        needed: u32,
    },
    /// A check that the profile has no words for.
    Datalog {
        /// its Datalog
        text: String,
    },
}

/// What a value must be.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Wanted {
    /// this value
    Exactly(Value),
    /// one of these
    OneOf(Vec<Value>),
    /// none of these
    NotOneOf(Vec<Value>),
    /// at least this
    Min(Bound),
    /// at most this
    Max(Bound),
    /// a string that begins so
    Prefix(String),
    /// a string that ends so
    Suffix(String),
    /// a string in which this stands
    Contains(String),
    /// an array of these only
    AllOfIn(Vec<Value>),
    /// something not longer than this
    MaxLen {
        /// its length
        found: usize,
        /// the length allowed
        limit: u32,
    },
}

impl Wanted {
    /// The constraint's name in grants text.
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

    /// The rest of a sentence that begins with what was found.
    fn sentence(&self) -> String {
        let list = |values: &[Value]| {
            values
                .iter()
                .map(Value::to_visible)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self {
            Wanted::Exactly(value) => format!("exactly {} is allowed", value.to_visible()),
            Wanted::OneOf(values) => format!("one of {} is allowed", list(values)),
            Wanted::NotOneOf(values) => format!("none of {} is allowed", list(values)),
            Wanted::Min(bound) => format!("at least {bound} is needed"),
            Wanted::Max(bound) => format!("at most {bound} is allowed"),
            Wanted::Prefix(text) => format!("it must begin with {}", quote(text)),
            Wanted::Suffix(text) => format!("it must end with {}", quote(text)),
            Wanted::Contains(text) => format!("it must contain {}", quote(text)),
            Wanted::AllOfIn(values) => format!("each element must be one of {}", list(values)),
            Wanted::MaxLen { limit, .. } => format!("a length of at most {limit} is allowed"),
        }
    }
}

impl Refusal {
    /// One sentence, such as
    /// ``block 2 (delegate `agent:invoice-checker`): `amount` is 5000, at most 4200 is allowed``.
    #[must_use]
    pub fn sentence(&self, values: Values) -> String {
        let delegate = match &self.delegate {
            Some(delegate) => format!(" (delegate {})", code(delegate)),
            None if self.block == 0 => " (authority)".to_owned(),
            None => String::new(),
        };
        let condition = self.condition.sentence(values);
        visible(&format!("block {}{delegate}: {condition}", self.block)).into_owned()
    }
}

impl Condition {
    fn name(&self) -> &'static str {
        match self {
            Condition::Service { .. } => "service",
            Condition::Action { .. } => "action",
            Condition::NoAlternative { .. } => "no_alternative",
            Condition::Resource { .. } => "resource",
            Condition::Missing { .. } => "missing_argument",
            Condition::Extra { .. } => "extra_argument",
            Condition::Type { .. } => "wrong_type",
            Condition::Unrepresentable { .. } => "unrepresentable_number",
            Condition::Value { needed, .. } => needed.name(),
            Condition::NotBefore { .. } => "not_before",
            Condition::Expires { .. } => "expires",
            Condition::Depth { .. } => "depth",
            Condition::Datalog { .. } => "datalog",
        }
    }

    fn argument(&self) -> Option<&str> {
        match self {
            Condition::Missing { argument, .. }
            | Condition::Extra { argument }
            | Condition::Type { argument, .. }
            | Condition::Unrepresentable { argument, .. }
            | Condition::Value { argument, .. } => Some(argument),
            _ => None,
        }
    }

    /// What was found, as JSON; argument values only where they are shown.
    fn found(&self, values: Values) -> Option<Value> {
        match self {
            Condition::Service { found, .. } | Condition::Action { found, .. } => {
                Some(Value::from(found.as_str()))
            }
            Condition::Resource {
                found: Some(found), ..
            } if values == Values::Shown => Some(Value::from(found.as_str())),
            Condition::Type { found, .. } => Some(Value::from(*found)),
            Condition::Unrepresentable { found, .. } | Condition::Value { found, .. }
                if values == Values::Shown =>
            {
                Some(found.clone())
            }
            Condition::NotBefore { found, .. } | Condition::Expires { found, .. } => {
                Some(Value::from(found.to_string()))
            }
            Condition::Depth { found, .. } => i64::try_from(*found).ok().map(Value::from),
            _ => None,
        }
    }

    /// What was needed, in words.
    fn needed(&self) -> Option<String> {
        match self {
            Condition::Service { needed, .. }
            | Condition::Action { needed, .. }
            | Condition::Resource { needed, .. }
            | Condition::Missing { needed, .. } => Some(needed.clone()),
            Condition::NoAlternative { offered } => Some(offered.join(", ")),
            Condition::Type { needed, .. } => Some((*needed).to_owned()),
            Condition::Value { needed, .. } => Some(needed.sentence()),
            Condition::NotBefore { needed, .. } | Condition::Expires { needed, .. } => {
                Some(needed.to_string())
            }
            Condition::Depth { needed, .. } => Some(needed.to_string()),
            Condition::Datalog { text } => Some(text.clone()),
            Condition::Extra { .. } | Condition::Unrepresentable { .. } => None,
        }
    }

    fn sentence(&self, values: Values) -> String {
        let shown = |value: &Value| match values {
            Values::Shown => format!(" is {}", shortened(&value.to_visible())),
            Values::Hidden => " does not fit".to_owned(),
        };
        match self {
            Condition::Service { found, needed } => format!(
                "the service is {}, {} is allowed",
                code(found),
                code(needed)
            ),
            Condition::Action { found, needed } => {
                format!("the action is {}, {} is allowed", code(found), code(needed))
            }
            Condition::NoAlternative { offered } if offered.is_empty() => {
                "it allows nothing".to_owned()
            }
            Condition::NoAlternative { offered } => {
                let offered: Vec<String> = offered
                    .iter()
                    .map(|offer| code(offer).to_string())
                    .collect();
                format!(
                    "nothing here allows this service and action; allowed are {}",
                    offered.join(", ")
                )
            }
            Condition::Resource {
                found: None,
                needed,
            } => format!("the call names no resource, {} is allowed", code(needed)),
            Condition::Resource {
                found: Some(found),
                needed,
            } => match values {
                Values::Shown => format!(
                    "the resource is {}, {} is allowed",
                    code(&shortened(found)),
                    code(needed)
                ),
                Values::Hidden => {
                    format!("the resource is another, {} is allowed", code(needed))
                }
            },
            Condition::Missing { argument, needed } => {
                format!("{} is missing ({needed})", code(argument))
            }
            Condition::Extra { argument } => {
                format!("{} is not among the arguments allowed", code(argument))
            }
            Condition::Type {
                argument,
                found,
                needed,
            } => format!("{} is {found}, {needed} is needed", code(argument)),
            Condition::Unrepresentable { argument, found } => format!(
                "{}{}: only numbers of whole millionths up to 9223372036854.775807 can be compared",
                code(argument),
                shown(found)
            ),
            Condition::Value {
                argument,
                found,
                needed:
                    Wanted::MaxLen {
                        found: length,
                        limit,
                    },
            } => {
                let _ = found;
                format!(
                    "{} has a length of {length}, at most {limit} is allowed",
                    code(argument)
                )
            }
            Condition::Value {
                argument,
                found,
                needed,
            } => {
                format!("{}{}, {}", code(argument), shown(found), needed.sentence())
            }
            Condition::NotBefore { found, needed } => {
                format!("it holds from {needed} on, it is {found}")
            }
            Condition::Expires { found, needed } => format!("it ended at {needed}, it is {found}"),
            Condition::Depth { found, needed } => {
                format!("{found} blocks are appended, at most {needed} are allowed")
            }
            Condition::Datalog { text } => format!("this check does not hold: {}", shortened(text)),
        }
    }
}

impl Refusal {
    /// The refusal as a JSON object: fields, and the sentence as `text`.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer>(
        &self,
        values: Values,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        map.serialize_entry("block", &self.block)?;
        map.serialize_entry("delegate", &self.delegate)?;
        map.serialize_entry("alternative", &self.alternative)?;
        map.serialize_entry("condition", self.condition.name())?;
        map.serialize_entry("argument", &self.condition.argument())?;
        map.serialize_entry("found", &self.condition.found(values))?;
        map.serialize_entry("needed", &self.condition.needed())?;
        map.serialize_entry("text", &self.sentence(values))?;
        map.end()
    }
}

/// A refusal together with whether values are shown, as JSON.
pub(crate) struct Shown<'a>(pub(crate) &'a Refusal, pub(crate) Values);

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(self.1, serializer)
    }
}

/// The most characters of a value that a sentence repeats.
const MAX_SHOWN: usize = 200;

pub(crate) fn shortened(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
