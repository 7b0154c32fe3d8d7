//! The content of a token for people: grants in words, and Datalog where the profile has no words.

use std::fmt;

use bailiwick_biscuit::datalog::{Code, code};
use serde::Serialize;

use crate::{
    datalog::{self, Authority, AuthorityError, CheckMeaning, names},
    escape::{name, phrase, visible},
    grant::{Effective, Grant, Grants, TooManyCombinations},
    text::counted,
    timestamp::Timestamp,
    token::Token,
    value::Value,
};

/// The content of a token. Nothing here has been verified: anyone can write a token with this content.
///
/// ```
/// use bailiwick_token::token::Token;
///
/// # fn example(token: &Token) -> Result<(), Box<dyn std::error::Error>> {
/// let inspection = token.inspect();
/// println!("{inspection}"); // block by block
/// println!("{}", inspection.effective()?); // what all blocks together allow
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Serialize)]
pub struct Inspection {
    /// The version of this JSON structure.
    pub version: u32,
    /// Size of the container in bytes.
    pub bytes: usize,
    /// True if the token is sealed.
    pub sealed: bool,
    /// Id of the root key that supposedly signed the token: eight hexadecimal digits.
    pub root_key_id: Option<String>,
    /// The claims of the authority block; `None` if the token does not follow the profile.
    pub claims: Option<ClaimsView>,
    /// The reason why the token does not follow the profile; `None` if it does.
    pub not_profile: Option<String>,
    /// All blocks, beginning with the authority block.
    pub blocks: Vec<BlockView>,
    /// Maximum number of appended blocks, according to the checks of all blocks.
    #[serde(skip)]
    max_depth: Option<u32>,
}

/// The claims of the authority block.
#[derive(Debug, Clone, Serialize)]
pub struct ClaimsView {
    /// The token's id; see [`crate::claims::Claims`].
    pub token_id: String,
    /// The issuer's URL.
    pub issuer: String,
    /// The agent that may act.
    pub agent: String,
    /// The principal on whose authority the agent acts.
    pub principal: String,
    /// The tenant in which the agent acts.
    pub tenant: Option<String>,
    /// Time of issue. For a token that an issuer minted, the time at which the request for it arrived.
    pub issued_at: Timestamp,
    /// Maximum number of blocks that holders may append.
    pub max_depth: Option<u32>,
    /// Further claims, by name.
    pub claims: std::collections::BTreeMap<String, String>,
}

/// The content of one block.
#[derive(Debug, Clone, Serialize)]
pub struct BlockView {
    /// Number of the block; 0 is the authority block.
    pub block: usize,
    /// The block's signature in hexadecimal, by which the block can be revoked.
    pub revocation_id: String,
    /// The party to which the token was passed on with this block.
    pub delegate: Option<String>,
    /// The purpose of passing the token on.
    pub task: Option<String>,
    /// The first second in which the block's checks allow a call.
    pub not_before: Option<Timestamp>,
    /// The first second in which the block's checks no longer allow a call.
    pub expires: Option<Timestamp>,
    /// The grants of the authority block. One of them must allow a call.
    pub grants: Vec<Alternative>,
    /// The scopes of this block. In each scope, one alternative must allow a call.
    pub scopes: Vec<Vec<Alternative>>,
    /// Checks that the profile cannot express, as Datalog.
    pub checks: Vec<String>,
    /// Other descriptive facts, as Datalog. No decision trusts them.
    pub facts: Vec<String>,
    /// The public key of the third party that signed the block: `ed25519/` or `secp256r1/` and hexadecimal
    /// digits; `None` for a first-party block.
    pub third_party: Option<String>,
    #[serde(skip)]
    meanings: Vec<CheckMeaning>,
}

/// A grant, or Datalog that no grant can express.
#[derive(Debug, Clone, PartialEq)]
pub enum Alternative {
    /// A grant.
    Grant(Grant),
    /// A body in Datalog.
    Datalog(String),
}

impl Serialize for Alternative {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Alternative::Grant(grant) => grant.to_value().serialize(serializer),
            Alternative::Datalog(text) => {
                Value::Object([("datalog".to_owned(), Value::from(text.as_str()))].into())
                    .serialize(serializer)
            }
        }
    }
}

impl fmt::Display for Alternative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Alternative::Grant(grant) => write!(f, "{grant}"),
            Alternative::Datalog(text) => write!(f, "(Datalog) {text}"),
        }
    }
}

