//! Operations in postfix order -> instructions, their stack and variables checked.

use biscuit_auth::builder::{self, Op};

use super::{Compiled, Compiler, body::Slots, number};
use crate::engine::{
    error::Fault,
    program::{Binary, Instruction, Parameter, Unary},
};

/// What lies on the stack, as far as it is known beforehand.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    Value,
    Closure,
}

/// An expression, or the body of a closure in it.
struct Level<'q> {
    ops: std::slice::Iter<'q, Op>,
    stack: Vec<Shape>,
    params: &'q [String],
    /// Where the instruction stands that lays the closure on the stack.
    opened: usize,
}

impl Compiler {
    /// Closures wait on a stack of their own: input decides how deep they lie in one another.
    pub(super) fn expression<'q>(&mut self, ops: &'q [Op], slots: &mut Slots<'q>) -> Compiled<()> {
        let mut outer: Vec<Level<'q>> = Vec::new();
        let mut level = Level {
            ops: ops.iter(),
            stack: Vec::new(),
            params: &[],
            opened: 0,
        };
        loop {
            match level.ops.next() {
                Some(Op::Closure(params, body)) => {
                    let opened = self.code.len();
                    let parameter = open(params, slots)?;
                    self.code.push(Instruction::Closure {
                        length: 0,
                        parameter,
                    });
                    let inner = Level {
                        ops: body.iter(),
                        stack: Vec::new(),
                        params,
                        opened,
                    };
                    outer.push(std::mem::replace(&mut level, inner));
                }
                Some(op) => self.operation(op, slots, &mut level.stack)?,
                None => {
                    if level.stack != [Shape::Value] {
                        return Err(Fault::Stack.into());
                    }
                    let Some(next) = outer.pop() else {
                        return Ok(());
                    };
                    self.close(&level, slots)?;
                    level = next;
                    level.stack.push(Shape::Closure);
                }
            }
        }
    }

    fn close(&mut self, level: &Level<'_>, slots: &mut Slots<'_>) -> Compiled<()> {
        let body = self.code.len().saturating_sub(level.opened);
        let so_long = number(body.saturating_sub(1))?;
        if let Some(Instruction::Closure { length, .. }) = self.code.get_mut(level.opened) {
            *length = so_long;
        }
        for param in level.params {
            slots.known.remove(param.as_str());
        }
        Ok(())
    }

    fn operation(&mut self, op: &Op, slots: &Slots<'_>, stack: &mut Vec<Shape>) -> Compiled<()> {
        let instruction = match op {
            Op::Value(builder::Term::Variable(name)) => {
                stack.push(Shape::Value);
                let slot = slots.known.get(name.as_str());
                Instruction::Slot(*slot.ok_or_else(|| Fault::UnboundVariable(name.clone()))?)
            }
            Op::Value(term) => {
                stack.push(Shape::Value);
                Instruction::Value(self.value(term)?)
            }
            Op::Unary(unary) => {
                if stack.last() != Some(&Shape::Value) {
                    return Err(Fault::Stack.into());
                }
                Instruction::Unary(self.unary(unary)?)
            }
            Op::Binary(binary) => {
                match (stack.pop(), stack.pop()) {
                    (Some(Shape::Value), Some(_)) | (Some(_), Some(Shape::Value)) => {}
                    _ => return Err(Fault::Stack.into()),
                }
                stack.push(Shape::Value);
                Instruction::Binary(self.binary(binary)?)
            }
            // Opened by the caller.
            Op::Closure(..) => return Err(Fault::Stack.into()),
        };
        self.code.push(instruction);
        Ok(())
    }

    fn unary(&mut self, unary: &builder::Unary) -> Compiled<Unary> {
        Ok(match unary {
            builder::Unary::Negate => Unary::Negate,
            builder::Unary::Parens => Unary::Parens,
            builder::Unary::Length => Unary::Length,
            builder::Unary::TypeOf => Unary::TypeOf,
            builder::Unary::Ffi(name) => Unary::Extern(self.external(name)?),
        })
    }

    fn binary(&mut self, binary: &builder::Binary) -> Compiled<Binary> {
        Ok(match binary {
            builder::Binary::LessThan => Binary::LessThan,
            builder::Binary::GreaterThan => Binary::GreaterThan,
            builder::Binary::LessOrEqual => Binary::LessOrEqual,
            builder::Binary::GreaterOrEqual => Binary::GreaterOrEqual,
            builder::Binary::Equal => Binary::Equal,
            builder::Binary::Contains => Binary::Contains,
            builder::Binary::Prefix => Binary::Prefix,
            builder::Binary::Suffix => Binary::Suffix,
            builder::Binary::Regex => Binary::Regex,
            builder::Binary::Add => Binary::Add,
            builder::Binary::Sub => Binary::Sub,
            builder::Binary::Mul => Binary::Mul,
            builder::Binary::Div => Binary::Div,
            builder::Binary::And => Binary::And,
            builder::Binary::Or => Binary::Or,
            builder::Binary::Intersection => Binary::Intersection,
            builder::Binary::Union => Binary::Union,
            builder::Binary::BitwiseAnd => Binary::BitwiseAnd,
            builder::Binary::BitwiseOr => Binary::BitwiseOr,
            builder::Binary::BitwiseXor => Binary::BitwiseXor,
            builder::Binary::NotEqual => Binary::NotEqual,
            builder::Binary::HeterogeneousEqual => Binary::SameValue,
            builder::Binary::HeterogeneousNotEqual => Binary::NotSameValue,
            builder::Binary::LazyAnd => Binary::LazyAnd,
            builder::Binary::LazyOr => Binary::LazyOr,
            builder::Binary::All => Binary::All,
            builder::Binary::Any => Binary::Any,
            builder::Binary::Get => Binary::Get,
            builder::Binary::TryOr => Binary::TryOr,
            builder::Binary::Ffi(name) => Binary::Extern(self.external(name)?),
        })
    }

    fn external(&mut self, name: &str) -> Compiled<u32> {
        let index = number(self.externs.len())?;
        self.externs.push(name.to_owned());
        Ok(index)
    }
}

/// Binds the parameters of a closure for its body.
fn open<'q>(params: &'q [String], slots: &mut Slots<'q>) -> Compiled<Parameter> {
    let mut parameter = Parameter::None;
    for param in params {
        if slots.known.contains_key(param.as_str()) {
            return Err(Fault::ShadowedVariable(param.clone()).into());
        }
        let slot = slots.add(param)?;
        parameter = match parameter {
            Parameter::None => Parameter::One(slot),
            _ => Parameter::Many,
        };
    }
    Ok(parameter)
}
