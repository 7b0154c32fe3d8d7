//! Decodes the steps of expressions.

use super::{
    super::code::{Binary, Op, Span, Symbol, Unary, since},
    Decoder,
    table::{Read, Refused, Table, one_of},
    version::Feature,
};
use crate::protobuf::{Field, Fields, Malformed, once};

// `depth` bounds the recursion: each nested message lowers it.
impl Decoder {
    /// Reads the steps of an expression, including those of its closures.
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
        // Each step counts as one byte, so that steps without strings are limited too.
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
        self.uses(Feature::Closure)?;
        // The closure's own step precedes its body, and is completed once the body's length is known. The
        // parameters are stored after the body, because closures inside it add theirs to the same list.
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
                // A packed list, which protobuf allows for repeated numbers.
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

    /// Reads the kind of an operation, and the name of the external function if it calls one.
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
            (3, None) => {
                self.uses(Feature::TypeOf)?;
                Unary::TypeOf
            }
            (4, Some(name)) => {
                self.uses(Feature::External)?;
                Unary::Ffi(name)
            }
            // The operation calls no function, so other readers would skip the name. Parts that a reader could
            // skip are refused.
            (0..=4, _) => return Err(Refused::MisnamedFunction),
            _ => return Err(Refused::UnknownOperation),
        })
    }

    fn binary(&mut self, bytes: &[u8], table: &Table<'_>) -> Read<Binary> {
        let (operation, feature) = match self.operation(bytes, table)? {
            (28, Some(name)) => (Binary::Ffi(name), Some(Feature::External)),
            (28, None) => return Err(Refused::MisnamedFunction),
            (kind, name) => {
                let known = binary(kind).ok_or(Refused::UnknownOperation)?;
                if name.is_some() {
                    return Err(Refused::MisnamedFunction);
                }
                known
            }
        };
        if let Some(feature) = feature {
            self.uses(feature)?;
        }
        Ok(operation)
    }
}

/// Returns the operation with this number in the schema, with its feature if it is newer than Datalog 3.0. The
/// missing number 28 calls external functions and is handled by the caller.
fn binary(number: u64) -> Option<(Binary, Option<Feature>)> {
    let newer = |operation, feature| (operation, Some(feature));
    Some(match number {
        0 => (Binary::LessThan, None),
        1 => (Binary::GreaterThan, None),
        2 => (Binary::LessOrEqual, None),
        3 => (Binary::GreaterOrEqual, None),
        4 => (Binary::Equal, None),
        5 => (Binary::Contains, None),
        6 => (Binary::Prefix, None),
        7 => (Binary::Suffix, None),
        8 => (Binary::Regex, None),
        9 => (Binary::Add, None),
        10 => (Binary::Sub, None),
        11 => (Binary::Mul, None),
        12 => (Binary::Div, None),
        13 => (Binary::And, None),
        14 => (Binary::Or, None),
        15 => (Binary::Intersection, None),
        16 => (Binary::Union, None),
        17 => newer(Binary::BitwiseAnd, Feature::Bitwise),
        18 => newer(Binary::BitwiseOr, Feature::Bitwise),
        19 => newer(Binary::BitwiseXor, Feature::Bitwise),
        20 => newer(Binary::NotEqual, Feature::NotEqual),
        21 => newer(Binary::HeterogeneousEqual, Feature::Lenient),
        22 => newer(Binary::HeterogeneousNotEqual, Feature::Lenient),
        23 => newer(Binary::LazyAnd, Feature::Lazy),
        24 => newer(Binary::LazyOr, Feature::Lazy),
        25 => newer(Binary::All, Feature::Quantifier),
        26 => newer(Binary::Any, Feature::Quantifier),
        27 => newer(Binary::Get, Feature::Get),
        29 => newer(Binary::TryOr, Feature::TryOr),
        _ => return None,
    })
}
