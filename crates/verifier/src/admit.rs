//! Admission: checks of a token's structure and limits, before any signature is verified or anything is
//! evaluated.

use bailiwick_biscuit::{
    container::Proof,
    datalog::{
        Code, Kind,
        code::{Binary, Block, Op, Predicate, Query, Symbol, Term, Unary},
    },
    key::Algorithm,
};
use bailiwick_token::{
    claims::Claims,
    datalog::{self, AuthorityError, Native, is_reserved, names},
    limits::{LimitError, TokenLimits},
    token::Token,
};

use crate::reason::Reason;

/// The reason for refusing a token's structure, before any signature is verified or anything is evaluated.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AdmissionError {
    /// The token exceeds the limits.
    #[error(transparent)]
    Limit(#[from] LimitError),
    /// The token uses a feature of Biscuit that the profile excludes.
    #[error("block {block} {feature}")]
    Unsupported {
        /// The block that uses the feature.
        block: usize,
        /// The excluded feature.
        feature: Feature,
    },
    /// A signature is not 64 bytes long.
    #[error("block {0} has a signature that is not 64 bytes long")]
    Signature(usize),
    /// The proof is missing, or its length is wrong.
    #[error("the token's proof is missing or has the wrong length")]
    Proof,
    /// A block states a fact that only the verifier, or only the authority block, may state.
    #[error("block {block} states `{name}`, which only the issuer or the verifier may state")]
    ReservedName {
        /// The block that states the fact.
        block: usize,
        /// The name of the fact.
        name: String,
    },
    /// A block uses a variable that its predicates do not bind.
    #[error("block {0} uses a variable that its predicates do not bind")]
    Unbound(usize),
    /// The authority block does not follow the profile.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
}

/// A feature of Biscuit that the profile excludes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Feature {
    /// A block that a third party signed.
    #[error("is signed by a third party, which this version does not support")]
    ThirdParty,
    /// A signature of an unknown version.
    #[error("has a signature of an unknown version")]
    SignatureVersion,
    /// A key of another algorithm.
    #[error("has a key that is not Ed25519")]
    Key,
    /// A rule in an appended block.
    #[error("holds a rule, which only the authority block may")]
    Rule,
    /// A `trusting` clause, or a public key for one.
    #[error("trusts other keys or blocks")]
    Trusting,
    /// A check with `reject if`.
    #[error("holds a `reject if`")]
    Reject,
    /// A grant that depends on other grants. Such rules could derive more facts than there are grants.
    #[error("holds a grant that depends on another grant")]
    GrantOnGrant,
    /// A `check all` over `depth`. Its evaluation ends at the first match that fails, so a bound that begins to
    /// fail could hide a later error.
    #[error("holds a `check all` over `depth`")]
    AllDepth,
    /// A check over grants, one of which depends on `depth`. If the bound on `depth` removes that grant, a
    /// `check all` that failed because of the grant could pass, or an error in an expression could disappear.
    #[error("holds a check over grants, one of which uses `depth`")]
    GrantOnDepth,
    /// A use of `depth` other than as an upper bound. The number of blocks is the only thing about a call that
    /// a holder changes by appending an empty block.
    #[error(
        "uses `depth` in a form other than `depth($d)` with `$d <= N` as the last condition, so an appended block could make it true"
    )]
    Depth,
    /// An external function.
    #[error("calls an external function")]
    Extern,
    /// `meets` or `during` with a variable, a term of another type, or another number of terms. The verifier decides
    /// such a fact from its text, so the terms must be written out.
    #[error("uses `meets` or `during` with a term that is not a string literal")]
    Native,
    /// A path with a star outside `meets`. No fact has such a path.
    #[error("names an argument with a star outside `meets`")]
    Each,
    /// A regular expression.
    #[error("holds a regular expression")]
    Regex,
    /// A closure other than the one that expresses the constraint `all_of_in`.
    #[error("holds a closure, which the lenient operators `&&` and `||` are stored as")]
    Closure,
}

