//! The operations of expressions. They are strict about types, and their cost in fuel depends on the size of
//! their operands.

use std::{cmp::Ordering, collections::BTreeMap, fmt, sync::Arc};

use super::{
    edge::{self, Refused},
    error::Error,
    fuel::{Fuel, Stop},
    program::{Binary, Program, Unary},
    regex::Regexes,
    search,
    term::{STRING, Span, Term, Values},
};
use crate::datalog;

/// A function of the host. It takes one or two operands, and returns a value or an error message.
pub type Extern = Arc<
    dyn Fn(datalog::Term, Option<datalog::Term>) -> Result<datalog::Term, String> + Send + Sync,
>;

/// The functions that Datalog may call, by name. The host must bound their cost, because the budget does not.
#[derive(Clone, Default)]
pub struct Externs(BTreeMap<String, Extern>);

impl Externs {
    /// Adds a function.
    #[must_use]
    pub fn with(mut self, name: &str, function: Extern) -> Externs {
        self.0.insert(name.to_owned(), function);
        self
    }
}

impl fmt::Debug for Externs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// The data that operations work on.
pub(super) struct Operators<'p, 'v> {
    pub(super) program: &'p Program,
    pub(super) values: &'v mut Values<'p>,
    pub(super) externs: &'v Externs,
    pub(super) regexes: &'v mut Regexes,
}

type Answer = Result<Term, Stop>;

fn invalid() -> Answer {
    Err(Error::InvalidType.into())
}

fn integer(value: Option<i64>) -> Answer {
    value
        .map(Term::Integer)
        .ok_or_else(|| Error::Overflow.into())
}

impl Operators<'_, '_> {
    pub(super) fn unary(&mut self, unary: Unary, value: Term, fuel: &mut Fuel) -> Answer {
        Ok(match (unary, value) {
            (Unary::Parens, value) => value,
            (Unary::Negate, Term::Bool(value)) => Term::Bool(!value),
            (
                Unary::Length,
                Term::Str(span) | Term::Bytes(span) | Term::Set(span) | Term::Array(span),
            ) => Term::Integer(i64::from(span.len)),
            (Unary::Length, Term::Map(span)) => Term::Integer(i64::from(span.len / 2)),
            (Unary::TypeOf, value) => {
                fuel.take(STRING)?;
                Term::Str(self.values.add_text(value.type_name(), fuel)?)
            }
            (Unary::Extern(name), value) => return self.external(name, value, None, fuel),
            (Unary::Negate | Unary::Length, _) => return invalid(),
        })
    }

    #[inline]
    pub(super) fn binary(
        &mut self,
        binary: Binary,
        left: Term,
        right: Term,
        fuel: &mut Fuel,
    ) -> Answer {
        use Binary as B;
        match binary {
            B::LessThan | B::GreaterThan | B::LessOrEqual | B::GreaterOrEqual => {
                let order = match (left, right) {
                    (Term::Integer(left), Term::Integer(right)) => left.cmp(&right),
                    (Term::Date(left), Term::Date(right)) => left.cmp(&right),
                    _ => return invalid(),
                };
                Ok(Term::Bool(match binary {
                    B::LessThan => order.is_lt(),
                    B::GreaterThan => order.is_gt(),
                    B::LessOrEqual => order.is_le(),
                    _ => order.is_ge(),
                }))
            }
            // Strict equality refuses values of different types; the lenient one calls them unequal.
            B::Equal | B::NotEqual if left.rank() != right.rank() => invalid(),
            B::Equal | B::SameValue => Ok(Term::Bool(self.values.equal(left, right, fuel)?)),
            B::NotEqual | B::NotSameValue => Ok(Term::Bool(!self.values.equal(left, right, fuel)?)),
            B::Contains => self.contains(left, right, fuel),
            B::Prefix | B::Suffix => self.begins_or_ends(binary, left, right, fuel),
            B::Regex => match (left, right) {
                (Term::Str(text), Term::Str(pattern)) => {
                    let (text, pattern) = (self.values.text(text), self.values.text(pattern));
                    let matches =
                        self.program
                            .patterns
                            .matches(text, pattern, self.regexes, fuel)?;
                    Ok(Term::Bool(matches))
                }
                _ => invalid(),
            },
            B::And | B::Or => match (left, right) {
                (Term::Bool(left), Term::Bool(right)) => Ok(Term::Bool(match binary {
                    // No short circuit: both operands have been evaluated.
                    B::And => left & right,
                    _ => left | right,
                })),
                _ => invalid(),
            },
            B::Union | B::Intersection => match (left, right) {
                (Term::Set(left), Term::Set(right)) => self.merge(binary, left, right, fuel),
                _ => invalid(),
            },
            B::Get => self.get(left, right, fuel),
            B::Extern(name) => self.external(name, left, Some(right), fuel),
            // These take a closure, and here both operands are values.
            B::LazyAnd | B::LazyOr | B::All | B::Any | B::TryOr => invalid(),
            B::Add | B::Sub | B::Mul | B::Div | B::BitwiseAnd | B::BitwiseOr | B::BitwiseXor => {
                self.arithmetic(binary, left, right, fuel)
            }
        }
    }

