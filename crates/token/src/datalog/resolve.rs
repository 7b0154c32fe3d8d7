//! [`Code`] -> statements with their names in place, for whoever reads, compares or prints them.

use std::collections::{BTreeMap, BTreeSet};

use biscuit_auth::builder::{self, MapKey};

use super::{
    Block, BlockCheck, BlockRule, Query,
    code::{self, Binary, Code, Op, Predicate, Term, Unary},
};

// It recurses into containers and closures, whose depth has been bounded when they were read.
impl Code {
    /// The blocks with their names in place.
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

    /// A rule with its names in place.
    #[must_use]
    pub fn resolve_rule(&self, rule: &code::Rule) -> BlockRule {
        BlockRule {
            head: self.resolve_predicate(&rule.head),
            query: self.query(&rule.query),
        }
    }

    /// A check with its names in place.
    #[must_use]
    pub fn resolve_check(&self, check: &code::Check) -> BlockCheck {
        BlockCheck {
            kind: check.kind,
            queries: self
                .queries(check)
                .iter()
                .map(|query| self.query(query))
                .collect(),
        }
    }

    pub(super) fn query(&self, query: &code::Query) -> Query {
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

    /// A fact, or what a body looks for, with its names in place.
    #[must_use]
    pub fn resolve_predicate(&self, predicate: &Predicate) -> builder::Predicate {
        let terms = self.terms(predicate.terms).iter();
        builder::Predicate::new(
            self.owned(predicate.name),
            terms.map(|term| self.term(term)).collect::<Vec<_>>(),
        )
    }

    fn term(&self, term: &Term) -> builder::Term {
        match term {
            Term::Variable(name) => builder::Term::Variable(self.owned(*name)),
            Term::Integer(value) => builder::Term::Integer(*value),
            Term::Str(text) => builder::Term::Str(self.owned(*text)),
            Term::Date(seconds) => builder::Term::Date(*seconds),
            Term::Bytes(span) => builder::Term::Bytes(self.bytes(*span).to_vec()),
            Term::Bool(value) => builder::Term::Bool(*value),
            Term::Null => builder::Term::Null,
            Term::Set(span) => {
                let terms: BTreeSet<_> = self
                    .terms(*span)
                    .iter()
                    .map(|term| self.term(term))
                    .collect();
                builder::Term::Set(terms)
            }
            Term::Array(span) => {
                let terms = self.terms(*span).iter().map(|term| self.term(term));
                builder::Term::Array(terms.collect())
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
                builder::Term::Map(entries)
            }
        }
    }

    fn ops(&self, ops: &[Op]) -> Vec<builder::Op> {
        let mut resolved = Vec::with_capacity(ops.len());
        let mut rest = ops;
        while let [op, after @ ..] = rest {
            rest = after;
            resolved.push(match op {
                Op::Value(term) => builder::Op::Value(self.term(term)),
                Op::Unary(unary) => builder::Op::Unary(self.unary(*unary)),
                Op::Binary(binary) => builder::Op::Binary(self.binary(*binary)),
                Op::Closure { params, length } => {
                    let (body, after) = after.split_at(after.len().min(*length as usize));
                    rest = after;
                    let params = self.params(*params).iter().map(|name| self.owned(*name));
                    builder::Op::Closure(params.collect(), self.ops(body))
                }
            });
        }
        resolved
    }

    fn unary(&self, unary: Unary) -> builder::Unary {
        match unary {
            Unary::Negate => builder::Unary::Negate,
            Unary::Parens => builder::Unary::Parens,
            Unary::Length => builder::Unary::Length,
            Unary::TypeOf => builder::Unary::TypeOf,
            Unary::Ffi(name) => builder::Unary::Ffi(self.owned(name)),
        }
    }

    fn binary(&self, binary: Binary) -> builder::Binary {
        match binary {
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
            Binary::Ffi(name) => builder::Binary::Ffi(self.owned(name)),
        }
    }
}

// Recursion is safe: the depth of containers was bounded when they were read.
impl Code {
    /// The size of a body: one for each predicate, term and operation, and the bytes of names and
    /// strings.
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
