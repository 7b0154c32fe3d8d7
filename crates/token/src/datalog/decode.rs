//! Biscuit's protobuf schema (`schema.proto`, version 3.3) -> [`Block`].

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet, HashSet},
};

use biscuit_auth::{
    builder::{Binary, MapKey, Op, Predicate, Term, Unary},
    datalog::SymbolTable,
    format::schema,
};
use prost::Message;

use super::{Algorithm, Block, BlockCheck, BlockError, BlockRule, Kind, Query, Scope, ScopeKey};

/// Datalog 3.0 to 3.3, as the field `version` of a block numbers them.
const VERSIONS: std::ops::RangeInclusive<u32> = 3..=6;

/// Decodes one block that stands alone, such as the content of a token with one block.
///
/// # Errors
/// When it cannot be decoded.
pub fn decode(bytes: &[u8]) -> Result<Block, BlockError> {
    block(
        0,
        bytes,
        None,
        &mut Symbols::new(),
        &Cell::new(MAX_RESOLVED),
    )
}

pub(super) fn container(container: &schema::Biscuit) -> Result<Vec<Block>, BlockError> {
    // First-party blocks share one growing table of symbols and keys; a third-party block has its own.
    let mut shared = Symbols::new();
    let left = Cell::new(MAX_RESOLVED);
    let signed = std::iter::once(&container.authority).chain(&container.blocks);
    signed
        .enumerate()
        .map(|(index, signed)| {
            let external = signed.external_signature.as_ref();
            let symbols = match external {
                Some(_) => &mut Symbols::new(),
                None => &mut shared,
            };
            let external = external.map(|external| &external.public_key);
            block(index, &signed.block, external, symbols, &left)
        })
        .collect()
}

fn block(
    index: usize,
    bytes: &[u8],
    external: Option<&schema::PublicKey>,
    symbols: &mut Symbols,
    left: &Cell<usize>,
) -> Result<Block, BlockError> {
    let message =
        schema::Block::decode(bytes).map_err(|_| BlockError::Protobuf { block: index })?;
    let malformed = |what| BlockError::Malformed { block: index, what };
    let version = message.version.unwrap_or(0);
    if !VERSIONS.contains(&version) {
        return Err(BlockError::Version {
            block: index,
            version,
        });
    }
    message
        .symbols
        .iter()
        .try_for_each(|symbol| symbols.add(symbol))
        .map_err(malformed)?;
    let external_key = external.map(key).transpose().map_err(malformed)?;
    let public_keys = each(&message.public_keys, key).map_err(malformed)?;
    public_keys
        .iter()
        .try_for_each(|key| symbols.add_key(key))
        .map_err(malformed)?;
    let reader = Reader { symbols, left };
    let read = || -> Result<Block, &'static str> {
        Ok(Block {
            version,
            context: message.context.clone(),
            external_key: external_key.clone(),
            scopes: reader.scopes(&message.scope)?,
            public_keys: public_keys.clone(),
            facts: each(&message.facts, |fact| reader.fact(&fact.predicate))?,
            rules: each(&message.rules, |rule| reader.rule(rule))?,
            checks: each(&message.checks, |check| reader.check(check))?,
        })
    };
    read().map_err(|what| match what {
        TOO_LARGE => BlockError::TooLarge { block: index },
        what => malformed(what),
    })
}

/// The most bytes of strings in a token once its symbols are resolved: a short token can name one
/// long symbol thousands of times.
const MAX_RESOLVED: usize = 1 << 20;

const TOO_LARGE: &str = "its strings are too long";

type Read<T> = Result<T, &'static str>;

fn each<A, B>(items: &[A], read: impl FnMut(&A) -> Read<B>) -> Read<Vec<B>> {
    items.iter().map(read).collect()
}

fn key(key: &schema::PublicKey) -> Read<ScopeKey> {
    use schema::public_key::Algorithm as Encoded;
    let algorithm = match Encoded::from_i32(key.algorithm) {
        Some(Encoded::Ed25519) => Algorithm::Ed25519,
        Some(Encoded::Secp256r1) => Algorithm::Secp256r1,
        None => return Err("a public key is of an unknown kind"),
    };
    Ok(ScopeKey::new(algorithm, &key.key))
}

/// The strings and keys that blocks refer to by number, each once.
struct Symbols {
    table: SymbolTable,
    own: Vec<String>,
    known: HashSet<String>,
    keys: Vec<ScopeKey>,
    known_keys: HashSet<ScopeKey>,
}

/// The number of the first symbol that is not one of the specification's.
const FIRST_OWN: u64 = 1024;

impl Symbols {
    fn new() -> Symbols {
        let table = SymbolTable::new();
        let known = (0..FIRST_OWN).map_while(|index| table.get_symbol(index).map(str::to_owned));
        Symbols {
            known: known.collect(),
            own: Vec::new(),
            table,
            keys: Vec::new(),
            known_keys: HashSet::new(),
        }
    }