impl AdmissionError {
    /// The stable reason for the denial.
    #[must_use]
    pub fn reason(&self) -> Reason {
        match self {
            AdmissionError::Limit(_) => Reason::TooLarge,
            // Accepting a token that is bound to a holder's key as a bearer token would undo its binding.
            AdmissionError::Unsupported { .. }
            | AdmissionError::Authority(AuthorityError::Holder) => Reason::Unsupported,
            AdmissionError::Signature(_) | AdmissionError::Proof | AdmissionError::Unbound(_) => {
                Reason::Malformed
            }
            AdmissionError::ReservedName { .. } => Reason::ReservedName,
            AdmissionError::Authority(_) => Reason::NotProfile,
        }
    }
}

fn unsupported(block: usize, feature: Feature) -> AdmissionError {
    AdmissionError::Unsupported { block, feature }
}

/// Checks that a token follows the profile and its limits. Returns the claims of the authority block.
pub(crate) fn admit(token: &Token, limits: &TokenLimits) -> Result<Claims, AdmissionError> {
    // First, because the checks below take time in proportion to the sizes that these limits bound.
    limits.check(token)?;
    container(token)?;
    let code = token.code();
    for (index, block) in code.blocks.iter().enumerate() {
        reserved_names(index, code, block)?;
        language(index, code, block)?;
    }
    Ok(datalog::claims(code)?)
}

/// Checks that all keys are Ed25519, and that no third party signed a block. The bytes of each key are checked
/// later, when the key verifies something.
fn container(token: &Token) -> Result<(), AdmissionError> {
    for (index, block) in token.signed_blocks().enumerate() {
        // `trusting` would be needed to use such a block, and the profile has no `trusting`.
        if block.external_signature.is_some() {
            return Err(unsupported(index, Feature::ThirdParty));
        }
        if block.version.is_some_and(|version| version > 1) {
            return Err(unsupported(index, Feature::SignatureVersion));
        }
        if block.next_key.algorithm != Algorithm::Ed25519.number() {
            return Err(unsupported(index, Feature::Key));
        }
        // Revocations name a block by these 64 bytes.
        if block.signature.len() != 64 {
            return Err(AdmissionError::Signature(index));
        }
    }
    match token.proof() {
        Some(Proof::Open(secret)) if secret.len() == 32 => Ok(()),
        Some(Proof::Sealed(signature)) if signature.len() == 64 => Ok(()),
        _ => Err(AdmissionError::Proof),
    }
}

/// Checks that a block states no reserved fact. A token's fact with a reserved name could satisfy a check meant
/// for the verifier's fact, so no token may state one.
fn reserved_names(index: usize, code: &Code, block: &Block) -> Result<(), AdmissionError> {
    // A rule states facts as well: its head counts.
    let heads = code.rules(block).iter().map(|rule| &rule.head);
    for head in code.facts(block).iter().chain(heads) {
        let name = code.text(head.name);
        if is_reserved(name) || (index > 0 && names::AUTHORITY_ONLY.contains(&name)) {
            let name = name.to_owned();
            return Err(AdmissionError::ReservedName { block: index, name });
        }
    }
    Ok(())
}

fn language(index: usize, code: &Code, block: &Block) -> Result<(), AdmissionError> {
    // Only grants are written as rules, and only the authority block may state grants.
    if index > 0 && !code.rules(block).is_empty() {
        return Err(unsupported(index, Feature::Rule));
    }
    if !code.block_scopes(block).is_empty() || !block.public_keys.is_empty() {
        return Err(unsupported(index, Feature::Trusting));
    }
    let checks = code.checks(block);
    // A `reject if` passes where a fact is absent; the profile has only conditions that a call must meet.
    if checks.iter().any(|check| check.kind == Kind::Reject) {
        return Err(unsupported(index, Feature::Reject));
    }
    for rule in code.rules(block) {
        query(index, code, &rule.query, Some(&rule.head))?;
        if looks_for(code, &rule.query, names::GRANT) {
            return Err(unsupported(index, Feature::GrantOnGrant));
        }
        if code.unbound_in_head(rule).is_some() {
            return Err(AdmissionError::Unbound(index));
        }
    }
    for check in checks {
        for alternative in code.queries(check) {
            if check.kind == Kind::All && looks_for(code, alternative, names::DEPTH) {
                return Err(unsupported(index, Feature::AllDepth));
            }
            if looks_for(code, alternative, names::GRANT) && some_grant_looks_for_depth(code) {
                return Err(unsupported(index, Feature::GrantOnDepth));
            }
            query(index, code, alternative, None)?;
        }
    }
    Ok(())
}

