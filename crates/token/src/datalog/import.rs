//! Statements with their names in place -> [`Code`], for Datalog that no token carries: the
//! verifier's own.

use std::collections::HashMap;

use biscuit_auth::builder::{self, MapKey};

use super::{
    Block, Query,
    code::{
        self, Binary, Check, Code, DEFAULT, Op, Predicate, Rule, Span, Symbol, Term, Unary, since,
    },
};

/// A parameter stands where a value belongs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the parameter `{0}` has no value")]
pub struct ParameterError(pub String);

type Imported<T> = Result<T, ParameterError>;

impl Code {
    /// Numbers what stands in these blocks.
    ///
    /// # Errors
    /// When one holds a parameter.
    pub fn from_blocks(blocks: &[Block]) -> Result<Code, ParameterError> {
        let mut importer = Importer {
            code: Code::default(),
            symbols: (0..)
                .zip(DEFAULT)
                .map(|(n, text)| (text.to_owned(), Symbol(n)))
                .collect(),
        };
        blocks.iter().try_for_each(|block| importer.block(block))?;
        Ok(importer.code)
    }
}

struct Importer {
    code: Code,
    symbols: HashMap<String, Symbol>,
}

// It recurses into containers and closures: what it takes in was made by a parser or a decoder that
// bounds how deep they lie.
impl Importer {
    fn block(&mut self, block: &Block) -> Imported<()> {
        let facts = self.code.facts.len();
        for fact in &block.facts {
            let fact = self.predicate(fact)?;
            self.code.facts.push(fact);
        }
        let rules = self.code.rules.len();
        for rule in &block.rules {
            let (head, query) = (self.predicate(&rule.head)?, self.query(&rule.query)?);
            self.code.rules.push(Rule { head, query });
        }
        let checks = self.code.checks.len();
        for check in &block.checks {
            let queries = self.code.queries.len();
            for query in &check.queries {
                let query = self.query(query)?;
                self.code.queries.push(query);
            }
            let queries = since(&self.code.queries, queries);
            self.code.checks.push(Check {
                kind: check.kind,
                queries,
            });
        }
        let block = code::Block {
            version: block.version,
            context: block.context.clone(),
            external_key: block.external_key.clone(),
            public_keys: block.public_keys.clone(),
            scopes: self.code.add_scopes(block.scopes.clone()),
            facts: since(&self.code.facts, facts),
            rules: since(&self.code.rules, rules),
            checks: since(&self.code.checks, checks),
        };
        self.code.blocks.push(block);
        Ok(())
    }

    fn query(&mut self, query: &Query) -> Imported<code::Query> {
        let body = self.code.predicates.len();
        for predicate in &query.body {
            let predicate = self.predicate(predicate)?;
            self.code.predicates.push(predicate);
        }
        let expressions = self.code.expressions.len();
        for ops in &query.expressions {
            let start = self.code.ops.len();
            self.ops(ops)?;
            let expression = since(&self.code.ops, start);
            self.code.expressions.push(expression);
        }
        Ok(code::Query {
            body: since(&self.code.predicates, body),
            expressions: since(&self.code.expressions, expressions),
            scopes: self.code.add_scopes(query.scopes.clone()),
        })
    }

    fn symbol(&mut self, text: &str) -> Symbol {
        self.code.resolved = self.code.resolved.saturating_add(text.len());
        match self.symbols.get(text) {
            Some(symbol) => *symbol,
            None => {
                let symbol = self.code.add_symbol(text);
                self.symbols.insert(text.to_owned(), symbol);
                symbol
            }
        }
    }

    fn predicate(&mut self, predicate: &builder::Predicate) -> Imported<Predicate> {
        Ok(Predicate {
            name: self.symbol(&predicate.name),
            terms: self.terms(predicate.terms.iter())?,
        })
    }

