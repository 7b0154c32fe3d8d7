//! The compiler from decoded blocks to a [`Program`]. Everything that can be checked before evaluation is
//! checked here: variables are bound, expressions leave one value, closures shadow no variable.

use std::{collections::HashMap, sync::Arc};

use super::{
    authorizer::Authorizer,
    error::{Error, Fault},
    fuel::{Fuel, Stop},
    origin::{MAX_BLOCKS, Origin, Place},
    program::{Binary, Body, Check, Instruction, Owner, Part, Policy, Program},
    regex::Patterns,
    symbol::{Known, KnownPlace, MAX_KNOWN, Relation},
    term::{Pool, Span, Term, Values},
};
use crate::datalog::{
    Scope, ScopeKey,
    code::{Block, Check as Written, Code, Query, Symbol},
};

mod body;
mod expression;
mod facts;

/// The predicate whose facts are stated for every token, `revocation_id($block, $bytes)`.
pub(super) const REVOCATION_ID: KnownPlace = 0;

const REVOCATION: [Known; 1] = [Known {
    name: "revocation_id",
    arity: 2,
}];

impl Program {
    /// Compiles the blocks of a token together with the host's Datalog.
    ///
    /// # Errors
    /// [`Error::Compile`] with the place and the fault of the first statement that cannot be evaluated.
    pub fn compile(code: &Code, authorizer: &Authorizer) -> Result<Program, Error> {
        Base::compile(authorizer, &REVOCATION, &[], signers(code), States::ForAll)?
            .program(code, Keep::All)
    }
}

/// A host's Datalog, compiled once for all tokens.
#[derive(Clone)]
pub struct Base {
    program: Program,
    /// The first predicate of each name.
    names: Arc<HashMap<String, Relation>>,
    signers: HashMap<ScopeKey, Origin>,
    authorizer: Authorizer,
    states: States,
}

/// The Datalog that can see the host's facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum States {
    /// The token's blocks as well as the host's Datalog, as the specification says.
    ForAll,
    /// Only the host's own Datalog, so that nothing in a token can depend on the host's facts.
    ForItself,
}

/// Shows nothing: a policy may be confidential.
impl std::fmt::Debug for Base {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Base").finish_non_exhaustive()
    }
}

/// Selects the facts of blocks to keep in a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All facts, for inspecting an evaluation.
    All,
    /// Only facts whose predicate some body uses; the others cannot influence a decision.
    Wanted,
}

/// Checks that the body of each rule binds all variables of its head. A token that violates this is refused
/// when it is loaded (Biscuit specification, "Rules").
///
/// # Errors
/// [`Fault::UnboundHead`] for the first such rule and variable.
pub(crate) fn heads(code: &Code) -> Result<(), Error> {
    let mut blocks = (0..).map(Place::Block).zip(&code.blocks);
    blocks.try_for_each(|(place, block)| placed(place, heads_of(code, block)))
}

fn heads_of(code: &Code, block: &Block) -> Compiled<()> {
    let mut rules = code.rules(block).iter();
    match rules.find_map(|rule| code.unbound_in_head(rule)) {
        Some(name) => Err(Fault::UnboundHead(code.text(name).to_owned()).into()),
        None => Ok(()),
    }
}

/// The blocks that third parties signed, grouped by key.
fn signers(code: &Code) -> HashMap<ScopeKey, Origin> {
    let mut signers: HashMap<ScopeKey, Origin> = HashMap::new();
    // A token with more blocks is refused later. Here, all blocks beyond the limit would share the last bit.
    for (index, block) in code.blocks.iter().enumerate().take(MAX_BLOCKS) {
        if let Some(key) = &block.external_key {
            let signed = signers.entry(key.clone()).or_default();
            *signed = signed.union(Origin::block(index));
        }
    }
    signers
}

