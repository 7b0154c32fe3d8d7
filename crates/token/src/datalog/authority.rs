//! The authority block: claims, limits in time, and the rules that grant.

use std::collections::BTreeMap;

use biscuit_auth::builder::{BlockBuilder, Predicate, Term};

use super::{
    Block, BlockCheck, BlockRule, CheckMeaning, DatalogError, PROFILE, caveat, check,
    encode::{Form, alternatives, string},
    fact, meaning, names, rule,
};
use crate::{
    claims::{Claims, TokenId},
    grant::{Grant, Grants},
    timestamp::Timestamp,
};

/// The longest text of a claim, in bytes.
const MAX_TEXT: usize = 1024;

/// The most further claims.
const MAX_CLAIMS: usize = 32;

/// A text that is fit for a claim, as a term.
pub(super) fn text(field: &'static str, text: &str) -> Result<Term, DatalogError> {
    if text.is_empty() || text.len() > MAX_TEXT || text.chars().any(char::is_control) {
        return Err(DatalogError::Text {
            field,
            max: MAX_TEXT,
        });
    }
    Ok(string(text))
}

pub(super) fn encode(claims: &Claims, grants: &Grants) -> Result<BlockBuilder, DatalogError> {
    if claims.not_before >= claims.expires {
        return Err(DatalogError::Life);
    }
    if claims.claims.len() > MAX_CLAIMS {
        return Err(DatalogError::Claims(MAX_CLAIMS));
    }
    let mut block = BlockBuilder::new();
    let mut state = |name: &str, terms: Vec<Term>| block.facts.push(fact(name, terms));
    state(names::PROFILE, vec![string(PROFILE)]);
    state(names::ISSUER, vec![text("issuer", &claims.issuer)?]);
    state(
        names::TOKEN_ID,
        vec![Term::Bytes(claims.token_id.as_bytes().to_vec())],
    );
    state(names::AGENT, vec![text("agent", &claims.agent)?]);
    state(
        names::PRINCIPAL,
        vec![text("principal", &claims.principal)?],
    );
    state(names::ISSUED_AT, vec![Term::Date(claims.issued_at.unix())]);
    if let Some(tenant) = &claims.tenant {
        state(names::TENANT, vec![text("tenant", tenant)?]);
    }
    if let Some(task) = &claims.task {
        state(names::TASK, vec![text("task", task)?]);
    }
    for (name, value) in &claims.claims {
        state(
            names::CLAIM,
            vec![text("claim name", name)?, text("claim value", value)?],
        );
    }
    block
        .checks
        .push(check(vec![caveat::not_before(claims.not_before)]));
    block
        .checks
        .push(check(vec![caveat::expiry(claims.expires)]));
    if let Some(depth) = claims.max_depth {
        block.checks.push(check(vec![caveat::max_depth(depth)]));
    }
    for BlockRule { head, query } in alternatives(grants, Form::Rule) {
        block.rules.push(rule(head, query));
    }
    Ok(block)
}

/// An authority block read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// Who may act, for whom, until when.
    pub claims: Claims,
    /// What each rule grants, in order; `None` where a rule is legal Datalog that no grant writes.
    pub grants: Vec<Option<Grant>>,
    /// Checks beyond the limits in time and depth that `claims` holds.
    pub further_checks: Vec<BlockCheck>,
}

/// An authority block is not one of the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The token is of another profile, or of none.
    #[error("the token is not of the profile `{PROFILE}`")]
    Profile,
    /// A fact of the profile is missing, stands twice, or has the wrong shape.
    #[error("the fact `{0}` is missing, stands twice, or has the wrong shape")]
    Fact(&'static str),
    /// A fact or rule is there that the profile does not know.
    #[error("the authority block holds `{0}`, which the profile does not know")]
    Unknown(String),
    /// The token is bound to a holder's key, which nothing here could check.
    #[error("the token is bound to a holder's key, and this version cannot check that")]
    Holder,
    /// The token has no beginning or no end.
    #[error("the authority block has no beginning or no end in time")]
    Life,
}

