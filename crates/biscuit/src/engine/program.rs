//! A token's blocks and the host's Datalog, compiled. Evaluations read it and never change it.
//!
//! Verified tokens are kept in memory, so the layout is compact: a few long lists, and indices into them.

use std::sync::Arc;

use super::{
    answers::Question,
    origin::{Origin, Place},
    regex::Patterns,
    rows::{Origins, Rows},
    symbol::Relation,
    term::{Pool, Span, Term},
};

/// A token and a host's Datalog, compiled: everything that does not depend on the request.
#[derive(Debug, Clone, Default)]
pub struct Program {
    pub(super) pool: Pool,
    pub(super) relations: Vec<Named>,
    /// Number of predicates whose facts the host states; they come first.
    pub(super) known: Relation,
    /// The number after the last predicate whose facts the host answers. Answered predicates come directly after the
    /// known ones.
    pub(super) answered: Relation,
    pub(super) questions: Vec<Asked>,
    /// The terms of the facts that blocks state, grouped by predicate.
    pub(super) facts: Vec<Term>,
    pub(super) origins: Vec<Origin>,
    /// All rules, beginning with the host's own.
    pub(super) rules: Vec<Rule>,
    pub(super) own_rules: usize,
    /// The predicates that rules derive, sorted.
    pub(super) heads: Vec<Relation>,
    /// True if the body of some rule uses a predicate that rules derive.
    pub(super) recursive: bool,
    /// Checks in the order of evaluation. Those before index `early` are evaluated before the policies.
    pub(super) checks: Vec<Check>,
    pub(super) early: usize,
    pub(super) policies: Vec<Policy>,
    /// The alternatives of checks and policies.
    pub(super) queries: Vec<Body>,
    pub(super) scans: Vec<Scan>,
    pub(super) tests: Vec<Code>,
    /// The distinct sets of blocks that bodies trust.
    pub(super) trusts: Vec<Origin>,
    pub(super) args: Vec<Arg>,
    pub(super) constants: Vec<Term>,
    pub(super) code: Vec<Instruction>,
    pub(super) externs: Vec<String>,
    /// Bytes of the program itself, and of every evaluation's working memory.
    pub(super) held: usize,
    /// Compiled patterns, shared by all programs of one host.
    pub(super) patterns: Arc<Patterns>,
}

/// A predicate, with its facts in the program.
#[derive(Debug, Clone, Copy)]
pub(super) struct Named {
    /// The name, for printing facts.
    pub(super) name: Span,
    pub(super) arity: u16,
    /// The next predicate with this name and another number of terms.
    pub(super) next: Option<Relation>,
    /// True if some body uses the predicate.
    pub(super) wanted: bool,
    /// Position of the predicate among the heads, if a rule derives it.
    pub(super) derived: Option<u16>,
    /// Facts of the predicate: index of the first origin, index of the first term, and number of rows.
    pub(super) origins: u32,
    pub(super) terms: u32,
    pub(super) rows: u32,
}

/// A rule, which derives its head for each match of its body.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rule {
    pub(super) head: Relation,
    /// Index of the first term of the head among the arguments.
    pub(super) args: u32,
    pub(super) body: Body,
    /// The block that states the rule.
    pub(super) owner: Owner,
}

/// The owner of a statement: a block, or the host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Owner(u8);

#[derive(Debug, Clone, Copy)]
pub(super) struct Check {
    pub(super) owner: Owner,
    pub(super) kind: crate::datalog::Kind,
    /// Position among the checks of its block.
    pub(super) index: u32,
    pub(super) queries: Part,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Policy {
    pub(super) allow: bool,
    pub(super) queries: Part,
}

/// A part of one of the program's lists.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    pub(super) start: u32,
    pub(super) count: u16,
}

/// Predicates to match together, and tests of the values that they bind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Body {
    pub(super) scans: u32,
    pub(super) tests: u32,
    pub(super) scan_count: u16,
    pub(super) test_count: u16,
    /// Index of the set of blocks whose facts the body sees.
    pub(super) trusted: u16,
    /// Number of variables that the body binds, including those of closures.
    pub(super) slots: u16,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Scan {
    pub(super) relation: Relation,
    /// Index of the predicate's first term among the arguments, or the number of the question if the host answers the
    /// predicate.
    pub(super) args: u32,
}

