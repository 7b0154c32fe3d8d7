//! Decoded blocks -> [`Program`]. What can be known before anything is evaluated is checked here:
//! that variables are bound, that expressions leave one value, that closures shadow nothing.

use std::collections::HashMap;

use bailiwick_token::datalog::{Block, Query, Scope, ScopeKey};

use super::{
    authorizer::Authorizer,
    edge::Refused,
    error::{Error, Fault, Place},
    facts::{MAX_BLOCKS, Origin, Rows},
    fuel::{Fuel, Stop},
    program::{Arg, Body, Check, Instruction, Policy, Program, Rule},
    regex::Patterns,
    symbol::{Relation, Symbols},
    term::{Span, Values},
};

mod body;
mod expression;

use body::Slots;

impl Program {
    /// Compiles the blocks of a token together with what the verifier adds.
    ///
    /// # Errors
    /// Says where and why, when it could not be evaluated.
    pub fn compile(blocks: &[Block], authorizer: &Authorizer) -> Result<Program, Error> {
        let mut compiler = Compiler::new(blocks)?;
        let trusted = compiler.authorizer(authorizer)?;
        let mut late = Vec::new();
        for (index, block) in blocks.iter().enumerate() {
            let default = compiler.statements(Place::Block(index), block)?;
            let checks = compiler.checks(Place::Block(index), block, default)?;
            match index {
                0 => compiler.checks.extend(checks),
                _ => late.extend(checks),
            }
        }
        let early = compiler.checks.len();
        compiler.checks.extend(late);
        let policies = compiler.policies(authorizer, trusted)?;
        Ok(compiler.finish(early, policies))
    }
}

struct Compiler {
    values: Values<'static>,
    symbols: Symbols,
    signers: HashMap<ScopeKey, Origin>,
    /// The blocks of the token, by the size of their wording, bound all that is done here.
    fuel: Fuel,
    facts: Vec<Rows>,
    wanted: Vec<bool>,
    rules: Vec<Rule>,
    checks: Vec<Check>,
    args: Vec<Arg>,
    code: Vec<Instruction>,
    externs: Vec<String>,
    patterns: Patterns,
    type_names: [Span; 9],
}

/// A fault, not yet placed.
type Compiled<T> = Result<T, Refused>;

impl From<Fault> for Refused {
    fn from(fault: Fault) -> Refused {
        Refused::Fault(fault)
    }
}

fn placed<T>(place: Place, result: Compiled<T>) -> Result<T, Error> {
    result.map_err(|refused| match refused {
        Refused::Fault(fault) => Error::Compile { place, fault },
        Refused::Stop(Stop::Error(error)) => *error,
        // Fuel is unlimited here, so only more than 32 bits can number ends in this.
        Refused::Stop(Stop::OutOfFuel) => Error::Compile {
            place,
            fault: Fault::TooLarge,
        },
    })
}

fn number(count: usize) -> Compiled<u32> {
    u32::try_from(count).map_err(|_| Refused::Fault(Fault::TooLarge))
}

impl Compiler {
    fn new(blocks: &[Block]) -> Result<Compiler, Error> {
        if blocks.len() > MAX_BLOCKS {
            return Err(Error::Compile {
                place: Place::Block(MAX_BLOCKS),
                fault: Fault::Blocks,
            });
        }
        let mut signers: HashMap<ScopeKey, Origin> = HashMap::new();
        for (index, block) in blocks.iter().enumerate() {
            if let Some(key) = &block.external_key {
                let signed = signers.entry(key.clone()).or_default();
                *signed = signed.union(Origin::block(index));
            }
        }
        let mut values = Values::new();
        let mut symbols = Symbols::new();
        let mut fuel = Fuel::unlimited();
        let names = TYPES.map(|name| symbols.text(&mut values, name, &mut fuel));
        let [
            Ok(a),
            Ok(b),
            Ok(c),
            Ok(d),
            Ok(e),
            Ok(f),
            Ok(g),
            Ok(h),
            Ok(i),
        ] = names
        else {
            return Err(Error::InvalidType);
        };
        Ok(Compiler {
            values,
            symbols,
            signers,
            fuel,
            facts: Vec::new(),
            wanted: Vec::new(),
            rules: Vec::new(),
            checks: Vec::new(),
            args: Vec::new(),
            code: Vec::new(),
            externs: Vec::new(),
            patterns: Patterns::default(),
            type_names: [a, b, c, d, e, f, g, h, i],
        })
    }

