//! Decisions: allow or deny, with details for the record.

use std::{collections::BTreeMap, sync::Arc};

use bailiwick_token::{datalog, escape::visible, grant::Grant, timestamp::Timestamp};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use crate::{
    call::CallError,
    denial::Denial,
    excerpt::excerpt,
    explain::{CUT_OFF, Refusal, Shown, Values},
    identity::Identity,
    reason::Reason,
    source::TokenText,
};

/// Maximum length of a denial as JSON in bytes, including names and the explanation.
pub const MAX_DENIAL_JSON: usize = 128 * 1024;

/// The decision of a verifier about one call.
///
/// ```
/// use bailiwick_verifier::{Decision, Values};
///
/// /// The line for the log, and the status for the caller.
/// fn answer(decision: &Decision) -> (String, u16) {
///     match decision {
///         Decision::Allow(allow) => (format!("{} may", allow.identity.agent), 200),
///         Decision::Deny(deny) => (deny.explain(Values::Hidden).join("; "), 403),
///     }
/// }
///
/// assert_eq!(answer(&Decision::missing_token()).1, 403);
/// ```
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// The call is within the token's authority.
    Allow(Allow),
    /// The call is outside the token's authority, or the verifier cannot tell.
    Deny(Deny),
}

/// The authority under which a call is allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Allow {
    /// The agent that acts, with its principal.
    pub identity: Arc<Identity>,
    /// Time at which the token expires: the earliest expiry of all its blocks.
    pub expires: Timestamp,
    pub(crate) granted: Option<Granted>,
}

/// The rule of a token that allows a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Granted {
    pub(crate) source: TokenText,
    pub(crate) rule: usize,
}

impl Allow {
    /// The first grant that allows the call; `None` if the granting rule is Datalog that does not correspond to
    /// a grant. Each call of this method reads the token's text again.
    #[must_use]
    pub fn grant(&self) -> Option<Grant> {
        let granted = self.granted.as_ref()?;
        let token = granted.source.token()?;
        let code = token.code();
        let rule = code.rules(code.blocks.first()?).get(granted.rule)?;
        datalog::grant(code, rule)
    }
}

/// The denial of a call, with its explanation.
#[derive(Debug, Clone, PartialEq)]
pub struct Deny {
    /// The reason for the denial, with details.
    pub denial: Denial,
    /// The agent that acted, with its principal; `None` until the token has been verified.
    pub identity: Option<Arc<Identity>>,
    /// The conditions that were not met.
    pub refusals: Vec<Refusal>,
    /// True if the explanation ends before its last condition.
    pub cut_off: bool,
}

/// Maximum length of a detail, in bytes. A detail may repeat names from a token or a call that has not been
/// verified.
const MAX_DETAIL: usize = 256;

impl Decision {
    /// Returns true if the call is allowed.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Decision::Allow(_))
    }

    /// The reason for a denial; `None` if the call is allowed.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Decision::Allow(_) => None,
            Decision::Deny(deny) => Some(deny.reason()),
        }
    }

    /// The denial of a call that cannot be read.
    pub fn bad_request(error: CallError) -> Decision {
        Decision::Deny(Deny::from(Denial::Call(error)))
    }

    /// The denial of a call without a token.
    pub fn missing_token() -> Decision {
        Decision::Deny(Deny::from(Denial::MissingToken))
    }

    /// The agent that acts, with its principal; `None` until the token has been verified.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Decision::Allow(allow) => Some(&allow.identity),
            Decision::Deny(deny) => deny.identity.as_deref(),
        }
    }

    /// The explanation of a denial, one sentence for each condition that was not met; empty if the call is
    /// allowed.
    #[must_use]
    pub fn explain(&self, values: Values) -> Vec<String> {
        match self {
            Decision::Allow(_) => Vec::new(),
            Decision::Deny(deny) => deny.explain(values),
        }
    }

    /// Writes the decision as one JSON object: `decision`, `reason`, `token_id`, `agent`, `principal`, `grant`,
    /// `chain` and `explain`. All unprintable characters are escaped, including those that JSON would pass on
    /// to a terminal. A denial takes at most [`MAX_DENIAL_JSON`] bytes.
    #[must_use]
    pub fn to_json(&self, values: Values) -> String {
        // Writing these types cannot fail. If it did, an empty object would not be a decision.
        serde_json::to_string(&DecisionJson(self, values))
            .map(|json| visible(&json).into_owned())
            .unwrap_or_else(|_| r#"{"decision":"deny","reason":"evaluation_error"}"#.to_owned())
    }
}