/// A fact that a body asks the host for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) relation: Relation,
    /// Index of the first term among the arguments.
    pub(super) args: u32,
}

/// One term of a predicate.
#[derive(Debug, Clone, Copy)]
pub(super) enum Arg {
    /// The constant with this index.
    Value(u16),
    /// A variable that this term binds.
    Bind(u16),
    /// A variable that is already bound. The term matches if it has the same value.
    Bound(u16),
}

/// A part of the program's instructions.
#[derive(Debug, Clone, Copy)]
pub(super) struct Code {
    pub(super) start: u32,
    pub(super) end: u32,
}

/// One step of an expression, in postfix order.
#[derive(Debug, Clone, Copy)]
pub(super) enum Instruction {
    /// Pushes the constant with this index.
    Value(u16),
    Slot(u16),
    /// Pushes a closure on the stack and skips its body, which is the next `length` instructions.
    Closure {
        length: u16,
        parameter: Parameter,
    },
    Unary(Unary),
    Binary(Binary),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parameter {
    None,
    One(u16),
    /// Several parameters, which no operation can supply.
    Many,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unary {
    Negate,
    /// Returns its operand. This operation only records parentheses.
    Parens,
    Length,
    TypeOf,
    Extern(u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    LessThan,
    GreaterThan,
    LessOrEqual,
    GreaterOrEqual,
    Equal,
    NotEqual,
    SameValue,
    NotSameValue,
    Contains,
    Prefix,
    Suffix,
    Regex,
    Add,
    Sub,
    Mul,
    Div,
    And,
    Or,
    LazyAnd,
    LazyOr,
    Intersection,
    Union,
    BitwiseAnd,
    BitwiseOr,
    BitwiseXor,
    All,
    Any,
    Get,
    TryOr,
    Extern(u16),
}

impl Owner {
    pub(super) const SERVICE: Owner = Owner(SERVICE);

    /// Returns the owner of the statements at a place. Blocks must have an index below [`super::MAX_BLOCKS`].
    pub(super) fn of(place: Place) -> Owner {
        match place {
            // The fallback is never taken: 127 blocks fit, and leave room for the two values above them.
            Place::Block(index) => Owner(u8::try_from(index).unwrap_or(AUTHORIZER)),
            Place::Authorizer => Owner(AUTHORIZER),
        }
    }

    pub(super) fn place(self) -> Place {
        match self.0 {
            // A denial names the host for both; only the origin tells them apart.
            AUTHORIZER | SERVICE => Place::Authorizer,
            index => Place::Block(usize::from(index)),
        }
    }

    pub(super) fn origin(self) -> Origin {
        match self.0 {
            SERVICE => Origin::SERVICE,
            _ => Origin::of(self.place()),
        }
    }
}

const AUTHORIZER: u8 = u8::MAX;

/// The host, if only the host's own Datalog sees the facts that it states.
const SERVICE: u8 = u8::MAX - 1;

fn part<T>(list: &[T], start: u32, count: u16) -> &[T] {
    let start = start as usize;
    // In range, because the compiler made both numbers. The fallback keeps it from panicking nevertheless.
    let found = list.get(start..start.saturating_add(usize::from(count)));
    debug_assert!(found.is_some(), "a part that the compiler did not make");
    found.unwrap_or_default()
}

impl Program {
    #[inline]
    pub(super) fn relation(&self, relation: Relation) -> Option<&Named> {
        self.relations.get(usize::from(relation))
    }

    /// Returns true if the host answers this predicate.
    #[inline]
    pub(super) fn is_answered(&self, relation: Relation) -> bool {
        (self.known..self.answered).contains(&relation)
    }

    /// The facts that bodies ask the host for, in the order of their numbers. The questions of the host's own Datalog
    /// come first, with the same numbers in every program of one [`Base`](super::Base).
    pub fn questions(&self) -> impl ExactSizeIterator<Item = Question<'_>> {
        self.questions.iter().map(|asked| {
            let args = self.args(asked.args, usize::from(self.arity(asked.relation)));
            let terms = args.iter().map(|arg| match arg {
                Arg::Value(constant) => match self.constant(*constant) {
                    Term::Str(span) => self.pool.text(span),
                    // The compiler admits only strings.
                    _ => "",
                },
                Arg::Bind(_) | Arg::Bound(_) => "",
            });
            Question {
                predicate: usize::from(asked.relation.saturating_sub(self.known)),
                terms: terms.collect(),
            }
        })
    }

    pub(super) fn arity(&self, relation: Relation) -> u16 {
        self.relation(relation).map_or(0, |known| known.arity)
    }

    /// The facts of a predicate that blocks state.
    #[inline]
    pub(super) fn rows(&self, known: &Named) -> Rows<'_> {
        Rows {
            arity: usize::from(known.arity),
            // The slice runs to the end of the list; the number of origins bounds the rows.
            terms: self.facts.get(known.terms as usize..).unwrap_or_default(),
            origins: Origins::Each(part_long(&self.origins, known.origins, known.rows)),
        }
    }

    /// The arguments of a predicate.
    #[inline]
    pub(super) fn args(&self, start: u32, arity: usize) -> &[Arg] {
        let start = start as usize;
        self.args
            .get(start..start.saturating_add(arity))
            .unwrap_or_default()
    }

    #[inline]
    pub(super) fn constant(&self, constant: u16) -> Term {
        let constant = self.constants.get(usize::from(constant));
        constant.copied().unwrap_or(Term::Null)
    }

    #[inline]
    pub(super) fn scans(&self, body: &Body) -> &[Scan] {
        part(&self.scans, body.scans, body.scan_count)
    }

    #[inline]
    pub(super) fn tests(&self, body: &Body) -> &[Code] {
        part(&self.tests, body.tests, body.test_count)
    }

    #[inline]
    pub(super) fn trusted(&self, body: &Body) -> Origin {
        let trusted = self.trusts.get(usize::from(body.trusted));
        trusted.copied().unwrap_or_default()
    }

    #[inline]
    pub(super) fn queries(&self, queries: Part) -> &[Body] {
        part(&self.queries, queries.start, queries.count)
    }

    /// Approximate size in bytes.
    #[must_use]
    pub fn size(&self) -> usize {
        fn bytes<T>(list: &Vec<T>) -> usize {
            list.capacity().saturating_mul(size_of::<T>())
        }
        // The patterns are left out: all programs of one host share them.
        [
            size_of::<Program>(),
            self.pool.size(),
            bytes(&self.relations),
            bytes(&self.questions),
            bytes(&self.facts),
            bytes(&self.origins),
            bytes(&self.rules),
            bytes(&self.heads),
            bytes(&self.checks),
            bytes(&self.policies),
            bytes(&self.queries),
            bytes(&self.scans),
            bytes(&self.tests),
            bytes(&self.trusts),
            bytes(&self.args),
            bytes(&self.constants),
            bytes(&self.code),
            bytes(&self.externs),
        ]
        .into_iter()
        .chain(self.externs.iter().map(String::capacity))
        .fold(0, usize::saturating_add)
    }

    /// Frees the capacity that the lists do not use.
    pub(super) fn shrink(&mut self) {
        // Cached tokens live long, while compiling reserves for the worst case.
        self.pool.shrink();
        self.relations.shrink_to_fit();
        self.questions.shrink_to_fit();
        self.facts.shrink_to_fit();
        self.origins.shrink_to_fit();
        self.rules.shrink_to_fit();
        self.checks.shrink_to_fit();
        self.queries.shrink_to_fit();
        self.scans.shrink_to_fit();
        self.tests.shrink_to_fit();
        self.trusts.shrink_to_fit();
        self.args.shrink_to_fit();
        self.constants.shrink_to_fit();
        self.code.shrink_to_fit();
    }
}

fn part_long<T>(list: &[T], start: u32, count: u32) -> &[T] {
    let start = start as usize;
    let found = list.get(start..start.saturating_add(count as usize));
    debug_assert!(found.is_some(), "a part that the compiler did not make");
    found.unwrap_or_default()
}