/// The authority that remains once all blocks are applied.
#[derive(Debug, Clone, PartialEq)]
pub struct EffectiveAuthority {
    /// Alternatives, one of which must allow a call. Each is a list of grants that must all allow the call.
    pub alternatives: Vec<Effective>,
    /// The first second in which the token is valid.
    pub not_before: Option<Timestamp>,
    /// The first second in which the token is no longer valid.
    pub expires: Option<Timestamp>,
    /// Further restrictions: checks in Datalog that cannot be listed as grants.
    pub further: Vec<String>,
    /// Number of grants that cannot be listed and may allow further calls: those in Datalog, and all if there are more
    /// than a list can have.
    pub opaque_grants: usize,
    /// Number of appended blocks.
    pub appended: usize,
    /// Maximum number of appended blocks, if the token sets one. A token with more blocks allows no call.
    pub max_depth: Option<u32>,
    /// True if the token is sealed, so that it cannot be narrowed.
    pub sealed: bool,
}

impl EffectiveAuthority {
    /// Returns true if more blocks are appended than the token permits.
    #[must_use]
    pub fn is_too_deep(&self) -> bool {
        self.max_depth
            .is_some_and(|limit| u32::try_from(self.appended).is_ok_and(|count| count > limit))
    }

    /// Returns true if the blocks together allow no call.
    #[must_use]
    pub fn is_nothing(&self) -> bool {
        self.alternatives.is_empty() && self.opaque_grants == 0
    }

    /// Number of times that the token can still be narrowed; `None` if unlimited.
    #[must_use]
    pub fn narrowings_left(&self) -> Option<u32> {
        let appended = u32::try_from(self.appended).unwrap_or(u32::MAX);
        let left = self.max_depth.map(|limit| limit.saturating_sub(appended));
        if self.sealed { Some(0) } else { left }
    }
}

impl Token {
    /// Returns the content of the token, block by block.
    #[must_use]
    pub fn inspect(&self) -> Inspection {
        let authority = self.authority();
        let signatures = self.block_signatures();
        let blocks = self.code().blocks.iter().zip(&signatures).enumerate();
        Inspection {
            version: 1,
            bytes: self.as_bytes().len(),
            sealed: self.is_sealed(),
            root_key_id: self.root_key_id().map(|id| format!("{id:08x}")),
            claims: authority.as_ref().ok().map(claims_view),
            not_profile: authority.as_ref().err().map(AuthorityError::to_string),
            blocks: blocks
                .map(|(index, (block, signature))| {
                    view(
                        self.code(),
                        index,
                        block,
                        signature,
                        authority.as_ref().ok(),
                    )
                })
                .collect(),
            max_depth: datalog::max_depth(self.code()),
        }
    }
}

impl Inspection {
    /// Returns the authority that remains once all blocks are applied.
    ///
    /// # Errors
    /// [`TooManyCombinations`] if the blocks combine in too many ways to be listed.
    pub fn effective(&self) -> Result<EffectiveAuthority, TooManyCombinations> {
        let granted = self.blocks.iter().flat_map(|block| &block.grants);
        let (grants, opaque): (Vec<_>, Vec<_>) =
            granted.partition(|grant| matches!(grant, Alternative::Grant(_)));
        let grants: Vec<_> = grants.into_iter().filter_map(Alternative::grant).collect();
        let mut further: Vec<String> = Vec::new();
        let mut scopes: Vec<Grants> = Vec::new();
        for meaning in self.blocks.iter().flat_map(|block| &block.meanings) {
            if let CheckMeaning::Scope(grants) = meaning {
                match Grants::new(grants.clone()) {
                    Ok(scope) => scopes.push(scope),
                    // This is not a scope of the profile, but it narrows the token too.
                    Err(_) => further.push(joined(grants, " or ")),
                }
            }
        }
        let checks = self.blocks.iter().flat_map(|block| block.checks.clone());
        further.extend(checks);
        let readable = grants.len();
        let (alternatives, unlisted) = match Grants::new(grants) {
            Ok(grants) => (grants.within(&scopes)?, 0),
            // There is no grant, or there are more than the profile allows. A verifier may have wider limits.
            Err(_) => (Vec::new(), readable),
        };
        let mut effective = EffectiveAuthority {
            alternatives,
            not_before: self
                .blocks
                .iter()
                .filter_map(|block| block.not_before)
                .max(),
            expires: self.blocks.iter().filter_map(|block| block.expires).min(),
            further,
            opaque_grants: opaque.len().saturating_add(unlisted),
            appended: self.blocks.len().saturating_sub(1),
            max_depth: self.max_depth,
            sealed: self.sealed,
        };
        // The token's own check of its depth then denies every call.
        if effective.is_too_deep() {
            effective.alternatives.clear();
            effective.opaque_grants = 0;
        }
        Ok(effective)
    }
}

