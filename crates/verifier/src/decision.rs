//! Decisions: allow or deny, with what a record needs to know.

use std::{collections::BTreeMap, fmt, sync::Arc};

use bailiwick_token::{
    claims::TokenId, datalog, escape::visible, grant::Grant, timestamp::Timestamp,
};
use serde::{
    Serialize, Serializer,
    ser::{SerializeMap, SerializeSeq},
};

use crate::{
    excerpt::excerpt,
    explain::{CUT_OFF, Refusal, Shown, Values},
    request::RequestError,
    verify::Source,
};

/// Why a call is denied. The texts are stable, and the only thing that metrics count by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Reason {
    /// no token came with the call
    MissingToken,
    /// the token cannot be read
    Malformed,
    /// the token is beyond the limits
    TooLarge,
    /// the token uses what the profile does not have
    Unsupported,
    /// the token is not one of the profile
    NotProfile,
    /// a block states a fact that is not its to state
    ReservedName,
    /// the root key is not in the keyset
    UnknownKey,
    /// the root key has been revoked
    RevokedKey,
    /// the verifier's trust is too old to decide
    StaleKeyset,
    /// a signature does not verify
    BadSignature,
    /// the token does not hold yet
    NotYetValid,
    /// the token no longer holds
    Expired,
    /// the token or a block of it has been revoked
    Revoked,
    /// the token grants nothing at this service
    WrongService,
    /// no grant allows the call
    NoGrant,
    /// an appended block does not allow the call
    Caveat,
    /// the service's own policy does not allow the call
    Policy,
    /// more blocks are appended than allowed
    Depth,
    /// an operation of the token's Datalog failed, or of the policy's
    EvaluationError,
    /// deciding would take more steps than allowed
    OutOfFuel,
    /// the call cannot be read
    BadRequest,
}

impl Reason {
    /// Every reason, in the order of the profile.
    pub const ALL: [Reason; 21] = [
        Reason::MissingToken,
        Reason::Malformed,
        Reason::TooLarge,
        Reason::Unsupported,
        Reason::NotProfile,
        Reason::ReservedName,
        Reason::UnknownKey,
        Reason::RevokedKey,
        Reason::StaleKeyset,
        Reason::BadSignature,
        Reason::NotYetValid,
        Reason::Expired,
        Reason::Revoked,
        Reason::WrongService,
        Reason::NoGrant,
        Reason::Caveat,
        Reason::Policy,
        Reason::Depth,
        Reason::EvaluationError,
        Reason::OutOfFuel,
        Reason::BadRequest,
    ];

    /// The stable code, lower case.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Reason::MissingToken => "missing_token",
            Reason::Malformed => "malformed",
            Reason::TooLarge => "too_large",
            Reason::Unsupported => "unsupported",
            Reason::NotProfile => "not_profile",
            Reason::ReservedName => "reserved_name",
            Reason::UnknownKey => "unknown_key",
            Reason::RevokedKey => "revoked_key",
            Reason::StaleKeyset => "stale_keyset",
            Reason::BadSignature => "bad_signature",
            Reason::NotYetValid => "not_yet_valid",
            Reason::Expired => "expired",
            Reason::Revoked => "revoked",
            Reason::WrongService => "wrong_service",
            Reason::NoGrant => "no_grant",
            Reason::Caveat => "caveat",
            Reason::Policy => "policy",
            Reason::Depth => "depth",
            Reason::EvaluationError => "evaluation_error",
            Reason::OutOfFuel => "out_of_fuel",
            Reason::BadRequest => "bad_request",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

/// The most bytes of a denial as JSON, its names and explanation included.
pub const MAX_DENIAL_JSON: usize = 128 * 1024;

/// What a verifier decided about one call.
#[derive(Debug, Clone, PartialEq)]
#[must_use]
pub enum Decision {
    /// The call is inside the token's authority.
    Allow(Allow),
    /// It is not, or the verifier does not know.
    Deny(Deny),
}

/// The authority under which a call is allowed.
#[derive(Debug, Clone, PartialEq)]
pub struct Allow {
    /// Who acts, for whom.
    pub identity: Arc<Identity>,
    /// When the token ends, the earliest end of all its blocks.
    pub expires: Timestamp,
    pub(crate) granted: Option<Granted>,
}

/// Which of a token's rules allows a call.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Granted {
    source: Source,
    rule: usize,
}

impl Granted {
    pub(crate) fn new(source: Source, rule: usize) -> Granted {
        Granted { source, rule }
    }
}

impl Allow {
    /// The first grant that allows the call; `None` where its rule is Datalog that no grant writes.
    /// It is read out of the token when it is asked for.
    #[must_use]
    pub fn grant(&self) -> Option<Grant> {
        let granted = self.granted.as_ref()?;
        let token = granted.source.token()?;
        let code = token.code();
        let rule = code.rules(code.blocks.first()?).get(granted.rule)?;
        datalog::grant(code, rule)
    }
}

