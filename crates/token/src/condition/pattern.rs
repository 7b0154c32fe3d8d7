//! Regular expressions that a whole text has to match.
//!
//! The expression is translated here from its syntax tree, node by node. A node that is not named below is refused, so
//! no feature of a later parser slips in. Anchors are added to the tree and not to the text, where an alternation could
//! escape them.

use std::sync::OnceLock;

use regex_automata::{
    Anchored, Input,
    meta::{Builder, Config, Regex},
    nfa::thompson::WhichCaptures,
};
use regex_syntax::{
    ast::{
        self, Ast, ClassPerl, ClassPerlKind, ClassSet, ClassSetItem, GroupKind, RepetitionKind,
        RepetitionRange,
    },
    hir::{Class, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition},
};

/// Maximum length of an expression in bytes.
const MAX_PATTERN: usize = 256;

/// Maximum size of a compiled expression in bytes, as its automaton.
pub const MAX_COMPILED: usize = 16 * 1024;

/// Maximum number of expressions in a token.
pub const MAX_PATTERNS: usize = 8;

/// Maximum nesting of groups and classes.
const MAX_NESTING: u32 = 16;

/// Maximum number of repetitions that one operator may ask for.
const MAX_REPETITION: u32 = 1_000;

/// The error of an expression that grants do not accept.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The expression is empty or too long.
    #[error("the pattern does not have 1 to {MAX_PATTERN} bytes; shorten it")]
    Length,
    /// The text is not a regular expression.
    #[error("this is not a regular expression: {0}")]
    Syntax(String),
    /// The expression uses a feature that grants leave out.
    #[error(
        "{0} cannot be used in a pattern of a grant; write the characters out, as in `[A-Za-z0-9]`"
    )]
    Feature(&'static str),
    /// The compiled expression would be too large.
    #[error("the pattern is too large; use smaller repetitions")]
    Size,
}

/// A regular expression of the plain kind: groups, alternatives, repetitions, and classes of ASCII characters. It is
/// compiled when it is first used.
#[derive(Debug, Clone)]
pub struct TextPattern {
    text: String,
    anchored: Hir,
    /// Approximate number of states of the automaton.
    states: usize,
    regex: OnceLock<Option<Regex>>,
}

impl TextPattern {
    /// Reads an expression.
    ///
    /// # Errors
    /// [`PatternError`] if the text is not an expression, or uses a feature that grants leave out.
    pub fn new(text: &str) -> Result<TextPattern, PatternError> {
        if !(1..=MAX_PATTERN).contains(&text.len()) {
            return Err(PatternError::Length);
        }
        let mut parser = ast::parse::ParserBuilder::new();
        let tree = parser.nest_limit(MAX_NESTING).build().parse(text);
        let tree = tree.map_err(|error| PatternError::Syntax(error.kind().to_string()))?;
        let anchored = Hir::concat(vec![
            Hir::look(Look::Start),
            translated(&tree)?,
            Hir::look(Look::End),
        ]);
        let pattern = TextPattern {
            text: text.to_owned(),
            states: states(&anchored).min(MAX_STATES),
            anchored,
            regex: OnceLock::new(),
        };
        Ok(pattern)
    }

    /// Reads an expression, and compiles it to see that it is small enough.
    ///
    /// # Errors
    /// As [`TextPattern::new`], and [`PatternError::Size`].
    pub fn compiled(text: &str) -> Result<TextPattern, PatternError> {
        let pattern = TextPattern::new(text)?;
        match pattern.regex() {
            Some(_) => Ok(pattern),
            None => Err(PatternError::Size),
        }
    }

    /// The expression as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Returns true if the whole of `text` matches. An expression that is too large matches nothing.
    #[must_use]
    pub fn holds(&self, text: &str) -> bool {
        let input = Input::new(text).anchored(Anchored::Yes);
        self.regex().is_some_and(|regex| regex.is_match(input))
    }

