//! Regular expressions, bounded in size, each compiled once.

use std::{collections::BTreeMap, sync::Mutex};

use ::regex::{Regex, RegexBuilder};

use super::{
    error::Error,
    fuel::{Fuel, Stop},
};

/// The longest text of a regular expression.
const MAX_TEXT: usize = 1024;

/// The most bytes that one is compiled into.
const MAX_SIZE: usize = 64 * 1024;

/// The most that are kept.
const MAX_KEPT: usize = 64;

/// What looking one up, and at worst compiling it, is charged: always, so that the cost of an
/// evaluation does not depend on those before it.
const COMPILE: u64 = 5_000;

/// Those that a program has used so far.
#[derive(Debug, Default)]
pub(super) struct Patterns {
    kept: Mutex<BTreeMap<String, Compiled>>,
}

/// A regular expression, `None` for a text that is none, an error for one that is too large.
type Compiled = Result<Option<Regex>, ()>;

impl Patterns {
    /// Whether `text` matches. One that is no regular expression matches nothing, as in the
    /// specification; one that is too large is an error.
    pub(super) fn matches(&self, text: &str, pattern: &str, fuel: &mut Fuel) -> Result<bool, Stop> {
        fuel.take(COMPILE)?;
        // Linear in the text for each state of the pattern, at worst.
        let states = (pattern.len() / 8).saturating_add(1);
        fuel.bytes(text.len().saturating_mul(states).saturating_mul(8))?;
        if pattern.len() > MAX_TEXT {
            return Err(Error::Regex.into());
        }
        match self.get(pattern) {
            Ok(Some(regex)) => Ok(regex.is_match(text)),
            Ok(None) => Ok(false),
            Err(()) => Err(Error::Regex.into()),
        }
    }

    fn get(&self, pattern: &str) -> Compiled {
        // A thread that panicked in between left a map that is whole.
        let mut kept = match self.kept.lock() {
            Ok(kept) => kept,
            Err(poisoned) => poisoned.into_inner(),
        };
        if let Some(compiled) = kept.get(pattern) {
            return compiled.clone();
        }
        if kept.len() >= MAX_KEPT {
            kept.clear();
        }
        let compiled = compile(pattern);
        kept.insert(pattern.to_owned(), compiled.clone());
        compiled
    }
}

fn compile(pattern: &str) -> Compiled {
    let built = RegexBuilder::new(pattern)
        .size_limit(MAX_SIZE)
        .dfa_size_limit(MAX_SIZE)
        .nest_limit(50)
        .build();
    match built {
        Ok(regex) => Ok(Some(regex)),
        Err(::regex::Error::CompiledTooBig(_)) => Err(()),
        Err(_) => Ok(None),
    }
}
