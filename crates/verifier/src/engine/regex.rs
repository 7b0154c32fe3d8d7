//! Regular expressions, bounded in size and in what it takes to compile them, each compiled once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use regex_automata::{
    meta::{Builder, Config, Regex},
    nfa::thompson::WhichCaptures,
};
use regex_syntax::{
    ast::{self, Ast, ClassPerlKind, ClassSetBinaryOp, ClassSetItem, Flag, Flags, GroupKind},
    hir::{self, Hir},
};

use super::{
    error::Error,
    fuel::{Fuel, Stop},
};

/// The longest text of a regular expression.
const MAX_TEXT: usize = 1024;

/// How many bytes one may be compiled into: what it is tried with in turn.
const SIZES: [usize; 6] = [1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16];

/// The most that are kept.
const MAX_KEPT: usize = 64;

/// What compiling one is charged, in each evaluation that uses it, whether or not it was compiled
/// before: the cost of an evaluation does not depend on those before it.
const COMPILE: u64 = 20_000;

/// What each class of characters in it is charged beyond that: `\p{L}` stands for hundreds of ranges.
const CLASS: u64 = 5_000;

/// How deep groups and classes may be nested.
const MAX_NESTING: u32 = 50;

/// Those that are known, and those that were used so far.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Compiled before the first evaluation, so that none is charged for them.
    prepared: BTreeMap<String, (Arc<Regex>, usize)>,
    kept: Mutex<BTreeMap<String, Kept>>,
}

/// Those that an evaluation has paid for.
pub(super) type Paid = BTreeSet<String>;

/// A regular expression and its size, shared with the memory that it matches in, `None` for a text that is none, an error for one too large.
type Compiled = Result<Option<(Arc<Regex>, usize)>, TooLarge>;

/// One that was compiled, and how many classes it has.
#[derive(Debug, Clone)]
struct Kept {
    classes: u64,
    compiled: Compiled,
}

/// It may match, and whether it does is not found out.
#[derive(Debug, Clone, Copy)]
struct TooLarge;

impl Patterns {
    /// Compiles one that stands in the verifier's own Datalog; answers whether it could be.
    pub(super) fn prepare(&mut self, pattern: &str) -> bool {
        if pattern.len() > MAX_TEXT {
            return false;
        }
        let Ok(Some((ast, _))) = read(pattern) else {
            return false;
        };
        let Ok(Some(compiled)) = compile(pattern, &ast) else {
            return false;
        };
        self.prepared.insert(pattern.to_owned(), compiled);
        true
    }

