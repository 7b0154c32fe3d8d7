//! The part of protobuf that tokens use: fields that hold a number or a length-prefixed run of bytes.
//!
//! The reader is stricter than protobuf requires, because anything that is skipped or can be read in two ways
//! could mean one thing here and another to its writer. It refuses unknown fields, numbers that are longer than
//! necessary, and a second value of a field that takes one.

/// The bytes are not a sequence of the supported fields.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The value of a field.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The fields of a message, one after the other.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields<'a>(pub(crate) &'a [u8]);

impl<'a> Fields<'a> {
    /// The next field and its number; `None` at the end.
    // Called for every field: without inlining, the calls alone take an eighth of decoding.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<(u64, Field<'a>)>, Malformed> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Field::Number(self.number()?),
            2 => {
                let len = usize::try_from(self.number()?).map_err(|_| Malformed)?;
                let (bytes, rest) = self.0.split_at_checked(len).ok_or(Malformed)?;
                self.0 = rest;
                Field::Bytes(bytes)
            }
            _ => return Err(Malformed),
        };
        Ok(Some((tag >> 3, value)))
    }

    /// A number in its shortest form.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        match self.0 {
            [byte, rest @ ..] if *byte < 0x80 => {
                self.0 = rest;
                Ok(u64::from(*byte))
            }
            // Two bytes, the length of most symbol numbers.
            [low, high @ 1..0x80, rest @ ..] => {
                self.0 = rest;
                Ok(u64::from(low & 0x7f) | u64::from(*high) << 7)
            }
            _ => self.long_number(),
        }
    }

    fn long_number(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for (index, byte) in self.0.iter().enumerate().take(10) {
            let bits = u64::from(byte & 0x7f);
            // The tenth byte has room for one bit.
            if index == 9 && bits > 1 {
                return Err(Malformed);
            }
            value |= bits << index.saturating_mul(7);
            if byte & 0x80 == 0 {
                if *byte == 0 && index > 0 {
                    return Err(Malformed);
                }
                let read = index.saturating_add(1);
                self.0 = self.0.get(read..).unwrap_or_default();
                return Ok(value);
            }
        }
        Err(Malformed)
    }
}

impl<'a> Field<'a> {
    pub(crate) fn bytes(self) -> Result<&'a [u8], Malformed> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            Field::Number(_) => Err(Malformed),
        }
    }

    pub(crate) fn number(self) -> Result<u64, Malformed> {
        match self {
            Field::Number(number) => Ok(number),
            Field::Bytes(_) => Err(Malformed),
        }
    }

    pub(crate) fn number32(self) -> Result<u32, Malformed> {
        u32::try_from(self.number()?).map_err(|_| Malformed)
    }

    pub(crate) fn text(self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed)
    }
}

/// Stores the value of a field that may occur once, and refuses a second one.
pub(crate) fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Malformed> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => Err(Malformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> Result<u64, Malformed> {
        let mut fields = Fields(bytes);
        let number = fields.number()?;
        if fields.0.is_empty() {
            Ok(number)
        } else {
            Err(Malformed)
        }
    }

    #[test]
    fn a_number_has_one_form() {
        let longest = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01];
        for (bytes, value) in [
            (&[0][..], 0),
            (&[0x7f], 127),
            (&[0x80, 0x01], 128),
            (&longest, u64::MAX),
        ] {
            assert_eq!(number(bytes), Ok(value), "{bytes:?}");
        }
        let mut beyond = longest;
        beyond[9] = 0x02;
        let endless = [0x80; 11];
        for bytes in [
            &[][..],
            &[0x80],
            &[0x80, 0x00],
            &[0xff, 0x80, 0x00],
            &beyond,
            &endless,
        ] {
            assert_eq!(number(bytes), Err(Malformed), "{bytes:?}");
        }
    }

    #[test]
    fn a_field_ends_within_its_message() {
        for bytes in [
            &[0x0a, 2, 1][..],
            &[0x0a],
            &[0x0d, 0, 0, 0, 0],
            &[0x0a, 0xff, 0xff, 0xff, 0x0f],
        ] {
            assert!(matches!(Fields(bytes).next(), Err(Malformed)), "{bytes:?}");
        }
        let mut fields = Fields(&[0x0a, 1, 7, 0x10, 5]);
        assert!(matches!(fields.next(), Ok(Some((1, Field::Bytes([7]))))));
        assert!(matches!(fields.next(), Ok(Some((2, Field::Number(5))))));
        assert!(matches!(fields.next(), Ok(None)));
    }
}
