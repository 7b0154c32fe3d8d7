//! The steps of expressions.

use super::{
    super::code::{Binary, Op, Span, Symbol, Unary, since},
    Decoder,
    table::{Read, Refused, Table, one_of},
};
use crate::wire::{Field, Fields, Malformed, once};

// Recursion is bounded by `depth`, which each message lowers.
impl Decoder {
    /// The steps of an expression, those of closures in their place.
    pub(super) fn ops(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            if number != 1 {
                return Err(Refused::Protobuf);
            }
            self.op(field.bytes()?, table, inner)?;
        }
        Ok(())
    }

    fn op(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let (number, field) = one_of(bytes, Refused::EmptyOperation)?;
        let bytes = field.bytes()?;
        self.code.resolved = self.code.resolved.saturating_add(1);
        let op = match number {
            1 => Op::Value(self.term(bytes, table, inner)?),
            2 => Op::Unary(self.unary(bytes, table)?),
            3 => Op::Binary(self.binary(bytes, table)?),
            4 => return self.closure(bytes, table, inner),
            _ => return Err(Refused::Protobuf),
        };
        self.code.ops.push(op);
        Ok(())
    }

    fn closure(&mut self, bytes: &[u8], table: &Table<'_>, depth: u32) -> Read<()> {
        let inner = depth.checked_sub(1).ok_or(Refused::Protobuf)?;
        let closure = self.code.ops.len();
        let mut params = Vec::new();
        self.code.ops.push(Op::Closure {
            params: Span::default(),
            length: 0,
        });
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match (number, field) {
                (1, Field::Number(_)) => {
                    let name = u64::from(field.number32()?);
                    params.push(self.symbol(name, table)?);
                }
                // Written in one piece, as protobuf allows.
                (1, Field::Bytes(packed)) => {
                    let mut packed = Fields(packed);
                    while !packed.0.is_empty() {
                        let name = u32::try_from(packed.number()?).map_err(|_| Malformed)?;
                        params.push(self.symbol(u64::from(name), table)?);
                    }
                }
                (2, Field::Bytes(op)) => self.op(op, table, inner)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        let start = self.code.params.len();
        self.code.params.extend(params);
        let params = since(&self.code.params, start);
        let body = self
            .code
            .ops
            .len()
            .saturating_sub(closure)
            .saturating_sub(1);
        if let Some(op) = self.code.ops.get_mut(closure) {
            *op = Op::Closure {
                params,
                length: body as u32,
            };
        }
        Ok(())
    }

    /// The kind of an operation, and the external function that it names.
    fn operation(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<(u64, Option<Symbol>)> {
        let (mut kind, mut name) = (None, None);
        let mut fields = Fields(bytes);
        while let Some((number, field)) = fields.next()? {
            match number {
                1 => once(&mut kind, field.number()?)?,
                2 => once(&mut name, self.symbol(field.number()?, table)?)?,
                _ => return Err(Refused::Protobuf),
            }
        }
        Ok((kind.ok_or(Refused::Protobuf)?, name))
    }

    fn unary(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Unary> {
        Ok(match self.operation(bytes, table)? {
            (0, None) => Unary::Negate,
            (1, None) => Unary::Parens,
            (2, None) => Unary::Length,
            (3, None) => Unary::TypeOf,
            (4, Some(name)) => Unary::Ffi(name),
            (0..=4, _) => return Err(Refused::MisnamedFunction),
            _ => return Err(Refused::UnknownOperation),
        })
    }

    fn binary(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Binary> {
        match self.operation(bytes, table)? {
            (28, Some(name)) => Ok(Binary::Ffi(name)),
            (28, None) => Err(Refused::MisnamedFunction),
            (kind, name) => {
                let index = usize::try_from(kind).map_err(|_| Refused::UnknownOperation)?;
                let known = BINARY
                    .get(index)
                    .copied()
                    .flatten()
                    .ok_or(Refused::UnknownOperation)?;
                match name {
                    None => Ok(known),
                    Some(_) => Err(Refused::MisnamedFunction),
                }
            }
        }
    }
}

/// By their numbers in the schema; the one that is missing calls external functions.
const BINARY: [Option<Binary>; 30] = [
    Some(Binary::LessThan),
    Some(Binary::GreaterThan),
    Some(Binary::LessOrEqual),
    Some(Binary::GreaterOrEqual),
    Some(Binary::Equal),
    Some(Binary::Contains),
    Some(Binary::Prefix),
    Some(Binary::Suffix),
    Some(Binary::Regex),
    Some(Binary::Add),
    Some(Binary::Sub),
    Some(Binary::Mul),
    Some(Binary::Div),
    Some(Binary::And),
    Some(Binary::Or),
    Some(Binary::Intersection),
    Some(Binary::Union),
    Some(Binary::BitwiseAnd),
    Some(Binary::BitwiseOr),
    Some(Binary::BitwiseXor),
    Some(Binary::NotEqual),
    Some(Binary::HeterogeneousEqual),
    Some(Binary::HeterogeneousNotEqual),
    Some(Binary::LazyAnd),
    Some(Binary::LazyOr),
    Some(Binary::All),
    Some(Binary::Any),
    Some(Binary::Get),
    None,
    Some(Binary::TryOr),
];
