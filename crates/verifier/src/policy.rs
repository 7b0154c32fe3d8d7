//! What a service adds to every token: its own Datalog, which can only narrow.

use bailiwick_biscuit::{
    datalog::{BlockCheck, Kind, Predicate, Query, Scope, Term},
    engine::{self, Authorizer, Base, Error, Matched, Source},
};
use bailiwick_token::datalog::names;

use crate::evaluation::FACTS;

/// The place of the check for a grant among the checks of a verifier.
pub(crate) const GRANTED: usize = 0;

/// A service's own Datalog: facts about what it serves, rules, checks and policies.
///
/// It is looked at for every call besides the token, and grants nothing: a call has to be inside the
/// token's grants and caveats, *and* meet all of these checks, *and* where there are policies the
/// first that matches has to be an `allow if`.
///
/// ```
/// use bailiwick_verifier::Policy;
///
/// # fn main() -> Result<(), bailiwick_verifier::PolicyError> {
/// let policy = Policy::parse(r#"
///     closed("2026-12");
///     deny if action("entry:post"), arg("month", $month), closed($month);
///     allow if true;
/// "#)?;
/// # Ok(())
/// # }
/// ```
///
/// What it states is for itself alone: no check and no grant of a token can rest on it. It sees the facts that a verifier states about a call (`action`, `arg`, `num`, …: token format),
/// and the facts of the token's authority block (`agent`, `principal`, `tenant`, `claim`).
#[derive(Debug, Clone)]
pub struct Policy {
    datalog: Authorizer,
    is_own: bool,
}

/// A service's Datalog cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It is not Datalog, or could not be evaluated.
    #[error("the policy cannot be used: {0}")]
    Datalog(#[from] Error),
    /// It states a fact that is not its to state.
    #[error(
        "the policy states `{0}`, which only the verifier and the issuer state: choose another name"
    )]
    Reserved(String),
    /// It trusts a key, but no block of a profile token is signed by one.
    #[error(
        "the policy trusts a public key, but no third party signs blocks of a token of this profile: leave the `trusting` clause out"
    )]
    Trusting,
    /// It calls a function that this verifier does not have.
    #[error(
        "the policy calls the external function `{0}`, and a verifier has none: write it in Datalog"
    )]
    Extern(String),
    /// A regular expression is none, or too large.
    #[error(
        "the policy's regular expression `{0}` is none, or too large: shorten it, and write `[0-9A-Za-z_]` for `\\w` where that will do"
    )]
    Regex(String),
    /// A regular expression is not written out.
    #[error(
        "the policy matches with a regular expression that a variable or an operation gives: write it out, as `$a.matches(\"^[a-z]+$\")`"
    )]
    Pattern,
    /// It denies every call.
    #[error(
        "the policy has `deny if` and no `allow if`, so it would deny every call: end it with `allow if true;`"
    )]
    DeniesAll,
}

/// The part of a service's own policy that refuses a call. Its text is the service's affair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyRefusal {
    /// The check of this number, from 1, does not hold.
    #[error("its check {0} does not hold")]
    Check(usize),
    /// The policy of this number, from 1, denies it.
    #[error("its policy {0} denies it")]
    Denied(usize),
    /// No policy allows it.
    #[error("none of its policies allows it")]
    NotAllowed,
}

impl PolicyRefusal {
    /// The refusal by the first of the failed checks of a verifier, or else by the policy that matched.
    pub(crate) fn new(checks: impl IntoIterator<Item = usize>, policy: Option<Matched>) -> Self {
        // The first of the verifier's checks is the profile's, so the service's own count from 1.
        let mut checks = checks.into_iter().filter(|check| *check != GRANTED);
        match (checks.next(), policy) {
            (Some(check), _) => PolicyRefusal::Check(check),
            (None, Some(Matched::Deny(policy))) => PolicyRefusal::Denied(policy.saturating_add(1)),
            (None, _) => PolicyRefusal::NotAllowed,
        }
    }
}

impl Policy {
    /// Reads a service's Datalog (Biscuit's syntax, with policies).
    ///
    /// # Errors
    /// When it is wrong, so that a service does not start with it.
    pub fn parse(text: &str) -> Result<Policy, PolicyError> {
        let source = Source::parse(text)?;
        for name in source.heads() {
            if bailiwick_token::datalog::is_reserved(name) || names::AUTHORITY_ONLY.contains(&name)
            {
                return Err(PolicyError::Reserved(name.to_owned()));
            }
        }
        let trusts_key = |scope: &Scope| matches!(scope, Scope::PublicKey(_));
        if source.scopes().any(trusts_key) {
            return Err(PolicyError::Trusting);
        }
        if let Some(name) = source.externs().next() {
            return Err(PolicyError::Extern(name.to_owned()));
        }
        if !source.policies.is_empty() && source.policies.iter().all(|policy| !policy.allow) {
            return Err(PolicyError::DeniesAll);
        }
        let policy = Policy {
            datalog: within_profile(source),
            is_own: true,
        };
        policy.compile()?;
        Ok(policy)
    }

    /// What only the profile asks for: nothing of a service's own.
    pub(crate) fn none() -> Policy {
        Policy {
            datalog: within_profile(Source::default()),
            is_own: false,
        }
    }

    pub(crate) fn compile(&self) -> Result<CompiledPolicy, PolicyError> {
        let mut base = Base::new(&self.datalog, &FACTS)?;
        base.prepare().map_err(|pattern| match pattern {
            Some(pattern) => PolicyError::Regex(pattern),
            None => PolicyError::Pattern,
        })?;
        Ok(CompiledPolicy {
            base,
            is_own: self.is_own,
            engine_only: false,
        })
    }
}

/// A policy that goes with every token, compiled once.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) base: Base,
    /// False where nothing is asked besides what the profile asks for.
    pub(crate) is_own: bool,
    /// True if the engine decides whole tokens, whatever they hold.
    pub(crate) engine_only: bool,
}

/// Adds what the profile asks for: `check if action($a), grant($a)` comes first, so that nothing of a
/// service's own can grant what the token does not. A service without policies allows what passes it.
fn within_profile(mut source: Source) -> Authorizer {
    let of = |name: &str| Predicate::new(name, [Term::Variable("a".to_owned())]);
    let granted = Query {
        body: vec![of(names::ACTION), of(names::GRANT)],
        expressions: Vec::new(),
        // Whatever the service's Datalog trusts otherwise.
        scopes: vec![Scope::Authority],
    };
    let check = BlockCheck {
        kind: Kind::One,
        queries: vec![granted],
    };
    source.statements.checks.insert(GRANTED, check);
    if source.policies.is_empty() {
        source.policies.push(engine::Policy {
            allow: true,
            queries: vec![Query::default()],
        });
    }
    Authorizer::from(source)
}
