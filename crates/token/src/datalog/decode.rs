//! Biscuit's protobuf schema (`schema.proto`, version 3.3) -> [`Code`].

use std::collections::HashSet;

use biscuit_auth::format::schema;
use foldhash::quality::RandomState;

use super::{
    Algorithm, BlockError, Kind, Scope, ScopeKey,
    code::{
        Binary, Block, Check, Code, DEFAULT, FIRST_OWN, Op, Predicate, Query, Rule, Span, Symbol,
        Term, Unary, is_default, since,
    },
    wire::{Field, Fields, Malformed, once},
};

/// Datalog 3.0 to 3.3, as the field `version` of a block numbers them.
const VERSIONS: std::ops::RangeInclusive<u32> = 3..=6;

/// How deep messages may lie in a block: what other implementations take, and what bounds the
/// recursion below.
const MAX_NESTING: u32 = 100;

/// The most bytes of names and strings, each counted as often as it stands: a short token can name
/// one long symbol thousands of times.
const MAX_RESOLVED: usize = 1 << 20;

impl Code {
    /// Decodes one block that stands alone, such as the content of a token with one block.
    ///
    /// # Errors
    /// When it cannot be decoded.
    pub fn of_block(bytes: &[u8]) -> Result<Code, BlockError> {
        let mut decoder = Decoder::default();
        decoder.code.reserve(bytes.len());
        decoder.block(0, bytes, None, &mut Table::default())?;
        Ok(decoder.code)
    }

    /// Decodes the blocks of a container.
    ///
    /// # Errors
    /// When one cannot be decoded, or refers to a symbol that is not there.
    pub(crate) fn of(container: &schema::Biscuit) -> Result<Code, BlockError> {
        let signed = || std::iter::once(&container.authority).chain(&container.blocks);
        let bytes = signed().map(|signed| signed.block.len());
        let mut decoder = Decoder::default();
        decoder.code.reserve(bytes.fold(0, usize::saturating_add));
        // First-party blocks share one growing table of symbols and keys; a third-party block has
        // its own.
        let mut shared = Table::default();
        shared.known.reserve(64);
        shared.symbols.reserve(64);
        for (index, signed) in signed().enumerate() {
            match &signed.external_signature {
                None => decoder.block(index, &signed.block, None, &mut shared)?,
                Some(external) => {
                    let key = scope_key(external.public_key.algorithm, &external.public_key.key);
                    let key = key.ok_or(Refused::KindOfKey.in_block(index))?;
                    let mut own = Table::default();
                    decoder.block(index, &signed.block, Some(key), &mut own)?;
                }
            }
        }
        Ok(decoder.code)
    }

    /// Room for what an ordinary token of this many bytes holds.
    fn reserve(&mut self, bytes: usize) {
        self.text.reserve(bytes / 2);
        self.ends.reserve(bytes / 16);
        self.terms.reserve(bytes / 10);
        self.ops.reserve(bytes / 12);
        self.predicates.reserve(bytes / 20);
        self.expressions.reserve(bytes / 40);
        self.queries.reserve(16);
        self.checks.reserve(8);
        self.facts.reserve(16);
    }
}

/// Why a block cannot be decoded. It is small: each step of the decoder answers one, or what it read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Refused {
    /// It is not protobuf, or not in the form that its writer would give it.
    Protobuf,
    TooLarge,
    EmptyFact,
    EmptyKey,
    EmptyOperation,
    EmptyTerm,
    HeadOfCheck,
    KindOfCheck,
    KindOfKey,
    KindOfScope,
    MisnamedFunction,
    MixedSet,
    NestedSet,
    RepeatedKey,
    RepeatedSymbol,
    UnknownKey,
    UnknownOperation,
    UnknownSymbol,
    VariableInFact,
}

impl Refused {
    fn in_block(self, block: usize) -> BlockError {
        let what = match self {
            Refused::Protobuf => return BlockError::Protobuf { block },
            Refused::TooLarge => return BlockError::TooLarge { block },
            Refused::EmptyFact => "a fact is empty",
            Refused::EmptyKey => "a map key is empty",
            Refused::EmptyOperation => "an operation is empty",
            Refused::EmptyTerm => "a term is empty",
            Refused::HeadOfCheck => "an alternative of a check has a head that holds terms",
            Refused::KindOfCheck => "a check is of an unknown kind",
            Refused::KindOfKey => "a public key is of an unknown kind",
            Refused::KindOfScope => "a scope is of an unknown kind",
            Refused::MisnamedFunction => "an external function is named where none is, or not named",
            Refused::MixedSet => "a set holds terms of several types",
            Refused::NestedSet => "a set holds a variable or a set",
            Refused::RepeatedKey => "it repeats a public key",
            Refused::RepeatedSymbol => "it repeats a symbol",
            Refused::UnknownKey => "it refers to an unknown public key",
            Refused::UnknownOperation => "an operation is unknown",
            Refused::UnknownSymbol => "it refers to an unknown symbol",
            Refused::VariableInFact => "a fact holds a variable",
        };
        BlockError::Malformed { block, what }
    }
}

