//! Structure and limits, looked at before a signature is verified or anything is evaluated.

use bailiwick_biscuit::{
    container::{ContainerError, Proof},
    datalog::{
        BlockError, Code, Kind,
        code::{Binary, Block, Op, Predicate, Query, Symbol, Term, Unary},
    },
    key::Algorithm,
};
use bailiwick_token::{
    claims::Claims,
    datalog::{self, AuthorityError, is_reserved, names},
    limits::Limits,
    token::{Token, TokenError},
};

use crate::decision::Reason;

pub(crate) type Refused = (Reason, String);

/// Why a text or byte string that could not be decoded is refused.
pub(crate) fn undecodable(error: &TokenError) -> Refused {
    let reason = match error {
        TokenError::Container(ContainerError::TooLarge)
        | TokenError::Block(BlockError::TooLarge { .. }) => Reason::TooLarge,
        TokenError::Block(BlockError::Version { .. }) => Reason::Unsupported,
        _ => Reason::Malformed,
    };
    (reason, error.to_string())
}

/// Whether the token is one of the profile, within its limits; answers what its authority block claims.
pub(crate) fn admit(token: &Token, limits: &Limits) -> Result<Claims, Refused> {
    limits
        .check(token)
        .map_err(|error| (Reason::TooLarge, error.to_string()))?;
    container(token)?;
    let code = token.code();
    for (index, block) in code.blocks.iter().enumerate() {
        reserved_names(index, code, block)?;
        language(index, code, block)?;
    }
    datalog::claims(code).map_err(|error| match error {
        // To let a bound token pass as a bearer token would undo what its issuer meant.
        AuthorityError::Holder => (Reason::Unsupported, error.to_string()),
        _ => (Reason::NotProfile, error.to_string()),
    })
}

/// Ed25519 throughout, no signatures by third parties. What the keys are worth is looked at where
/// they verify something.
fn container(token: &Token) -> Result<(), Refused> {
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
        if block.next_key.algorithm != Algorithm::Ed25519.number() {
            return Err(unsupported(index, "has a key that is not Ed25519"));
        }
        if block.signature.len() != 64 {
            return Err((
                Reason::Malformed,
                format!("block {index} has a signature that is not 64 bytes long"),
            ));
        }
    }
    match token.proof() {
        Some(Proof::Open(secret)) if secret.len() == 32 => Ok(()),
        Some(Proof::Sealed(signature)) if signature.len() == 64 => Ok(()),
        _ => Err((
            Reason::Malformed,
            "the token's proof is missing or of a wrong length".to_owned(),
        )),
    }
}

/// A check that looks for the verifier's fact is satisfied by any fact of that name, so no token
/// may state one.
fn reserved_names(index: usize, code: &Code, block: &Block) -> Result<(), Refused> {
    let heads = code.rules(block).iter().map(|rule| &rule.head);
    for head in code.facts(block).iter().chain(heads) {
        let name = code.text(head.name);
        if is_reserved(name) || (index > 0 && names::AUTHORITY_ONLY.contains(&name)) {
            return Err((
                Reason::ReservedName,
                format!("block {index} states `{name}`, which is not its to state"),
            ));
        }
    }
    Ok(())
}

fn language(index: usize, code: &Code, block: &Block) -> Result<(), Refused> {
    if index > 0 && !code.rules(block).is_empty() {
        return Err(unsupported(
            index,
            "holds a rule: only the authority block may",
        ));
    }
    if !code.block_scopes(block).is_empty() || !block.public_keys.is_empty() {
        return Err(unsupported(index, "trusts other keys or blocks"));
    }
    let checks = code.checks(block);
    if checks.iter().any(|check| check.kind == Kind::Reject) {
        return Err(unsupported(index, "holds a `reject if`"));
    }
    for rule in code.rules(block) {
        query(index, code, &rule.query, Some(&rule.head))?;
        // Grants that rest on grants could derive more than their number.
        if looks_for(code, &rule.query, names::GRANT) {
            return Err(unsupported(
                index,
                "holds a grant that rests on another grant",
            ));
        }
        if code.unbound_in_head(rule).is_some() {
            return Err(unbound(index));
        }
    }
    for check in checks {
        for alternative in code.queries(check) {
            // Each match of a `check all` decides, so a bound that fails could hide a later error.
            if check.kind == Kind::All && looks_for(code, alternative, names::DEPTH) {
                return Err(unsupported(index, "holds a `check all` over `depth`"));
            }
            // A grant that a bound on `depth` ends could be the one for which a `check all` does not
            // hold, or for which an expression raises.
            if looks_for(code, alternative, names::GRANT) && some_grant_looks_for_depth(code) {
                return Err(unsupported(
                    index,
                    "holds a check over grants, one of which uses `depth`",
                ));
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
) -> Result<(), Refused> {
    if !code.scopes(query).is_empty() {
        return Err(unsupported(index, "trusts other keys or blocks"));
    }
    // The number of blocks is all that a holder who appends an empty one changes about a call.
    if !datalog::bounds_depth_from_above(code, query, head) {
        return Err(unsupported(
            index,
            "uses `depth` otherwise than as `depth($d)` with `$d <= N` last, so an appended block could make it true",
        ));
    }
    let variables = code.bound_variables(query);
    code.expressions(query)
        .try_for_each(|ops| expression(index, code, &variables, ops))
}

/// Returns whether a body looks for facts of this name.
fn looks_for(code: &Code, query: &Query, name: &str) -> bool {
    let mut body = code.body(query).iter();
    body.any(|predicate| code.text(predicate.name) == name)
}

fn some_grant_looks_for_depth(code: &Code) -> bool {
    let mut rules = code.blocks.iter().flat_map(|block| code.rules(block));
    rules.any(|rule| looks_for(code, &rule.query, names::DEPTH))
}

fn expression(index: usize, code: &Code, variables: &[Symbol], ops: &[Op]) -> Result<(), Refused> {
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
                return Err(unsupported(index, "calls an external function"));
            }
            Op::Binary(Binary::Regex) => {
                return Err(unsupported(index, "holds a regular expression"));
            }
            Op::Closure { .. } => {
                return Err(unsupported(
                    index,
                    "holds a closure, or one of the lenient operators `&&` and `||`, which are written with one",
                ));
            }
            Op::Unary(_) | Op::Binary(_) => {}
        }
    }
    Ok(())
}

/// The one closure that the profile writes: `$value.all($p -> [elements].contains($p))`.
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

/// Whether a variable is bound by the predicates of its body.
fn bound(index: usize, variables: &[Symbol], term: &Term) -> Result<(), Refused> {
    match term {
        Term::Variable(name) if variables.binary_search(name).is_err() => Err(unbound(index)),
        _ => Ok(()),
    }
}

fn unbound(index: usize) -> Refused {
    (
        Reason::Malformed,
        format!("block {index} uses a variable that its predicates do not bind"),
    )
}

fn unsupported(index: usize, what: &str) -> Refused {
    (Reason::Unsupported, format!("block {index} {what}"))
}
