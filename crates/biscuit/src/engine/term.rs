//! Values: small and freely copied. Long contents are kept in a pool.

use std::cmp::Ordering;

use super::fuel::{Fuel, Stop};

/// A value of an evaluation. Strings, bytes and containers refer to the evaluation's memory.
#[derive(Debug, Clone, Copy)]
pub enum Term {
    /// A 64-bit integer.
    Integer(i64),
    /// A string.
    Str(Span),
    /// A time, in seconds since 1970-01-01T00:00:00Z.
    Date(u64),
    /// A byte string.
    Bytes(Span),
    /// A boolean.
    Bool(bool),
    /// A set: its elements, sorted and unique.
    Set(Span),
    /// The null value.
    Null,
    /// An array: its elements, in order.
    Array(Span),
    /// A map: alternating keys and values, sorted by key.
    Map(Span),
}

/// A part of the memory of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    start: u32,
    pub(crate) len: u32,
}

/// Storage for strings, bytes and elements, each kind contiguous.
#[derive(Clone, Default)]
pub(crate) struct Pool {
    text: String,
    bytes: Vec<u8>,
    elements: Vec<Term>,
}

static EMPTY: Pool = Pool {
    text: String::new(),
    bytes: Vec::new(),
    elements: Vec::new(),
};

/// The values of a program, and those that an evaluation adds.
#[derive(Debug)]
pub(crate) struct Values<'p> {
    fixed: &'p Pool,
    own: Pool,
}

/// The lengths of the pool at one point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    text: usize,
    bytes: usize,
    elements: usize,
}

/// The price of an operation that makes a string, in addition to its bytes.
pub(super) const STRING: u64 = 2;

/// The span of the `len` items from `start`. A position beyond 32 bits counts as out of memory.
fn span(start: usize, len: usize) -> Result<Span, Stop> {
    match (u32::try_from(start), u32::try_from(len)) {
        (Ok(start), Ok(len)) if start.checked_add(len).is_some() => Ok(Span { start, len }),
        _ => Err(Stop::OutOfMemory),
    }
}

impl Span {
    fn range(self) -> std::ops::Range<usize> {
        let start = self.start as usize;
        start..start.saturating_add(self.len as usize)
    }

    /// Translates a span over two pools into a range of the second pool. The first pool has `first` items; the
    /// result is `None` for a span that begins in it.
    fn beyond(self, first: usize) -> Option<std::ops::Range<usize>> {
        let start = (self.start as usize).checked_sub(first)?;
        Some(start..start.saturating_add(self.len as usize))
    }
}

/// Hides the contents, which are as secret as the token, call or policy that they come from.
impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").finish_non_exhaustive()
    }
}

impl Pool {
    pub(crate) fn clear(&mut self) {
        self.text.clear();
        self.bytes.clear();
        self.elements.clear();
    }

    /// The string of a span within this pool alone.
    pub(super) fn text(&self, span: Span) -> &str {
        self.text.get(span.range()).unwrap_or_default()
    }

    pub(crate) fn shrink(&mut self) {
        self.text.shrink_to_fit();
        self.bytes.shrink_to_fit();
        self.elements.shrink_to_fit();
    }

    /// Approximate size in bytes.
    pub(crate) fn size(&self) -> usize {
        let elements = self.elements.capacity().saturating_mul(size_of::<Term>());
        let bytes = self.text.capacity().saturating_add(self.bytes.capacity());
        bytes.saturating_add(elements)
    }
}

impl Values<'static> {
    /// The values of a program that is being compiled.
    pub(crate) fn with(pool: Pool) -> Values<'static> {
        Values::over(&EMPTY, pool)
    }
}