impl Base {
    /// Compiles a host's Datalog for tokens without third-party blocks. Only that Datalog sees the facts that it states
    /// or derives. Facts of the `known` predicates are stated in each evaluation, and all blocks see them. For the
    /// `answered` predicates, all blocks may ask the host for single facts ([`Answers`](super::Answers)).
    ///
    /// # Errors
    /// [`Error::Compile`] if the Datalog cannot be evaluated, or if there are more than [`MAX_KNOWN`] known and
    /// answered predicates.
    pub fn new(
        authorizer: &Authorizer,
        known: &[Known],
        answered: &[Known],
    ) -> Result<Base, Error> {
        Base::compile(
            authorizer,
            known,
            answered,
            HashMap::new(),
            States::ForItself,
        )
    }

    /// The host's Datalog, without a token.
    #[must_use]
    pub fn own(&self) -> &Program {
        &self.program
    }

    /// Compiles the literal regular expressions of the host's Datalog, once for all evaluations.
    ///
    /// # Errors
    /// The first expression that is invalid or too large; `None` if one is not a literal but a variable or the
    /// result of an operation.
    pub fn prepare(&mut self) -> Result<(), Option<String>> {
        let mut patterns = Patterns::default();
        let program = &self.program;
        let values = Values::over(&program.pool, Pool::default());
        let mut before = None;
        for instruction in &program.code {
            // In postfix order the right operand, which is the pattern, comes directly before its operator.
            if let Instruction::Binary(Binary::Regex) = instruction {
                let Some(Instruction::Value(constant)) = before else {
                    return Err(None);
                };
                if let Term::Str(text) = program.constant(constant)
                    && !patterns.prepare(values.text(text))
                {
                    return Err(Some(values.text(text).to_owned()));
                }
            }
            before = Some(*instruction);
        }
        self.program.patterns = Arc::new(patterns);
        Ok(())
    }

    fn compile(
        authorizer: &Authorizer,
        known: &[Known],
        answered: &[Known],
        signers: HashMap<ScopeKey, Origin>,
        states: States,
    ) -> Result<Base, Error> {
        let mut base = Base {
            program: Program::default(),
            names: Arc::default(),
            signers,
            authorizer: authorizer.clone(),
            states,
        };
        let mut compiler = Compiler::over(&base, &authorizer.code)?;
        // `Request` has room for this many, and they fit a `Relation`.
        let first = known.len().saturating_add(answered.len());
        if first > MAX_KNOWN {
            return placed(Place::Authorizer, Err(Fault::TooLarge.into()));
        }
        // Added before any rule or check, so that the number of each predicate is its place in the two lists together.
        for known in known.iter().chain(answered) {
            let added = compiler.add_relation(known.name, known.arity, None);
            placed(Place::Authorizer, added)?;
        }
        compiler.program.known = known.len() as Relation;
        compiler.program.answered = first as Relation;
        if let [statements, policies] = authorizer.code.blocks.as_slice() {
            let place = Place::Authorizer;
            let default = compiler.default_trust(place, statements);
            compiler.rules(place, statements, default)?;
            compiler.checks(place, statements, default, |_| true)?;
            let policies = authorizer.code.checks(policies).iter();
            for (policy, allow) in policies.zip(&authorizer.allows) {
                let queries = compiler.queries(place, policy, default);
                let queries = placed(place, queries)?;
                let allow = *allow;
                compiler.program.policies.push(Policy { allow, queries });
            }
        }
        let Compiler {
            mut program,
            values,
            added,
            ..
        } = compiler;
        // From here on the rules and predicates are those of a token.
        program.own_rules = program.rules.len();
        program.pool = values.into_pool();
        (base.program, base.names) = (program, Arc::new(added));
        Ok(base)
    }

    /// Compiles the blocks of a token on top of the host's Datalog.
    ///
    /// # Errors
    /// [`Error::Compile`] for the first statement that cannot be evaluated.
    pub fn program(&self, code: &Code, keep: Keep) -> Result<Program, Error> {
        self.blocks(code, keep, true, |_, _| true)
    }