/// Why a call is denied.
#[derive(Debug, Clone, PartialEq)]
pub struct Deny {
    /// The stable reason.
    pub reason: Reason,
    /// The reason in words.
    pub detail: String,
    /// Who acted, for whom; `None` until the token has been verified.
    pub identity: Option<Arc<Identity>>,
    /// The conditions that were not met.
    pub refusals: Vec<Refusal>,
    /// True if the explanation ends before its last condition.
    pub cut_off: bool,
}

/// The most bytes of a detail: it may repeat names out of a token or a call that nobody vouches for.
const MAX_DETAIL: usize = 256;

/// Who acts, on whose authority: verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The handle for revocation and audit.
    pub token_id: TokenId,
    /// The agent that the token was minted for.
    pub agent: String,
    /// On whose authority it acts.
    pub principal: String,
    /// The tenant it acts in.
    pub tenant: Option<String>,
    /// Further claims of the issuer.
    pub claims: BTreeMap<String, String>,
    /// To whom the token was handed on, block by block.
    pub chain: Vec<Delegation>,
}

impl Identity {
    /// About how many bytes of memory it takes.
    pub(crate) fn size(&self) -> usize {
        let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        let claims = self.claims.iter().map(|(name, value)| {
            let texts = name.len().saturating_add(value.len());
            texts.saturating_add(size_of::<(String, String)>())
        });
        let chain = self.chain.iter().map(|link| {
            let texts = length(&link.delegate).saturating_add(length(&link.task));
            texts.saturating_add(size_of::<Delegation>())
        });
        let own = [
            size_of::<Identity>(),
            self.agent.len(),
            self.principal.len(),
            length(&self.tenant),
        ];
        own.into_iter()
            .chain(claims)
            .chain(chain)
            .fold(0, usize::saturating_add)
    }
}

/// An appended block, as its writer describes it. Descriptive: no decision rests on it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delegation {
    /// The block's place, from 1.
    pub block: usize,
    /// To whom the token was handed on.
    pub delegate: Option<String>,
    /// What for.
    pub task: Option<String>,
}

impl Decision {
    /// Whether the call is allowed.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        matches!(self, Decision::Allow(_))
    }

    /// Why it is denied, where it is.
    #[must_use]
    pub fn reason(&self) -> Option<Reason> {
        match self {
            Decision::Allow(_) => None,
            Decision::Deny(deny) => Some(deny.reason),
        }
    }

    /// The denial of a call that cannot be read.
    pub fn bad_request(error: &RequestError) -> Decision {
        Decision::Deny(Deny::new(Reason::BadRequest, error))
    }

    /// The denial of a call without a token.
    pub fn missing_token() -> Decision {
        Decision::Deny(Deny::new(Reason::MissingToken, "the call carries no token"))
    }

    /// Who acts, on whose authority, where the token has been verified.
    #[must_use]
    pub fn identity(&self) -> Option<&Identity> {
        match self {
            Decision::Allow(allow) => Some(&allow.identity),
            Decision::Deny(deny) => deny.identity.as_deref(),
        }
    }

    /// Why not, one sentence for each condition that was not met; empty where the call is allowed.
    #[must_use]
    pub fn explain(&self, values: Values) -> Vec<String> {
        match self {
            Decision::Allow(_) => Vec::new(),
            Decision::Deny(deny) => deny.explain(values),
        }
    }

    /// The decision as one JSON object: `decision`, `reason`, `token_id`, `agent`, `principal`,
    /// `grant`, `chain` and `explain`. Everything that is not printable is escaped, which JSON alone
    /// would let pass to a terminal. A denial takes at most [`MAX_DENIAL_JSON`] bytes.
    #[must_use]
    pub fn to_json(&self, values: Values) -> String {
        // Writing these types cannot fail; an empty object would be no decision at all.
        serde_json::to_string(&DecisionJson(self, values))
            .map(|json| visible(&json).into_owned())
            .unwrap_or_else(|_| r#"{"decision":"deny","reason":"evaluation_error"}"#.to_owned())
    }
}

impl Deny {
    pub(crate) fn new(reason: Reason, detail: impl fmt::Display) -> Deny {
        Deny {
            reason,
            detail: excerpt(detail, MAX_DETAIL),
            identity: None,
            refusals: Vec::new(),
            cut_off: false,
        }
    }

    /// One sentence for each condition that was not met, or the detail where there are none; the
    /// last one is [`CUT_OFF`] where there are more. They take a little more than
    /// [`MAX_EXPLANATION`](crate::explain::MAX_EXPLANATION) bytes at most.
    #[must_use]
    pub fn explain(&self, values: Values) -> Vec<String> {
        let mut sentences: Vec<String> = match self.refusals.as_slice() {
            [] => vec![self.detail.clone()],
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
        map.serialize_entry("explain", &Explained(decision, *values))?;
        map.end()
    }
}

struct Explained<'a>(&'a Decision, Values);

impl Serialize for Explained<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Explained(decision, values) = self;
        let mut list = serializer.serialize_seq(None)?;
        if let Decision::Deny(deny) = decision {
            if deny.refusals.is_empty() {
                list.serialize_element(&BTreeMap::from([("text", deny.detail.as_str())]))?;
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
