//! Signing, appending and sealing with the reference implementation (`biscuit-auth`).
//!
//! Blocks are built from a syntax tree, never from Datalog text, so values need no escaping.

use std::fmt;

use biscuit_auth::{
    PrivateKey, UnverifiedBiscuit,
    builder::{self, BiscuitBuilder, BlockBuilder},
};
use ed25519_dalek::SigningKey;

use crate::{
    container::{Container, ContainerError},
    datalog::{
        Binary, Block, BlockCheck, BlockRule, Kind, MapKey, Op, Predicate, Query, Scope, Term,
        Unary,
    },
    key::Algorithm,
};

/// The reason why a container could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BuildError {
    /// The container cannot be extended: it is sealed, or its proof does not belong to its last block.
    #[error(
        "the token is sealed or damaged, so no block can be appended; use the token as its issuer wrote it"
    )]
    Closed,
    /// The signing key, or a key that a `trusting` clause names, is not a valid key.
    #[error(
        "a public key of the block is not a valid key; check the signing key and the keys in `trusting` clauses"
    )]
    Key,
    /// The block could not be written or signed.
    #[error("the block cannot be written or signed")]
    Block,
    /// The result could not be read back.
    #[error(transparent)]
    Container(#[from] ContainerError),
}

/// An Ed25519 key pair that signs authority blocks. `Debug` shows neither half.
pub struct KeyPair(biscuit_auth::KeyPair);

impl KeyPair {
    /// Makes the key pair of an Ed25519 seed.
    ///
    /// # Errors
    /// [`BuildError::Key`] if the reference implementation refuses the seed.
    pub fn new(seed: &SigningKey) -> Result<KeyPair, BuildError> {
        let secret = PrivateKey::from_bytes(seed.as_bytes(), builder::Algorithm::Ed25519);
        let secret = secret.map_err(|_| BuildError::Key)?;
        Ok(KeyPair(biscuit_auth::KeyPair::from(&secret)))
    }
}

impl fmt::Debug for KeyPair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyPair").finish_non_exhaustive()
    }
}

/// Signs `block` as the authority block of a new token, with the unsigned hint `root_key_id`. The signed block
/// declares the oldest version that supports its features; [`Block::version`] is ignored.
///
/// # Errors
/// [`BuildError`] if the block cannot be written.
pub fn sign(
    block: &Block,
    root: &KeyPair,
    root_key_id: Option<u32>,
) -> Result<Container, BuildError> {
    let mut token = BiscuitBuilder::new().merge(written(block)?);
    if let Some(id) = root_key_id {
        token = token.root_key_id(id);
    }
    let token = token.build(&root.0).map_err(|_| BuildError::Block)?;
    let bytes = token.to_vec().map_err(|_| BuildError::Block)?;
    Ok(Container::from_bytes(bytes)?)
}

/// Appends a block to an open token. The only key needed is the one in the token's proof.
///
/// # Errors
/// [`BuildError::Closed`] if the token is sealed or damaged.
pub fn append(container: &Container, block: &Block) -> Result<Container, BuildError> {
    let token = open(container)?.append(written(block)?);
    reread(&token.map_err(|_| BuildError::Closed)?)
}

/// Seals an open token, so that nobody can append to it.
///
/// # Errors
/// [`BuildError::Closed`] if the token is sealed already, or damaged.
pub fn seal(container: &Container) -> Result<Container, BuildError> {
    let token = open(container)?.seal();
    reread(&token.map_err(|_| BuildError::Closed)?)
}

fn open(container: &Container) -> Result<UnverifiedBiscuit, BuildError> {
    // Signatures are not verified here: a holder need not know the root key, and verifiers check them all.
    UnverifiedBiscuit::from(container.as_bytes()).map_err(|_| BuildError::Closed)
}

fn reread(token: &UnverifiedBiscuit) -> Result<Container, BuildError> {
    // The strict reader of this crate checks the result before the caller gets it.
    let bytes = token.to_vec().map_err(|_| BuildError::Closed)?;
    Ok(Container::from_bytes(bytes)?)
}

fn written(block: &Block) -> Result<BlockBuilder, BuildError> {
    let mut builder = BlockBuilder::new();
    builder.context.clone_from(&block.context);
    builder.scopes = scopes(&block.scopes)?;
    for fact in &block.facts {
        let Predicate { name, terms } = fact;
        let terms: Vec<builder::Term> = terms.iter().map(term).collect();
        builder.facts.push(builder::Fact::new(name.clone(), terms));
    }
    for BlockRule { head, query } in &block.rules {
        builder.rules.push(rule(predicate(head), query)?);
    }
    for BlockCheck { kind, queries } in &block.checks {
        // The format requires a head and gives it no meaning. biscuit-auth writes this one.
        let head = || builder::Predicate::new("query".to_owned(), Vec::new());
        let queries = queries.iter().map(|query| rule(head(), query));
        builder.checks.push(builder::Check {
            queries: queries.collect::<Result<Vec<_>, _>>()?,
            kind: match kind {
                Kind::One => builder::CheckKind::One,
                Kind::All => builder::CheckKind::All,
                Kind::Reject => builder::CheckKind::Reject,
            },
        });
    }
    Ok(builder)
}

