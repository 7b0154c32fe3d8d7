//! Conversion between the terms of an evaluation and terms as trees. Nested containers are kept on an
//! explicit stack, since input decides how deep they are.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    error::Fault,
    fuel::{Fuel, Stop},
    term::{Span, Term, Values},
};
use crate::datalog::{self, MapKey};

/// The reason for refusing to import a term.
pub(super) enum Refused {
    Fault(Fault),
    Stop(Stop),
}

impl From<Stop> for Refused {
    fn from(stop: Stop) -> Refused {
        Refused::Stop(stop)
    }
}

enum Item<'t> {
    Key(&'t MapKey),
    Term(&'t datalog::Term),
}

struct Open<'t> {
    close: fn(Span) -> Term,
    left: std::vec::IntoIter<Item<'t>>,
    done: Vec<Term>,
}

/// Imports a value into an evaluation.
pub(super) fn import(
    values: &mut Values<'_>,
    term: &datalog::Term,
    fuel: &mut Fuel,
) -> Result<Term, Refused> {
    let mut open: Vec<Open<'_>> = Vec::new();
    let mut item = Item::Term(term);
    loop {
        let mut term = match enter(&item) {
            Some(container) => {
                open.push(container);
                None
            }
            None => Some(scalar(values, &item, fuel)?),
        };
        // Closes completed containers, up to one that still has items to import.
        item = loop {
            let Some(container) = open.last_mut() else {
                return term.ok_or(Refused::Fault(Fault::TooLarge));
            };
            container.done.extend(term.take());
            if let Some(next) = container.left.next() {
                break next;
            }
            let Some(container) = open.pop() else {
                return Err(Refused::Fault(Fault::TooLarge));
            };
            term = Some((container.close)(
                values.add_elements(&container.done, fuel)?,
            ));
        };
    }
}

fn enter<'t>(item: &Item<'t>) -> Option<Open<'t>> {
    let (close, items): (fn(Span) -> Term, Vec<Item<'t>>) = match item {
        Item::Term(datalog::Term::Set(set)) => (Term::Set, set.iter().map(Item::Term).collect()),
        Item::Term(datalog::Term::Array(array)) => {
            (Term::Array, array.iter().map(Item::Term).collect())
        }
        Item::Term(datalog::Term::Map(map)) => {
            let pairs = map.iter();
            let items = pairs.flat_map(|(key, value)| [Item::Key(key), Item::Term(value)]);
            (Term::Map, items.collect())
        }
        _ => return None,
    };
    Some(Open {
        close,
        done: Vec::with_capacity(items.len()),
        left: items.into_iter(),
    })
}

fn scalar(values: &mut Values<'_>, item: &Item<'_>, fuel: &mut Fuel) -> Result<Term, Refused> {
    Ok(match item {
        Item::Key(MapKey::Integer(value)) => Term::Integer(*value),
        Item::Key(MapKey::Str(key)) => Term::Str(values.add_text(key, fuel)?),
        Item::Term(datalog::Term::Integer(value)) => Term::Integer(*value),
        Item::Term(datalog::Term::Str(value)) => Term::Str(values.add_text(value, fuel)?),
        Item::Term(datalog::Term::Date(value)) => Term::Date(*value),
        Item::Term(datalog::Term::Bytes(value)) => Term::Bytes(values.add_bytes(value, fuel)?),
        Item::Term(datalog::Term::Bool(value)) => Term::Bool(*value),
        Item::Term(datalog::Term::Null) => Term::Null,
        // A host's function may return any tree; a variable in it would have no value.
        Item::Term(datalog::Term::Variable(name)) => {
            return Err(Refused::Fault(Fault::Variable(name.clone())));
        }
        // Unreachable: `enter` takes containers.
        Item::Term(datalog::Term::Set(_) | datalog::Term::Array(_) | datalog::Term::Map(_)) => {
            return Err(Refused::Fault(Fault::TooLarge));
        }
    })
}

/// Charges for exporting a value before it is copied. Returns the approximate size of the copy in bytes.
pub(super) fn charge(values: &Values<'_>, term: Term, fuel: &mut Fuel) -> Result<usize, Stop> {
    /// Price of a term, in units. It pays for allocating and sorting the term again.
    const TERM: u64 = 12;
    /// Bytes of a term, including its share of the tree that holds it.
    const TERM_BYTES: usize = 128;
    let mut bytes = 0usize;
    let mut waiting: Vec<Span> = Vec::new();
    let mut count = |term: &Term, waiting: &mut Vec<Span>| -> Result<(), Stop> {
        fuel.take(TERM)?;
        bytes = bytes.saturating_add(TERM_BYTES);
        match term {
            Term::Str(span) | Term::Bytes(span) => {
                fuel.each_byte(span.len as usize)?;
                bytes = bytes.saturating_add(span.len as usize);
            }
            Term::Set(span) | Term::Array(span) | Term::Map(span) => waiting.push(*span),
            Term::Integer(_) | Term::Date(_) | Term::Bool(_) | Term::Null => {}
        }
        Ok(())
    };
    count(&term, &mut waiting)?;
    // The order does not matter, because only the sum counts.
    while let Some(span) = waiting.pop() {
        for term in values.elements(span) {
            count(term, &mut waiting)?;
        }
    }
    Ok(bytes)
}

struct Leaving {
    of: Term,
    left: Span,
    next: usize,
    done: Vec<datalog::Term>,
}

/// Exports a value from an evaluation.
pub(super) fn export(values: &Values<'_>, term: Term) -> datalog::Term {
    let mut open: Vec<Leaving> = Vec::new();
    let mut term = term;
    loop {
        let mut done = match term {
            Term::Set(span) | Term::Array(span) | Term::Map(span) => {
                open.push(Leaving {
                    of: term,
                    left: span,
                    next: 0,
                    done: Vec::with_capacity(span.len as usize),
                });
                None
            }
            Term::Integer(value) => Some(datalog::Term::Integer(value)),
            Term::Str(span) => Some(datalog::Term::Str(values.text(span).to_owned())),
            Term::Date(value) => Some(datalog::Term::Date(value)),
            Term::Bytes(span) => Some(datalog::Term::Bytes(values.bytes(span).to_vec())),
            Term::Bool(value) => Some(datalog::Term::Bool(value)),
            Term::Null => Some(datalog::Term::Null),
        };
        term = loop {
            let Some(container) = open.last_mut() else {
                return done.unwrap_or(datalog::Term::Null);
            };
            container.done.extend(done.take());
            if let Some(next) = values.elements(container.left).get(container.next) {
                container.next = container.next.saturating_add(1);
                break *next;
            }
            done = open.pop().map(close);
        };
    }
}

fn close(container: Leaving) -> datalog::Term {
    match container.of {
        Term::Set(_) => datalog::Term::Set(container.done.into_iter().collect::<BTreeSet<_>>()),
        Term::Map(_) => {
            let mut items = container.done.into_iter();
            let mut map = BTreeMap::new();
            while let (Some(key), Some(value)) = (items.next(), items.next()) {
                let key = match key {
                    datalog::Term::Str(key) => MapKey::Str(key),
                    datalog::Term::Integer(key) => MapKey::Integer(key),
                    // Unreachable: `import` and the decoder make no other keys.
                    _ => continue,
                };
                map.insert(key, value);
            }
            datalog::Term::Map(map)
        }
        _ => datalog::Term::Array(container.done),
    }
}
