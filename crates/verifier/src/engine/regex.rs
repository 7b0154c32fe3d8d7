//! Regular expressions, bounded in size, each compiled once.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use ::regex::{Regex, RegexBuilder};

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

/// Those that are known, and those that were used so far.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    /// Compiled before the first evaluation, so that none is charged for them.
    prepared: BTreeMap<String, (Regex, usize)>,
    kept: Mutex<BTreeMap<String, Compiled>>,
}

/// Those that an evaluation has paid for.
pub(super) type Paid = BTreeSet<String>;

/// A regular expression and its size, `None` for a text that is none, an error for one too large.
type Compiled = Result<Option<(Regex, usize)>, ()>;

impl Patterns {
    /// Compiles one that stands in the verifier's own Datalog; answers whether it could be.
    pub(super) fn prepare(&mut self, pattern: &str) -> bool {
        if pattern.len() > MAX_TEXT {
            return false;
        }
        let Ok(Some(compiled)) = compile(pattern) else {
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
        if !paid.contains(pattern) {
            fuel.take(COMPILE)?;
            paid.insert(pattern.to_owned());
        }
        match self.get(pattern) {
            Ok(Some((regex, size))) => is_match(&regex, size, text, fuel),
            Ok(None) => Ok(false),
            Err(()) => Err(Error::Regex.into()),
        }
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<String, Compiled>> {
        // A thread that panicked in between left a map that is whole.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, pattern: &str) -> Compiled {
        let kept = self.kept();
        if let Some(compiled) = kept.get(pattern) {
            return compiled.clone();
        }
        drop(kept);
        // Not under the lock: others need not wait for this one.
        let compiled = compile(pattern);
        let mut kept = self.kept();
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        kept.insert(pattern.to_owned(), compiled.clone());
        compiled
    }
}

fn is_match(regex: &Regex, size: usize, text: &str, fuel: &mut Fuel) -> Result<bool, Stop> {
    /// Bytes of a state, and of what looking at it for a byte of text costs.
    const PER_UNIT: usize = 64;
    let work = text.len().saturating_add(1).saturating_mul(size);
    fuel.take((work / PER_UNIT) as u64)?;
    Ok(regex.is_match(text))
}

/// The library does not say how large a regular expression came out, and matching takes as long as
/// it is large, so it is compiled with the least limit that it fits.
fn compile(pattern: &str) -> Compiled {
    for size in SIZES {
        let built = RegexBuilder::new(pattern)
            .size_limit(size)
            .dfa_size_limit(size)
            .nest_limit(50)
            .build();
        match built {
            Ok(regex) => return Ok(Some((regex, size))),
            Err(::regex::Error::CompiledTooBig(_)) => {}
            Err(_) => return Ok(None),
        }
    }
    Err(())
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
            let Ok(Some((_, size))) = compile(&pattern) else {
                break;
            };
            found.insert(size);
            let mut less = RegexBuilder::new(&pattern);
            let fits = less.size_limit(size / 2).dfa_size_limit(size / 2).build();
            assert!(size == SIZES[0] || fits.is_err(), "{pattern}: {size}");
        }
        assert_eq!(found, SIZES.into());
    }

    #[test]
    fn few_are_kept_and_those_are() {
        let patterns = Patterns::default();
        for count in 0..3 * MAX_KEPT {
            assert!(patterns.get(&format!("^{count}$")).is_ok());
            let kept = patterns.kept().len();
            assert!(kept <= MAX_KEPT && (kept == count + 1 || count >= MAX_KEPT));
        }
    }
}
