//! The evaluator of expressions. Values are kept on one stack, and calls of closures on another.

use super::{
    error::Error,
    fuel::{Fuel, Stop},
    operators::Operators,
    program::{Binary, Code, Instruction, Parameter},
    term::{Span, Term},
};

/// State of evaluating one expression. The next expression reuses its vectors.
#[derive(Debug, Default)]
pub(super) struct Machine {
    stack: Vec<Operand>,
    calls: Vec<Call>,
    at: u32,
    end: u32,
}

#[derive(Debug, Clone, Copy)]
enum Operand {
    Value(Term),
    /// A closure that has not been called yet: its body, and the variable that it binds.
    Closure(Code, Parameter),
}

/// A closure in progress, and the position at which its caller continues.
#[derive(Debug, Clone, Copy)]
struct Call {
    kind: Kind,
    body: Code,
    at: u32,
    end: u32,
    stack: usize,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    /// The right side of `&&` or `||`.
    Lazy,
    /// `try_or`, with the value that it returns if its closure fails.
    Try(Term),
    /// `all` and `any`: the elements, the index of the next one, the slot of the parameter, and the answer
    /// that ends the loop early.
    Each {
        over: Over,
        next: u32,
        slot: u16,
        ends: bool,
    },
}

#[derive(Debug, Clone, Copy)]
enum Over {
    Elements(Span),
    Entries(Span),
}

/// The price of an error that `try_or` may catch: it is allocated and dropped.
const ERROR: u64 = 4;

/// Memory of the stacks for each instruction of an expression, in bytes.
pub(super) const STEP_BYTES: usize = size_of::<Operand>();

impl Machine {
    /// Approximate size in bytes.
    pub(super) fn size(&self) -> usize {
        let calls = self.calls.capacity().saturating_mul(size_of::<Call>());
        let stack = self.stack.capacity().saturating_mul(STEP_BYTES);
        stack.saturating_add(calls)
    }

    /// Evaluates one expression; `slots` are the variables that are bound.
    pub(super) fn evaluate(
        &mut self,
        code: Code,
        slots: &mut [Term],
        operators: &mut Operators<'_, '_>,
        fuel: &mut Fuel,
    ) -> Result<Term, Stop> {
        // An expression before this one may have ended in an error and left operands behind.
        self.stack.clear();
        self.calls.clear();
        (self.at, self.end) = (code.start, code.end);
        loop {
            let step = match self.at < self.end {
                true => self.step(slots, operators, fuel).map(|()| None),
                false => self.leave(slots, operators, fuel),
            };
            match step {
                Ok(None) => {}
                Ok(Some(term)) => return Ok(term),
                // Only an error can be caught. A token that could catch the end of its fuel would run on.
                Err(Stop::Error(error)) => {
                    fuel.take(ERROR)?;
                    self.catch(error)?;
                }
                Err(stop) => return Err(stop),
            }
        }
    }

    #[inline]
    fn step(
        &mut self,
        slots: &[Term],
        operators: &mut Operators<'_, '_>,
        fuel: &mut Fuel,
    ) -> Result<(), Stop> {
        // Charged before the work, so that the instruction that exceeds the budget is never executed.
        fuel.take(1)?;
        let instruction = operators.program.code.get(self.at as usize).copied();
        self.at = self.at.saturating_add(1);
        match instruction.ok_or_else(|| Stop::from(Error::InvalidType))? {
            Instruction::Value(constant) => {
                let term = operators.program.constant(constant);
                self.stack.push(Operand::Value(term));
            }
            Instruction::Slot(slot) => {
                let term = slots.get(usize::from(slot)).copied();
                let term = term.ok_or_else(|| Stop::from(Error::InvalidType))?;
                self.stack.push(Operand::Value(term));
            }
            Instruction::Closure { length, parameter } => {
                let body = Code {
                    start: self.at,
                    end: self.at.saturating_add(u32::from(length)),
                };
                self.stack.push(Operand::Closure(body, parameter));
                self.at = body.end;
            }
            Instruction::Unary(unary) => {
                let Some(Operand::Value(value)) = self.stack.pop() else {
                    return Err(Error::InvalidType.into());
                };
                let value = operators.unary(unary, value, fuel)?;
                self.stack.push(Operand::Value(value));
            }
            Instruction::Binary(binary) => {
                // Operands are in postfix order, so the right one is on top.
                let (right, left) = (self.stack.pop(), self.stack.pop());
                match (left, right) {
                    (Some(Operand::Value(left)), Some(Operand::Value(right))) => {
                        let value = operators.binary(binary, left, right, fuel)?;
                        self.stack.push(Operand::Value(value));
                    }
                    (Some(Operand::Value(value)), Some(Operand::Closure(body, parameter)))
                    | (Some(Operand::Closure(body, parameter)), Some(Operand::Value(value))) => {
                        self.call(binary, value, body, parameter)?;
                    }
                    _ => return Err(Error::InvalidType.into()),
                }
            }
        }
        Ok(())
    }

