//! Decodes predicates and their terms.

use super::{
    super::code::{DEFAULT, FIRST_OWN, Predicate, Span, Symbol, Term, since},
    Decoder, MAX_RESOLVED,
    table::{Read, Refused, Table, one_of},
    version::Feature,
};
use crate::protobuf::{Fields, once};

// `depth` bounds the recursion: each nested message lowers it.
impl Decoder {
    pub(super) fn predicate(
        &mut self,
        bytes: &[u8],
        table: &Table<'_>,
        depth: u32,
    ) -> Read<Predicate> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        // Terms wait on a stack until all of them are read: containers among them put their own elements into
        // the list of terms, and a span must be contiguous.
        let before = self.waiting.len();
        let mut name = None;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut name, self.symbol(field.number()?, table)?)?,
                2 => {
                    let term = self.term(field.bytes()?, table, inner)?;
                    self.waiting.push(term);
                }
                _ => return Err(Refused::Protobuf),
            }
        }
        Ok(Predicate {
            name: name.ok_or(Refused::Protobuf)?,
            terms: self.complete(before),
        })
    }

    /// Moves all waiting terms but the first `before` into the list of terms.
    fn complete(&mut self, before: usize) -> Span {
        let start = self.code.terms.len();
        self.code.terms.extend(self.waiting.drain(before..));
        since(&self.code.terms, start)
    }

    pub(super) fn symbol(&mut self, number: u64, table: &Table<'_>) -> Read<Symbol> {
        let number = usize::try_from(number).map_err(|_| Refused::UnknownSymbol)?;
        let symbol = match number.checked_sub(FIRST_OWN) {
            Some(own) => table.symbols.get(own).copied(),
            None => DEFAULT
                .get(number)
                .map(|text| (Symbol(number as u32), text.len() as u32)),
        };
        let (symbol, length) = symbol.ok_or(Refused::UnknownSymbol)?;
        // Each occurrence counts, and the limit is checked at once, before a hostile token costs more memory.
        let resolved = self.code.resolved.saturating_add(length as usize);
        if resolved > MAX_RESOLVED {
            return Err(Refused::TooLarge);
        }
        self.code.resolved = resolved;
        Ok(symbol)
    }

    pub(super) fn term(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Term> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let (number, field) = one_of(bytes, Refused::EmptyTerm)?;
        // Each term counts as one byte, so that terms without strings are limited too.
        self.code.resolved = self.code.resolved.saturating_add(1);
        Ok(match number {
            1 => Term::Variable(self.symbol(u64::from(field.number32()?), table)?),
            2 => Term::Integer(field.number()?.cast_signed()),
            3 => Term::Str(self.symbol(field.number()?, table)?),
            4 => Term::Date(field.number()?),
            5 => {
                let start = self.code.bytes.len();
                self.code.bytes.extend_from_slice(field.bytes()?);
                Term::Bytes(since(&self.code.bytes, start))
            }
            // Protobuf reads every number but 0 as true. Here a value has one encoding.
            6 => match field.number()? {
                0 => Term::Bool(false),
                1 => Term::Bool(true),
                _ => return Err(Refused::Protobuf),
            },
            7 => Term::Set(self.set(field.bytes()?, table, inner)?),
            // Null is an empty message; one that holds anything falls through and is refused.
            8 if field.bytes()?.is_empty() => {
                self.uses(Feature::Null)?;
                Term::Null
            }
            9 => {
                self.uses(Feature::Array)?;
                let before = self.waiting.len();
                self.items(field.bytes()?, table, inner)?;
                Term::Array(self.complete(before))
            }
            10 => {
                self.uses(Feature::Map)?;
                Term::Map(self.map(field.bytes()?, table, inner)?)
            }
            _ => return Err(Refused::Protobuf),
        })
    }

    /// Reads the terms of a set or an array, and leaves them waiting.
    fn items(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            let term = self.term(field.bytes()?, table, inner)?;
            self.waiting.push(term);
        }
        Ok(())
    }

    /// Reads a set as biscuit-auth does: all terms have one type, and none is a variable or a set.
    fn set(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Span> {
        let before = self.waiting.len();
        self.items(bytes, table, depth)?;
        let code = &self.code;
        let items = self.waiting.get_mut(before..).unwrap_or_default();
        let nested = |term: &Term| matches!(term, Term::Variable(_) | Term::Set(_));
        if items.iter().any(nested) {
            return Err(Refused::NestedSet);
        }
        let kind = items.first().map(Term::rank);
        if items.iter().any(|term| Some(term.rank()) != kind) {
            return Err(Refused::MixedSet);
        }
        // Sorted and without repetitions, so that equal sets have equal lists.
        items.sort_by(|a, b| code.compare(a, b));
        let start = self.code.terms.len();
        for term in self.waiting.drain(before..) {
            let last = self.code.terms.get(start..).and_then(<[Term]>::last);
            if last.is_none_or(|last| self.code.compare(last, &term).is_ne()) {
                self.code.terms.push(term);
            }
        }
        Ok(since(&self.code.terms, start))
    }

    /// Reads a map. If a key occurs more than once, its last value counts.
    fn map(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<Span> {
        // Two levels: the map, and the entry around each key and value.
        let inner = depth.checked_sub(2).ok_or(Refused::Protobuf)?;
        let mut entries: Vec<(Term, Term)> = Vec::new();
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            let (mut key, mut value) = (None, None);
            let mut entry = Fields(field.bytes()?);
            while let Some((number, field)) = entry.next()? {
                match number {
                    1 => once(&mut key, self.map_key(field.bytes()?, table)?)?,
                    2 => once(&mut value, self.term(field.bytes()?, table, inner)?)?,
                    _ => return Err(Refused::Protobuf),
                }
            }
            entries.push((
                key.ok_or(Refused::Protobuf)?,
                value.ok_or(Refused::Protobuf)?,
            ));
        }
        let code = &self.code;
        // The sort is stable: after this reversal, a key's last value comes first and is the one that is kept.
        entries.reverse();
        entries.sort_by(|(a, _), (b, _)| code.compare(a, b));
        entries.dedup_by(|(b, _), (a, _)| code.compare(a, b).is_eq());
        let start = self.code.terms.len();
        let flat = entries.into_iter().flat_map(|(key, value)| [key, value]);
        self.code.terms.extend(flat);
        Ok(since(&self.code.terms, start))
    }

    fn map_key(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Term> {
        let (number, field) = one_of(bytes, Refused::EmptyKey)?;
        match number {
            1 => Ok(Term::Integer(field.number()?.cast_signed())),
            2 => Ok(Term::Str(self.symbol(field.number()?, table)?)),
            _ => Err(Refused::Protobuf),
        }
    }
}
