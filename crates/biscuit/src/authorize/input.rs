//! Reads a container from bytes or text.

use super::{Error, MAX_BYTES};
use crate::container::{Container, ContainerError};

/// Reads a token in binary or text form. No input has both forms: every container contains the byte 0x12, the
/// tag of its authority block, and no text does.
pub(super) fn container(input: &[u8]) -> Result<Container, Error> {
    let text = input.trim_ascii();
    if text.is_empty() {
        return Err(Error::format("no token is given"));
    }
    match std::str::from_utf8(text) {
        Ok(text) if text.bytes().all(is_text) => Ok(Container::parse(text)?),
        // Checked before the copy below, so that a large input costs nothing.
        _ if input.len() > MAX_BYTES => Err(ContainerError::TooLarge.into()),
        _ => Ok(Container::from_bytes(input.to_vec())?),
    }
}

/// Returns true if a byte belongs to either alphabet of base64. Text in the standard alphabet counts as text
/// too, so that the error says that the alphabet is wrong rather than that the container is malformed.
fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=')
}