    fn authorizer(&mut self, authorizer: &Authorizer) -> Result<Origin, Error> {
        let default = self.statements(Place::Authorizer, &authorizer.block)?;
        let checks = self.checks(Place::Authorizer, &authorizer.block, default)?;
        self.checks.extend(checks);
        Ok(default)
    }

    /// Facts and rules of a block; answers what its bodies trust where they say nothing.
    fn statements(&mut self, place: Place, block: &Block) -> Result<Origin, Error> {
        let default = self.trusted(place, &block.scopes, Origin::DEFAULT);
        for fact in &block.facts {
            let compiled = self.fact(place, fact);
            placed(place, compiled)?;
        }
        for rule in &block.rules {
            let compiled = self.rule(place, rule, default);
            let rule = placed(place, compiled)?;
            self.rules.push(rule);
        }
        Ok(default)
    }

    /// Whose facts a body sees: its own block's and the verifier's, and of others those that it
    /// names, or those of its block's default.
    fn trusted(&self, place: Place, scopes: &[Scope], default: Origin) -> Origin {
        let own = Origin::of(place).union(Origin::AUTHORIZER);
        if scopes.is_empty() {
            return own.union(default);
        }
        scopes.iter().fold(own, |trusted, scope| {
            trusted.union(match (scope, place) {
                (Scope::Authority, _) => Origin::block(0),
                (Scope::Previous, Place::Block(index)) => Origin::up_to(index),
                (Scope::Previous, Place::Authorizer) => Origin::default(),
                (Scope::PublicKey(key), _) => self.signers.get(key).copied().unwrap_or_default(),
            })
        })
    }

    fn checks(
        &mut self,
        place: Place,
        block: &Block,
        default: Origin,
    ) -> Result<Vec<Check>, Error> {
        let mut checks = Vec::with_capacity(block.checks.len());
        for (index, check) in block.checks.iter().enumerate() {
            checks.push(Check {
                place,
                index,
                kind: check.kind,
                queries: self.queries(place, &check.queries, default)?,
            });
        }
        Ok(checks)
    }

    fn policies(&mut self, authorizer: &Authorizer, trusted: Origin) -> Result<Vec<Policy>, Error> {
        let mut policies = Vec::with_capacity(authorizer.policies.len());
        for policy in &authorizer.policies {
            policies.push(Policy {
                allow: policy.allow,
                queries: self.queries(Place::Authorizer, &policy.queries, trusted)?,
            });
        }
        Ok(policies)
    }

    fn queries(
        &mut self,
        place: Place,
        queries: &[Query],
        default: Origin,
    ) -> Result<Vec<Body>, Error> {
        let mut bodies = Vec::with_capacity(queries.len());
        for query in queries {
            let compiled = self.body(place, query, default, &mut Slots::default());
            bodies.push(placed(place, compiled)?);
        }
        Ok(bodies)
    }

    fn finish(mut self, early: usize, policies: Vec<Policy>) -> Program {
        let count = self.symbols.names.len();
        self.facts.resize_with(count, Rows::default);
        for (rows, (_, arity)) in self.facts.iter_mut().zip(&self.symbols.names) {
            rows.arity = *arity;
        }
        self.wanted.resize(count, false);
        let mut heads: Vec<Relation> = self.rules.iter().map(|rule| rule.head).collect();
        heads.sort_unstable();
        heads.dedup();
        let mut derived_at = vec![u32::MAX; count];
        for (place, head) in (0..).zip(&heads) {
            if let Some(at) = derived_at.get_mut(*head as usize) {
                *at = place;
            }
        }
        let mut scans = self.rules.iter().flat_map(|rule| &rule.body.scans);
        let recursive = scans.any(|scan| heads.binary_search(&scan.relation).is_ok());
        Program {
            pool: self.values.into_pool(),
            facts: self.facts,
            wanted: self.wanted,
            names: self.symbols.names,
            rules: self.rules,
            heads,
            derived_at,
            recursive,
            checks: self.checks,
            early,
            policies,
            args: self.args,
            code: self.code,
            externs: self.externs,
            patterns: self.patterns,
            type_names: self.type_names,
        }
    }
}

/// In the order of [`Term::rank`].
const TYPES: [&str; 9] = [
    "integer", "string", "date", "bytes", "bool", "set", "null", "array", "map",
];
