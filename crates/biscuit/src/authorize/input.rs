//! Bytes or text -> container.

use super::{Error, MAX_BYTES};
use crate::container::{Container, ContainerError};

/// Reads either form. No input is both: a container names its authority block with the byte 0x12,
/// which no text holds.
pub(super) fn container(input: &[u8]) -> Result<Container, Error> {
    let text = input.trim_ascii();
    if text.is_empty() {
        return Err(Error::format("there is no token"));
    }
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(is_text) => Ok(Container::parse(text)?),
        _ if input.len() > MAX_BYTES => Err(ContainerError::TooLarge.into()),
        _ => Ok(Container::from_bytes(input.to_vec())?),
    }
}

/// Returns whether a byte belongs to base64 in either alphabet. Text in the standard one is not taken
/// for a binary token, so that its refusal says what is wrong.
fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=')
}
