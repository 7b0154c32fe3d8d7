//! Regular expressions, with limits on their size and on the cost of compiling them.

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

/// Maximum length of a regular expression, in bytes.
const MAX_PATTERN: usize = 1024;

/// Limits on the size of a compiled expression in bytes, tried in turn.
const SIZES: [usize; 6] = [1 << 11, 1 << 12, 1 << 13, 1 << 14, 1 << 15, 1 << 16];

/// The price of compiling an expression, charged once in each evaluation that uses it.
const COMPILE: u64 = 20_000;

/// The price of each attempt to compile an expression, per byte of the limit on its size.
const ATTEMPT: u64 = 2;

/// The additional price of each class of characters: `\p{L}` stands for hundreds of ranges.
const CLASS: u64 = 5_000;

/// Maximum nesting depth of groups and classes.
const MAX_NESTING: u32 = 50;

/// Memory for compiling and matching an expression, in bytes, not counting its compiled program.
const BYTES: usize = 64 << 10;

/// Memory of a class of characters, in bytes, in any form.
const CLASS_BYTES: usize = 32 << 10;

/// The regular expressions in the host's own Datalog. They are compiled before the first evaluation, so no
/// evaluation pays for them.
#[derive(Debug, Default)]
pub(super) struct Patterns(BTreeMap<String, (Regex, usize)>);

/// The regular expressions that an evaluation has compiled and paid for.
pub(super) type Regexes = BTreeMap<String, Compiled>;

/// A regular expression and its size; `None` if the text is invalid, an error if it is too large.
pub(super) type Compiled = Result<Option<(Regex, usize)>, TooLarge>;

/// The error of a regular expression that exceeds the limits. It is unknown whether such an expression matches.
#[derive(Debug, Clone, Copy)]
pub(super) struct TooLarge;

impl Patterns {
    /// Compiles an expression of the host's own Datalog. Returns false if that failed.
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

    /// Returns true if `text` matches `pattern`. An invalid regular expression matches nothing, as the
    /// specification says; one that is too large is an error.
    pub(super) fn matches(
        &self,
        text: &str,
        pattern: &str,
        regexes: &mut Regexes,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        // The look-ups below compare the pattern with several known ones.
        fuel.each_byte(pattern.len())?;
        if let Some((regex, size)) = self.0.get(pattern) {
            // The service wrote this expression, not an attacker, so its usual cost is charged rather than its
            // worst cost.
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

/// Compiles an expression. The expression and each of its classes are charged before they are built.
fn charged(pattern: &str, fuel: &mut Fuel) -> Result<Compiled, Stop> {
    fuel.take(COMPILE)?;
    fuel.hold(BYTES)?;
    let (ast, classes) = match read(pattern) {
        Ok(Some((_, classes))) if classes.are_expensive() => return Ok(Err(TooLarge)),
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
    /// Bytes of compiled program that a unit of fuel pays for, per byte of text.
    const PER_UNIT: usize = 24;
    /// The price of starting a match.
    const BEGIN: u64 = 8;
    let work = text.len().saturating_add(1).saturating_mul(size);
    fuel.take(BEGIN.saturating_add((work / PER_UNIT) as u64))?;
    Ok(regex.is_match(text))
}

/// The syntax tree of a pattern and its classes; `None` if it is not a regular expression.
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

/// Translates a syntax tree, using the available Unicode tables. An unknown property is an error rather than
/// "no match": other implementations may know it.
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

/// Compiles a pattern with the smallest limit on its size that suffices. Matching takes time in proportion to
/// the size, and the library does not report it.
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

/// Compiles a pattern into at most `size` bytes; `None` if it takes more.
fn built(hir: &Hir, size: usize) -> Result<Option<Regex>, TooLarge> {
    let config = Config::new()
        // Only the fact of a match is needed, so no memory is spent on groups.
        .which_captures(WhichCaptures::None)
        // These make matching faster, but take longer to build than everything else, and no limit on
        // size applies to them.
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

/// The character classes of a pattern, counted before they are built.
#[derive(Debug, Default)]
struct Classes {
    count: u64,
    /// True if some class may contain many characters. Making such a class case-insensitive takes a step for
    /// each character, and there may be a million.
    wide: bool,
    insensitive: bool,
}

impl Classes {
    /// Returns true if building a class takes so long that only a service's own patterns may contain it.
    fn are_expensive(&self) -> bool {
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
            // These classes already contain both cases of each letter.
            Ast::ClassPerl(_) | Ast::Dot(_) => self.one(false),
            Ast::ClassUnicode(_) => self.one(true),
            // A negation is applied after case folding, so it does not make the class wide.
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

    /// The price of a match depends on the size of the compiled pattern, so the smallest sufficient size must
    /// be chosen.
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

    /// A pattern that cannot be decided is an error: under `reject if` and `!`, "no match" would permit the
    /// call.
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
            // Only once per evaluation.
            let (matched, burnt) = matches(COMPILE);
            assert!(matched.is_ok(), "{pattern}: {burnt}");
        }
    }

    /// Memory is counted before it is allocated, however many patterns there are.
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

    /// The service's own patterns are compiled once, at the start.
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