impl<'p> Values<'p> {
    /// The values of a program, with `own` for those that an evaluation adds.
    pub(crate) fn over(fixed: &'p Pool, own: Pool) -> Values<'p> {
        Values { fixed, own }
    }

    /// Returns the values that were added.
    pub(crate) fn into_pool(self) -> Pool {
        self.own
    }

    #[inline]
    pub(crate) fn text(&self, span: Span) -> &str {
        match span.beyond(self.fixed.text.len()) {
            // Spans continue from the program's pool into the evaluation's, so a program that many
            // evaluations share is never copied.
            Some(range) => self.own.text.get(range),
            None => self.fixed.text.get(span.range()),
        }
        .unwrap_or_default()
    }

    /// The UTF-8 bytes of a string, which sort in the same order as strings.
    #[inline]
    pub(super) fn utf8(&self, span: Span) -> &[u8] {
        match span.beyond(self.fixed.text.len()) {
            Some(range) => self.own.text.as_bytes().get(range),
            None => self.fixed.text.as_bytes().get(span.range()),
        }
        .unwrap_or_default()
    }

    #[inline]
    pub(crate) fn bytes(&self, span: Span) -> &[u8] {
        match span.beyond(self.fixed.bytes.len()) {
            Some(range) => self.own.bytes.get(range),
            None => self.fixed.bytes.get(span.range()),
        }
        .unwrap_or_default()
    }

    #[inline]
    pub(crate) fn elements(&self, span: Span) -> &[Term] {
        match span.beyond(self.fixed.elements.len()) {
            Some(range) => self.own.elements.get(range),
            None => self.fixed.elements.get(span.range()),
        }
        .unwrap_or_default()
    }

    /// The lengths of the values added so far.
    #[inline]
    pub(super) fn mark(&self) -> Mark {
        Mark {
            text: self.own.text.len(),
            bytes: self.own.bytes.len(),
            elements: self.own.elements.len(),
        }
    }

    /// Drops the values added since a mark, and releases their memory.
    #[inline]
    pub(super) fn forget_since(&mut self, mark: Mark, fuel: &mut Fuel) {
        let now = self.mark();
        if now == mark {
            return;
        }
        // Cuts at the boundary of a character, because the text ended with a whole string at the mark.
        self.own.text.truncate(mark.text);
        self.own.bytes.truncate(mark.bytes);
        self.own.elements.truncate(mark.elements);
        let elements = now.elements.saturating_sub(mark.elements);
        fuel.release(now.text.saturating_sub(mark.text));
        fuel.release(now.bytes.saturating_sub(mark.bytes));
        fuel.release(elements.saturating_mul(size_of::<Term>()));
    }

    pub(crate) fn add_text(&mut self, text: &str, fuel: &mut Fuel) -> Result<Span, Stop> {
        // Fuel and memory are charged before anything is copied, here as in the functions below.
        fuel.bytes(text.len())?;
        fuel.hold(text.len())?;
        let start = self.fixed.text.len().saturating_add(self.own.text.len());
        self.own.text.push_str(text);
        span(start, text.len())
    }

    /// Concatenates two strings.
    pub(crate) fn join(&mut self, a: Span, b: Span, fuel: &mut Fuel) -> Result<Span, Stop> {
        let len = (a.len as usize).saturating_add(b.len as usize);
        fuel.take(STRING)?;
        fuel.made(len)?;
        fuel.hold(len)?;
        let start = self.fixed.text.len().saturating_add(self.own.text.len());
        for part in [a, b] {
            match part.beyond(self.fixed.text.len()) {
                Some(range) if self.own.text.get(range.clone()).is_some() => {
                    // The check above keeps this from panicking.
                    self.own.text.extend_from_within(range);
                }
                _ => {
                    let text = self.fixed.text.get(part.range()).unwrap_or_default();
                    self.own.text.push_str(text);
                }
            }
        }
        span(start, len)
    }

    pub(crate) fn add_bytes(&mut self, bytes: &[u8], fuel: &mut Fuel) -> Result<Span, Stop> {
        fuel.bytes(bytes.len())?;
        fuel.hold(bytes.len())?;
        let start = self.fixed.bytes.len().saturating_add(self.own.bytes.len());
        self.own.bytes.extend_from_slice(bytes);
        span(start, bytes.len())
    }

    pub(crate) fn add_elements(
        &mut self,
        elements: &[Term],
        fuel: &mut Fuel,
    ) -> Result<Span, Stop> {
        let begun = self.mark();
        fuel.elements(elements.len())?;
        fuel.hold(size_of_val(elements))?;
        self.own.elements.extend_from_slice(elements);
        self.elements_since(begun)
    }

    /// Adds an element to those that [`Values::elements_since`] will return.
    pub(super) fn add_element(&mut self, element: Term, fuel: &mut Fuel) -> Result<(), Stop> {
        fuel.take(1)?;
        fuel.hold(size_of::<Term>())?;
        self.own.elements.push(element);
        Ok(())
    }

    /// The elements that were added since a mark.
    pub(super) fn elements_since(&self, mark: Mark) -> Result<Span, Stop> {
        let len = self.own.elements.len().saturating_sub(mark.elements);
        span(self.fixed.elements.len().saturating_add(mark.elements), len)
    }

    /// Returns true if two values have the same type and are equal.
    #[inline]
    pub(crate) fn equal(&self, a: Term, b: Term, fuel: &mut Fuel) -> Result<bool, Stop> {
        match (a, b) {
            (Term::Str(a), Term::Str(b)) => {
                if a.len != b.len {
                    return Ok(false);
                }
                // The same span, which is common: a string of a program is stored once.
                if a.start == b.start {
                    return Ok(true);
                }
                fuel.compared(a.len as usize)?;
                Ok(self.utf8(a) == self.utf8(b))
            }
            (Term::Integer(a), Term::Integer(b)) => Ok(a == b),
            (Term::Date(a), Term::Date(b)) => Ok(a == b),
            (Term::Bool(a), Term::Bool(b)) => Ok(a == b),
            (Term::Null, Term::Null) => Ok(true),
            (Term::Bytes(a), Term::Bytes(b)) => {
                if a.len != b.len {
                    return Ok(false);
                }
                fuel.compared(a.len as usize)?;
                Ok(self.bytes(a) == self.bytes(b))
            }
            (Term::Set(left), Term::Set(right))
            | (Term::Array(left), Term::Array(right))
            | (Term::Map(left), Term::Map(right)) => {
                // Decided by length where that is possible, without the stack that `compare` may allocate.
                if left.len != right.len || left.len == 0 {
                    return Ok(left.len == right.len);
                }
                Ok(self.compare(a, b, fuel)?.is_eq())
            }
            _ => Ok(false),
        }
    }

    /// Compares two values in the order of elements in sets: by type, then by value. Containers are compared
    /// element by element. Containers in progress are kept on an explicit stack, since input decides how deeply
    /// they nest.
    pub(crate) fn compare(&self, a: Term, b: Term, fuel: &mut Fuel) -> Result<Ordering, Stop> {
        /// The price of entering nested containers.
        const ENTER: u64 = 2;
        let mut around: Vec<(Span, Span, usize)> = Vec::new();
        let (mut left, mut right) = match self.shallow(a, b, fuel)? {
            Shallow::Order(order) => return Ok(order),
            Shallow::Inside(left, right) => (left, right),
        };
        fuel.take(1)?;
        let mut at = 0usize;
        loop {
            match (self.elements(left).get(at), self.elements(right).get(at)) {
                (Some(a), Some(b)) => {
                    fuel.take(1)?;
                    at = at.saturating_add(1);
                    match self.shallow(*a, *b, fuel)? {
                        Shallow::Order(Ordering::Equal) => {}
                        Shallow::Order(order) => return Ok(order),
                        Shallow::Inside(inner_left, inner_right) => {
                            fuel.take(ENTER)?;
                            around.push((left, right, at));
                            (left, right, at) = (inner_left, inner_right, 0);
                        }
                    }
                }
                // Equal so far: continue in the containers around these.
                (None, None) => match around.pop() {
                    Some(outer) => (left, right, at) = outer,
                    None => return Ok(Ordering::Equal),
                },
                (None, Some(_)) => return Ok(Ordering::Less),
                (Some(_), None) => return Ok(Ordering::Greater),
            }
        }
    }

    /// Hashes a row; equal rows have equal hashes. The hash only decides where to look for a row, so it need
    /// not resist collisions: rows with the same hash are compared, and each comparison is charged.
    pub(crate) fn hash(&self, terms: &[Term], fuel: &mut Fuel) -> Result<u64, Stop> {
        let mut hash = Fnv(0xcbf2_9ce4_8422_2325);
        let mut waiting: Vec<(Span, usize)> = Vec::new();
        for term in terms {
            let mut term = Some(*term);
            while let Some(next) = term {
                fuel.take(1)?;
                // The type is hashed too, since values of different types are never equal.
                hash.add(&[next.rank()]);
                match next {
                    Term::Integer(value) => hash.add(&value.to_le_bytes()),
                    Term::Date(value) => hash.add(&value.to_le_bytes()),
                    Term::Bool(value) => hash.add(&[u8::from(value)]),
                    Term::Null => {}
                    Term::Str(span) => {
                        fuel.each_byte(span.len as usize)?;
                        hash.add(self.utf8(span));
                    }
                    Term::Bytes(span) => {
                        fuel.each_byte(span.len as usize)?;
                        hash.add(self.bytes(span));
                    }
                    Term::Set(span) | Term::Array(span) | Term::Map(span) => {
                        fuel.take(1)?;
                        waiting.push((span, 0));
                    }
                }
                term = None;
                while let Some((span, at)) = waiting.last_mut() {
                    if let Some(inside) = self.elements(*span).get(*at) {
                        *at = at.saturating_add(1);
                        term = Some(*inside);
                        break;
                    }
                    waiting.pop();
                }
            }
        }
        Ok(hash.0)
    }

    fn shallow(&self, a: Term, b: Term, fuel: &mut Fuel) -> Result<Shallow, Stop> {
        Ok(Shallow::Order(match (a, b) {
            (Term::Integer(a), Term::Integer(b)) => a.cmp(&b),
            (Term::Date(a), Term::Date(b)) => a.cmp(&b),
            (Term::Bool(a), Term::Bool(b)) => a.cmp(&b),
            // The same span is the same text, at no charge.
            (Term::Str(a), Term::Str(b)) if a == b => Ordering::Equal,
            (Term::Str(a), Term::Str(b)) => {
                fuel.compared(a.len.min(b.len) as usize)?;
                self.utf8(a).cmp(self.utf8(b))
            }
            (Term::Bytes(a), Term::Bytes(b)) => {
                fuel.compared(a.len.min(b.len) as usize)?;
                self.bytes(a).cmp(self.bytes(b))
            }
            (Term::Set(a), Term::Set(b))
            | (Term::Array(a), Term::Array(b))
            | (Term::Map(a), Term::Map(b)) => match a == b {
                true => Ordering::Equal,
                false => return Ok(Shallow::Inside(a, b)),
            },
            _ => a.rank().cmp(&b.rank()),
        }))
    }
}

/// The hash function FNV-1a.
struct Fnv(u64);

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

enum Shallow {
    Order(Ordering),
    Inside(Span, Span),
}

impl Term {
    /// The name of the term's type.
    pub(crate) fn type_name(self) -> &'static str {
        match self {
            Term::Integer(_) => "integer",
            Term::Str(_) => "string",
            Term::Date(_) => "date",
            Term::Bytes(_) => "bytes",
            Term::Bool(_) => "bool",
            Term::Set(_) => "set",
            Term::Null => "null",
            Term::Array(_) => "array",
            Term::Map(_) => "map",
        }
    }

    /// The rank of the term's type in the order of values. Decoded terms have the same ranks, so their sets
    /// arrive sorted.
    #[inline]
    pub(crate) fn rank(self) -> u8 {
        match self {
            Term::Integer(_) => 0,
            Term::Str(_) => 1,
            Term::Date(_) => 2,
            Term::Bytes(_) => 3,
            Term::Bool(_) => 4,
            Term::Set(_) => 5,
            Term::Null => 6,
            Term::Array(_) => 7,
            Term::Map(_) => 8,
        }
    }
}
