//! Policies: a service's own Datalog, which is added to every token and can only narrow it.

use bailiwick_biscuit::{
    datalog::{BlockCheck, Kind, Predicate, Query, Scope, Term},
    engine::{self, Authorizer, Base, Error, Matched, Source},
};
use bailiwick_token::{
    condition::{During, Test},
    datalog::{self, Native, names},
    escape,
};

use crate::{
    evaluation::FACTS,
    excerpt::{MAX_VALUE, beginning},
    native::{ANSWERED, NativeTable},
};

/// Position of the check for a grant among the checks of a verifier.
pub(crate) const GRANTED: usize = 0;

/// A service's own Datalog: facts about its resources, rules, checks and policies.
///
/// A policy is evaluated for every call together with the token, and grants nothing: a call must be within the
/// token's grants and caveats, *and* meet all of these checks, *and*, if there are policies, the first one that
/// matches must be an `allow if`.
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
/// Only the policy itself sees the facts that it states: no check and no grant of a token can depend on them.
/// The policy sees the facts that a verifier states about a call (`action`, `arg`, `num`, …: token format), and
/// the facts of the token's authority block (`agent`, `principal`, `tenant`, `claim`).
#[derive(Debug, Clone)]
pub struct Policy {
    datalog: Authorizer,
    is_own: bool,
}

/// The reason for refusing a service's Datalog.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// The policy is not Datalog, or cannot be evaluated.
    #[error("the policy cannot be used: {0}")]
    Datalog(#[from] Error),
    /// The policy states a fact that only the verifier or the issuer may state.
    #[error(
        "the policy states `{0}`, which only the verifier and the issuer may state; choose another name"
    )]
    Reserved(String),
    /// The policy trusts a key, but third parties never sign blocks of profile tokens.
    #[error(
        "the policy trusts a public key, but no third party signs blocks of a token of this profile; leave the `trusting` clause out"
    )]
    Trusting,
    /// The policy calls a function, but this verifier has none.
    #[error(
        "the policy calls the external function `{0}`, but a verifier has none; write the condition in Datalog"
    )]
    Extern(String),
    /// A regular expression is invalid or too large.
    #[error(
        "the regular expression `{0}` in the policy is invalid or too large; shorten it, and write `[0-9A-Za-z_]` for `\\w` where that is enough"
    )]
    Regex(String),
    /// A regular expression is not a literal.
    #[error(
        "the policy computes a regular expression from a variable or an operation; write the expression out, as in `$a.matches(\"^[a-z]+$\")`"
    )]
    Pattern,
    /// A condition of `meets` or `during` is not written out.
    #[error(
        "the policy uses `meets` or `during` with terms that are not two string literals, or one for `during`; write `meets(\"PATH\", \"CONDITION\")` or `during(\"WINDOW\")`, because a `deny if` with any other term would deny nothing"
    )]
    Native,
    /// A condition of `meets` or `during` is unknown.
    #[error(
        "the policy has the condition {}, which this version does not know or which is not in its canonical form; copy it from the Datalog of a grant",
        escape::code(.0)
    )]
    Condition(String),
    /// A path with a star is used outside `meets`.
    #[error(
        "the policy looks for the argument {}, but only `meets` takes a path with `*`; state the condition with `meets`",
        escape::code(.0)
    )]
    Each(String),
    /// The policy denies every call.
    #[error(
        "the policy has `deny if` but no `allow if`, so it would deny every call; end it with `allow if true;`"
    )]
    DeniesAll,
}

/// The part of a service's own policy that refuses a call, given by number because the text may be
/// confidential.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyRefusal {
    /// The check with this number, counted from 1, failed.
    #[error("check {0} of the policy does not hold")]
    Check(usize),
    /// The policy with this number, counted from 1, denies the call.
    #[error("policy {0} denies the call")]
    Denied(usize),
    /// No policy allows the call.
    #[error("no policy allows the call")]
    NotAllowed,
}

impl PolicyRefusal {
    /// Names the first of the verifier's failed checks or, without one, the policy that matched.
    pub(crate) fn new(checks: impl IntoIterator<Item = usize>, policy: Option<Matched>) -> Self {
        // The verifier's check 0 is the profile's, so the service's own checks count from 1.
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
    /// [`PolicyError`] if the policy cannot be used. A service should then refuse to start.
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
        source.bodies().try_for_each(known_natives)?;
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

    /// The profile's own policy, without any Datalog of a service.
    pub(crate) fn none() -> Policy {
        Policy {
            datalog: within_profile(Source::default()),
            is_own: false,
        }
    }

    pub(crate) fn compile(&self) -> Result<CompiledPolicy, PolicyError> {
        let mut base = Base::new(&self.datalog, &FACTS, &ANSWERED)?;
        base.prepare().map_err(|pattern| match pattern {
            Some(pattern) => PolicyError::Regex(pattern),
            None => PolicyError::Pattern,
        })?;
        Ok(CompiledPolicy {
            natives: NativeTable::of_policy(base.own()),
            base,
            is_own: self.is_own,
            engine_only: false,
        })
    }
}

/// A policy that is added to every token, compiled once.
#[derive(Debug)]
pub(crate) struct CompiledPolicy {
    pub(crate) base: Base,
    /// The native conditions of its Datalog.
    pub(crate) natives: NativeTable,
    /// True if the service has Datalog of its own.
    pub(crate) is_own: bool,
    /// True if the engine decides whole tokens, including typed conditions.
    pub(crate) engine_only: bool,
}

/// Checks that this verifier knows every native condition of a body, and that no body looks for a path with a star
/// among facts. Such facts are never stated, so a `deny if` or `reject if` with them would let every call pass.
fn known_natives(body: &Query) -> Result<(), PolicyError> {
    for native in datalog::natives_of(body) {
        let (text, is_known) = match native {
            Native::Meets { path, text } => (text, Test::parse(path, text).is_ok()),
            Native::During { text } => (text, During::parse(text).is_ok()),
            Native::Malformed => return Err(PolicyError::Native),
        };
        if !is_known {
            return Err(PolicyError::Condition(beginning(text, MAX_VALUE)));
        }
    }
    for predicate in &body.body {
        let describes = [names::ARG, names::NUM, names::DATE, names::JSON];
        if let Some(Term::Str(path)) = predicate.terms.first()
            && describes.contains(&predicate.name.as_str())
            && path.contains('*')
        {
            return Err(PolicyError::Each(beginning(path, MAX_VALUE)));
        }
    }
    Ok(())
}

/// Adds the profile's own requirement: `check if action($a), grant($a)` comes first, so that nothing in the
/// service's Datalog can grant more than the token does. A service without policies allows every call that
/// passes the checks.
fn within_profile(mut source: Source) -> Authorizer {
    let of = |name: &str| Predicate::new(name, [Term::Variable("a".to_owned())]);
    let granted = Query {
        body: vec![of(names::ACTION), of(names::GRANT)],
        expressions: Vec::new(),
        // Only the authority block can grant, whichever blocks the service's Datalog trusts.
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
