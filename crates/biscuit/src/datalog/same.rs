//! Code beside a tree: whether both say the same, without the tree of the code.

use super::{
    code::{Code, Op, Predicate, Query, Rule, Term},
    syntax::{self, MapKey},
};

impl Code {
    /// Returns whether a rule is this one: names of variables, order of predicates and expressions, and all.
    #[must_use]
    pub fn is_rule(&self, rule: &Rule, tree: &syntax::BlockRule) -> bool {
        self.is_predicate(&rule.head, &tree.head) && self.is_query(&rule.query, &tree.query)
    }

    /// Returns whether a body is this one: names of variables, order of predicates and expressions, and all.
    #[must_use]
    pub fn is_query(&self, query: &Query, tree: &syntax::Query) -> bool {
        let body = self.body(query);
        let mut expressions = self.expressions(query).zip(&tree.expressions);
        self.scopes(query) == tree.scopes
            && body.len() == tree.body.len()
            && query.expressions.len() == tree.expressions.len()
            && (body.iter().zip(&tree.body))
                .all(|(predicate, tree)| self.is_predicate(predicate, tree))
            && expressions.all(|(ops, tree)| self.are_ops(ops, tree))
    }

    fn is_predicate(&self, predicate: &Predicate, tree: &syntax::Predicate) -> bool {
        self.text(predicate.name) == tree.name
            && self.are_terms(self.terms(predicate.terms), tree.terms.iter())
    }

    fn are_terms<'t>(
        &self,
        terms: &[Term],
        trees: impl ExactSizeIterator<Item = &'t syntax::Term>,
    ) -> bool {
        terms.len() == trees.len()
            && (terms.iter().zip(trees)).all(|(term, tree)| self.is_term(term, tree))
    }

    // Recursion is safe: the depth of containers was bounded when they were read.
    fn is_term(&self, term: &Term, tree: &syntax::Term) -> bool {
        match (term, tree) {
            (Term::Variable(name), syntax::Term::Variable(tree))
            | (Term::Str(name), syntax::Term::Str(tree)) => self.text(*name) == tree,
            (Term::Integer(value), syntax::Term::Integer(tree)) => value == tree,
            (Term::Date(seconds), syntax::Term::Date(tree)) => seconds == tree,
            (Term::Bytes(bytes), syntax::Term::Bytes(tree)) => self.bytes(*bytes) == tree,
            (Term::Bool(value), syntax::Term::Bool(tree)) => value == tree,
            (Term::Null, syntax::Term::Null) => true,
            // Both keep the elements of a set in the order of their values.
            (Term::Set(terms), syntax::Term::Set(tree)) => {
                self.are_terms(self.terms(*terms), tree.iter())
            }
            (Term::Array(terms), syntax::Term::Array(tree)) => {
                self.are_terms(self.terms(*terms), tree.iter())
            }
            (Term::Map(terms), syntax::Term::Map(tree)) => {
                let pairs = self.terms(*terms).chunks_exact(2);
                pairs.len() == tree.len()
                    && pairs.zip(tree).all(|(pair, (key, value))| match pair {
                        [found, term] => self.is_key(found, key) && self.is_term(term, value),
                        _ => false,
                    })
            }
            _ => false,
        }
    }

    fn is_key(&self, term: &Term, key: &MapKey) -> bool {
        match (term, key) {
            (Term::Integer(value), MapKey::Integer(key)) => value == key,
            (Term::Str(text), MapKey::Str(key)) => self.text(*text) == key,
            _ => false,
        }
    }

    /// A closure holds its steps in the tree; in the code they follow it.
    fn are_ops(&self, ops: &[Op], trees: &[syntax::Op]) -> bool {
        let mut left = ops;
        for tree in trees {
            let Some((op, rest)) = left.split_first() else {
                return false;
            };
            left = rest;
            let same = match (op, tree) {
                (Op::Value(term), syntax::Op::Value(tree)) => self.is_term(term, tree),
                (Op::Unary(operator), syntax::Op::Unary(tree)) => self.unary(*operator) == *tree,
                (Op::Binary(operator), syntax::Op::Binary(tree)) => self.binary(*operator) == *tree,
                (Op::Closure { params, length }, syntax::Op::Closure(names, tree)) => {
                    let Some((inner, rest)) = left.split_at_checked(*length as usize) else {
                        return false;
                    };
                    left = rest;
                    let params = self.params(*params);
                    params.len() == names.len()
                        && (params.iter().zip(names)).all(|(param, name)| self.text(*param) == name)
                        && self.are_ops(inner, tree)
                }
                _ => false,
            };
            if !same {
                return false;
            }
        }
        left.is_empty()
    }
}
