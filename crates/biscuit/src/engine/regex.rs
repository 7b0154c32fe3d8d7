//! Regular expressions, bounded in size and in what it takes to compile them.

use std::collections::BTreeMap;

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
const MAX_PATTERN: usize = 1024;

/// How many bytes one may be compiled into: what it is tried with in turn.
const SIZES: [usize; 6] = [1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16];

/// The price of compiling one, charged once in each evaluation that uses it.
const COMPILE: u64 = 20_000;

/// The price of each attempt to compile it, for each byte that it may be compiled into.
const ATTEMPT: u64 = 2;

/// What each class of characters in it is charged beyond that: `\p{L}` stands for hundreds of ranges.
const CLASS: u64 = 5_000;

/// How deep groups and classes may be nested.
const MAX_NESTING: u32 = 50;

/// Bytes that one takes while it is compiled and while it is matched, besides those of its program.
const BYTES: usize = 64 << 10;

/// Bytes of a class of characters, in whatever form.
const CLASS_BYTES: usize = 32 << 10;

/// Those that stand in the host's own Datalog, compiled before the first evaluation, so that none is
/// charged for them.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<String, (Regex, usize)>);

/// Those that an evaluation has compiled and paid for.
pub(super) type Regexes = BTreeMap<String, Compiled>;

/// A regular expression and its size, `None` for a text that is none, an error for one too large.
pub(super) type Compiled = Result<Option<(Regex, usize)>, TooLarge>;

/// It may match, and whether it does is not found out.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLarge;

impl Patterns {
    /// Compiles one that stands in the host's own Datalog; answers whether it could be.
    pub(super) fn prepare(&mut self, pattern: &str) -> bool {
        if pattern.len() > MAX_PATTERN {
            return false;
        }
        let Ok(Some((ast, _))) = read(pattern) else {
            return false;
        };
        let Ok(Ok(Some(compiled))) = compile(pattern, &ast, &mut Fuel::unlimited()) else {
            return false;
        };
        self.0.insert(pattern.to_owned(), compiled);
        true
    }

    /// Whether `text` matches. One that is no regular expression matches nothing, as in the
    /// specification; one that is too large is an error.
    pub(super) fn matches(
        &self,
        text: &str,
        pattern: &str,
        regexes: &mut Regexes,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        // It is compared with several of those that are known.
        fuel.each_byte(pattern.len())?;
        if let Some((regex, size)) = self.0.get(pattern) {
            // Its writer is the service, not whoever attacks it: charged for what it takes as a rule,
            // and not for the most that it could take.
            const SMALLEST: usize = 1 << 11;
            const BYTES_PER_UNIT: usize = 4;
            let work = text.len().saturating_mul(size / SMALLEST);
            fuel.take((work / BYTES_PER_UNIT) as u64)?;
            return Ok(regex.is_match(text));
        }
        if pattern.len() > MAX_PATTERN {
            return Err(Error::Regex.into());
        }
        if !regexes.contains_key(pattern) {
            let compiled = charged(pattern, fuel)?;
            regexes.insert(pattern.to_owned(), compiled);
        }
        match regexes.get(pattern) {
            Some(Ok(Some((regex, size)))) => is_match(regex, *size, text, fuel),
            Some(Ok(None)) | None => Ok(false),
            Some(Err(TooLarge)) => Err(Error::Regex.into()),
        }
    }
}