type Read<T> = Result<T, Refused>;

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Refused {
        Refused::Protobuf
    }
}

/// The symbols and keys that blocks refer to by number.
#[derive(Default)]
struct Table<'b> {
    /// Each with the length of its string.
    symbols: Vec<(Symbol, u32)>,
    known: HashSet<&'b str, RandomState>,
    keys: Vec<ScopeKey>,
}

#[derive(Default)]
struct Decoder {
    code: Code,
    /// Terms whose container or predicate is not complete yet.
    waiting: Vec<Term>,
}

// Recursion below is bounded by `depth`, which each message lowers.
impl Decoder {
    fn block<'b>(
        &mut self,
        index: usize,
        bytes: &'b [u8],
        external_key: Option<ScopeKey>,
        table: &mut Table<'b>,
    ) -> Result<(), BlockError> {
        let refused = |refused: Refused| refused.in_block(index);
        let header = self.header(bytes, table).map_err(refused)?;
        if !VERSIONS.contains(&header.version) {
            return Err(BlockError::Version {
                block: index,
                version: header.version,
            });
        }
        let block = Block {
            external_key,
            ..header
        };
        self.statements(bytes, block, table).map_err(refused)
    }

    /// What the statements refer to, wherever it stands in the message.
    fn header<'b>(&mut self, bytes: &'b [u8], table: &mut Table<'b>) -> Read<Block> {
        let mut block = Block::default();
        let (mut context, mut version) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => table.add(field.text()?, &mut self.code)?,
                2 => once(&mut context, field.text()?.to_owned())?,
                3 => once(&mut version, field.number32()?)?,
                8 => block.public_keys.push(table.add_key(field.bytes()?)?),
                4..=7 => {}
                _ => return Err(Refused::Protobuf),
            }
        }
        block.context = context;
        block.version = version.unwrap_or(0);
        Ok(block)
    }

    fn statements(&mut self, bytes: &[u8], mut block: Block, table: &Table<'_>) -> Read<()> {
        let (facts, rules) = (self.code.facts.len(), self.code.rules.len());
        let checks = self.code.checks.len();
        // Rules and checks have scopes of their own in the same list.
        let mut scopes = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                4 => self.fact(field.bytes()?, table)?,
                5 => self.rule(field.bytes()?, table)?,
                6 => self.check(field.bytes()?, table)?,
                7 => scopes.push(scope(field.bytes()?, table)?),
                _ => {}
            }
        }
        block.facts = since(&self.code.facts, facts);
        block.rules = since(&self.code.rules, rules);
        block.checks = since(&self.code.checks, checks);
        block.scopes = self.code.add_scopes(scopes);
        self.code.blocks.push(block);
        Ok(())
    }

    fn fact(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<()> {
        let fact = required(bytes, 1, Refused::EmptyFact)?;
        let before = self.code.terms.len();
        let fact = self.predicate(fact, table, MAX_NESTING.saturating_sub(2))?;
        let variable = |term: &Term| matches!(term, Term::Variable(_));
        if self.code.terms.iter().skip(before).any(variable) {
            return Err(Refused::VariableInFact);
        }
        self.code.facts.push(fact);
        Ok(())
    }

    fn rule(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<()> {
        let (head, query) = self.body(bytes, table, MAX_NESTING.saturating_sub(1))?;
        self.code.rules.push(Rule { head, query });
        Ok(())
    }

    fn check(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<()> {
        let queries = self.code.queries.len();
        let mut kind = None;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => {
                    let depth = MAX_NESTING.saturating_sub(2);
                    let (head, query) = self.body(field.bytes()?, table, depth)?;
                    // It means nothing, so it may hold nothing: what no one looks at is counted by
                    // no limit, and evaluators trip over variables in it.
                    if !head.terms.is_empty() {
                        return Err(Refused::HeadOfCheck);
                    }
                    self.code.queries.push(query);
                }
                2 => once(&mut kind, field.number()?)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        let kind = match kind {
            None | Some(0) => Kind::One,
            Some(1) => Kind::All,
            Some(2) => Kind::Reject,
            Some(_) => return Err(Refused::KindOfCheck),
        };
        let queries = since(&self.code.queries, queries);
        self.code.checks.push(Check { kind, queries });
        Ok(())
    }

    /// A rule, whose parts may stand in any order.
    fn body(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<(Predicate, Query)> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let (predicates, expressions) = (self.code.predicates.len(), self.code.expressions.len());
        let scopes = self.code.scopes.len();
        let mut head = None;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            let bytes = field.bytes()?;
            match number {
                1 => once(&mut head, self.predicate(bytes, table, inner)?)?,
                2 => {
                    let predicate = self.predicate(bytes, table, inner)?;
                    self.code.predicates.push(predicate);
                }
                3 => {
                    let start = self.code.ops.len();
                    self.ops(bytes, table, inner)?;
                    let expression = since(&self.code.ops, start);
                    self.code.expressions.push(expression);
                }
                4 => {
                    let scope = scope(bytes, table)?;
                    self.code.scopes.push(scope);
                }
                _ => return Err(Refused::Protobuf),
            }
        }
        let query = Query {
            body: since(&self.code.predicates, predicates),
            expressions: since(&self.code.expressions, expressions),
            scopes: since(&self.code.scopes, scopes),
        };
        Ok((head.ok_or(Refused::Protobuf)?, query))
    }

    fn predicate(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Predicate> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let before = self.waiting.len();
        let mut name = None;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut name, self.symbol(field.number()?, table)?)?,
                2 => {
                    let term = self.term(field.bytes()?, table, inner)?;
                    self.waiting.push(term);
                }
                _ => return Err(Refused::Protobuf),
            }
        }
        Ok(Predicate {
            name: name.ok_or(Refused::Protobuf)?,
            terms: self.complete(before),
        })
    }

    /// The terms that wait since `before`, as a list.
    fn complete(&mut self, before: usize) -> Span {
        let start = self.code.terms.len();
        self.code.terms.extend(self.waiting.drain(before..));
        since(&self.code.terms, start)
    }

    fn symbol(&mut self, number: u64, table: &Table<'_>) -> Read<Symbol> {
        let number = usize::try_from(number).map_err(|_| Refused::UnknownSymbol)?;
        let symbol = match number.checked_sub(FIRST_OWN) {
            Some(own) => table.symbols.get(own).copied(),
            None => DEFAULT
                .get(number)
                .map(|text| (Symbol(number as u32), text.len() as u32)),
        };
        let (symbol, length) = symbol.ok_or(Refused::UnknownSymbol)?;
        let resolved = self.code.resolved.saturating_add(length as usize);
        if resolved > MAX_RESOLVED {
            return Err(Refused::TooLarge);
        }
        self.code.resolved = resolved;
        Ok(symbol)
    }

    fn term(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Term> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let (number, field) = one_of(bytes, Refused::EmptyTerm)?;
        self.code.resolved = self.code.resolved.saturating_add(1);
        Ok(match number {
            1 => Term::Variable(self.symbol(u64::from(field.number32()?), table)?),
            2 => Term::Integer(field.number()?.cast_signed()),
            3 => Term::Str(self.symbol(field.number()?, table)?),
            4 => Term::Date(field.number()?),
            5 => {
                let start = self.code.bytes.len();
                self.code.bytes.extend_from_slice(field.bytes()?);
                Term::Bytes(since(&self.code.bytes, start))
            }
            6 => match field.number()? {
                0 => Term::Bool(false),
                1 => Term::Bool(true),
                _ => return Err(Refused::Protobuf),
            },
            7 => Term::Set(self.set(field.bytes()?, table, inner)?),
            8 if field.bytes()?.is_empty() => Term::Null,
            9 => {
                let before = self.waiting.len();
                self.items(field.bytes()?, table, inner)?;
                Term::Array(self.complete(before))
            }
            10 => Term::Map(self.map(field.bytes()?, table, inner)?),
            _ => return Err(Refused::Protobuf),
        })
    }

    /// The terms of a set or an array.
    fn items(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            let term = self.term(field.bytes()?, table, inner)?;
            self.waiting.push(term);
        }
        Ok(())
    }

    /// As biscuit-auth reads sets: of one type, without variables or sets in them.
    fn set(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Span> {
        let before = self.waiting.len();
        self.items(bytes, table, depth)?;
        let code = &self.code;
        let items = self.waiting.get_mut(before..).unwrap_or_default();
        let nested = |term: &Term| matches!(term, Term::Variable(_) | Term::Set(_));
        if items.iter().any(nested) {
            return Err(Refused::NestedSet);
        }
        let kind = items.first().map(Term::rank);
        if items.iter().any(|term| Some(term.rank()) != kind) {
            return Err(Refused::MixedSet);
        }
        items.sort_by(|a, b| code.compare(a, b));
        let start = self.code.terms.len();
        for term in self.waiting.drain(before..) {
            let last = self.code.terms.get(start..).and_then(<[Term]>::last);
            if last.is_none_or(|last| self.code.compare(last, &term).is_ne()) {
                self.code.terms.push(term);
            }
        }
        Ok(since(&self.code.terms, start))
    }

    /// Of several values for one key the last counts.
    fn map(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Span> {
        let inner = depth.checked_sub(2).ok_or(Refused::Protobuf)?;
        let mut entries: Vec<(Term, Term)> = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            let (mut key, mut value) = (None, None);
            let mut entry = Fields(field.bytes()?);
            while let Some((number, field)) = entry.next()? {
                match number {
                    1 => once(&mut key, self.map_key(field.bytes()?, table)?)?,
                    2 => once(&mut value, self.term(field.bytes()?, table, inner)?)?,
                    _ => return Err(Refused::Protobuf),
                }
            }
            entries.push((
                key.ok_or(Refused::Protobuf)?,
                value.ok_or(Refused::Protobuf)?,
            ));
        }
        let code = &self.code;
        // Stable, so that values of one key stay in their order; the last comes first.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| code.compare(a, b));
        entries.dedup_by(|(b, _), (a, _)| code.compare(a, b).is_eq());
        let start = self.code.terms.len();
        let flat = entries.into_iter().flat_map(|(key, value)| [key, value]);
        self.code.terms.extend(flat);
        Ok(since(&self.code.terms, start))
    }

    fn map_key(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Term> {
        let (number, field) = one_of(bytes, Refused::EmptyKey)?;
        match number {
            1 => Ok(Term::Integer(field.number()?.cast_signed())),
            2 => Ok(Term::Str(self.symbol(field.number()?, table)?)),
            _ => Err(Refused::Protobuf),
        }
    }

    /// The steps of an expression, those of closures in their place.
    fn ops(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            self.op(field.bytes()?, table, inner)?;
        }
        Ok(())
    }

    fn op(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let (number, field) = one_of(bytes, Refused::EmptyOperation)?;
        let bytes = field.bytes()?;
        self.code.resolved = self.code.resolved.saturating_add(1);
        let op = match number {
            1 => Op::Value(self.term(bytes, table, inner)?),
            2 => Op::Unary(self.unary(bytes, table)?),
            3 => Op::Binary(self.binary(bytes, table)?),
            4 => return self.closure(bytes, table, inner),
            _ => return Err(Refused::Protobuf),
        };
        self.code.ops.push(op);
        Ok(())
    }

    fn closure(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let closure = self.code.ops.len();
        let mut params = Vec::new();
        self.code.ops.push(Op::Closure {
            params: Span::default(),
            length: 0,
        });
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Number(_)) => {
                    let name = u64::from(field.number32()?);
                    params.push(self.symbol(name, table)?);
                }
                // Written in one piece, as protobuf allows.
                (1, Field::Bytes(packed)) => {
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        let name = u32::try_from(packed.number()?).map_err(|_| Malformed)?;
                        params.push(self.symbol(u64::from(name), table)?);
                    }
                }
                (2, Field::Bytes(op)) => self.op(op, table, inner)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        let start = self.code.params.len();
        self.code.params.extend(params);
        let params = since(&self.code.params, start);
        let body = self.code.ops.len().saturating_sub(closure).saturating_sub(1);
        if let Some(op) = self.code.ops.get_mut(closure) {
            *op = Op::Closure {
                params,
                length: body as u32,
            };
        }
        Ok(())
    }

    /// The kind of an operation, and the external function that it names.
    fn operation(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<(u64, Option<Symbol>)> {
        let (mut kind, mut name) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut kind, field.number()?)?,
                2 => once(&mut name, self.symbol(field.number()?, table)?)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        Ok((kind.ok_or(Refused::Protobuf)?, name))
    }

    fn unary(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Unary> {
        Ok(match self.operation(bytes, table)? {
            (0, None) => Unary::Negate,
            (1, None) => Unary::Parens,
            (2, None) => Unary::Length,
            (3, None) => Unary::TypeOf,
            (4, Some(name)) => Unary::Ffi(name),
            (0..=4, _) => return Err(Refused::MisnamedFunction),
            _ => return Err(Refused::UnknownOperation),
        })
    }

    fn binary(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Binary> {
        match self.operation(bytes, table)? {
            (28, Some(name)) => Ok(Binary::Ffi(name)),
            (28, None) => Err(Refused::MisnamedFunction),
            (kind, name) => {
                let index = usize::try_from(kind).map_err(|_| Refused::UnknownOperation)?;
                let known = BINARY.get(index).copied().flatten().ok_or(Refused::UnknownOperation)?;
                match name {
                    None => Ok(known),
                    Some(_) => Err(Refused::MisnamedFunction),
                }
            }
        }
    }
}

/// By their numbers in the schema; the one that is missing calls external functions.
const BINARY: [Option<Binary>; 30] = [
    Some(Binary::LessThan),
    Some(Binary::GreaterThan),
    Some(Binary::LessOrEqual),
    Some(Binary::GreaterOrEqual),
    Some(Binary::Equal),
    Some(Binary::Contains),
    Some(Binary::Prefix),
    Some(Binary::Suffix),
    Some(Binary::Regex),
    Some(Binary::Add),
    Some(Binary::Sub),
    Some(Binary::Mul),
    Some(Binary::Div),
    Some(Binary::And),
    Some(Binary::Or),
    Some(Binary::Intersection),
    Some(Binary::Union),
    Some(Binary::BitwiseAnd),
    Some(Binary::BitwiseOr),
    Some(Binary::BitwiseXor),
    Some(Binary::NotEqual),
    Some(Binary::HeterogeneousEqual),
    Some(Binary::HeterogeneousNotEqual),
    Some(Binary::LazyAnd),
    Some(Binary::LazyOr),
    Some(Binary::All),
    Some(Binary::Any),
    Some(Binary::Get),
    None,
    Some(Binary::TryOr),
];

/// The one field of a message that is one of several.
#[inline]
fn one_of<'a>(bytes: &'a [u8], empty: Refused) -> Read<(u64, Field<'a>)> {
    let mut fields = Fields(bytes);
    let only = fields.next()?.ok_or(empty)?;
    match fields.0 {
        [] => Ok(only),
        _ => Err(Refused::Protobuf),
    }
}