    /// Upper bound of the steps for compiling the expression and matching a text of this many bytes.
    pub(super) fn cost(&self, bytes: usize) -> usize {
        const COMPILING: usize = 64;
        const PER_STATE: usize = 8;
        const STATES_LOOKED_AT: usize = 4;
        // Matching ends after the longest text that can match.
        let longest = self.anchored.properties().maximum_len();
        let looked_at = longest.map_or(bytes, |longest| bytes.min(longest.saturating_add(1)));
        let each = (self.states / STATES_LOOKED_AT).saturating_add(1);
        let compiling = self.states.saturating_mul(PER_STATE);
        looked_at
            .saturating_mul(each)
            .saturating_add(compiling)
            .saturating_add(COMPILING)
    }

    /// Memory of the compiled expression, in bytes; 0 if the expression is too large to be used. Compiles it if
    /// necessary.
    #[must_use]
    pub fn compiled_size(&self) -> usize {
        self.regex().map_or(0, Regex::memory_usage)
    }

    fn regex(&self) -> Option<&Regex> {
        let compiled = self.regex.get_or_init(|| {
            let config = Config::new()
                .nfa_size_limit(Some(MAX_COMPILED))
                .onepass(false)
                .dfa(false)
                .hybrid(false)
                .which_captures(WhichCaptures::None);
            Builder::new()
                .configure(config)
                .build_from_hir(&self.anchored)
                .ok()
        });
        compiled.as_ref()
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &TextPattern) -> bool {
        self.text == other.text
    }
}

impl Eq for TextPattern {}

/// More states than an automaton of [`MAX_COMPILED`] bytes has, at 32 bytes for each: compiling stops there.
const MAX_STATES: usize = MAX_COMPILED / 32;