    fn terms<'t>(&mut self, terms: impl Iterator<Item = &'t builder::Term>) -> Imported<Span> {
        let terms = terms.map(|term| self.term(term));
        let terms = terms.collect::<Imported<Vec<Term>>>()?;
        Ok(self.list(terms))
    }

    fn list(&mut self, terms: Vec<Term>) -> Span {
        let start = self.code.terms.len();
        self.code.terms.extend(terms);
        since(&self.code.terms, start)
    }

    fn term(&mut self, term: &builder::Term) -> Imported<Term> {
        Ok(match term {
            builder::Term::Variable(name) => Term::Variable(self.symbol(name)),
            builder::Term::Integer(value) => Term::Integer(*value),
            builder::Term::Str(text) => Term::Str(self.symbol(text)),
            builder::Term::Date(seconds) => Term::Date(*seconds),
            builder::Term::Bytes(bytes) => {
                let start = self.code.bytes.len();
                self.code.bytes.extend_from_slice(bytes);
                Term::Bytes(since(&self.code.bytes, start))
            }
            builder::Term::Bool(value) => Term::Bool(*value),
            builder::Term::Null => Term::Null,
            // In the order of their terms here and there, and each once.
            builder::Term::Set(set) => Term::Set(self.terms(set.iter())?),
            builder::Term::Array(terms) => Term::Array(self.terms(terms.iter())?),
            builder::Term::Map(map) => {
                let mut entries = Vec::with_capacity(map.len().saturating_mul(2));
                for (key, value) in map {
                    entries.push(match key {
                        MapKey::Integer(key) => Term::Integer(*key),
                        MapKey::Str(key) => Term::Str(self.symbol(key)),
                        MapKey::Parameter(name) => return Err(ParameterError(name.clone())),
                    });
                    entries.push(self.term(value)?);
                }
                Term::Map(self.list(entries))
            }
            builder::Term::Parameter(name) => return Err(ParameterError(name.clone())),
        })
    }

    fn ops(&mut self, ops: &[builder::Op]) -> Imported<()> {
        for op in ops {
            let op = match op {
                builder::Op::Value(term) => Op::Value(self.term(term)?),
                builder::Op::Unary(unary) => Op::Unary(self.unary(unary)),
                builder::Op::Binary(binary) => Op::Binary(self.binary(binary)),
                builder::Op::Closure(params, body) => {
                    let start = self.code.params.len();
                    for param in params {
                        let param = self.symbol(param);
                        self.code.params.push(param);
                    }
                    let params = since(&self.code.params, start);
                    let closure = self.code.ops.len();
                    self.code.ops.push(Op::Closure { params, length: 0 });
                    self.ops(body)?;
                    let body = self
                        .code
                        .ops
                        .len()
                        .saturating_sub(closure)
                        .saturating_sub(1);
                    if let Some(op) = self.code.ops.get_mut(closure) {
                        *op = Op::Closure {
                            params,
                            length: body as u32,
                        };
                    }
                    continue;
                }
            };
            self.code.ops.push(op);
        }
        Ok(())
    }

    fn unary(&mut self, unary: &builder::Unary) -> Unary {
        match unary {
            builder::Unary::Negate => Unary::Negate,
            builder::Unary::Parens => Unary::Parens,
            builder::Unary::Length => Unary::Length,
            builder::Unary::TypeOf => Unary::TypeOf,
            builder::Unary::Ffi(name) => Unary::Ffi(self.symbol(name)),
        }
    }

    fn binary(&mut self, binary: &builder::Binary) -> Binary {
        match binary {
            builder::Binary::LessThan => Binary::LessThan,
            builder::Binary::GreaterThan => Binary::GreaterThan,
            builder::Binary::LessOrEqual => Binary::LessOrEqual,
            builder::Binary::GreaterOrEqual => Binary::GreaterOrEqual,
            builder::Binary::Equal => Binary::Equal,
            builder::Binary::Contains => Binary::Contains,
            builder::Binary::Prefix => Binary::Prefix,
            builder::Binary::Suffix => Binary::Suffix,
            builder::Binary::Regex => Binary::Regex,
            builder::Binary::Add => Binary::Add,
            builder::Binary::Sub => Binary::Sub,
            builder::Binary::Mul => Binary::Mul,
            builder::Binary::Div => Binary::Div,
            builder::Binary::And => Binary::And,
            builder::Binary::Or => Binary::Or,
            builder::Binary::Intersection => Binary::Intersection,
            builder::Binary::Union => Binary::Union,
            builder::Binary::BitwiseAnd => Binary::BitwiseAnd,
            builder::Binary::BitwiseOr => Binary::BitwiseOr,
            builder::Binary::BitwiseXor => Binary::BitwiseXor,
            builder::Binary::NotEqual => Binary::NotEqual,
            builder::Binary::HeterogeneousEqual => Binary::HeterogeneousEqual,
            builder::Binary::HeterogeneousNotEqual => Binary::HeterogeneousNotEqual,
            builder::Binary::LazyAnd => Binary::LazyAnd,
            builder::Binary::LazyOr => Binary::LazyOr,
            builder::Binary::All => Binary::All,
            builder::Binary::Any => Binary::Any,
            builder::Binary::Get => Binary::Get,
            builder::Binary::TryOr => Binary::TryOr,
            builder::Binary::Ffi(name) => Binary::Ffi(self.symbol(name)),
        }
    }
}
