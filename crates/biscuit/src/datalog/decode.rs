//! The decoder of blocks from Biscuit's protobuf schema (`schema.proto`, version 3.3) to [`Code`].

use super::{
    Kind, Scope, ScopeKey,
    code::{Block, Check, Code, Predicate, Query, Rule, Term, since},
};
use crate::{
    container::Container,
    protobuf::{Fields, once},
};

mod error;
mod op;
mod table;
mod term;
mod version;

pub use error::BlockError;
use table::{Read, Refused, Table, required, scope, scope_key};
use version::{Feature, VERSIONS};

/// Maximum nesting of messages in a block. Other implementations have the same limit, and it bounds the
/// recursion below.
const MAX_NESTING: u32 = 100;

/// Maximum number of bytes of names and strings, counting each occurrence: a short token can name one long
/// symbol thousands of times.
const MAX_RESOLVED: usize = 1 << 20;

impl Code {
    /// Decodes a single block, such as the content of a token with one block.
    ///
    /// # Errors
    /// [`BlockError`] if the block cannot be decoded.
    pub fn of_block(bytes: &[u8]) -> Result<Code, BlockError> {
        let mut decoder = Decoder::default();
        decoder.code.reserve(bytes.len());
        decoder.block(0, bytes, None, &mut Table::default())?;
        Ok(decoder.code)
    }

    /// Decodes the blocks of a container.
    ///
    /// # Errors
    /// [`BlockError`] for the first block that cannot be decoded.
    pub fn of(container: &Container) -> Result<Code, BlockError> {
        let bytes = container.signed_blocks().map(|signed| signed.block.len());
        let mut decoder = Decoder::default();
        decoder.code.reserve(bytes.fold(0, usize::saturating_add));
        // First-party blocks share one growing table of symbols and keys. A third party signs without
        // knowing the blocks before its own, so its block has a table of its own.
        let mut shared = Table::default();
        shared.known.reserve(64);
        shared.symbols.reserve(64);
        for (index, signed) in container.signed_blocks().enumerate() {
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

    /// Reserves the memory that an ordinary token of this many bytes needs.
    fn reserve(&mut self, bytes: usize) {
        // These are estimates; the lists grow for a token that contains more.
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

#[derive(Default)]
struct Decoder {
    code: Code,
    /// Terms of a container or predicate that has not been read to its end.
    waiting: Vec<Term>,
    /// The version of Datalog that the block declares.
    version: u32,
}

// `depth` bounds the recursion below: each nested message lowers it.
impl Decoder {
    fn block<'b>(
        &mut self,
        index: usize,
        bytes: &'b [u8],
        external_key: Option<ScopeKey>,
        table: &mut Table<'b>,
    ) -> Result<(), BlockError> {
        // The header comes first: its version decides which features the statements may use.
        let refused = |refused: Refused| refused.in_block(index);
        let header = self.header(bytes, table).map_err(refused)?;
        if !VERSIONS.contains(&header.version) {
            return Err(BlockError::Version {
                block: index,
                version: header.version,
            });
        }
        self.version = header.version;
        let block = Block {
            external_key,
            ..header
        };
        self.statements(bytes, block, table).map_err(refused)
    }

    /// Refuses a feature that is newer than the block's declared version.
    #[inline]
    fn uses(&self, feature: Feature) -> Read<()> {
        match feature.is_in(self.version) {
            true => Ok(()),
            false => Err(Refused::Newer(feature)),
        }
    }

    fn scope(&self, bytes: &[u8], table: &Table<'_>) -> Read<Scope> {
        self.uses(Feature::Trusting)?;
        scope(bytes, table)
    }

    /// Reads the symbols, keys and version that the statements refer to, wherever in the message they occur.
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
                // Left to `statements`, which runs once all symbols are known: protobuf allows statements
                // before the symbols.
                4..=7 => {}
                _ => return Err(Refused::Protobuf),
            }
        }
        block.context = context;
        block.version = version.unwrap_or(0);
        Ok(block)
    }

    fn statements(&mut self, bytes: &[u8], mut block: Block, table: &Table<'_>) -> Read<()> {
        if block.external_key.is_some() {
            self.uses(Feature::ThirdParty)?;
        }
        if !block.public_keys.is_empty() {
            self.uses(Feature::PublicKeys)?;
        }
        let (facts, rules) = (self.code.facts.len(), self.code.rules.len());
        let checks = self.code.checks.len();
        // The block's scopes are kept apart until the end, because rules and checks put their scopes into the
        // same list.
        let mut scopes = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                4 => self.fact(field.bytes()?, table)?,
                5 => self.rule(field.bytes()?, table)?,
                6 => self.check(field.bytes()?, table)?,
                7 => scopes.push(self.scope(field.bytes()?, table)?),
                // `header` has read the other fields, and refused unknown ones.
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
        // Every term since index `before` belongs to this fact, including those inside containers.
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
                    // The head of a check has no meaning, so it must be empty: no limit counts its terms, and
                    // some evaluators fail on variables in it.
                    if !head.terms.is_empty() {
                        return Err(Refused::HeadOfCheck);
                    }
                    self.code.queries.push(query);
                }
                2 => {
                    self.uses(Feature::KindOfCheck)?;
                    once(&mut kind, field.number()?)?;
                }
                _ => return Err(Refused::Protobuf),
            }
        }
        let kind = match kind {
            None | Some(0) => Kind::One,
            Some(1) => Kind::All,
            Some(2) => {
                self.uses(Feature::RejectIf)?;
                Kind::Reject
            }
            Some(_) => return Err(Refused::KindOfCheck),
        };
        let queries = since(&self.code.queries, queries);
        self.code.checks.push(Check { kind, queries });
        Ok(())
    }

    /// Reads a rule, whose parts may come in any order.
    fn body(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<(Predicate, Query)> {
        // Bodies do not nest, so everything that is added to these lists until the end is this body's.
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
                    let scope = self.scope(bytes, table)?;
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
}