    fn arithmetic(&mut self, binary: Binary, left: Term, right: Term, fuel: &mut Fuel) -> Answer {
        use Binary as B;
        match (binary, left, right) {
            (B::Add, Term::Str(left), Term::Str(right)) => {
                Ok(Term::Str(self.values.join(left, right, fuel)?))
            }
            (_, Term::Integer(left), Term::Integer(right)) => match binary {
                B::Add => integer(left.checked_add(right)),
                B::Sub => integer(left.checked_sub(right)),
                B::Mul => integer(left.checked_mul(right)),
                B::Div if right == 0 => Err(Error::DivideByZero.into()),
                B::Div => {
                    // Division takes dozens of cycles on older processors.
                    fuel.take(1)?;
                    // `None` for `i64::MIN / -1`.
                    integer(left.checked_div(right))
                }
                B::BitwiseAnd => Ok(Term::Integer(left & right)),
                B::BitwiseOr => Ok(Term::Integer(left | right)),
                B::BitwiseXor => Ok(Term::Integer(left ^ right)),
                _ => invalid(),
            },
            _ => invalid(),
        }
    }

    fn contains(&mut self, left: Term, right: Term, fuel: &mut Fuel) -> Answer {
        Ok(Term::Bool(match (left, right) {
            (Term::Str(text), Term::Str(part)) => {
                search::contains(self.values.utf8(text), self.values.utf8(part), fuel)?
            }
            (Term::Set(set), Term::Set(part)) => self.superset(set, part, fuel)?,
            // The specification allows any element, including null.
            (Term::Set(items) | Term::Array(items), element) => {
                self.listed(items, 1, element, fuel)?
            }
            (Term::Map(entries), key) => self.listed(entries, 2, key, fuel)?,
            _ => return invalid(),
        }))
    }