    /// Compiles some of a token's checks, and none of its rules, on top of the host's Datalog. `is_wanted`
    /// selects a check by the number of its block and its position in that block. This is for a host that
    /// decides the other checks itself, and states the facts that the rules would derive.
    ///
    /// # Errors
    /// [`Error::Compile`] for the first of the selected checks that cannot be evaluated.
    pub fn checks(
        &self,
        code: &Code,
        keep: Keep,
        is_wanted: impl Fn(usize, usize) -> bool,
    ) -> Result<Program, Error> {
        self.blocks(code, keep, false, is_wanted)
    }

    fn blocks(
        &self,
        code: &Code,
        keep: Keep,
        with_rules: bool,
        is_wanted: impl Fn(usize, usize) -> bool,
    ) -> Result<Program, Error> {
        let most = match self.states {
            States::ForAll => MAX_BLOCKS,
            // The bit of the last block is the service's: a token's block with that number would see the
            // facts that only the service may see.
            States::ForItself => MAX_BLOCKS.saturating_sub(1),
        };
        if code.blocks.len() > most {
            return Err(Error::Compile {
                place: Place::Block(MAX_BLOCKS),
                fault: Fault::Blocks,
            });
        }
        let mut compiler = Compiler::over(self, code)?;
        for (index, block) in code.blocks.iter().enumerate() {
            let place = Place::Block(index);
            let default = compiler.default_trust(place, block);
            if with_rules {
                compiler.rules(place, block, default)?;
            }
            compiler.checks(place, block, default, |check| is_wanted(index, check))?;
            // Checks of the authority block are evaluated before the policies, later ones after them.
            if index == 0 {
                compiler.program.early = compiler.program.checks.len();
            }
        }
        // The facts come after all bodies, since only now it is known which predicates the bodies use.
        let rows = compiler.stated(&self.authorizer.code, keep)?;
        Ok(compiler.finish(rows))
    }
}

struct Compiler<'c> {
    code: &'c Code,
    program: Program,
    values: Values<'static>,
    /// The first predicate of each name. `names` has the host's predicates, which all tokens share, and `added`
    /// has the token's.
    names: Arc<HashMap<String, Relation>>,
    added: HashMap<String, Relation>,
    signers: &'c HashMap<ScopeKey, Origin>,
    states: States,
    /// Cached by symbol, so that each name is looked up once: the first predicate of this name, its string, and
    /// the constant with this string.
    relations: Vec<Option<Relation>>,
    strings: Vec<Option<Span>>,
    constants: Vec<Option<u16>>,
    /// The slot of each variable, by symbol, with the number of the body in which it is valid.
    slots: Vec<(u32, u16)>,
    body: u32,
    /// Unlimited, because the size of the token's blocks bounds the work of compiling them.
    fuel: Fuel,
}

/// The reason for refusing a statement, without the statement's place.
enum Refused {
    Fault(Fault),
    Stop(Stop),
}

type Compiled<T> = Result<T, Refused>;

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused::Fault(fault)
    }
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Refused {
        Refused::Stop(stop)
    }
}

fn placed<T>(place: Place, result: Compiled<T>) -> Result<T, Error> {
    result.map_err(|refused| match refused {
        Refused::Fault(fault) => Error::Compile { place, fault },
        Refused::Stop(Stop::Error(error)) => *error,
        // The budget is unlimited here, so this only means that something exceeds a 32-bit index.
        Refused::Stop(Stop::OutOfFuel | Stop::OutOfMemory) => Error::Compile {
            place,
            fault: Fault::TooLarge,
        },
    })
}

fn number(count: usize) -> Compiled<u32> {
    u32::try_from(count).map_err(|_| Refused::Fault(Fault::TooLarge))
}

fn short(count: usize) -> Compiled<u16> {
    u16::try_from(count).map_err(|_| Refused::Fault(Fault::TooLarge))
}

