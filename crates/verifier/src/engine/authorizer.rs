//! The verifier's own Datalog: facts, rules, checks, and the policies that decide.

use bailiwick_token::datalog::{
    Algorithm, Block, BlockCheck, BlockRule, Code, Kind, Query, Scope, ScopeKey, names,
};
use biscuit_auth::builder::{Binary, Expression, Op, Predicate, Term, Unary};
use biscuit_parser::{builder as parsed, parser};

use super::{
    error::{Error, Fault, Place},
    text::bounded,
};

/// What a verifier adds to a token.
#[derive(Debug, Clone)]
pub struct Authorizer {
    /// Facts, rules and checks as a first block, and in a second a check for each policy.
    pub(super) code: Code,
    /// Which of the policies allow.
    pub(super) allows: Vec<bool>,
}

impl Default for Authorizer {
    /// Without policies, so it allows nothing.
    fn default() -> Authorizer {
        Authorizer {
            code: Code::default(),
            allows: Vec::new(),
        }
    }
}

impl Authorizer {
    /// What the profile asks for, `check if action($a), grant($a)`, and nothing of a service's own.
    #[must_use]
    pub fn profile() -> Authorizer {
        // It holds no parameter.
        Draft::default().within_profile().unwrap_or_default()
    }

    /// Reads Datalog text, with its policies.
    ///
    /// # Errors
    /// When it is not Datalog.
    pub fn parse(text: &str) -> Result<Authorizer, Error> {
        Draft::parse(text)?.authorizer()
    }
}

/// Datalog with policies, as it was read.
#[derive(Debug, Clone)]
pub(crate) struct Draft {
    pub(super) statements: Block,
    policies: Vec<(bool, Vec<Query>)>,
}

/// What a service's Datalog holds and cannot use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Misuse {
    /// It trusts a public key.
    Key,
    /// It calls this function.
    Extern(String),
}

/// Among the verifier's checks, the place of the one that looks for a grant.
pub(crate) const GRANTED: usize = 0;

impl Default for Draft {
    fn default() -> Draft {
        Draft {
            statements: Block {
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

impl Draft {
    pub(crate) fn parse(text: &str) -> Result<Draft, Error> {
        bounded(text)?;
        Draft::read(text)
    }

    /// Reads text whatever its length.
    pub(super) fn read(text: &str) -> Result<Draft, Error> {
        let source = parser::parse_source(text.trim_ascii_start()).map_err(|errors| {
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
        let mut draft = Draft::default();
        let block = &mut draft.statements;
        block.scopes = scopes(source.scopes)?;
        for (_, fact) in source.facts {
            block.facts.push(Predicate::from(fact.predicate));
        }
        for (_, rule) in source.rules {
            block.rules.push(BlockRule {
                head: Predicate::from(rule.head.clone()),
                query: query(rule)?,
            });
        }
        for (_, check) in source.checks {
            block.checks.push(BlockCheck {
                kind: match check.kind {
                    parsed::CheckKind::One => Kind::One,
                    parsed::CheckKind::All => Kind::All,
                    parsed::CheckKind::Reject => Kind::Reject,
                },
                queries: queries(check.queries)?,
            });
        }
        for (_, policy) in source.policies {
            let allow = matches!(policy.kind, parsed::PolicyKind::Allow);
            draft.policies.push((allow, queries(policy.queries)?));
        }
        Ok(draft)
    }

    fn authorizer(self) -> Result<Authorizer, Error> {
        let (allows, checks) = self
            .policies
            .into_iter()
            .map(|(allow, queries)| {
                let kind = Kind::One;
                (allow, BlockCheck { kind, queries })
            })
            .unzip();
        let policies = Block {
            checks,
            ..Draft::default().statements
        };
        let code = Code::from_blocks(&[self.statements, policies]);
        let code = code.map_err(|error| syntax(error.to_string()))?;
        Ok(Authorizer { code, allows })
    }

    /// With what the profile asks for: `check if action($a), grant($a)` comes first, so that nothing
    /// here can grant what the token does not. Without policies, that is all.
    pub(crate) fn within_profile(mut self) -> Result<Authorizer, Error> {
        let of = |name: &str| Predicate::new(name.to_owned(), vec![Term::Variable("a".to_owned())]);
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
        self.statements.checks.insert(GRANTED, check);
        if self.policies.is_empty() {
            self.policies.push((true, vec![Query::default()]));
        }
        self.authorizer()
    }

    /// What it states: the names of facts and of the heads of rules.
    pub(crate) fn heads(&self) -> impl Iterator<Item = &str> {
        let rules = self.statements.rules.iter().map(|rule| &rule.head);
        let heads = self.statements.facts.iter().chain(rules);
        heads.map(|head| head.name.as_str())
    }

    /// Whether no call could ever be allowed.
    pub(crate) fn denies_all(&self) -> bool {
        !self.policies.is_empty() && self.policies.iter().all(|(allow, _)| !allow)
    }

    /// What no token of the profile could meet, or no verifier has.
    pub(crate) fn misuse(&self) -> Option<Misuse> {
        let bodies = self.bodies();
        let of_bodies = bodies.flat_map(|query| &query.scopes);
        let mut scopes = self.statements.scopes.iter().chain(of_bodies);
        if scopes.any(|scope| matches!(scope, Scope::PublicKey(_))) {
            return Some(Misuse::Key);
        }
        let expressions = self.bodies().flat_map(|query| &query.expressions);
        let name = expressions.into_iter().find_map(|ops| external(ops));
        name.map(|name| Misuse::Extern(name.to_owned()))
    }

    fn bodies(&self) -> impl Iterator<Item = &Query> {
        let rules = self.statements.rules.iter().map(|rule| &rule.query);
        let checks = self.statements.checks.iter();
        let policies = self.policies.iter().flat_map(|(_, queries)| queries);
        rules
            .chain(checks.flat_map(|check| &check.queries))
            .chain(policies)
    }
}

/// The name of an external function that an expression calls.
fn external(ops: &[Op]) -> Option<&str> {
    ops.iter().find_map(|op| match op {
        Op::Unary(Unary::Ffi(name)) | Op::Binary(Binary::Ffi(name)) => Some(name.as_str()),
        Op::Closure(_, ops) => external(ops),
        _ => None,
    })
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
