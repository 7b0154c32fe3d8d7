//! Conversion of [`Code`] to statements with names as strings, for reading, comparing and printing.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    Block, BlockCheck, BlockRule, MapKey, Query,
    code::{self, Binary, Code, Op, Predicate, Rule, Symbol, Term, Unary},
    syntax,
};

// Recursion into containers and closures is safe: their depth was bounded when they were read.
impl Code {
    /// Returns the blocks with their names in place of numbers.
    #[must_use]
    pub fn resolve(&self) -> Vec<Block> {
        self.blocks.iter().map(|block| self.block(block)).collect()
    }

    fn block(&self, block: &code::Block) -> Block {
        Block {
            version: block.version,
            context: block.context.clone(),
            external_key: block.external_key.clone(),
            scopes: self.block_scopes(block).to_vec(),
            public_keys: block.public_keys.clone(),
            facts: self
                .facts(block)
                .iter()
                .map(|fact| self.resolve_predicate(fact))
                .collect(),
            rules: self
                .rules(block)
                .iter()
                .map(|rule| self.resolve_rule(rule))
                .collect(),
            checks: self
                .checks(block)
                .iter()
                .map(|check| self.resolve_check(check))
                .collect(),
        }
    }

    /// Returns a rule with its names in place of numbers.
    #[must_use]
    pub fn resolve_rule(&self, rule: &code::Rule) -> BlockRule {
        BlockRule {
            head: self.resolve_predicate(&rule.head),
            query: self.resolve_query(&rule.query),
        }
    }

    /// Returns a check with its names in place of numbers.
    #[must_use]
    pub fn resolve_check(&self, check: &code::Check) -> BlockCheck {
        BlockCheck {
            kind: check.kind,
            queries: self
                .queries(check)
                .iter()
                .map(|query| self.resolve_query(query))
                .collect(),
        }
    }

    /// Returns a body with its names in place of numbers.
    #[must_use]
    pub fn resolve_query(&self, query: &code::Query) -> Query {
        Query {
            body: self
                .body(query)
                .iter()
                .map(|predicate| self.resolve_predicate(predicate))
                .collect(),
            expressions: self.expressions(query).map(|ops| self.ops(ops)).collect(),
            scopes: self.scopes(query).to_vec(),
        }
    }

    fn owned(&self, symbol: code::Symbol) -> String {
        self.text(symbol).to_owned()
    }

    /// Returns a fact, or a pattern that a body matches, with its names in place of numbers.
    #[must_use]
    pub fn resolve_predicate(&self, predicate: &Predicate) -> syntax::Predicate {
        let terms = self.terms(predicate.terms).iter();
        syntax::Predicate::new(
            self.owned(predicate.name),
            terms.map(|term| self.term(term)).collect::<Vec<_>>(),
        )
    }

    fn term(&self, term: &Term) -> syntax::Term {
        match term {
            Term::Variable(name) => syntax::Term::Variable(self.owned(*name)),
            Term::Integer(value) => syntax::Term::Integer(*value),
            Term::Str(text) => syntax::Term::Str(self.owned(*text)),
            Term::Date(seconds) => syntax::Term::Date(*seconds),
            Term::Bytes(span) => syntax::Term::Bytes(self.bytes(*span).to_vec()),
            Term::Bool(value) => syntax::Term::Bool(*value),
            Term::Null => syntax::Term::Null,
            Term::Set(span) => {
                let terms: BTreeSet<_> = self
                    .terms(*span)
                    .iter()
                    .map(|term| self.term(term))
                    .collect();
                syntax::Term::Set(terms)
            }
            Term::Array(span) => {
                let terms = self.terms(*span).iter().map(|term| self.term(term));
                syntax::Term::Array(terms.collect())
            }
            Term::Map(span) => {
                let entries: BTreeMap<_, _> = self
                    .terms(*span)
                    .chunks_exact(2)
                    .filter_map(|entry| match entry {
                        [Term::Integer(key), value] => {
                            Some((MapKey::Integer(*key), self.term(value)))
                        }
                        [Term::Str(key), value] => {
                            Some((MapKey::Str(self.owned(*key)), self.term(value)))
                        }
                        _ => None,
                    })
                    .collect();
                syntax::Term::Map(entries)
            }
        }
    }

    fn ops(&self, ops: &[Op]) -> Vec<syntax::Op> {
        let mut resolved = Vec::with_capacity(ops.len());
        let mut rest = ops;
        while let [op, after @ ..] = rest {
            rest = after;
            resolved.push(match op {
                Op::Value(term) => syntax::Op::Value(self.term(term)),
                Op::Unary(unary) => syntax::Op::Unary(self.resolve_unary(*unary)),
                Op::Binary(binary) => syntax::Op::Binary(self.resolve_binary(*binary)),
                Op::Closure { params, length } => {
                    let (body, after) = after.split_at(after.len().min(*length as usize));
                    rest = after;
                    let params = self.params(*params).iter().map(|name| self.owned(*name));
                    syntax::Op::Closure(params.collect(), self.ops(body))
                }
            });
        }
        resolved
    }

