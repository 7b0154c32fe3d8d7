//! Datalog, through biscuit-auth, bounded before it starts.
//!
//! biscuit-auth looks at its limits between iterations only, so one join can run for seconds. Here
//! [`fuel`] counts beforehand the most steps that a decision can take, and biscuit-auth never sees
//! one that takes too many. Its clock decides nothing.

use std::time::Duration;

use bailiwick_token::datalog::{Block, names};
use biscuit_auth::{
    AuthorizerBuilder, AuthorizerLimits, Biscuit,
    builder::{Fact, Policy, PolicyKind, Predicate, Rule, Term},
    error,
};

mod fuel;

/// What evaluation came to.
pub(crate) enum Outcome {
    /// The policy matched and every check held.
    Allowed,
    /// Nothing granted the action, or a check failed.
    Refused {
        /// Whether a grant matched.
        granted: bool,
        /// The checks that failed: block and place in the block.
        failed: Vec<(usize, usize)>,
    },
    /// An operation failed, such as a comparison of two types.
    Error(String),
    /// It would take more steps than allowed.
    OutOfFuel,
}

pub(crate) fn evaluate(token: &Biscuit, blocks: &[Block], facts: Vec<Fact>, limit: u64) -> Outcome {
    if !fuel::suffices(limit, blocks, &facts) {
        return Outcome::OutOfFuel;
    }
    let unlimited = AuthorizerLimits {
        max_facts: u64::MAX,
        max_iterations: u64::MAX,
        max_time: Duration::from_secs(24 * 60 * 60),
    };
    let mut builder = AuthorizerBuilder::new().set_limits(unlimited);
    for fact in facts {
        builder = match builder.fact(fact) {
            Ok(builder) => builder,
            Err(error) => return Outcome::Error(error.to_string()),
        };
    }
    let mut authorizer = match builder
        .policy(policy())
        .and_then(|builder| builder.build(token))
    {
        Ok(authorizer) => authorizer,
        Err(error) => return Outcome::Error(error.to_string()),
    };
    let checks = |failed: Vec<error::FailedCheck>| {
        failed
            .into_iter()
            .filter_map(|check| match check {
                error::FailedCheck::Block(check) => Some((
                    usize::try_from(check.block_id).ok()?,
                    usize::try_from(check.check_id).ok()?,
                )),
                error::FailedCheck::Authorizer(_) => None,
            })
            .collect()
    };
    match authorizer.authorize() {
        Ok(_) => Outcome::Allowed,
        Err(error::Token::FailedLogic(error::Logic::Unauthorized { checks: failed, .. })) => {
            Outcome::Refused {
                granted: true,
                failed: checks(failed),
            }
        }
        Err(error::Token::FailedLogic(error::Logic::NoMatchingPolicy { checks: failed })) => {
            Outcome::Refused {
                granted: false,
                failed: checks(failed),
            }
        }
        Err(error) => Outcome::Error(error.to_string()),
    }
}

/// `allow if action($a), grant($a)`: nothing else grants.
fn policy() -> Policy {
    let of = |name: &str| Predicate::new(name.to_owned(), vec![Term::Variable("a".to_owned())]);
    let head = Predicate::new("query".to_owned(), Vec::new());
    let query = Rule::new(
        head,
        vec![of(names::ACTION), of(names::GRANT)],
        Vec::new(),
        Vec::new(),
    );
    Policy {
        queries: vec![query],
        kind: PolicyKind::Allow,
    }
}
