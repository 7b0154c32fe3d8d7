//! Unmet conditions as sentences.

use bailiwick_token::{escape::code, text::counted};

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
    /// Completes a sentence that begins with the value found.
    pub(super) fn sentence(&self) -> String {
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
            Wanted::Condition { words, .. } => format!("needed: {words}"),
            Wanted::MaxLen { limit, .. } => format!("a length of at most {limit} is allowed"),
        }
    }
}

impl UnmetCondition {
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
            } => format!(
                "the call names no resource, but only {} is allowed",
                code(needed)
            ),
            UnmetCondition::Resource { needed, .. } if hidden => {
                format!(
                    "the resource is a different one, but only {} is allowed",
                    code(needed)
                )
            }
            UnmetCondition::Resource {
                found: Some(found),
                needed,
            } => format!(
                "the resource is {}, but only {} is allowed",
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
            UnmetCondition::Shape { argument, needed } => {
                format!("{} must be {needed}", code(argument))
            }
            UnmetCondition::Sum {
                argument, needed, ..
            } if hidden => format!(
                "the sum of {} does not fit, needed: {needed}",
                code(argument)
            ),
            UnmetCondition::Sum {
                argument,
                found,
                needed,
            } => format!("the sum of {} is {found}, needed: {needed}", code(argument)),
            UnmetCondition::Incomparable { argument, needed } => format!(
                "{} cannot be compared exactly, needed: {needed}",
                code(argument)
            ),
            UnmetCondition::During { found, needed } => {
                format!("it is valid {needed}, but it is now {found}")
            }
            UnmetCondition::Unknown { argument, needed } => {
                let of = match argument {
                    Some(argument) => format!(" of {}", code(argument)),
                    None => String::new(),
                };
                format!(
                    "this verifier is older than the token and does not know the condition {}{of}; update the verifier",
                    code(needed)
                )
            }
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
}