impl Alternative {
    fn grant(&self) -> Option<Grant> {
        match self {
            Alternative::Grant(grant) => Some(grant.clone()),
            Alternative::Datalog(_) => None,
        }
    }
}

fn claims_view(authority: &Authority) -> ClaimsView {
    let claims = &authority.claims;
    ClaimsView {
        token_id: claims.token_id.to_string(),
        issuer: claims.issuer.clone(),
        agent: claims.agent.clone(),
        principal: claims.principal.clone(),
        tenant: claims.tenant.clone(),
        issued_at: claims.issued_at,
        max_depth: claims.max_depth,
        claims: claims.claims.clone(),
    }
}

fn view(
    code: &Code,
    index: usize,
    block: &code::Block,
    signature: &[u8],
    authority: Option<&Authority>,
) -> BlockView {
    let checks = code.checks(block);
    let meanings: Vec<CheckMeaning> = checks
        .iter()
        .map(|check| datalog::meaning(code, check))
        .collect();
    let described = |name| code.described(block, name).map(str::to_owned);
    let mut view = BlockView {
        block: index,
        revocation_id: hex::encode(signature),
        delegate: described(names::DELEGATE),
        task: described(names::TASK),
        not_before: None,
        expires: None,
        grants: Vec::new(),
        scopes: Vec::new(),
        checks: Vec::new(),
        facts: Vec::new(),
        third_party: block.external_key.as_ref().map(ToString::to_string),
        meanings,
    };
    // All checks must hold, so the latest start and the earliest end count.
    for (check, meaning) in checks.iter().zip(&view.meanings) {
        match meaning {
            CheckMeaning::NotBefore(time) => view.not_before = view.not_before.max(Some(*time)),
            CheckMeaning::Expires(time) => {
                view.expires = Some(view.expires.map_or(*time, |other| other.min(*time)))
            }
            CheckMeaning::Scope(grants) => view
                .scopes
                .push(grants.iter().cloned().map(Alternative::Grant).collect()),
            // The depth limit of the authority block is shown among the claims.
            CheckMeaning::MaxDepth(_) if index == 0 && authority.is_some() => {}
            CheckMeaning::MaxDepth(_) | CheckMeaning::Datalog => {
                view.checks.push(code.resolve_check(check).to_string())
            }
        }
    }
    let grants = authority
        .filter(|_| index == 0)
        .map_or(&[][..], |authority| &authority.grants);
    view.grants = (code.rules(block).iter().enumerate())
        .map(|(place, rule)| match grants.get(place) {
            Some(Some(grant)) => Alternative::Grant(grant.clone()),
            _ => Alternative::Datalog(code.resolve_rule(rule).to_string()),
        })
        .collect();
    // Facts that are shown above as claims, delegate or task are not repeated. A fact that occurs twice, or is
    // not text, is not shown above and is listed here: a holder can write facts of any name and shape, and none
    // may be hidden.
    let described = [
        (names::DELEGATE, view.delegate.is_some()),
        (names::TASK, view.task.is_some()),
    ];
    let told = |name: &str| {
        let claims = names::AUTHORITY_ONLY.contains(&name) || name == names::CLAIM;
        described.contains(&(name, true)) || (index == 0 && authority.is_some() && claims)
    };
    let facts = code.facts(block).iter();
    view.facts = facts
        .filter(|fact| !told(code.text(fact.name)))
        .map(|fact| code.resolve_predicate(fact).to_string())
        .collect();
    view
}