/// Copies a list into one with capacity for `more` items.
fn roomy<T: Copy>(list: &[T], more: usize) -> Vec<T> {
    let mut copy = Vec::with_capacity(list.len().saturating_add(more));
    copy.extend_from_slice(list);
    copy
}

impl<'c> Compiler<'c> {
    fn over(base: &'c Base, code: &'c Code) -> Result<Compiler<'c>, Error> {
        // The sizes are known, so each list is allocated once. Constants are often repeated, hence the
        // smaller reserve for them.
        let (mut program, size) = (base.program.clone(), code.size());
        program.scans = roomy(&program.scans, size.predicates);
        program.args = roomy(&program.args, size.terms);
        program.code = roomy(&program.code, size.ops);
        program.constants = roomy(&program.constants, size.terms.min(64));
        program.tests = roomy(&program.tests, size.expressions);
        program.queries = roomy(&program.queries, size.queries);
        let values = Values::with(std::mem::take(&mut program.pool));
        let symbols = code.symbol_count();
        Ok(Compiler {
            code,
            program,
            values,
            names: Arc::clone(&base.names),
            added: HashMap::new(),
            signers: &base.signers,
            states: base.states,
            relations: vec![None; symbols],
            strings: vec![None; symbols],
            constants: vec![None; symbols],
            slots: vec![(0, 0); symbols],
            body: 0,
            fuel: Fuel::unlimited(),
        })
    }

    /// The blocks that the bodies of a block trust by default.
    fn default_trust(&self, place: Place, block: &Block) -> Origin {
        self.trusted(place, self.code.block_scopes(block), Origin::DEFAULT)
    }

    fn rules(&mut self, place: Place, block: &Block, default: Origin) -> Result<(), Error> {
        // Checked before any rule is compiled, so that this fault is the one reported, as when a token is loaded.
        placed(place, heads_of(self.code, block))?;
        for rule in self.code.rules(block) {
            let compiled = self.rule(place, rule, default);
            let rule = placed(place, compiled)?;
            self.program.rules.push(rule);
        }
        Ok(())
    }

    /// The owner of the statements at a place.
    fn owner(&self, place: Place) -> Owner {
        match (place, self.states) {
            (Place::Authorizer, States::ForItself) => Owner::SERVICE,
            _ => Owner::of(place),
        }
    }

    /// The blocks whose facts a body sees: always its own block and the host; then the blocks of its `trusting`
    /// clause or, without one, of its block's default.
    fn trusted(&self, place: Place, scopes: &[Scope], default: Origin) -> Origin {
        let own = self.owner(place).origin().union(Origin::AUTHORIZER);
        if scopes.is_empty() {
            return own.union(default);
        }
        scopes.iter().fold(own, |trusted, scope| {
            trusted.union(match (scope, place) {
                (Scope::Authority, _) => Origin::block(0),
                (Scope::Previous, Place::Block(index)) => Origin::up_to(index),
                // No block comes before the host's Datalog.
                (Scope::Previous, Place::Authorizer) => Origin::default(),
                // A key that signed no block of this token adds no trust.
                (Scope::PublicKey(key), _) => self.signers.get(key).copied().unwrap_or_default(),
            })
        })
    }

    fn checks(
        &mut self,
        place: Place,
        block: &Block,
        default: Origin,
        is_wanted: impl Fn(usize) -> bool,
    ) -> Result<(), Error> {
        let checks = self.code.checks(block).iter().enumerate();
        for (index, check) in checks.filter(|(index, _)| is_wanted(*index)) {
            let queries = self.queries(place, check, default);
            let compiled = queries.and_then(|queries| {
                Ok(Check {
                    owner: self.owner(place),
                    // The position in the block, not among the selected checks, because denials name it.
                    index: number(index)?,
                    kind: check.kind,
                    queries,
                })
            });
            let check = placed(place, compiled)?;
            self.program.checks.push(check);
        }
        Ok(())
    }

    fn queries(&mut self, place: Place, check: &Written, default: Origin) -> Compiled<Part> {
        let start = number(self.program.queries.len())?;
        let queries: &'c [Query] = self.code.queries(check);
        for query in queries {
            let body: Body = self.query(place, query, default)?;
            self.program.queries.push(body);
        }
        Ok(Part {
            start,
            count: short(queries.len())?,
        })
    }

    /// Returns the predicate of this name and arity. Adds it if it is new.
    fn relation(&mut self, name: Symbol, arity: usize) -> Compiled<Relation> {
        let arity = short(arity)?;
        if let Some(relation) = self.known_relation(name, arity) {
            return Ok(relation);
        }
        let text = self.code.text(name);
        let first = self.named(text);
        let relation = self.add_relation(text, arity, first)?;
        if let Some(slot) = self.relations.get_mut(name.index()) {
            *slot = Some(first.unwrap_or(relation));
        }
        Ok(relation)
    }

    /// Refuses a statement of a predicate that the host answers, whatever its number of terms, because no body would
    /// ever see the fact.
    fn unanswered(&self, name: Symbol) -> Compiled<()> {
        let text = self.code.text(name);
        match self.named(text) {
            Some(first) if self.program.is_answered(first) => {
                Err(Fault::Answered(text.to_owned()).into())
            }
            _ => Ok(()),
        }
    }

    fn named(&self, text: &str) -> Option<Relation> {
        let own = self.names.get(text).or_else(|| self.added.get(text));
        own.copied()
    }

    fn known_relation(&mut self, name: Symbol, arity: u16) -> Option<Relation> {
        let slot = *self.relations.get(name.index())?;
        if slot.is_none() {
            let first = self.named(self.code.text(name));
            let slot = self.relations.get_mut(name.index())?;
            *slot = first;
        }
        let mut next = *self.relations.get(name.index())?;
        while let Some(relation) = next {
            let known = self.program.relation(relation)?;
            if known.arity == arity {
                return Some(relation);
            }
            next = known.next;
        }
        None
    }

    /// Adds a predicate to the list that starts at `first`, the first predicate of the same name, if there is one.
    fn add_relation(
        &mut self,
        name: &str,
        arity: u16,
        first: Option<Relation>,
    ) -> Compiled<Relation> {
        let relation = short(self.program.relations.len())?;
        let span = self.values.add_text(name, &mut self.fuel)?;
        let first = first.and_then(|first| self.program.relations.get_mut(usize::from(first)));
        // Inserted directly after the first one, so that the list need not be walked.
        let next = first.and_then(|first| first.next.replace(relation));
        self.program.relations.push(super::program::Named {
            name: span,
            arity,
            next,
            wanted: false,
            derived: None,
            origins: 0,
            terms: 0,
            rows: 0,
        });
        if self.named(name).is_none() {
            self.added.insert(name.to_owned(), relation);
        }
        Ok(relation)
    }

    /// Returns the index of a set of trusted blocks in [`Program::trusts`]. Adds the set if it is new.
    fn trust(&mut self, trusted: Origin) -> Compiled<u16> {
        let known = &mut self.program.trusts;
        // A linear search is fast enough: bodies rarely differ in their trust.
        match known.iter().position(|other| *other == trusted) {
            Some(place) => short(place),
            None => {
                known.push(trusted);
                short(known.len().saturating_sub(1))
            }
        }
    }

    fn string(&mut self, symbol: Symbol) -> Compiled<Span> {
        if let Some(Some(span)) = self.strings.get(symbol.index()) {
            return Ok(*span);
        }
        let span = self
            .values
            .add_text(self.code.text(symbol), &mut self.fuel)?;
        if let Some(slot) = self.strings.get_mut(symbol.index()) {
            *slot = Some(span);
        }
        Ok(span)
    }
}