/// Compiles one, and charges for it and each of its classes before it is made.
fn charged(pattern: &str, fuel: &mut Fuel) -> Result<Compiled, Stop> {
    fuel.take(COMPILE)?;
    fuel.hold(BYTES)?;
    let (ast, classes) = match read(pattern) {
        Ok(Some((_, classes))) if classes.are_dear() => return Ok(Err(TooLarge)),
        Ok(Some(read)) => read,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    fuel.take(classes.count.saturating_mul(CLASS))?;
    let count = usize::try_from(classes.count).unwrap_or(usize::MAX);
    fuel.hold(count.saturating_mul(CLASS_BYTES))?;
    compile(pattern, &ast, fuel)
}

fn is_match(regex: &Regex, size: usize, text: &str, fuel: &mut Fuel) -> Result<bool, Stop> {
    /// Bytes of compiled program that are looked at for one byte of text in a unit of fuel.
    const PER_UNIT: usize = 24;
    /// The price of beginning.
    const BEGIN: u64 = 8;
    let work = text.len().saturating_add(1).saturating_mul(size);
    fuel.take(BEGIN.saturating_add((work / PER_UNIT) as u64))?;
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
fn compile(pattern: &str, ast: &Ast, fuel: &mut Fuel) -> Result<Compiled, Stop> {
    let hir = match meaning(pattern, ast) {
        Ok(Some(hir)) => hir,
        Ok(None) => return Ok(Ok(None)),
        Err(error) => return Ok(Err(error)),
    };
    for size in SIZES {
        fuel.take((size as u64).saturating_mul(ATTEMPT))?;
        match built(&hir, size) {
            Ok(Some(regex)) => return Ok(Ok(Some((regex, size)))),
            Ok(None) => {}
            Err(error) => return Ok(Err(error)),
        }
    }
    Ok(Err(TooLarge))
}

/// Compiled into so many bytes; `None` where it needs more.
fn built(hir: &Hir, size: usize) -> Result<Option<Regex>, TooLarge> {
    let config = Config::new()
        // Whether it matches is all that is asked: no place has to be kept for each group.
        .which_captures(WhichCaptures::None)
        // These make matching faster, and take longer to build than all the rest, within no limit of size.
        .auto_prefilter(false)
        .backtrack(false)
        .onepass(false)
        .dfa(false)
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
    use crate::engine::DEFAULT_MEMORY;

    /// What is charged for matching goes by the size, so it may not be larger than need be.
    #[test]
    fn each_has_the_least_size_that_it_fits() {
        let mut found = std::collections::BTreeSet::new();
        for times in (0..).step_by(25) {
            let pattern = format!("^a{{{times}}}$");
            let (ast, _) = read(&pattern).unwrap().unwrap();
            let compiled = compile(&pattern, &ast, &mut Fuel::unlimited());
            let Ok(Ok(Some((_, size)))) = compiled else {
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

    /// What may match and is not found out is an error: under `reject if` and `!`, "no match" would be a
    /// permission.
    #[test]
    fn only_what_is_no_regular_expression_matches_nothing() {
        let matches = |pattern: &str| {
            let (mut regexes, mut fuel) = (Regexes::new(), Fuel::unlimited());
            Patterns::default().matches("ä", pattern, &mut regexes, &mut fuel)
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
            let price = COMPILE + classes * CLASS + ATTEMPT * SIZES[0] as u64;
            let mut regexes = Regexes::new();
            let mut matches = |units: u64| {
                let mut fuel = Fuel::new(units.into());
                let matched = Patterns::default().matches("", pattern, &mut regexes, &mut fuel);
                (matched, units - fuel.left())
            };
            assert_eq!(matches(price - 1).0, Err(Stop::OutOfFuel), "{pattern}");
            let (matched, burnt) = matches(1_000_000);
            assert!(matched.is_ok() && burnt >= price, "{pattern}: {burnt}");
            // Once in an evaluation.
            let (matched, burnt) = matches(COMPILE);
            assert!(matched.is_ok(), "{pattern}: {burnt}");
        }
    }

    /// Memory is counted before it is taken, however many there are.
    #[test]
    fn compiled_ones_are_held() {
        let (mut regexes, mut fuel) = (Regexes::new(), Fuel::new(u64::MAX.into()));
        let stopped = (0..).find_map(|number| {
            let pattern = format!("^{number}$");
            let matched = Patterns::default().matches("", &pattern, &mut regexes, &mut fuel);
            matched.err()
        });
        assert_eq!(stopped, Some(Stop::OutOfMemory));
        assert_eq!(regexes.len(), DEFAULT_MEMORY / BYTES);
    }

    /// The service pays for its own once, at the start.
    #[test]
    fn a_service_may_have_what_a_token_may_not() {
        let mut patterns = Patterns::default();
        assert!(patterns.prepare(r"(?i)^[\w.-]+$"));
        let (mut regexes, mut fuel) = (Regexes::new(), Fuel::unlimited());
        let matched = patterns.matches("A.b", r"(?i)^[\w.-]+$", &mut regexes, &mut fuel);
        assert_eq!(matched, Ok(true));
        assert!(!patterns.prepare("(") && !patterns.prepare(r"\w{500}"));
    }
}