impl From<Denial> for Deny {
    fn from(denial: Denial) -> Deny {
        Deny {
            denial,
            identity: None,
            refusals: Vec::new(),
            cut_off: false,
        }
    }
}

impl Deny {
    /// Builds the denial of a call that this identity made.
    pub(crate) fn of(identity: &Arc<Identity>, denial: impl Into<Denial>) -> Deny {
        Deny {
            identity: Some(Arc::clone(identity)),
            ..Deny::from(denial.into())
        }
    }

    /// The stable reason for the denial.
    #[must_use]
    pub fn reason(&self) -> Reason {
        self.denial.reason()
    }

    /// The reason in words, cut off if long, because it may repeat names from a token or a call.
    #[must_use]
    pub fn detail(&self) -> String {
        excerpt(&self.denial, MAX_DETAIL)
    }

    /// Explains the denial: one sentence for each condition that was not met, or the detail if no condition is
    /// known. The last sentence is [`CUT_OFF`] if there are more conditions. The total is at most a little more
    /// than [`MAX_EXPLANATION`](crate::explain::MAX_EXPLANATION) bytes.
    #[must_use]
    pub fn explain(&self, values: Values) -> Vec<String> {
        let mut sentences: Vec<String> = match self.refusals.as_slice() {
            [] => vec![self.detail()],
            refusals => refusals
                .iter()
                .map(|refusal| refusal.sentence(values))
                .collect(),
        };
        if self.cut_off {
            sentences.push(CUT_OFF.to_owned());
        }
        sentences
    }
}

struct DecisionJson<'a>(&'a Decision, Values);

impl Serialize for DecisionJson<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let DecisionJson(decision, values) = self;
        let identity = decision.identity();
        let grant = match decision {
            Decision::Allow(allow) => allow.grant().as_ref().map(Grant::to_value),
            Decision::Deny(_) => None,
        };
        let mut map = serializer.serialize_map(Some(8))?;
        map.serialize_entry(
            "decision",
            if decision.is_allow() { "allow" } else { "deny" },
        )?;
        map.serialize_entry("reason", &decision.reason().map(Reason::code))?;
        map.serialize_entry("token_id", &identity.map(|identity| identity.token_id))?;
        map.serialize_entry("agent", &identity.map(|identity| &identity.agent))?;
        map.serialize_entry("principal", &identity.map(|identity| &identity.principal))?;
        map.serialize_entry("grant", &grant)?;
        map.serialize_entry(
            "chain",
            &identity.map_or(&[][..], |identity| &identity.chain),
        )?;
        map.serialize_entry("explain", &ExplainedAs(decision, *values))?;
        map.end()
    }
}

struct ExplainedAs<'a>(&'a Decision, Values);

impl Serialize for ExplainedAs<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let ExplainedAs(decision, values) = self;
        let mut list = serializer.serialize_seq(None)?;
        if let Decision::Deny(deny) = decision {
            if deny.refusals.is_empty() {
                list.serialize_element(&BTreeMap::from([("text", deny.detail())]))?;
            }
            for refusal in &deny.refusals {
                list.serialize_element(&Shown(refusal, *values))?;
            }
            if deny.cut_off {
                let end = BTreeMap::from([("condition", "cut_off"), ("text", CUT_OFF)]);
                list.serialize_element(&end)?;
            }
        }
        list.end()
    }
}