    /// biscuit-auth lets a block list one symbol twice, and then one string compares unequal to
    /// itself; and it looks through all earlier symbols anew for each block.
    fn add(&mut self, symbol: &str) -> Read<()> {
        if !self.known.insert(symbol.to_owned()) {
            return Err("it repeats a symbol");
        }
        self.own.push(symbol.to_owned());
        Ok(())
    }

    fn add_key(&mut self, key: &ScopeKey) -> Read<()> {
        if !self.known_keys.insert(key.clone()) {
            return Err("it repeats a public key");
        }
        self.keys.push(key.clone());
        Ok(())
    }

    fn get(&self, index: u64) -> Option<&str> {
        match index.checked_sub(FIRST_OWN) {
            Some(own) => {
                let own = self.own.get(usize::try_from(own).ok()?)?;
                Some(own.as_str())
            }
            None => self.table.get_symbol(index),
        }
    }
}

struct Reader<'a> {
    symbols: &'a Symbols,
    /// Bytes that may still be resolved.
    left: &'a Cell<usize>,
}

// Recursion below is bounded: prost refuses messages nested deeper than 100.
impl Reader<'_> {
    fn symbol(&self, index: u64) -> Read<String> {
        let symbol = self
            .symbols
            .get(index)
            .ok_or("it refers to an unknown symbol")?;
        let left = self.left.get().checked_sub(symbol.len()).ok_or(TOO_LARGE)?;
        self.left.set(left);
        Ok(symbol.to_owned())
    }

    fn fact(&self, predicate: &schema::Predicate) -> Read<Predicate> {
        let predicate = self.predicate(predicate)?;
        if predicate.terms.iter().any(holds_variable) {
            return Err("a fact holds a variable");
        }
        Ok(predicate)
    }

    fn rule(&self, rule: &schema::Rule) -> Read<BlockRule> {
        Ok(BlockRule {
            head: self.predicate(&rule.head)?,
            query: self.query(rule)?,
        })
    }

    fn check(&self, check: &schema::Check) -> Read<BlockCheck> {
        let kind = match check.kind.map(schema::check::Kind::from_i32) {
            None | Some(Some(schema::check::Kind::One)) => Kind::One,
            Some(Some(schema::check::Kind::All)) => Kind::All,
            Some(Some(schema::check::Kind::Reject)) => Kind::Reject,
            Some(None) => return Err("a check is of an unknown kind"),
        };
        Ok(BlockCheck {
            kind,
            queries: each(&check.queries, |query| self.alternative(query))?,
        })
    }

    /// The head of an alternative means nothing, so it may hold nothing: what no one looks at is
    /// counted by no limit, and evaluators trip over variables in it.
    fn alternative(&self, rule: &schema::Rule) -> Read<Query> {
        if !self.predicate(&rule.head)?.terms.is_empty() {
            return Err("an alternative of a check has a head that holds terms");
        }
        self.query(rule)
    }

    fn query(&self, rule: &schema::Rule) -> Read<Query> {
        Ok(Query {
            body: each(&rule.body, |predicate| self.predicate(predicate))?,
            expressions: each(&rule.expressions, |expression| {
                each(&expression.ops, |op| self.op(op))
            })?,
            scopes: self.scopes(&rule.scope)?,
        })
    }

    fn scopes(&self, scopes: &[schema::Scope]) -> Read<Vec<Scope>> {
        use schema::scope::{Content, ScopeType};
        each(scopes, |scope| match &scope.content {
            Some(Content::ScopeType(kind)) if *kind == ScopeType::Authority as i32 => {
                Ok(Scope::Authority)
            }
            Some(Content::ScopeType(kind)) if *kind == ScopeType::Previous as i32 => {
                Ok(Scope::Previous)
            }
            Some(Content::PublicKey(index)) => {
                let index = usize::try_from(*index).ok();
                let key = index.and_then(|index| self.symbols.keys.get(index));
                Ok(Scope::PublicKey(
                    key.ok_or("it refers to an unknown public key")?.clone(),
                ))
            }
            _ => Err("a scope is of an unknown kind"),
        })
    }

    fn predicate(&self, predicate: &schema::Predicate) -> Read<Predicate> {
        Ok(Predicate::new(
            self.symbol(predicate.name)?,
            each(&predicate.terms, |term| self.term(term))?,
        ))
    }

    fn term(&self, term: &schema::Term) -> Read<Term> {
        use schema::term::Content;
        Ok(match term.content.as_ref().ok_or("a term is empty")? {
            Content::Variable(index) => Term::Variable(self.symbol(u64::from(*index))?),
            Content::Integer(value) => Term::Integer(*value),
            Content::String(index) => Term::Str(self.symbol(*index)?),
            Content::Date(seconds) => Term::Date(*seconds),
            Content::Bytes(bytes) => Term::Bytes(bytes.clone()),
            Content::Bool(value) => Term::Bool(*value),
            Content::Null(_) => Term::Null,
            Content::Set(set) => Term::Set(self.set(&set.set)?),
            Content::Array(array) => Term::Array(each(&array.array, |term| self.term(term))?),
            Content::Map(map) => Term::Map(self.map(map)?),
        })
    }

    /// As biscuit-auth reads sets: of one type, without variables or sets in them.
    fn set(&self, terms: &[schema::Term]) -> Read<BTreeSet<Term>> {
        let terms = each(terms, |term| self.term(term))?;
        let nested = |term: &Term| matches!(term, Term::Variable(_) | Term::Set(_));
        if terms.iter().any(nested) {
            return Err("a set holds a variable or a set");
        }
        let mut kinds = terms.iter().map(std::mem::discriminant);
        let first = kinds.next();
        if kinds.any(|kind| Some(kind) != first) {
            return Err("a set holds terms of several types");
        }
        Ok(terms.into_iter().collect())
    }

    fn map(&self, map: &schema::Map) -> Read<BTreeMap<MapKey, Term>> {
        use schema::map_key::Content;
        let entries = each(&map.entries, |entry| {
            let key = match entry.key.content.as_ref().ok_or("a map key is empty")? {
                Content::Integer(value) => MapKey::Integer(*value),
                Content::String(index) => MapKey::Str(self.symbol(*index)?),
            };
            Ok((key, self.term(&entry.value)?))
        })?;
        Ok(entries.into_iter().collect())
    }

    fn op(&self, op: &schema::Op) -> Read<Op> {
        use schema::op::Content;
        Ok(match op.content.as_ref().ok_or("an operation is empty")? {
            Content::Value(term) => Op::Value(self.term(term)?),
            Content::Unary(unary) => Op::Unary(self.unary(unary)?),
            Content::Binary(binary) => Op::Binary(self.binary(binary)?),
            Content::Closure(closure) => Op::Closure(
                each(&closure.params, |index| self.symbol(u64::from(*index)))?,
                each(&closure.ops, |op| self.op(op))?,
            ),
        })
    }

    fn unary(&self, unary: &schema::OpUnary) -> Read<Unary> {
        use schema::op_unary::Kind;
        Ok(
            match (
                Kind::from_i32(unary.kind).ok_or("an operation is unknown")?,
                unary.ffi_name,
            ) {
                (Kind::Ffi, Some(name)) => Unary::Ffi(self.symbol(name)?),
                (Kind::Ffi, None) | (_, Some(_)) => {
                    return Err("an external function is named where none is, or not named");
                }
                (Kind::Negate, None) => Unary::Negate,
                (Kind::Parens, None) => Unary::Parens,
                (Kind::Length, None) => Unary::Length,
                (Kind::TypeOf, None) => Unary::TypeOf,
            },
        )
    }

    fn binary(&self, binary: &schema::OpBinary) -> Read<Binary> {
        use schema::op_binary::Kind;
        Ok(
            match (
                Kind::from_i32(binary.kind).ok_or("an operation is unknown")?,
                binary.ffi_name,
            ) {
                (Kind::Ffi, Some(name)) => Binary::Ffi(self.symbol(name)?),
                (Kind::Ffi, None) | (_, Some(_)) => {
                    return Err("an external function is named where none is, or not named");
                }
                (Kind::LessThan, None) => Binary::LessThan,
                (Kind::GreaterThan, None) => Binary::GreaterThan,
                (Kind::LessOrEqual, None) => Binary::LessOrEqual,
                (Kind::GreaterOrEqual, None) => Binary::GreaterOrEqual,
                (Kind::Equal, None) => Binary::Equal,
                (Kind::Contains, None) => Binary::Contains,
                (Kind::Prefix, None) => Binary::Prefix,
                (Kind::Suffix, None) => Binary::Suffix,
                (Kind::Regex, None) => Binary::Regex,
                (Kind::Add, None) => Binary::Add,
                (Kind::Sub, None) => Binary::Sub,
                (Kind::Mul, None) => Binary::Mul,
                (Kind::Div, None) => Binary::Div,
                (Kind::And, None) => Binary::And,
                (Kind::Or, None) => Binary::Or,
                (Kind::Intersection, None) => Binary::Intersection,
                (Kind::Union, None) => Binary::Union,
                (Kind::BitwiseAnd, None) => Binary::BitwiseAnd,
                (Kind::BitwiseOr, None) => Binary::BitwiseOr,
                (Kind::BitwiseXor, None) => Binary::BitwiseXor,
                (Kind::NotEqual, None) => Binary::NotEqual,
                (Kind::HeterogeneousEqual, None) => Binary::HeterogeneousEqual,
                (Kind::HeterogeneousNotEqual, None) => Binary::HeterogeneousNotEqual,
                (Kind::LazyAnd, None) => Binary::LazyAnd,
                (Kind::LazyOr, None) => Binary::LazyOr,
                (Kind::All, None) => Binary::All,
                (Kind::Any, None) => Binary::Any,
                (Kind::Get, None) => Binary::Get,
                (Kind::TryOr, None) => Binary::TryOr,
            },
        )
    }
}

fn holds_variable(term: &Term) -> bool {
    match term {
        Term::Variable(_) | Term::Parameter(_) => true,
        Term::Set(set) => set.iter().any(holds_variable),
        Term::Array(terms) => terms.iter().any(holds_variable),
        Term::Map(map) => map.values().any(holds_variable),
        _ => false,
    }
}