impl Authority {
    /// Reads an authority block strictly: each fact of the profile once, an end in time, rules
    /// that grant, and nothing else.
    ///
    /// # Errors
    /// When the block is anything but that.
    pub fn read(block: &Block) -> Result<Authority, AuthorityError> {
        let mut facts = Facts::read(&block.facts)?;
        if facts.take_string(names::PROFILE)?.as_deref() != Some(PROFILE) {
            return Err(AuthorityError::Profile);
        }
        let needed =
            |field: &'static str, found: Option<String>| found.ok_or(AuthorityError::Fact(field));
        let mut limits = Limits::default();
        let further_checks = block
            .checks
            .iter()
            .filter(|check| !limits.read(check))
            .cloned()
            .collect();
        let (Some(not_before), Some(expires)) = (limits.not_before, limits.expires) else {
            return Err(AuthorityError::Life);
        };
        let claims = Claims {
            issuer: needed(names::ISSUER, facts.take_string(names::ISSUER)?)?,
            token_id: facts.token_id()?,
            agent: needed(names::AGENT, facts.take_string(names::AGENT)?)?,
            principal: needed(names::PRINCIPAL, facts.take_string(names::PRINCIPAL)?)?,
            tenant: facts.take_string(names::TENANT)?,
            task: facts.take_string(names::TASK)?,
            issued_at: facts.issued_at()?,
            claims: std::mem::take(&mut facts.claims),
            not_before,
            expires,
            max_depth: limits.max_depth,
        };
        if facts.single.contains_key(names::HOLDER) {
            return Err(AuthorityError::Holder);
        }
        if let Some((name, _)) = facts.single.into_iter().next() {
            return Err(AuthorityError::Unknown(name));
        }
        let grants = block.rules.iter().map(|rule| {
            let grants_an_action = rule.head.name == names::GRANT && rule.head.terms.len() == 1;
            if !grants_an_action {
                return Err(AuthorityError::Unknown(rule.head.name.clone()));
            }
            Ok(caveat::granted(rule))
        });
        Ok(Authority {
            claims,
            grants: grants.collect::<Result<_, _>>()?,
            further_checks,
        })
    }
}

/// The facts of an authority block by name.
struct Facts {
    single: BTreeMap<String, Vec<Term>>,
    claims: BTreeMap<String, String>,
}

impl Facts {
    fn read(facts: &[Predicate]) -> Result<Facts, AuthorityError> {
        let mut read = Facts {
            single: BTreeMap::new(),
            claims: BTreeMap::new(),
        };
        for fact in facts {
            if fact.name == names::CLAIM {
                let [Term::Str(name), Term::Str(value)] = fact.terms.as_slice() else {
                    return Err(AuthorityError::Fact(names::CLAIM));
                };
                if read.claims.insert(name.clone(), value.clone()).is_some() {
                    return Err(AuthorityError::Fact(names::CLAIM));
                }
            } else if read
                .single
                .insert(fact.name.clone(), fact.terms.clone())
                .is_some()
            {
                let known = names::AUTHORITY_ONLY
                    .iter()
                    .chain([&names::TASK])
                    .find(|name| **name == fact.name);
                return Err(known.map_or_else(
                    || AuthorityError::Unknown(fact.name.clone()),
                    |name| AuthorityError::Fact(name),
                ));
            }
        }
        Ok(read)
    }

    fn take_string(&mut self, name: &'static str) -> Result<Option<String>, AuthorityError> {
        match self.single.remove(name).as_deref() {
            None => Ok(None),
            Some([Term::Str(text)]) => Ok(Some(text.clone())),
            Some(_) => Err(AuthorityError::Fact(name)),
        }
    }

    fn token_id(&mut self) -> Result<TokenId, AuthorityError> {
        match self.single.remove(names::TOKEN_ID).as_deref() {
            Some([Term::Bytes(bytes)]) => <[u8; 16]>::try_from(bytes.as_slice()).ok(),
            _ => None,
        }
        .map(TokenId::from_bytes)
        .ok_or(AuthorityError::Fact(names::TOKEN_ID))
    }

    fn issued_at(&mut self) -> Result<Timestamp, AuthorityError> {
        match self.single.remove(names::ISSUED_AT).as_deref() {
            Some([Term::Date(seconds)]) => Timestamp::from_unix(*seconds),
            _ => None,
        }
        .ok_or(AuthorityError::Fact(names::ISSUED_AT))
    }
}

/// The limits that checks set; of several of a kind the narrowest.
#[derive(Default)]
struct Limits {
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    max_depth: Option<u32>,
}

impl Limits {
    /// Whether the check is such a limit.
    fn read(&mut self, check: &BlockCheck) -> bool {
        match meaning(check) {
            CheckMeaning::NotBefore(time) => self.not_before = self.not_before.max(Some(time)),
            CheckMeaning::Expires(time) => {
                self.expires = Some(self.expires.map_or(time, |other| other.min(time)))
            }
            CheckMeaning::MaxDepth(depth) => {
                self.max_depth = Some(self.max_depth.map_or(depth, |other| other.min(depth)))
            }
            CheckMeaning::Scope(_) | CheckMeaning::Datalog => return false,
        }
        true
    }
}
