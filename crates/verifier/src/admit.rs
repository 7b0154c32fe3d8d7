//! Structure and limits, looked at before a signature is verified or anything is evaluated.

use std::collections::BTreeSet;

use bailiwick_token::{
    datalog::{self, AuthorityError, Block, BlockError, Kind, Query, is_reserved, names},
    key::PublicKey,
    limits::Limits,
    token::{Proof, Token, TokenError},
};
use biscuit_auth::{
    builder::{Binary, Op, Predicate, Term, Unary},
    format::schema::public_key::Algorithm,
};

use crate::decision::Reason;

pub(crate) type Refused = (Reason, String);

/// Why a text or byte string that could not be decoded is refused.
pub(crate) fn undecodable(error: &TokenError) -> Refused {
    let reason = match error {
        TokenError::TooLarge | TokenError::Block(BlockError::TooLarge { .. }) => Reason::TooLarge,
        TokenError::Block(BlockError::Version { .. }) => Reason::Unsupported,
        _ => Reason::Malformed,
    };
    (reason, error.to_string())
}

/// What was read of a token on the way.
pub(crate) struct Admitted {
    pub(crate) authority: datalog::Authority,
    /// The key that each block hands on to, which signs what follows it.
    pub(crate) next_keys: Vec<PublicKey>,
}

/// Whether the token is one of the profile, within its limits.
pub(crate) fn admit(token: &Token, limits: &Limits) -> Result<Admitted, Refused> {
    limits
        .check(token)
        .map_err(|error| (Reason::TooLarge, error.to_string()))?;
    let next_keys = container(token)?;
    for (index, block) in token.blocks().iter().enumerate() {
        reserved_names(index, block)?;
        language(index, block)?;
    }
    let authority = token.authority().map_err(|error| match error {
        // To let a bound token pass as a bearer token would undo what its issuer meant.
        AuthorityError::Holder => (Reason::Unsupported, error.to_string()),
        _ => (Reason::NotProfile, error.to_string()),
    })?;
    Ok(Admitted {
        authority,
        next_keys,
    })
}

/// Ed25519 throughout, no key of small order, no signatures by third parties.
fn container(token: &Token) -> Result<Vec<PublicKey>, Refused> {
    let mut next_keys = Vec::with_capacity(token.blocks().len());
    for (index, block) in token.signed_blocks().enumerate() {
        if block.external_signature.is_some() {
            return Err(unsupported(
                index,
                "is signed by a third party: this version reads no such blocks",
            ));
        }
        if block.version.is_some_and(|version| version > 1) {
            return Err(unsupported(index, "has a signature of an unknown version"));
        }
        if block.next_key.algorithm != Algorithm::Ed25519 as i32 {
            return Err(unsupported(index, "has a key that is not Ed25519"));
        }
        let next_key = PublicKey::from_bytes(&block.next_key.key).map_err(|_| {
            unsupported(
                index,
                "has a key that is no Ed25519 key, or one of small order",
            )
        })?;
        next_keys.push(next_key);
        if block.signature.len() != 64 {
            return Err((
                Reason::Malformed,
                format!("block {index} has a signature that is not 64 bytes long"),
            ));
        }
    }
    match token.proof() {
        Some(Proof::Open(secret)) if secret.len() == 32 => Ok(next_keys),
        Some(Proof::Sealed(signature)) if signature.len() == 64 => Ok(next_keys),
        _ => Err((
            Reason::Malformed,
            "the token's proof is missing or of a wrong length".to_owned(),
        )),
    }
}

/// A check that looks for the verifier's fact is satisfied by any fact of that name, so no token
/// may state one.
fn reserved_names(index: usize, block: &Block) -> Result<(), Refused> {
    let heads = block.rules.iter().map(|rule| &rule.head);
    for Predicate { name, .. } in block.facts.iter().chain(heads) {
        if is_reserved(name) || (index > 0 && names::AUTHORITY_ONLY.contains(&name.as_str())) {
            return Err((
                Reason::ReservedName,
                format!("block {index} states `{name}`, which is not its to state"),
            ));
        }
    }
    Ok(())
}

fn language(index: usize, block: &Block) -> Result<(), Refused> {
    if index > 0 && !block.rules.is_empty() {
        return Err(unsupported(
            index,
            "holds a rule: only the authority block may",
        ));
    }
    if !block.scopes.is_empty() || !block.public_keys.is_empty() {
        return Err(unsupported(index, "trusts other keys or blocks"));
    }
    if block.checks.iter().any(|check| check.kind == Kind::Reject) {
        return Err(unsupported(index, "holds a `reject if`"));
    }
    for rule in &block.rules {
        query(index, &rule.query)?;
        // Grants that rest on grants could derive more than their number.
        if rule
            .query
            .body
            .iter()
            .any(|predicate| predicate.name == names::GRANT)
        {
            return Err(unsupported(
                index,
                "holds a grant that rests on another grant",
            ));
        }
        let bound = bound_variables(&rule.query);
        if variables(&rule.head).any(|variable| !bound.contains(variable)) {
            return Err(unbound(index));
        }
    }
    block
        .checks
        .iter()
        .flat_map(|check| &check.queries)
        .try_for_each(|alternative| query(index, alternative))
}

fn query(index: usize, query: &Query) -> Result<(), Refused> {
    if !query.scopes.is_empty() {
        return Err(unsupported(index, "trusts other keys or blocks"));
    }
    let bound = bound_variables(query);
    query
        .expressions
        .iter()
        .try_for_each(|ops| expression(index, ops, &bound))
}

fn expression(index: usize, ops: &[Op], bound: &BTreeSet<&str>) -> Result<(), Refused> {
    for op in ops {
        match op {
            Op::Value(Term::Variable(variable)) if !bound.contains(variable.as_str()) => {
                return Err(unbound(index));
            }
            Op::Unary(Unary::Ffi(_)) | Op::Binary(Binary::Ffi(_)) => {
                return Err(unsupported(index, "calls an external function"));
            }
            Op::Binary(Binary::Regex) => {
                return Err(unsupported(index, "holds a regular expression"));
            }
            Op::Closure(params, body) => closure(index, params, body, ops)?,
            _ => {}
        }
    }
    Ok(())
}

/// The one closure that the profile writes: `$value.all($p -> [elements].contains($p))`.
fn closure(index: usize, params: &[String], body: &[Op], ops: &[Op]) -> Result<(), Refused> {
    let of_all = matches!(
        ops,
        [
            Op::Value(Term::Variable(_)),
            Op::Closure(..),
            Op::Binary(Binary::All)
        ]
    );
    let contains = match (params, body) {
        (
            [param],
            [
                Op::Value(Term::Array(_)),
                Op::Value(Term::Variable(element)),
                Op::Binary(Binary::Contains),
            ],
        ) => param == element,
        _ => false,
    };
    if of_all && contains {
        return Ok(());
    }
    Err(unsupported(
        index,
        "holds a closure, or one of the lenient operators `&&` and `||`, which are written with one",
    ))
}

fn bound_variables(query: &Query) -> BTreeSet<&str> {
    query.body.iter().flat_map(variables).collect()
}

fn variables(predicate: &Predicate) -> impl Iterator<Item = &str> {
    predicate.terms.iter().filter_map(|term| match term {
        Term::Variable(variable) => Some(variable.as_str()),
        _ => None,
    })
}

fn unsupported(index: usize, what: &str) -> Refused {
    (Reason::Unsupported, format!("block {index} {what}"))
}

fn unbound(index: usize) -> Refused {
    (
        Reason::Malformed,
        format!("block {index} uses a variable that its predicates do not bind"),
    )
}
