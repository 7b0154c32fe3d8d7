//! The reference for the engine: biscuit-auth 6.0.0.

use std::{collections::BTreeSet, time::Duration};

use biscuit_auth::{
    AuthorizerBuilder, AuthorizerLimits, Biscuit, KeyPair,
    builder::{BiscuitBuilder, BlockBuilder, Fact},
    error,
};

/// The outcome of a program, in terms that both engines share. Kinds of errors are not compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Result {
    Allow(usize),
    Deny(Option<(bool, usize)>, Vec<(Option<u32>, u32)>),
    Error,
}

/// A token's blocks as Datalog, each with a mark if a third party signs it, and the verifier's Datalog.
#[derive(Debug, Clone)]
pub struct Case {
    pub blocks: Vec<(bool, String)>,
    pub authorizer: String,
}

/// A check that always holds, added so that biscuit-auth declares Datalog 3.3, which arrays and maps alone do
/// not cause.
const DECLARE_3_3: &str = "check if null === null;";

impl Case {
    /// Builds the token with a fresh last key. A check that holds is added to each block.
    pub fn token(&self, third_party: &KeyPair) -> Biscuit {
        let root = KeyPair::new();
        let said = |error: error::Token| panic!("{error}: {self:#?}");
        let mut blocks = self.blocks.iter();
        let (_, authority) = blocks.next().expect("an authority block");
        let authority = format!("{authority}{DECLARE_3_3}");
        let builder = BiscuitBuilder::new().code(authority).unwrap_or_else(said);
        let mut token = builder.build(&root).expect("a token");
        for (external, code) in blocks {
            let block = BlockBuilder::new()
                .code(format!("{code}{DECLARE_3_3}"))
                .unwrap_or_else(|error| panic!("{error}: {code}"));
            token = match external {
                false => token.append(block).expect("a block"),
                true => {
                    let request = token.third_party_request().expect("an open token");
                    let block = request
                        .create_block(&third_party.private(), block)
                        .expect("a block");
                    token
                        .append_third_party(third_party.public(), block)
                        .expect("a block")
                }
            };
        }
        token
    }
}

/// The verifier's Datalog for biscuit-auth, with limits that are never reached.
fn authorizer(code: &str) -> AuthorizerBuilder {
    let limits = AuthorizerLimits {
        max_facts: 1_000_000,
        max_iterations: 100_000,
        max_time: Duration::from_secs(3600),
    };
    AuthorizerBuilder::new()
        .set_limits(limits)
        .code(code)
        .unwrap_or_else(|error| panic!("{error}: {code}"))
}

/// Returns true if biscuit-auth allows the token with these further facts; an error if an operation fails.
pub fn decided(
    token: &Biscuit,
    facts: Vec<Fact>,
    code: &str,
) -> std::result::Result<bool, error::Token> {
    let add = |builder: AuthorizerBuilder, fact| builder.fact(fact).expect("a fact");
    let builder = facts.into_iter().fold(authorizer(code), add);
    let allowed = builder
        .build(token)
        .and_then(|mut authorizer| authorizer.authorize());
    match allowed {
        Ok(_) => Ok(true),
        Err(error::Token::FailedLogic(_)) => Ok(false),
        Err(error) => Err(error),
    }
}

/// The outcome of biscuit-auth, and the facts at the end.
pub fn theirs(token: &Biscuit, code: &str) -> (Result, Option<BTreeSet<String>>) {
    let builder = authorizer(code);
    let Ok(mut authorizer) = builder.build(token) else {
        return (Result::Error, None);
    };
    let checks = |checks: Vec<error::FailedCheck>| {
        checks
            .into_iter()
            .map(|check| match check {
                error::FailedCheck::Block(check) => (Some(check.block_id), check.check_id),
                error::FailedCheck::Authorizer(check) => (None, check.check_id),
            })
            .collect()
    };
    let result = match authorizer.authorize() {
        Ok(policy) => Result::Allow(policy),
        Err(error::Token::FailedLogic(error::Logic::Unauthorized {
            policy,
            checks: failed,
        })) => {
            let policy = match policy {
                error::MatchedPolicy::Allow(policy) => (true, policy),
                error::MatchedPolicy::Deny(policy) => (false, policy),
            };
            Result::Deny(Some(policy), checks(failed))
        }
        Err(error::Token::FailedLogic(error::Logic::NoMatchingPolicy { checks: failed })) => {
            Result::Deny(None, checks(failed))
        }
        Err(_) => return (Result::Error, None),
    };
    let facts = authorizer.dump().0.into_iter();
    (result, Some(facts.map(|fact| fact.to_string()).collect()))
}
