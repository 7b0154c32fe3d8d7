//! Choices made by the bytes of an input: one byte each, and zero once the bytes are used up.

use crate::program::Choices;

pub struct Bytes<'a>(pub &'a [u8]);

impl Choices for Bytes<'_> {
    fn below(&mut self, count: usize) -> usize {
        match self.0.split_first() {
            Some((byte, rest)) => {
                self.0 = rest;
                usize::from(*byte) % count
            }
            None => 0,
        }
    }
}