/// Approximate number of states of an expression's automaton. Recursion is safe: [`MAX_NESTING`] bounds the depth.
fn states(expression: &Hir) -> usize {
    /// States for a class with characters beyond ASCII: some for each length of their encoding.
    const BEYOND_ASCII: usize = 24;
    match expression.kind() {
        HirKind::Empty | HirKind::Look(_) => 1,
        HirKind::Literal(literal) => literal.0.len(),
        HirKind::Class(Class::Unicode(class)) if class.is_ascii() => 1,
        HirKind::Class(_) => BEYOND_ASCII,
        HirKind::Repetition(repetition) => {
            let times = repetition.max.unwrap_or(repetition.min.saturating_add(1));
            let each = states(&repetition.sub).saturating_add(1);
            each.saturating_mul(times.max(1) as usize)
        }
        HirKind::Capture(capture) => states(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => {
            let parts = parts.iter().map(states);
            parts.fold(1, usize::saturating_add)
        }
    }
}

/// Recursion is safe: [`MAX_NESTING`] bounds the depth of the tree.
fn translated(tree: &Ast) -> Result<Hir, PatternError> {
    match tree {
        Ast::Empty(_) => Ok(Hir::empty()),
        Ast::Literal(literal) => {
            let mut bytes = [0; 4];
            Ok(Hir::literal(
                literal.c.encode_utf8(&mut bytes).as_bytes().to_vec(),
            ))
        }
        Ast::Dot(_) => Ok(Hir::class(Class::Unicode(visible_characters()))),
        Ast::ClassPerl(class) => Ok(Hir::class(Class::Unicode(perl(class)))),
        Ast::ClassBracketed(class) => {
            let ClassSet::Item(item) = &class.kind else {
                return Err(PatternError::Feature("an operation between classes"));
            };
            let set = set(item)?;
            let set = match class.negated {
                true => all_but(&set),
                false => set,
            };
            // An empty class matches nothing, which is a mistake of its writer.
            match set.ranges().is_empty() {
                true => Err(PatternError::Feature("a class without characters")),
                false => Ok(Hir::class(Class::Unicode(set))),
            }
        }
        Ast::Repetition(repetition) => {
            let (min, max) = bounds(&repetition.op.kind);
            if min > MAX_REPETITION || max.is_some_and(|max| max > MAX_REPETITION) {
                return Err(PatternError::Size);
            }
            Ok(Hir::repetition(Repetition {
                min,
                max,
                greedy: true,
                sub: Box::new(translated(&repetition.ast)?),
            }))
        }
        Ast::Group(group) => match &group.kind {
            GroupKind::CaptureIndex(_) => translated(&group.ast),
            GroupKind::NonCapturing(flags) if flags.items.is_empty() => translated(&group.ast),
            GroupKind::NonCapturing(_) => Err(PatternError::Feature("a flag")),
            GroupKind::CaptureName { .. } => Err(PatternError::Feature("a named group")),
        },
        Ast::Alternation(alternation) => {
            let parts = alternation.asts.iter().map(translated);
            Ok(Hir::alternation(parts.collect::<Result<_, _>>()?))
        }
        Ast::Concat(concat) => {
            let parts = concat.asts.iter().map(translated);
            Ok(Hir::concat(parts.collect::<Result<_, _>>()?))
        }
        Ast::Flags(_) => Err(PatternError::Feature("a flag")),
        Ast::Assertion(_) => Err(PatternError::Feature(
            "an anchor or a word boundary, which the whole text has by itself,",
        )),
        Ast::ClassUnicode(_) => Err(PatternError::Feature("a Unicode class")),
    }
}

fn bounds(kind: &RepetitionKind) -> (u32, Option<u32>) {
    match kind {
        RepetitionKind::ZeroOrOne => (0, Some(1)),
        RepetitionKind::ZeroOrMore => (0, None),
        RepetitionKind::OneOrMore => (1, None),
        RepetitionKind::Range(RepetitionRange::Exactly(times)) => (*times, Some(*times)),
        RepetitionKind::Range(RepetitionRange::AtLeast(times)) => (*times, None),
        RepetitionKind::Range(RepetitionRange::Bounded(min, max)) => (*min, Some(*max)),
    }
}

fn set(item: &ClassSetItem) -> Result<ClassUnicode, PatternError> {
    let one = |start, end| ClassUnicode::new([ClassUnicodeRange::new(start, end)]);
    match item {
        ClassSetItem::Empty(_) => Ok(ClassUnicode::empty()),
        ClassSetItem::Literal(literal) if literal.c.is_ascii() => Ok(one(literal.c, literal.c)),
        ClassSetItem::Range(range) if range.end.c.is_ascii() => Ok(one(range.start.c, range.end.c)),
        ClassSetItem::Perl(class) => Ok(perl(class)),
        ClassSetItem::Union(union) => {
            let mut all = ClassUnicode::empty();
            for item in &union.items {
                all.union(&set(item)?);
            }
            Ok(all)
        }
        ClassSetItem::Literal(_) | ClassSetItem::Range(_) => Err(PatternError::Feature(
            "a class with characters outside ASCII",
        )),
        ClassSetItem::Ascii(_) => Err(PatternError::Feature("a named class")),
        ClassSetItem::Unicode(_) => Err(PatternError::Feature("a Unicode class")),
        ClassSetItem::Bracketed(_) => Err(PatternError::Feature("a class within a class")),
    }
}

/// The ASCII characters of `\d`, `\w` and `\s`. `\s` has only white space that stays on the line.
fn perl(class: &ClassPerl) -> ClassUnicode {
    let ranges: &[(char, char)] = match class.kind {
        ClassPerlKind::Digit => &[('0', '9')],
        ClassPerlKind::Word => &[('0', '9'), ('A', 'Z'), ('_', '_'), ('a', 'z')],
        ClassPerlKind::Space => &[(' ', ' '), ('\t', '\t')],
    };
    let ranges = ranges
        .iter()
        .map(|&(start, end)| ClassUnicodeRange::new(start, end));
    let set = ClassUnicode::new(ranges);
    match class.negated {
        true => all_but(&set),
        false => set,
    }
}

/// All characters that neither control a terminal nor end a line, and are not in `set`.
fn all_but(set: &ClassUnicode) -> ClassUnicode {
    let mut rest = visible_characters();
    rest.difference(set);
    rest
}

/// All characters but controls and the separators of lines and paragraphs.
fn visible_characters() -> ClassUnicode {
    let excluded = [
        ('\0', '\u{1f}'),
        ('\u{7f}', '\u{9f}'),
        ('\u{2028}', '\u{2029}'),
    ];
    let excluded = excluded.map(|(start, end)| ClassUnicodeRange::new(start, end));
    let mut class = ClassUnicode::new(excluded);
    class.negate();
    class
}