    /// Returns an operator of one operand, with the name of the host's function if it calls one.
    #[must_use]
    pub fn resolve_unary(&self, unary: Unary) -> syntax::Unary {
        match unary {
            Unary::Negate => syntax::Unary::Negate,
            Unary::Parens => syntax::Unary::Parens,
            Unary::Length => syntax::Unary::Length,
            Unary::TypeOf => syntax::Unary::TypeOf,
            Unary::Ffi(name) => syntax::Unary::Ffi(self.owned(name)),
        }
    }

    /// Returns an operator of two operands, with the name of the host's function if it calls one.
    #[must_use]
    pub fn resolve_binary(&self, binary: Binary) -> syntax::Binary {
        match binary {
            Binary::LessThan => syntax::Binary::LessThan,
            Binary::GreaterThan => syntax::Binary::GreaterThan,
            Binary::LessOrEqual => syntax::Binary::LessOrEqual,
            Binary::GreaterOrEqual => syntax::Binary::GreaterOrEqual,
            Binary::Equal => syntax::Binary::Equal,
            Binary::Contains => syntax::Binary::Contains,
            Binary::Prefix => syntax::Binary::Prefix,
            Binary::Suffix => syntax::Binary::Suffix,
            Binary::Regex => syntax::Binary::Regex,
            Binary::Add => syntax::Binary::Add,
            Binary::Sub => syntax::Binary::Sub,
            Binary::Mul => syntax::Binary::Mul,
            Binary::Div => syntax::Binary::Div,
            Binary::And => syntax::Binary::And,
            Binary::Or => syntax::Binary::Or,
            Binary::Intersection => syntax::Binary::Intersection,
            Binary::Union => syntax::Binary::Union,
            Binary::BitwiseAnd => syntax::Binary::BitwiseAnd,
            Binary::BitwiseOr => syntax::Binary::BitwiseOr,
            Binary::BitwiseXor => syntax::Binary::BitwiseXor,
            Binary::NotEqual => syntax::Binary::NotEqual,
            Binary::HeterogeneousEqual => syntax::Binary::HeterogeneousEqual,
            Binary::HeterogeneousNotEqual => syntax::Binary::HeterogeneousNotEqual,
            Binary::LazyAnd => syntax::Binary::LazyAnd,
            Binary::LazyOr => syntax::Binary::LazyOr,
            Binary::All => syntax::Binary::All,
            Binary::Any => syntax::Binary::Any,
            Binary::Get => syntax::Binary::Get,
            Binary::TryOr => syntax::Binary::TryOr,
            Binary::Ffi(name) => syntax::Binary::Ffi(self.owned(name)),
        }
    }
}

// Recursion is safe: the depth of containers was bounded when they were read.
impl Code {
    /// The variables that the predicates of a body bind, sorted.
    #[must_use]
    pub fn bound_variables(&self, query: &code::Query) -> Vec<Symbol> {
        let terms = self.body(query).iter();
        let terms = terms.flat_map(|predicate| self.terms(predicate.terms));
        let variables = terms.filter_map(|term| match term {
            Term::Variable(name) => Some(*name),
            _ => None,
        });
        let mut variables: Vec<Symbol> = variables.collect();
        variables.sort_unstable();
        variables
    }

    /// The first variable in a rule's head that the body does not bind, if any.
    #[must_use]
    pub fn unbound_in_head(&self, rule: &Rule) -> Option<Symbol> {
        let terms = self.terms(rule.head.terms).iter();
        let mut variables = terms.filter_map(|term| match term {
            Term::Variable(name) => Some(*name),
            _ => None,
        });
        let first = variables.next()?;
        let bound = self.bound_variables(&rule.query);
        let mut all = std::iter::once(first).chain(variables);
        all.find(|name| bound.binary_search(name).is_err())
    }

    /// The size of a body: 1 for each predicate, term and operation, plus the bytes of names and strings.
    #[must_use]
    pub fn weight(&self, query: &code::Query) -> usize {
        let predicates = self.body(query).iter().map(|predicate| {
            let name = self.text(predicate.name).len();
            self.terms_weight(predicate.terms).saturating_add(name)
        });
        let expressions = self.expressions(query).flatten().map(|op| match op {
            Op::Value(term) => self.term_weight(term),
            _ => 1,
        });
        predicates.chain(expressions).fold(1, usize::saturating_add)
    }

    fn terms_weight(&self, terms: code::Span) -> usize {
        let weights = self.terms(terms).iter().map(|term| self.term_weight(term));
        weights.fold(1, usize::saturating_add)
    }

    fn term_weight(&self, term: &Term) -> usize {
        match term {
            Term::Variable(text) | Term::Str(text) => self.text(*text).len().saturating_add(1),
            Term::Bytes(bytes) => bytes.len().saturating_add(1),
            Term::Set(terms) | Term::Array(terms) | Term::Map(terms) => self.terms_weight(*terms),
            Term::Integer(_) | Term::Date(_) | Term::Bool(_) | Term::Null => 1,
        }
    }
}