impl fmt::Display for Inspection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.sealed {
            "sealed"
        } else {
            "open, so its holder can narrow it"
        };
        match (&self.claims, &self.not_profile) {
            (Some(claims), _) => {
                writeln!(
                    f,
                    "token      {} ({} bytes, {state})",
                    claims.token_id, self.bytes
                )?;
                writeln!(f, "agent      {}", name(&claims.agent))?;
                writeln!(f, "principal  {}", name(&claims.principal))?;
                writeln!(f, "issuer     {}", name(&claims.issuer))?;
                if let Some(tenant) = &claims.tenant {
                    writeln!(f, "tenant     {}", name(tenant))?;
                }
                writeln!(f, "issued     {}", claims.issued_at)?;
                if let Some(depth) = claims.max_depth {
                    writeln!(f, "depth      at most {}", counted(depth, "appended block"))?;
                }
                for (claim, value) in &claims.claims {
                    writeln!(f, "claim      {} = {}", name(claim), phrase(value))?;
                }
            }
            (None, reason) => {
                writeln!(
                    f,
                    "a Biscuit outside the profile ({} bytes, {state})",
                    self.bytes
                )?;
                writeln!(
                    f,
                    "because    {}",
                    visible(reason.as_deref().unwrap_or("it has no authority block"))
                )?;
            }
        }
        if let Some(id) = &self.root_key_id {
            writeln!(f, "root key   {id}")?;
        }
        self.blocks.iter().try_for_each(|block| block.fmt(f))?;
        writeln!(f, "\nNothing here has been verified.")
    }
}

impl fmt::Display for BlockView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let title = if self.block == 0 {
            " (authority, signed by a root key)"
        } else {
            ""
        };
        writeln!(f, "\nblock {}{title}", self.block)?;
        if let Some(key) = &self.third_party {
            writeln!(f, "  signed by a third party, {key}")?;
        }
        for (label, text) in [("delegate", &self.delegate), ("task", &self.task)] {
            if let Some(text) = text {
                writeln!(f, "  {label:<9}{}", phrase(text))?;
            }
        }
        for (label, time) in [("from", self.not_before), ("until", self.expires)] {
            if let Some(time) = time {
                writeln!(f, "  {label:<9}{time}")?;
            }
        }
        for grant in &self.grants {
            writeln!(f, "  grants   {}", visible(&grant.to_string()))?;
        }
        for scope in &self.scopes {
            writeln!(f, "  only     {}", joined(scope, "\n        or "))?;
        }
        for check in &self.checks {
            writeln!(f, "  check    {}", visible(check))?;
        }
        for fact in &self.facts {
            writeln!(f, "  says     {}", visible(fact))?;
        }
        Ok(())
    }
}

impl fmt::Display for EffectiveAuthority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.max_depth {
            Some(limit) if self.is_too_deep() => writeln!(
                f,
                "nothing is left, because the token has {}, above its limit of {limit}",
                counted(self.appended, "appended block")
            )?,
            _ if self.is_nothing() => {
                writeln!(f, "nothing is left, because no call meets all blocks")?;
            }
            _ => {}
        }
        for all in &self.alternatives {
            writeln!(f, "may  {}", joined(all, "\n and "))?;
        }
        if self.opaque_grants > 0 {
            writeln!(
                f,
                "and what {} may allow, which cannot be listed",
                counted(self.opaque_grants, "grant")
            )?;
        }
        for (label, time) in [("from ", self.not_before), ("until", self.expires)] {
            if let Some(time) = time {
                writeln!(f, "{label} {time}")?;
            }
        }
        for check in &self.further {
            writeln!(f, "only where {}", visible(check))?;
        }
        match self.narrowings_left() {
            _ if self.is_nothing() => Ok(()),
            Some(0) => writeln!(f, "it cannot be narrowed further"),
            Some(1) => writeln!(f, "it can be narrowed once more"),
            Some(left) => writeln!(f, "it can be narrowed {left} more times"),
            None => Ok(()),
        }
    }
}

impl Serialize for EffectiveAuthority {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct;
        let alternatives: Vec<Vec<Value>> = self
            .alternatives
            .iter()
            .map(|all| all.iter().map(Grant::to_value).collect())
            .collect();
        let mut object = serializer.serialize_struct("EffectiveAuthority", 6)?;
        object.serialize_field("may", &alternatives)?;
        object.serialize_field("not_before", &self.not_before)?;
        object.serialize_field("expires", &self.expires)?;
        object.serialize_field("further_checks", &self.further)?;
        object.serialize_field("opaque_grants", &self.opaque_grants)?;
        object.serialize_field("narrowings_left", &self.narrowings_left())?;
        object.end()
    }
}

fn joined<T: fmt::Display>(items: &[T], separator: &str) -> String {
    items
        .iter()
        .map(|item| visible(&item.to_string()).into_owned())
        .collect::<Vec<_>>()
        .join(separator)
}
