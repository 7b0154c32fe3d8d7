//! The authority block: claims, time limits, and the rules that express grants.

use std::collections::BTreeMap;

use bailiwick_biscuit::datalog::{
    self, Block,
    code::{self, Code, Term},
};

use super::{
    DatalogError, PROFILE,
    caveat::{self, ValidityLimit},
    check,
    encode::{rules, text},
    fact, names,
};
use crate::{
    claims::{Claims, MAX_CLAIMS, MAX_NAME, TokenId, is_name},
    escape,
    grant::{Grant, Grants},
    timestamp::Timestamp,
};

/// Checks the name of an agent, a principal or a tenant, and returns it as a term.
fn name(field: &'static str, name: &str) -> Result<datalog::Term, DatalogError> {
    match is_name(name) {
        true => Ok(datalog::Term::Str(name.to_owned())),
        false => Err(DatalogError::Text {
            field,
            max: MAX_NAME,
        }),
    }
}

pub(super) fn encode(claims: &Claims, grants: &Grants) -> Result<Block, DatalogError> {
    if claims.not_before >= claims.expires {
        return Err(DatalogError::Life);
    }
    if claims.claims.len() > MAX_CLAIMS {
        return Err(DatalogError::Claims(MAX_CLAIMS));
    }
    let mut block = Block::default();
    let mut state = |head: &str, terms: Vec<datalog::Term>| block.facts.push(fact(head, terms));
    state(names::PROFILE, vec![datalog::Term::Str(PROFILE.to_owned())]);
    state(names::ISSUER, vec![text("issuer", &claims.issuer)?]);
    state(
        names::TOKEN_ID,
        vec![datalog::Term::Bytes(claims.token_id.as_bytes().to_vec())],
    );
    state(names::AGENT, vec![name("agent", &claims.agent)?]);
    state(
        names::PRINCIPAL,
        vec![name("principal", &claims.principal)?],
    );
    state(
        names::ISSUED_AT,
        vec![datalog::Term::Date(claims.issued_at.unix())],
    );
    if let Some(tenant) = &claims.tenant {
        state(names::TENANT, vec![name("tenant", tenant)?]);
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
        block.checks.push(check(vec![caveat::depth_at_most(depth)]));
    }
    block.rules = rules(grants);
    Ok(block)
}

/// A decoded authority block in the terms of the profile.
#[derive(Debug, Clone, PartialEq)]
pub struct Authority {
    /// The claims: the agent, the principal, the validity period and others.
    pub claims: Claims,
    /// The grant of each rule, in order; `None` for a rule that is valid Datalog but is not the encoding of
    /// any grant.
    pub grants: Vec<Option<Grant>>,
}

/// The reason why an authority block does not follow the profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthorityError {
    /// The token names another profile, or no profile.
    #[error("the token is not of the profile `{PROFILE}`")]
    Profile,
    /// A fact of the profile is missing, occurs twice, or has the wrong shape.
    #[error("the fact `{0}` is missing, repeated or malformed")]
    Fact(&'static str),
    /// The name of an agent, a principal or a tenant is invalid, so that no watermark could revoke its tokens.
    #[error(
        "the name in `{0}` is empty, longer than {MAX_NAME} bytes, or contains a control character"
    )]
    Name(&'static str),
    /// The block contains a fact or rule that the profile does not define.
    #[error("the authority block holds {}, which the token profile does not define", escape::code(.0))]
    Unknown(String),
    /// The token is bound to a holder's key, and this version cannot check such a binding.
    #[error("the token is bound to the key of a holder, which this version cannot check")]
    Holder,
    /// The token has no start or no expiry.
    #[error("the authority block has no start time or no expiry")]
    Life,
}

/// Reads the claims of an authority block strictly: each fact of the profile once, an expiry, rules that
/// express grants, and nothing else.
///
/// # Errors
/// [`AuthorityError`] if the block is anything else.
pub fn claims(code: &Code) -> Result<Claims, AuthorityError> {
    let block = code.blocks.first().ok_or(AuthorityError::Profile)?;
    let mut facts = Facts::read(code, block)?;
    if facts.take_string(names::PROFILE)? != Some(PROFILE) {
        return Err(AuthorityError::Profile);
    }
    let mut limits = StatedLimits::default();
    for check in code.checks(block) {
        limits.read(caveat::limit(code, check));
    }
    let (Some(not_before), Some(expires)) = (limits.not_before, limits.expires) else {
        return Err(AuthorityError::Life);
    };
    let claims = Claims {
        issuer: facts.string(names::ISSUER)?,
        token_id: facts.token_id()?,
        agent: facts.name(names::AGENT)?,
        principal: facts.name(names::PRINCIPAL)?,
        tenant: facts.take_name(names::TENANT)?.map(str::to_owned),
        task: facts.take_string(names::TASK)?.map(str::to_owned),
        issued_at: facts.issued_at()?,
        claims: std::mem::take(&mut facts.claims),
        not_before,
        expires,
        max_depth: limits.max_depth,
    };
    if facts.take(names::HOLDER).is_some() {
        return Err(AuthorityError::Holder);
    }
    if let Some((name, _)) = facts.single.first() {
        return Err(AuthorityError::Unknown((*name).to_owned()));
    }
    for rule in code.rules(block) {
        let head = code.text(rule.head.name);
        if head != names::GRANT || rule.head.terms.len() != 1 {
            return Err(AuthorityError::Unknown(head.to_owned()));
        }
    }
    Ok(claims)
}