fn rule(head: builder::Predicate, query: &Query) -> Result<builder::Rule, BuildError> {
    let body: Vec<builder::Predicate> = query.body.iter().map(predicate).collect();
    let expressions = query.expressions.iter().map(|expression| {
        let ops = ops(expression);
        builder::Expression { ops }
    });
    let expressions: Vec<builder::Expression> = expressions.collect();
    let scopes = scopes(&query.scopes)?;
    Ok(builder::Rule::new(head, body, expressions, scopes))
}

fn scopes(scopes: &[Scope]) -> Result<Vec<builder::Scope>, BuildError> {
    let scopes = scopes.iter().map(|scope| {
        Ok(match scope {
            Scope::Authority => builder::Scope::Authority,
            Scope::Previous => builder::Scope::Previous,
            Scope::PublicKey(key) => {
                let algorithm = match key.algorithm() {
                    Algorithm::Ed25519 => builder::Algorithm::Ed25519,
                    Algorithm::Secp256r1 => builder::Algorithm::Secp256r1,
                };
                let key = biscuit_auth::PublicKey::from_bytes(key.as_bytes(), algorithm);
                builder::Scope::PublicKey(key.map_err(|_| BuildError::Key)?)
            }
        })
    });
    scopes.collect()
}

fn predicate(predicate: &Predicate) -> builder::Predicate {
    let terms: Vec<builder::Term> = predicate.terms.iter().map(term).collect();
    builder::Predicate::new(predicate.name.clone(), terms)
}

fn term(value: &Term) -> builder::Term {
    match value {
        Term::Variable(name) => builder::Term::Variable(name.clone()),
        Term::Integer(value) => builder::Term::Integer(*value),
        Term::Str(text) => builder::Term::Str(text.clone()),
        Term::Date(seconds) => builder::Term::Date(*seconds),
        Term::Bytes(bytes) => builder::Term::Bytes(bytes.clone()),
        Term::Bool(value) => builder::Term::Bool(*value),
        Term::Null => builder::Term::Null,
        Term::Set(terms) => builder::Term::Set(terms.iter().map(term).collect()),
        Term::Array(terms) => builder::Term::Array(terms.iter().map(term).collect()),
        Term::Map(entries) => {
            let entries = entries.iter().map(|(key, value)| {
                let key = match key {
                    MapKey::Integer(key) => builder::MapKey::Integer(*key),
                    MapKey::Str(key) => builder::MapKey::Str(key.clone()),
                };
                (key, term(value))
            });
            builder::Term::Map(entries.collect())
        }
    }
}

fn ops(ops: &[Op]) -> Vec<builder::Op> {
    let ops = ops.iter().map(|op| match op {
        Op::Value(value) => builder::Op::Value(term(value)),
        Op::Unary(operator) => builder::Op::Unary(unary(operator)),
        Op::Binary(operator) => builder::Op::Binary(binary(operator)),
        Op::Closure(params, body) => builder::Op::Closure(params.clone(), self::ops(body)),
    });
    ops.collect()
}

fn unary(operator: &Unary) -> builder::Unary {
    match operator {
        Unary::Negate => builder::Unary::Negate,
        Unary::Parens => builder::Unary::Parens,
        Unary::Length => builder::Unary::Length,
        Unary::TypeOf => builder::Unary::TypeOf,
        Unary::Ffi(name) => builder::Unary::Ffi(name.clone()),
    }
}

fn binary(operator: &Binary) -> builder::Binary {
    match operator {
        Binary::LessThan => builder::Binary::LessThan,
        Binary::GreaterThan => builder::Binary::GreaterThan,
        Binary::LessOrEqual => builder::Binary::LessOrEqual,
        Binary::GreaterOrEqual => builder::Binary::GreaterOrEqual,
        Binary::Equal => builder::Binary::Equal,
        Binary::Contains => builder::Binary::Contains,
        Binary::Prefix => builder::Binary::Prefix,
        Binary::Suffix => builder::Binary::Suffix,
        Binary::Regex => builder::Binary::Regex,
        Binary::Add => builder::Binary::Add,
        Binary::Sub => builder::Binary::Sub,
        Binary::Mul => builder::Binary::Mul,
        Binary::Div => builder::Binary::Div,
        Binary::And => builder::Binary::And,
        Binary::Or => builder::Binary::Or,
        Binary::Intersection => builder::Binary::Intersection,
        Binary::Union => builder::Binary::Union,
        Binary::BitwiseAnd => builder::Binary::BitwiseAnd,
        Binary::BitwiseOr => builder::Binary::BitwiseOr,
        Binary::BitwiseXor => builder::Binary::BitwiseXor,
        Binary::NotEqual => builder::Binary::NotEqual,
        Binary::HeterogeneousEqual => builder::Binary::HeterogeneousEqual,
        Binary::HeterogeneousNotEqual => builder::Binary::HeterogeneousNotEqual,
        Binary::LazyAnd => builder::Binary::LazyAnd,
        Binary::LazyOr => builder::Binary::LazyOr,
        Binary::All => builder::Binary::All,
        Binary::Any => builder::Binary::Any,
        Binary::Get => builder::Binary::Get,
        Binary::TryOr => builder::Binary::TryOr,
        Binary::Ffi(name) => builder::Binary::Ffi(name.clone()),
    }
}
