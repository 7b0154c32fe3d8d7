//! The verifier's own Datalog: facts, rules, checks, and the policies that decide.

use bailiwick_token::datalog::{
    Algorithm, Block, BlockCheck, BlockRule, Kind, Query, Scope, ScopeKey, names,
};
use biscuit_auth::builder::{Expression, Op, Predicate, Term};
use biscuit_parser::{builder as parsed, parser};

use super::error::{Error, Fault, Place};

/// What a verifier adds to a token.
#[derive(Debug, Clone)]
pub struct Authorizer {
    pub(super) block: Block,
    pub(super) policies: Vec<Choice>,
}

/// A policy: the first that matches decides.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) allow: bool,
    pub(super) queries: Vec<Query>,
}

impl Default for Authorizer {
    /// Without policies, so it allows nothing.
    fn default() -> Authorizer {
        Authorizer {
            block: Block {
                version: 6,
                context: None,
                external_key: None,
                scopes: Vec::new(),
                public_keys: Vec::new(),
                facts: Vec::new(),
                rules: Vec::new(),
                checks: Vec::new(),
            },
            policies: Vec::new(),
        }
    }
}

impl Authorizer {
    /// `allow if action($a), grant($a)`: in the profile nothing else grants.
    #[must_use]
    pub fn profile() -> Authorizer {
        let of = |name: &str| Predicate::new(name.to_owned(), vec![Term::Variable("a".to_owned())]);
        let query = Query {
            body: vec![of(names::ACTION), of(names::GRANT)],
            ..Query::default()
        };
        Authorizer {
            policies: vec![Choice {
                allow: true,
                queries: vec![query],
            }],
            ..Authorizer::default()
        }
    }

    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// When it is not Datalog.
    pub fn parse(code: &str) -> Result<Authorizer, Error> {
        let source = parser::parse_source(code).map_err(|errors| {
            let messages: Vec<String> = errors
                .iter()
                .map(|error| {
                    error
                        .message
                        .clone()
                        .unwrap_or_else(|| error.input.to_owned())
                })
                .collect();
            syntax(messages.join("; "))
        })?;
        let mut authorizer = Authorizer::default();
        authorizer.block.scopes = scopes(source.scopes)?;
        for (_, fact) in source.facts {
            authorizer.block.facts.push(Predicate::from(fact.predicate));
        }
        for (_, rule) in source.rules {
            authorizer.block.rules.push(BlockRule {
                head: Predicate::from(rule.head.clone()),
                query: query(rule)?,
            });
        }
        for (_, check) in source.checks {
            authorizer.block.checks.push(BlockCheck {
                kind: match check.kind {
                    parsed::CheckKind::One => Kind::One,
                    parsed::CheckKind::All => Kind::All,
                    parsed::CheckKind::Reject => Kind::Reject,
                },
                queries: queries(check.queries)?,
            });
        }
        for (_, policy) in source.policies {
            authorizer.policies.push(Choice {
                allow: matches!(policy.kind, parsed::PolicyKind::Allow),
                queries: queries(policy.queries)?,
            });
        }
        Ok(authorizer)
    }
}

fn syntax(message: String) -> Error {
    Error::Compile {
        place: Place::Authorizer,
        fault: Fault::Syntax(message),
    }
}

fn queries(rules: Vec<parsed::Rule>) -> Result<Vec<Query>, Error> {
    rules.into_iter().map(query).collect()
}

fn query(rule: parsed::Rule) -> Result<Query, Error> {
    let expressions = rule.expressions.into_iter();
    Ok(Query {
        body: rule.body.into_iter().map(Predicate::from).collect(),
        expressions: expressions
            .map(|expression| Expression::from(expression).ops)
            .collect::<Vec<Vec<Op>>>(),
        scopes: scopes(rule.scopes)?,
    })
}

/// Keys are taken as they stand: biscuit-auth's own conversion panics on one that is no point.
fn scopes(scopes: Vec<parsed::Scope>) -> Result<Vec<Scope>, Error> {
    let scopes = scopes.into_iter();
    scopes
        .map(|scope| match scope {
            parsed::Scope::Authority => Ok(Scope::Authority),
            parsed::Scope::Previous => Ok(Scope::Previous),
            parsed::Scope::PublicKey(key) => {
                let algorithm = match key.algorithm {
                    parsed::Algorithm::Ed25519 => Algorithm::Ed25519,
                    parsed::Algorithm::Secp256r1 => Algorithm::Secp256r1,
                };
                Ok(Scope::PublicKey(ScopeKey::new(algorithm, &key.key)))
            }
            parsed::Scope::Parameter(name) => {
                Err(syntax(format!("the parameter `{name}` has no value")))
            }
        })
        .collect()
}
