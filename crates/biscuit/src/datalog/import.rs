//! Conversion of statements, whose names are strings, to [`Code`]. It serves the verifier's own Datalog, which
//! no token carries.

use std::collections::HashMap;

use super::{
    Block, MapKey, Query,
    code::{
        self, Binary, Check, Code, DEFAULT, Op, Predicate, Rule, Span, Symbol, Term, Unary, since,
    },
    syntax,
};

impl Code {
    /// Converts these blocks, giving each name a number.
    #[must_use]
    pub fn from_blocks(blocks: &[Block]) -> Code {
        let mut importer = Importer {
            code: Code::default(),
            symbols: (0..)
                .zip(DEFAULT)
                .map(|(n, text)| (text.to_owned(), Symbol(n)))
                .collect(),
        };
        blocks.iter().for_each(|block| importer.block(block));
        importer.code
    }
}

struct Importer {
    code: Code,
    symbols: HashMap<String, Symbol>,
}

// Recursion into containers and closures is bounded: they come from a parser or a decoder, which limits their
// depth.
impl Importer {
    fn block(&mut self, block: &Block) {
        let facts = self.code.facts.len();
        for fact in &block.facts {
            let fact = self.predicate(fact);
            self.code.facts.push(fact);
        }
        let rules = self.code.rules.len();
        for rule in &block.rules {
            let (head, query) = (self.predicate(&rule.head), self.query(&rule.query));
            self.code.rules.push(Rule { head, query });
        }
        let checks = self.code.checks.len();
        for check in &block.checks {
            let queries = self.code.queries.len();
            for query in &check.queries {
                let query = self.query(query);
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
    }

    fn query(&mut self, query: &Query) -> code::Query {
        let body = self.code.predicates.len();
        for predicate in &query.body {
            let predicate = self.predicate(predicate);
            self.code.predicates.push(predicate);
        }
        let expressions = self.code.expressions.len();
        for ops in &query.expressions {
            let start = self.code.ops.len();
            self.ops(ops);
            let expression = since(&self.code.ops, start);
            self.code.expressions.push(expression);
        }
        code::Query {
            body: since(&self.code.predicates, body),
            expressions: since(&self.code.expressions, expressions),
            scopes: self.code.add_scopes(query.scopes.clone()),
        }
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

    fn predicate(&mut self, predicate: &syntax::Predicate) -> Predicate {
        Predicate {
            name: self.symbol(&predicate.name),
            terms: self.terms(predicate.terms.iter()),
        }
    }

    fn terms<'t>(&mut self, terms: impl Iterator<Item = &'t syntax::Term>) -> Span {
        let terms = terms.map(|term| self.term(term));
        let terms = terms.collect::<Vec<Term>>();
        self.list(terms)
    }

    fn list(&mut self, terms: Vec<Term>) -> Span {
        let start = self.code.terms.len();
        self.code.terms.extend(terms);
        since(&self.code.terms, start)
    }

    fn term(&mut self, term: &syntax::Term) -> Term {
        match term {
            syntax::Term::Variable(name) => Term::Variable(self.symbol(name)),
            syntax::Term::Integer(value) => Term::Integer(*value),
            syntax::Term::Str(text) => Term::Str(self.symbol(text)),
            syntax::Term::Date(seconds) => Term::Date(*seconds),
            syntax::Term::Bytes(bytes) => {
                let start = self.code.bytes.len();
                self.code.bytes.extend_from_slice(bytes);
                Term::Bytes(since(&self.code.bytes, start))
            }
            syntax::Term::Bool(value) => Term::Bool(*value),
            syntax::Term::Null => Term::Null,
            // Sets are sorted and free of repetitions in both forms, so the order stays.
            syntax::Term::Set(set) => Term::Set(self.terms(set.iter())),
            syntax::Term::Array(terms) => Term::Array(self.terms(terms.iter())),
            syntax::Term::Map(map) => {
                let mut entries = Vec::with_capacity(map.len().saturating_mul(2));
                for (key, value) in map {
                    entries.push(match key {
                        MapKey::Integer(key) => Term::Integer(*key),
                        MapKey::Str(key) => Term::Str(self.symbol(key)),
                    });
                    entries.push(self.term(value));
                }
                Term::Map(self.list(entries))
            }
        }
    }

    fn ops(&mut self, ops: &[syntax::Op]) {
        for op in ops {
            let op = match op {
                syntax::Op::Value(term) => Op::Value(self.term(term)),
                syntax::Op::Unary(unary) => Op::Unary(self.unary(unary)),
                syntax::Op::Binary(binary) => Op::Binary(self.binary(binary)),
                syntax::Op::Closure(params, body) => {
                    // Nothing here adds to the list of parameters in between, so the span is contiguous.
                    let start = self.code.params.len();
                    for param in params {
                        let param = self.symbol(param);
                        self.code.params.push(param);
                    }
                    let params = since(&self.code.params, start);
                    let closure = self.code.ops.len();
                    // The closure's step precedes its body, whose length is known only afterwards.
                    self.code.ops.push(Op::Closure { params, length: 0 });
                    self.ops(body);
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
    }

    fn unary(&mut self, unary: &syntax::Unary) -> Unary {
        match unary {
            syntax::Unary::Negate => Unary::Negate,
            syntax::Unary::Parens => Unary::Parens,
            syntax::Unary::Length => Unary::Length,
            syntax::Unary::TypeOf => Unary::TypeOf,
            syntax::Unary::Ffi(name) => Unary::Ffi(self.symbol(name)),
        }
    }

    fn binary(&mut self, binary: &syntax::Binary) -> Binary {
        match binary {
            syntax::Binary::LessThan => Binary::LessThan,
            syntax::Binary::GreaterThan => Binary::GreaterThan,
            syntax::Binary::LessOrEqual => Binary::LessOrEqual,
            syntax::Binary::GreaterOrEqual => Binary::GreaterOrEqual,
            syntax::Binary::Equal => Binary::Equal,
            syntax::Binary::Contains => Binary::Contains,
            syntax::Binary::Prefix => Binary::Prefix,
            syntax::Binary::Suffix => Binary::Suffix,
            syntax::Binary::Regex => Binary::Regex,
            syntax::Binary::Add => Binary::Add,
            syntax::Binary::Sub => Binary::Sub,
            syntax::Binary::Mul => Binary::Mul,
            syntax::Binary::Div => Binary::Div,
            syntax::Binary::And => Binary::And,
            syntax::Binary::Or => Binary::Or,
            syntax::Binary::Intersection => Binary::Intersection,
            syntax::Binary::Union => Binary::Union,
            syntax::Binary::BitwiseAnd => Binary::BitwiseAnd,
            syntax::Binary::BitwiseOr => Binary::BitwiseOr,
            syntax::Binary::BitwiseXor => Binary::BitwiseXor,
            syntax::Binary::NotEqual => Binary::NotEqual,
            syntax::Binary::HeterogeneousEqual => Binary::HeterogeneousEqual,
            syntax::Binary::HeterogeneousNotEqual => Binary::HeterogeneousNotEqual,
            syntax::Binary::LazyAnd => Binary::LazyAnd,
            syntax::Binary::LazyOr => Binary::LazyOr,
            syntax::Binary::All => Binary::All,
            syntax::Binary::Any => Binary::Any,
            syntax::Binary::Get => Binary::Get,
            syntax::Binary::TryOr => Binary::TryOr,
            syntax::Binary::Ffi(name) => Binary::Ffi(self.symbol(name)),
        }
    }
}