fn query(
    index: usize,
    code: &Code,
    query: &Query,
    head: Option<&Predicate>,
) -> Result<(), AdmissionError> {
    if !code.scopes(query).is_empty() {
        return Err(unsupported(index, Feature::Trusting));
    }
    let mut natives = datalog::natives(code, query);
    if natives.any(|native| matches!(native, Native::Malformed)) {
        return Err(unsupported(index, Feature::Native));
    }
    if datalog::has_each_outside_meets(code, query) {
        return Err(unsupported(index, Feature::Each));
    }
    if !datalog::bounds_depth_from_above(code, query, head) {
        return Err(unsupported(index, Feature::Depth));
    }
    if query.expressions.is_empty() {
        return Ok(());
    }
    let variables = code.bound_variables(query);
    code.expressions(query)
        .try_for_each(|ops| expression(index, code, &variables, ops))
}

/// Returns true if a body uses facts of this name.
fn looks_for(code: &Code, query: &Query, name: &str) -> bool {
    let mut body = code.body(query).iter();
    body.any(|predicate| code.text(predicate.name) == name)
}

fn some_grant_looks_for_depth(code: &Code) -> bool {
    let mut rules = code.blocks.iter().flat_map(|block| code.rules(block));
    rules.any(|rule| looks_for(code, &rule.query, names::DEPTH))
}

fn expression(
    index: usize,
    code: &Code,
    variables: &[Symbol],
    ops: &[Op],
) -> Result<(), AdmissionError> {
    // Recognized as a whole, so that every other closure is refused below.
    if let [
        Op::Value(value @ Term::Variable(_)),
        closure @ Op::Closure { .. },
        rest @ ..,
    ] = ops
        && each_of_a_list(code, closure, rest)
    {
        return bound(index, variables, value);
    }
    for op in ops {
        match op {
            Op::Value(term) => bound(index, variables, term)?,
            Op::Unary(Unary::Ffi(_)) | Op::Binary(Binary::Ffi(_)) => {
                return Err(unsupported(index, Feature::Extern));
            }
            Op::Binary(Binary::Regex) => {
                return Err(unsupported(index, Feature::Regex));
            }
            Op::Closure { .. } => {
                return Err(unsupported(index, Feature::Closure));
            }
            Op::Unary(_) | Op::Binary(_) => {}
        }
    }
    Ok(())
}

/// Recognizes the only closure of the profile: `$value.all($p -> [elements].contains($p))`.
fn each_of_a_list(code: &Code, closure: &Op, rest: &[Op]) -> bool {
    let Op::Closure { params, length: 3 } = closure else {
        return false;
    };
    match (code.params(*params), rest) {
        (
            [param],
            [
                Op::Value(Term::Array(_)),
                Op::Value(Term::Variable(element)),
                Op::Binary(Binary::Contains),
                Op::Binary(Binary::All),
            ],
        ) => param == element,
        _ => false,
    }
}

/// Checks that a variable is bound by the predicates of its body.
fn bound(index: usize, variables: &[Symbol], term: &Term) -> Result<(), AdmissionError> {
    match term {
        Term::Variable(name) if variables.binary_search(name).is_err() => {
            Err(AdmissionError::Unbound(index))
        }
        _ => Ok(()),
    }
}
