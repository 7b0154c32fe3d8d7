//! Compilation of operations in postfix order, with checks of the stack and of variables.

use crate::datalog::code::{self, Op, Span, Symbol, Term as Value};

use super::{Compiled, Compiler, short};
use crate::engine::{
    error::Fault,
    program::{Binary, Instruction, Parameter, Unary},
};

/// The kind of an operand on the stack, as far as it is known before evaluation.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Value,
    Closure,
}

/// A closure whose body is being compiled.
struct Level {
    params: Span,
    /// Index of the first operation after the closure's body.
    end: usize,
    /// Index of the instruction that pushes the closure on the stack.
    opened: usize,
    /// The stack height below which the surrounding expression or closure may not pop.
    floor: usize,
}

impl Compiler<'_> {
    /// Compiles an expression. Open closures are kept on an explicit stack, since input decides how deeply
    /// they nest.
    pub(super) fn expression(&mut self, ops: &[Op], slots: &mut u16) -> Compiled<()> {
        let mut open: Vec<Level> = Vec::new();
        let mut stack: Vec<Shape> = Vec::with_capacity(4);
        let mut floor = 0;
        for (at, op) in ops.iter().enumerate() {
            self.closed(at, &mut open, &mut stack, &mut floor)?;
            match op {
                Op::Closure { params, length } => {
                    let opened = self.program.code.len();
                    let parameter = self.open(*params, slots)?;
                    // The length in instructions is set when the body ends.
                    self.program.code.push(Instruction::Closure {
                        length: 0,
                        parameter,
                    });
                    open.push(Level {
                        params: *params,
                        end: at.saturating_add(*length as usize).saturating_add(1),
                        opened,
                        floor,
                    });
                    // The body may not consume operands from outside: it may run any number of times, or
                    // never.
                    floor = stack.len();
                }
                op => self.operation(op, &mut stack, floor)?,
            }
        }
        self.closed(ops.len(), &mut open, &mut stack, &mut floor)?;
        match stack.as_slice() {
            [Shape::Value] if open.is_empty() => Ok(()),
            _ => Err(Fault::Stack.into()),
        }
    }

    /// Closes the closures whose bodies end before the operation `at`.
    fn closed(
        &mut self,
        at: usize,
        open: &mut Vec<Level>,
        stack: &mut Vec<Shape>,
        floor: &mut usize,
    ) -> Compiled<()> {
        while let Some(level) = open.pop_if(|level| level.end == at) {
            if stack.get(*floor..) != Some(&[Shape::Value]) {
                return Err(Fault::Stack.into());
            }
            stack.truncate(*floor);
            stack.push(Shape::Closure);
            *floor = level.floor;
            let body = self.program.code.len().saturating_sub(level.opened);
            let so_long = short(body.saturating_sub(1))?;
            if let Some(Instruction::Closure { length, .. }) =
                self.program.code.get_mut(level.opened)
            {
                *length = so_long;
            }
            // The parameters are out of scope from here on: operations after the closure may not use them.
            for param in self.code.params(level.params) {
                self.remove_slot(*param);
            }
        }
        Ok(())
    }

    /// Binds the parameters of a closure for its body.
    fn open(&mut self, params: Span, slots: &mut u16) -> Compiled<Parameter> {
        let mut parameter = Parameter::None;
        for param in self.code.params(params) {
            // The specification forbids shadowing, which would also mislead a reader of the token.
            if self.slot(*param).is_some() {
                let name = self.code.text(*param).to_owned();
                return Err(Fault::ShadowedVariable(name).into());
            }
            let slot = self.add_slot(*param, slots)?;
            parameter = match parameter {
                Parameter::None => Parameter::One(slot),
                _ => Parameter::Many,
            };
        }
        Ok(parameter)
    }

    fn operation(&mut self, op: &Op, stack: &mut Vec<Shape>, floor: usize) -> Compiled<()> {
        let own = stack.len().saturating_sub(floor);
        let instruction = match op {
            Op::Value(Value::Variable(name)) => {
                stack.push(Shape::Value);
                let slot = self.slot(*name);
                let unbound = || Fault::UnboundVariable(self.code.text(*name).to_owned());
                Instruction::Slot(slot.ok_or_else(unbound)?)
            }
            Op::Value(term) => {
                stack.push(Shape::Value);
                Instruction::Value(self.constant(term)?)
            }
            Op::Unary(unary) => {
                if own == 0 || stack.last() != Some(&Shape::Value) {
                    return Err(Fault::Stack.into());
                }
                Instruction::Unary(self.unary(*unary)?)
            }
            Op::Binary(binary) => {
                match (stack.pop(), stack.pop()) {
                    (Some(Shape::Value), Some(_)) | (Some(_), Some(Shape::Value)) if own >= 2 => {}
                    _ => return Err(Fault::Stack.into()),
                }
                stack.push(Shape::Value);
                Instruction::Binary(self.binary(*binary)?)
            }
            // The caller opens closures.
            Op::Closure { .. } => return Err(Fault::Stack.into()),
        };
        self.program.code.push(instruction);
        Ok(())
    }

    fn unary(&mut self, unary: code::Unary) -> Compiled<Unary> {
        Ok(match unary {
            code::Unary::Negate => Unary::Negate,
            code::Unary::Parens => Unary::Parens,
            code::Unary::Length => Unary::Length,
            code::Unary::TypeOf => Unary::TypeOf,
            code::Unary::Ffi(name) => Unary::Extern(self.external(name)?),
        })
    }

    fn binary(&mut self, binary: code::Binary) -> Compiled<Binary> {
        Ok(match binary {
            code::Binary::LessThan => Binary::LessThan,
            code::Binary::GreaterThan => Binary::GreaterThan,
            code::Binary::LessOrEqual => Binary::LessOrEqual,
            code::Binary::GreaterOrEqual => Binary::GreaterOrEqual,
            code::Binary::Equal => Binary::Equal,
            code::Binary::Contains => Binary::Contains,
            code::Binary::Prefix => Binary::Prefix,
            code::Binary::Suffix => Binary::Suffix,
            code::Binary::Regex => Binary::Regex,
            code::Binary::Add => Binary::Add,
            code::Binary::Sub => Binary::Sub,
            code::Binary::Mul => Binary::Mul,
            code::Binary::Div => Binary::Div,
            code::Binary::And => Binary::And,
            code::Binary::Or => Binary::Or,
            code::Binary::Intersection => Binary::Intersection,
            code::Binary::Union => Binary::Union,
            code::Binary::BitwiseAnd => Binary::BitwiseAnd,
            code::Binary::BitwiseOr => Binary::BitwiseOr,
            code::Binary::BitwiseXor => Binary::BitwiseXor,
            code::Binary::NotEqual => Binary::NotEqual,
            code::Binary::HeterogeneousEqual => Binary::SameValue,
            code::Binary::HeterogeneousNotEqual => Binary::NotSameValue,
            code::Binary::LazyAnd => Binary::LazyAnd,
            code::Binary::LazyOr => Binary::LazyOr,
            code::Binary::All => Binary::All,
            code::Binary::Any => Binary::Any,
            code::Binary::Get => Binary::Get,
            code::Binary::TryOr => Binary::TryOr,
            code::Binary::Ffi(name) => Binary::Extern(self.external(name)?),
        })
    }

    fn external(&mut self, name: Symbol) -> Compiled<u16> {
        let index = short(self.program.externs.len())?;
        self.program.externs.push(self.code.text(name).to_owned());
        Ok(index)
    }
}