/// Reads the authority block in the terms of the profile.
///
/// # Errors
/// As for [`claims`].
pub fn authority(code: &Code) -> Result<Authority, AuthorityError> {
    let claims = claims(code)?;
    let rules = code
        .blocks
        .first()
        .map_or(&[][..], |block| code.rules(block));
    Ok(Authority {
        claims,
        grants: rules.iter().map(|rule| caveat::grant(code, rule)).collect(),
    })
}

/// The facts of an authority block, by name.
struct Facts<'c> {
    code: &'c Code,
    single: Vec<(&'c str, &'c [Term])>,
    claims: BTreeMap<String, String>,
}

impl<'c> Facts<'c> {
    fn read(code: &'c Code, block: &code::Block) -> Result<Facts<'c>, AuthorityError> {
        let mut read = Facts {
            code,
            single: Vec::new(),
            claims: BTreeMap::new(),
        };
        for fact in code.facts(block) {
            let (name, terms) = (code.text(fact.name), code.terms(fact.terms));
            if name == names::CLAIM {
                let [Term::Str(key), Term::Str(value)] = terms else {
                    return Err(AuthorityError::Fact(names::CLAIM));
                };
                let (key, value) = (code.text(*key).to_owned(), code.text(*value).to_owned());
                let occurs_twice = read.claims.insert(key, value).is_some();
                if occurs_twice || read.claims.len() > MAX_CLAIMS {
                    return Err(AuthorityError::Fact(names::CLAIM));
                }
                continue;
            }
            let mut known = names::AUTHORITY_ONLY.iter().chain([&names::TASK]);
            let known = known.find(|known| **known == name);
            let occurs_twice = read.single.iter().any(|(other, _)| *other == name);
            match known {
                Some(known) if occurs_twice => return Err(AuthorityError::Fact(known)),
                // One unknown name is enough to refuse the block later, so the list stays short.
                None if occurs_twice => return Err(AuthorityError::Unknown(name.to_owned())),
                _ => read.single.push((name, terms)),
            }
            if read.single.len() > MOST_FACTS {
                return Err(AuthorityError::Unknown(name.to_owned()));
            }
        }
        Ok(read)
    }

    fn take(&mut self, name: &str) -> Option<&'c [Term]> {
        let place = self.single.iter().position(|(found, _)| *found == name)?;
        Some(self.single.swap_remove(place).1)
    }

    fn take_string(&mut self, name: &'static str) -> Result<Option<&'c str>, AuthorityError> {
        match self.take(name) {
            None => Ok(None),
            Some([Term::Str(text)]) => Ok(Some(self.code.text(*text))),
            Some(_) => Err(AuthorityError::Fact(name)),
        }
    }

    fn string(&mut self, name: &'static str) -> Result<String, AuthorityError> {
        let text = self.take_string(name)?;
        text.map(str::to_owned).ok_or(AuthorityError::Fact(name))
    }

    fn take_name(&mut self, fact: &'static str) -> Result<Option<&'c str>, AuthorityError> {
        match self.take_string(fact)? {
            Some(name) if !is_name(name) => Err(AuthorityError::Name(fact)),
            name => Ok(name),
        }
    }

    fn name(&mut self, fact: &'static str) -> Result<String, AuthorityError> {
        let name = self.take_name(fact)?;
        name.map(str::to_owned).ok_or(AuthorityError::Fact(fact))
    }

    fn token_id(&mut self) -> Result<TokenId, AuthorityError> {
        match self.take(names::TOKEN_ID) {
            Some([Term::Bytes(bytes)]) => <[u8; 16]>::try_from(self.code.bytes(*bytes)).ok(),
            _ => None,
        }
        .map(TokenId::from_bytes)
        .ok_or(AuthorityError::Fact(names::TOKEN_ID))
    }

    fn issued_at(&mut self) -> Result<Timestamp, AuthorityError> {
        match self.take(names::ISSUED_AT) {
            Some([Term::Date(seconds)]) => Timestamp::from_unix(*seconds),
            _ => None,
        }
        .ok_or(AuthorityError::Fact(names::ISSUED_AT))
    }
}

/// Maximum number of distinct fact names in an authority block of the profile.
const MOST_FACTS: usize = names::AUTHORITY_ONLY.len().saturating_add(1);

/// The limits that checks set. Of several limits of one kind, the narrowest counts.
#[derive(Default)]
struct StatedLimits {
    not_before: Option<Timestamp>,
    expires: Option<Timestamp>,
    max_depth: Option<u32>,
}

impl StatedLimits {
    fn read(&mut self, limit: Option<ValidityLimit>) {
        match limit {
            None => {}
            Some(ValidityLimit::NotBefore(time)) => {
                self.not_before = self.not_before.max(Some(time))
            }
            Some(ValidityLimit::Expires(time)) => {
                self.expires = Some(self.expires.map_or(time, |other| other.min(time)))
            }
            Some(ValidityLimit::MaxDepth(depth)) => {
                self.max_depth = Some(self.max_depth.map_or(depth, |other| other.min(depth)))
            }
        }
    }
}