/// The content of a message that has one field, which must be there.
fn required<'a>(bytes: &'a [u8], wanted: u64, empty: Refused) -> Read<&'a [u8]> {
    match one_of(bytes, empty)? {
        (number, field) if number == wanted => Ok(field.bytes()?),
        _ => Err(Refused::Protobuf),
    }
}

fn scope(bytes: &[u8], table: &Table<'_>) -> Read<Scope> {
    match one_of(bytes, Refused::KindOfScope)? {
        (1, field) => match field.number()? {
            0 => Ok(Scope::Authority),
            1 => Ok(Scope::Previous),
            _ => Err(Refused::KindOfScope),
        },
        (2, field) => {
            let index = usize::try_from(field.number()?).ok();
            let key = index.and_then(|index| table.keys.get(index));
            let key = key.ok_or(Refused::UnknownKey)?;
            Ok(Scope::PublicKey(key.clone()))
        }
        _ => Err(Refused::Protobuf),
    }
}

fn scope_key(algorithm: i32, bytes: &[u8]) -> Option<ScopeKey> {
    match algorithm {
        0 => Some(ScopeKey::new(Algorithm::Ed25519, bytes)),
        1 => Some(ScopeKey::new(Algorithm::Secp256r1, bytes)),
        _ => None,
    }
}

impl<'b> Table<'b> {
    /// biscuit-auth lets a block list one symbol twice, and then one string compares unequal to
    /// itself; and it looks through all earlier symbols anew for each block.
    fn add(&mut self, text: &'b str, code: &mut Code) -> Read<()> {
        if is_default(text) || !self.known.insert(text) {
            return Err(Refused::RepeatedSymbol);
        }
        self.symbols.push((code.add_symbol(text), text.len() as u32));
        Ok(())
    }

    fn add_key(&mut self, bytes: &[u8]) -> Read<ScopeKey> {
        let (mut algorithm, mut key) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut algorithm, field.number()?)?,
                2 => once(&mut key, field.bytes()?)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        let algorithm = algorithm.ok_or(Refused::Protobuf)?;
        let key = scope_key(
            i32::try_from(algorithm).unwrap_or(-1),
            key.ok_or(Refused::Protobuf)?,
        );
        let key = key.ok_or(Refused::KindOfKey)?;
        if self.keys.contains(&key) {
            return Err(Refused::RepeatedKey);
        }
        self.keys.push(key.clone());
        Ok(key)
    }
}