    /// Whether `text` matches. One that is no regular expression matches nothing, as in the
    /// specification; one that is too large is an error.
    pub(super) fn matches(
        &self,
        text: &str,
        pattern: &str,
        paid: &mut Paid,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        fuel.bytes(pattern.len())?;
        if let Some((regex, size)) = self.prepared.get(pattern) {
            // Its writer is the service, not whoever attacks it: charged for what it takes as a rule,
            // and not for the most that it could take.
            const SMALLEST: usize = 1 << 11;
            const BYTES_PER_UNIT: usize = 4;
            let work = text.len().saturating_mul(size / SMALLEST);
            fuel.take((work / BYTES_PER_UNIT) as u64)?;
            return Ok(regex.is_match(text));
        }
        if pattern.len() > MAX_TEXT {
            return Err(Error::Regex.into());
        }
        let first = !paid.contains(pattern);
        if first {
            fuel.take(COMPILE)?;
        }
        let compiled = self.get(pattern, |classes| match first {
            true => fuel.take(classes.saturating_mul(CLASS)),
            false => Ok(()),
        })?;
        if first {
            paid.insert(pattern.to_owned());
        }
        match compiled {
            Ok(Some((regex, size))) => is_match(&regex, size, text, fuel),
            Ok(None) => Ok(false),
            Err(TooLarge) => Err(Error::Regex.into()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Kept>> {
        // A thread that panicked in between left a map that is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One that is known, or is compiled now; `pay` is asked for its classes before.
    fn get(
        &self,
        pattern: &str,
        pay: impl FnOnce(u64) -> Result<(), Stop>,
    ) -> Result<Compiled, Stop> {
        let known = self.kept().get(pattern).cloned();
        if let Some(Kept { classes, compiled }) = known {
            pay(classes)?;
            return Ok(compiled);
        }
        // Not under the lock: others need not wait for this one.
        let (classes, compiled) = match read(pattern) {
            Ok(Some((_, classes))) if classes.are_dear() => (0, Err(TooLarge)),
            Ok(Some((ast, classes))) => {
                pay(classes.count)?;
                (classes.count, compile(pattern, &ast))
            }
            Ok(None) => (0, Ok(None)),
            Err(error) => (0, Err(error)),
        };
        let found = Kept {
            classes,
            compiled: compiled.clone(),
        };
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), found);
        Ok(compiled)
    }
}

fn is_match(regex: &Regex, size: usize, text: &str, fuel: &mut Fuel) -> Result<bool, Stop> {
    /// Bytes of a state, and of what looking at it for a byte of text costs.
    const PER_UNIT: usize = 64;
    let work = text.len().saturating_add(1).saturating_mul(size);
    fuel.take((work / PER_UNIT) as u64)?;
    Ok(regex.is_match(text))
}

/// The pattern as it is written, and its classes; `None` where it is no regular expression.
fn read(pattern: &str) -> Result<Option<(Ast, Classes)>, TooLarge> {
    let mut parser = ast::parse::ParserBuilder::new();
    match parser.nest_limit(MAX_NESTING).build().parse(pattern) {
        Ok(ast) => {
            let classes = ast::visit(&ast, Classes::default())?;
            Ok(Some((ast, classes)))
        }
        Err(error) => match error.kind() {
            ast::ErrorKind::NestLimitExceeded(_) | ast::ErrorKind::CaptureLimitExceeded => {
                Err(TooLarge)
            }
            _ => Ok(None),
        },
    }
}

/// What a pattern means, by the Unicode that is known here: a property that is not may be known to others.
fn meaning(pattern: &str, ast: &Ast) -> Result<Option<Hir>, TooLarge> {
    let mut translator = hir::translate::TranslatorBuilder::new().build();
    match translator.translate(pattern, ast) {
        Ok(hir) => Ok(Some(hir)),
        Err(error) => match error.kind() {
            hir::ErrorKind::UnicodeNotAllowed
            | hir::ErrorKind::InvalidUtf8
            | hir::ErrorKind::InvalidLineTerminator => Ok(None),
            _ => Err(TooLarge),
        },
    }
}

/// The library does not say how large a regular expression came out, and matching takes as long as
/// it is large, so it is compiled with the least limit that it fits.
fn compile(pattern: &str, ast: &Ast) -> Compiled {
    let Some(hir) = meaning(pattern, ast)? else {
        return Ok(None);
    };
    for size in SIZES {
        if let Some(regex) = built(&hir, size)? {
            return Ok(Some((Arc::new(regex), size)));
        }
    }
    Err(TooLarge)
}

/// Compiled into so many bytes; `None` where it needs more.
fn built(hir: &Hir, size: usize) -> Result<Option<Regex>, TooLarge> {
    let config = Config::new()
        // Whether it matches is all that is asked: no place has to be kept for each group.
        .which_captures(WhichCaptures::None)
        .nfa_size_limit(Some(size))
        .hybrid_cache_capacity(size);
    match Builder::new().configure(config).build_from_hir(hir) {
        Ok(regex) => Ok(Some(regex)),
        Err(error) if error.size_limit().is_some() => Ok(None),
        Err(_) => Err(TooLarge),
    }
}

/// The classes of a pattern, counted before anything is made of them.
#[derive(Debug, Default)]
struct Classes {
    count: u64,
    /// Whether one that is large has to be made the same for upper and lower case: that takes a step for
    /// each of its characters, of which there may be a million.
    wide: bool,
    insensitive: bool,
}

impl Classes {
    /// Whether to make one takes so long that only a service's own pattern is worth it.
    fn are_dear(&self) -> bool {
        self.wide && self.insensitive
    }

    fn one(&mut self, wide: bool) {
        self.count = self.count.saturating_add(1);
        self.wide |= wide;
    }

    fn flags(&mut self, flags: &Flags) {
        self.insensitive |= flags.flag_state(Flag::CaseInsensitive) == Some(true);
    }
}

impl ast::Visitor for Classes {
    type Output = Classes;
    type Err = TooLarge;

    fn finish(self) -> Result<Classes, TooLarge> {
        Ok(self)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), TooLarge> {
        match ast {
            Ast::Flags(set) => self.flags(&set.flags),
            Ast::Group(group) => {
                if let GroupKind::NonCapturing(flags) = &group.kind {
                    self.flags(flags);
                }
            }
            // The same for upper and lower case as they are.
            Ast::ClassPerl(_) | Ast::Dot(_) => self.one(false),
            Ast::ClassUnicode(_) => self.one(true),
            // What is negated is so afterwards.
            Ast::ClassBracketed(_) => self.one(false),
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), TooLarge> {
        const NARROW: u32 = 256;
        match item {
            ClassSetItem::Perl(class) => {
                let large = class.negated || class.kind == ClassPerlKind::Word;
                self.one(large);
            }
            ClassSetItem::Unicode(_) => self.one(true),
            ClassSetItem::Bracketed(class) => self.one(class.negated),
            ClassSetItem::Ascii(class) => self.wide |= class.negated,
            ClassSetItem::Range(range) => {
                let (first, last) = (u32::from(range.start.c), u32::from(range.end.c));
                self.wide |= last.saturating_sub(first) > NARROW;
            }
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_binary_op_pre(&mut self, _: &ClassSetBinaryOp) -> Result<(), TooLarge> {
        self.one(false);
        Ok(())
    }
}

#[cfg(test)]
#[allow(clippy::arithmetic_side_effects, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    /// What is charged for matching goes by the size, so it may not be larger than need be.
    #[test]
    fn each_has_the_least_size_that_it_fits() {
        let mut found = BTreeSet::new();
        for times in (0..).step_by(25) {
            let pattern = format!("^a{{{times}}}$");
            let (ast, _) = read(&pattern).unwrap().unwrap();
            let Ok(Some((_, size))) = compile(&pattern, &ast) else {
                break;
            };
            found.insert(size);
            let less = built(&meaning(&pattern, &ast).unwrap().unwrap(), size / 2);
            assert!(
                size == SIZES[0] || matches!(less, Ok(None)),
                "{pattern}: {size}"
            );
        }
        assert_eq!(found, SIZES.into());
    }

    #[test]
    fn few_are_kept_and_those_are() {
        let patterns = Patterns::default();
        for count in 0..3 * MAX_KEPT {
            let found = patterns.get(&format!("^{count}$"), |_| Ok(()));
            assert!(matches!(found, Ok(Ok(Some(_)))));
            let kept = patterns.kept().len();
            assert!(kept <= MAX_KEPT && (kept == count + 1 || count >= MAX_KEPT));
        }
    }

    /// What may match and is not found out is an error: under `reject if` and `!`, "no match" would be a
    /// permission.
    #[test]
    fn only_what_is_no_regular_expression_matches_nothing() {
        let matches = |pattern: &str| {
            let (mut paid, mut fuel) = (Paid::new(), Fuel::unlimited());
            Patterns::default().matches("ä", pattern, &mut paid, &mut fuel)
        };
        let nested = format!("{}ä{}", "(?:".repeat(60), ")".repeat(60));
        let large = "ä|".repeat(400) + "\\w{500}";
        for (pattern, expected) in [
            (r"^\p{L}$", Ok(true)),
            (r"^\p{Greek}$", Ok(false)),
            (r"(?i)^Ä$", Ok(true)),
            (r"(?i)^[à-þ]$", Ok(true)),
            (r"(?i)^\w$", Ok(true)),
            (r"(?i)^[\d\sä]$", Ok(true)),
            ("(", Ok(false)),
            ("a{2,1}", Ok(false)),
            (r"(?-u:\xFF)", Ok(false)),
            (r"\p{Nothing}", Err(Error::Regex.into())),
            (r"(?i)[\S]", Err(Error::Regex.into())),
            (r"(?i)[\w]", Err(Error::Regex.into())),
            (r"(?i)\p{L}", Err(Error::Regex.into())),
            (r"(?i:[[^a]b])", Err(Error::Regex.into())),
            (r"(?i)[[:^alpha:]]", Err(Error::Regex.into())),
            (r"(?i)[a-\x{ffff}]", Err(Error::Regex.into())),
            (&nested, Err(Error::Regex.into())),
            (&large, Err(Error::Regex.into())),
        ] {
            assert_eq!(matches(pattern), expected, "{pattern}");
        }
    }

    #[test]
    fn each_class_is_charged_before_it_is_made() {
        for (pattern, classes) in [
            ("a", 0),
            (r"\d.\D", 3),
            (r"[a-z]", 1),
            (r"[\p{L}--[a-z]]", 4),
        ] {
            let matches = |patterns: &Patterns, units| {
                let (mut paid, mut fuel) = (Paid::new(), Fuel::new(units));
                let matched = patterns.matches("", pattern, &mut paid, &mut fuel);
                (matched, units - fuel.left())
            };
            let price = COMPILE + classes * CLASS;
            let patterns = Patterns::default();
            assert_eq!(matches(&patterns, price - 1).0, Err(Stop::OutOfFuel));
            assert_eq!(patterns.kept().len(), 0, "{pattern}");
            // The same whether or not it was compiled before.
            let first = matches(&patterns, 1_000_000);
            assert!(first.0.is_ok() && first.1 >= price, "{pattern}: {first:?}");
            assert_eq!(matches(&patterns, 1_000_000), first);
        }
    }

    /// The service pays for its own once, at the start.
    #[test]
    fn a_service_may_have_what_a_token_may_not() {
        let mut patterns = Patterns::default();
        assert!(patterns.prepare(r"(?i)^[\w.-]+$"));
        let (mut paid, mut fuel) = (Paid::new(), Fuel::unlimited());
        let matched = patterns.matches("A.b", r"(?i)^[\w.-]+$", &mut paid, &mut fuel);
        assert_eq!(matched, Ok(true));
        assert!(!patterns.prepare("(") && !patterns.prepare(r"\w{500}"));
    }
}