    /// Returns true if `wanted` is among every `step`th element, starting with the first. A step of 2 visits
    /// the keys of a map.
    fn listed(
        &self,
        items: Span,
        step: usize,
        wanted: Term,
        fuel: &mut Fuel,
    ) -> Result<bool, Stop> {
        for item in self.values.elements(items).iter().step_by(step) {
            fuel.take(1)?;
            if self.values.equal(*item, wanted, fuel)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    fn superset(&self, set: Span, part: Span, fuel: &mut Fuel) -> Result<bool, Stop> {
        // Both are sorted, so one pass over them is enough.
        let mut items = self.values.elements(set).iter();
        for wanted in self.values.elements(part) {
            loop {
                let Some(item) = items.next() else {
                    return Ok(false);
                };
                fuel.take(1)?;
                match self.values.compare(*item, *wanted, fuel)? {
                    Ordering::Less => {}
                    Ordering::Equal => break,
                    Ordering::Greater => return Ok(false),
                }
            }
        }
        Ok(true)
    }

    /// The union or intersection of two sets. Both are sorted, and so is the result.
    fn merge(&mut self, binary: Binary, left: Span, right: Span, fuel: &mut Fuel) -> Answer {
        let union = binary == Binary::Union;
        let begun = self.values.mark();
        let (mut at_left, mut at_right) = (0usize, 0usize);
        loop {
            fuel.take(2)?;
            let a = self.values.elements(left).get(at_left).copied();
            let b = self.values.elements(right).get(at_right).copied();
            let (order, item) = match (a, b) {
                (Some(a), Some(b)) => match self.values.compare(a, b, fuel)? {
                    Ordering::Greater => (Ordering::Greater, b),
                    order => (order, a),
                },
                (Some(a), None) => (Ordering::Less, a),
                (None, Some(b)) => (Ordering::Greater, b),
                (None, None) => break,
            };
            if union || order.is_eq() {
                self.values.add_element(item, fuel)?;
            }
            at_left = at_left.saturating_add(usize::from(order.is_le()));
            at_right = at_right.saturating_add(usize::from(order.is_ge()));
        }
        Ok(Term::Set(self.values.elements_since(begun)?))
    }

    fn begins_or_ends(&self, binary: Binary, left: Term, right: Term, fuel: &mut Fuel) -> Answer {
        let prefix = binary == Binary::Prefix;
        Ok(Term::Bool(match (left, right) {
            (Term::Str(text), Term::Str(part)) => {
                fuel.compared(part.len as usize)?;
                let (text, part) = (self.values.utf8(text), self.values.utf8(part));
                match prefix {
                    true => text.starts_with(part),
                    false => text.ends_with(part),
                }
            }
            (Term::Array(items), Term::Array(part)) => {
                let (items, part) = (self.values.elements(items), self.values.elements(part));
                let Some(rest) = items.len().checked_sub(part.len()) else {
                    return Ok(Term::Bool(false));
                };
                let skipped = if prefix { 0 } else { rest };
                let mut equal = true;
                for (item, wanted) in items.iter().skip(skipped).zip(part) {
                    fuel.take(1)?;
                    if !self.values.equal(*item, *wanted, fuel)? {
                        equal = false;
                        break;
                    }
                }
                equal
            }
            _ => return invalid(),
        }))
    }

    fn get(&self, left: Term, right: Term, fuel: &mut Fuel) -> Answer {
        match (left, right) {
            (Term::Array(items), Term::Integer(index)) => {
                let index = usize::try_from(index).ok();
                let item = index.and_then(|index| self.values.elements(items).get(index));
                Ok(item.copied().unwrap_or(Term::Null))
            }
            (Term::Map(entries), Term::Integer(_) | Term::Str(_)) => {
                for entry in self.values.elements(entries).chunks_exact(2) {
                    fuel.take(1)?;
                    if let [key, value] = entry
                        && self.values.equal(*key, right, fuel)?
                    {
                        return Ok(*value);
                    }
                }
                Ok(Term::Null)
            }
            _ => invalid(),
        }
    }

    fn external(&mut self, name: u16, left: Term, right: Option<Term>, fuel: &mut Fuel) -> Answer {
        /// The price of a call, in addition to the terms passed in and out.
        const CALL: u64 = 50;
        fuel.take(CALL)?;
        let name = self.program.externs.get(usize::from(name));
        let name = name.map(String::as_str).unwrap_or_default();
        // An error would contain a copy of the name.
        fuel.bytes(name.len())?;
        let function = (self.externs.0.get(name))
            .ok_or_else(|| Error::UndefinedExtern(name.to_owned()))?
            .clone();
        // The copies are held while the function runs.
        let mut copies = 0usize;
        for term in std::iter::once(left).chain(right) {
            copies = copies.saturating_add(edge::charge(self.values, term, fuel)?);
        }
        fuel.hold(copies)?;
        let left = edge::export(self.values, left);
        let right = right.map(|right| edge::export(self.values, right));
        let failed = |message: String| Error::Extern {
            name: name.to_owned(),
            message,
        };
        let answer = function(left, right);
        fuel.release(copies);
        edge::import(self.values, &answer.map_err(failed)?, fuel).map_err(|refused| match refused {
            Refused::Stop(stop) => stop,
            Refused::Fault(fault) => failed(fault.to_string()).into(),
        })
    }
}