    /// Calls a closure, or pushes the result if the left operand alone decides it.
    fn call(
        &mut self,
        binary: Binary,
        value: Term,
        body: Code,
        parameter: Parameter,
    ) -> Result<(), Stop> {
        let kind = match (binary, value, parameter) {
            (Binary::LazyAnd, Term::Bool(false), Parameter::None)
            | (Binary::LazyOr, Term::Bool(true), Parameter::None) => {
                self.stack.push(Operand::Value(value));
                return Ok(());
            }
            (Binary::LazyAnd, Term::Bool(true), Parameter::None)
            | (Binary::LazyOr, Term::Bool(false), Parameter::None) => Kind::Lazy,
            (Binary::TryOr, fallback, Parameter::None) => Kind::Try(fallback),
            (Binary::All | Binary::Any, container, Parameter::One(slot)) => {
                let over = match container {
                    Term::Set(span) | Term::Array(span) => Over::Elements(span),
                    Term::Map(span) => Over::Entries(span),
                    _ => return Err(Error::InvalidType.into()),
                };
                Kind::Each {
                    over,
                    next: 0,
                    slot,
                    ends: binary == Binary::Any,
                }
            }
            _ => return Err(Error::InvalidType.into()),
        };
        // The stack of calls is explicit, since input decides how deeply closures nest.
        self.calls.push(Call {
            kind,
            body,
            at: self.at,
            end: self.end,
            stack: self.stack.len(),
        });
        match kind {
            // Starts at the end of the body, where `leave` looks for the first element.
            Kind::Each { .. } => (self.at, self.end) = (body.end, body.end),
            _ => (self.at, self.end) = (body.start, body.end),
        }
        Ok(())
    }

    /// Handles the end of the expression, or of a closure's body. Returns the result of the expression if this
    /// was its end.
    fn leave(
        &mut self,
        slots: &mut [Term],
        operators: &mut Operators<'_, '_>,
        fuel: &mut Fuel,
    ) -> Result<Option<Term>, Stop> {
        // Charged as well, since every round of `all` and `any` passes here.
        fuel.take(1)?;
        let Some(call) = self.calls.last_mut() else {
            return match self.stack.pop() {
                Some(Operand::Value(term)) => Ok(Some(term)),
                _ => Err(Error::InvalidType.into()),
            };
        };
        let result = match self.stack.len() > call.stack {
            true => match self.stack.pop() {
                Some(Operand::Value(term)) => Some(term),
                _ => return Err(Error::InvalidType.into()),
            },
            // The first round of `all` or `any`, before any element.
            false => None,
        };
        let answer = match (&mut call.kind, result) {
            (Kind::Try(_), Some(term)) => term,
            (Kind::Lazy, Some(Term::Bool(value))) => Term::Bool(value),
            (Kind::Each { ends, .. }, Some(Term::Bool(value))) if value == *ends => {
                Term::Bool(*ends)
            }
            (
                Kind::Each {
                    over,
                    next,
                    slot,
                    ends,
                },
                None | Some(Term::Bool(_)),
            ) => match operators.element(*over, *next, fuel)? {
                Some(element) => {
                    *next = next.saturating_add(1);
                    if let Some(slot) = slots.get_mut(usize::from(*slot)) {
                        *slot = element;
                    }
                    (self.at, self.end) = (call.body.start, call.body.end);
                    return Ok(None);
                }
                None => Term::Bool(!*ends),
            },
            // A body that yields no boolean is an error, as an operand of the wrong type is elsewhere.
            _ => return Err(Error::InvalidType.into()),
        };
        self.answer(answer);
        Ok(None)
    }

    /// Continues after the innermost closure, with its result on the stack.
    fn answer(&mut self, answer: Term) {
        if let Some(call) = self.calls.pop() {
            (self.at, self.end) = (call.at, call.end);
            self.stack.truncate(call.stack);
            self.stack.push(Operand::Value(answer));
        }
    }

    /// Continues after the innermost `try_or`, or returns the error if there is none.
    fn catch(&mut self, error: Box<Error>) -> Result<(), Stop> {
        while let Some(call) = self.calls.last() {
            if let Kind::Try(fallback) = call.kind {
                self.answer(fallback);
                return Ok(());
            }
            // Closures inside the `try_or` end with it.
            self.calls.pop();
        }
        Err(Stop::Error(error))
    }
}

impl Operators<'_, '_> {
    /// Returns an element of a set or array, or an entry of a map as an array of key and value.
    fn element(&mut self, over: Over, index: u32, fuel: &mut Fuel) -> Result<Option<Term>, Stop> {
        match over {
            Over::Elements(span) => Ok(self.values.elements(span).get(index as usize).copied()),
            Over::Entries(span) => {
                let at = (index as usize).saturating_mul(2);
                let entry = self.values.elements(span).get(at..at.saturating_add(2));
                let Some(&[key, value]) = entry else {
                    return Ok(None);
                };
                let pair = self.values.add_elements(&[key, value], fuel)?;
                Ok(Some(Term::Array(pair)))
            }
        }
    }
}
