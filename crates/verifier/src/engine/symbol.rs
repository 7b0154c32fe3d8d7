//! Names and strings, numbered once for each program.

use std::collections::HashMap;

use bailiwick_token::datalog::names;

use super::{
    fuel::{Fuel, Stop},
    term::{Span, Values},
};

/// The number of a predicate: its name together with how many terms it has.
pub(crate) type Relation = u32;

/// The predicates of a request, whose numbers are the same in every program.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub(crate) enum Known {
    Time,
    Service,
    Action,
    Resource,
    Args,
    Depth,
    Arg,
    Num,
    Date,
    Json,
}

impl Known {
    pub(crate) const ALL: [Known; 10] = [
        Known::Time,
        Known::Service,
        Known::Action,
        Known::Resource,
        Known::Args,
        Known::Depth,
        Known::Arg,
        Known::Num,
        Known::Date,
        Known::Json,
    ];

    pub(crate) fn relation(self) -> Relation {
        self as Relation
    }

    fn name(self) -> (&'static str, usize) {
        match self {
            Known::Time => (names::TIME, 1),
            Known::Service => (names::SERVICE, 1),
            Known::Action => (names::ACTION, 1),
            Known::Resource => (names::RESOURCE, 1),
            Known::Args => (names::ARGS, 1),
            Known::Depth => (names::DEPTH, 1),
            Known::Arg => (names::ARG, 2),
            Known::Num => (names::NUM, 2),
            Known::Date => (names::DATE, 2),
            Known::Json => (names::JSON, 2),
        }
    }
}

/// Numbers names and strings while a program is compiled. Nothing iterates over the maps, so their
/// order decides nothing.
#[derive(Debug)]
pub(super) struct Symbols {
    relations: HashMap<(String, usize), Relation>,
    /// Each predicate by its number.
    pub(super) names: Vec<(String, usize)>,
    strings: HashMap<String, Span>,
}

impl Symbols {
    pub(super) fn new() -> Symbols {
        let mut symbols = Symbols {
            relations: HashMap::new(),
            names: Vec::new(),
            strings: HashMap::new(),
        };
        for known in Known::ALL {
            let (name, arity) = known.name();
            symbols.relation(name, arity);
        }
        symbols
    }

    pub(super) fn relation(&mut self, name: &str, arity: usize) -> Relation {
        let next = u32::try_from(self.names.len()).unwrap_or(Relation::MAX);
        let key = (name.to_owned(), arity);
        let number = *self.relations.entry(key.clone()).or_insert(next);
        if number == next {
            self.names.push(key);
        }
        number
    }

    pub(super) fn text(
        &mut self,
        values: &mut Values<'_>,
        text: &str,
        fuel: &mut Fuel,
    ) -> Result<Span, Stop> {
        if let Some(span) = self.strings.get(text) {
            return Ok(*span);
        }
        let span = values.add_text(text, fuel)?;
        self.strings.insert(text.to_owned(), span);
        Ok(span)
    }
}
