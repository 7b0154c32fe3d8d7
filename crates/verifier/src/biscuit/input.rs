//! Bytes or text -> container.

use bailiwick_token::{container::Container, token::TokenError};
use base64::{
    Engine, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use super::{Error, MAX_BYTES};

const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);

/// The most bytes of a text that are decoded.
const MAX_TEXT: usize = MAX_BYTES.div_ceil(3).saturating_mul(4);

/// Reads either form. No input is both: a container names its authority block with the byte 0x12,
/// which no text holds.
pub(super) fn container(input: &[u8]) -> Result<Container, Error> {
    let text = input.trim_ascii();
    if text.is_empty() {
        return Err(Error::format("there is no token"));
    }
    if !text.iter().all(|byte| is_text(*byte)) {
        return Ok(Container::from_bytes(within(input, MAX_BYTES)?.to_vec())?);
    }
    let standard = text.iter().any(|byte| matches!(byte, b'+' | b'/'));
    let base64 = if standard { &STANDARD } else { &URL_SAFE };
    let bytes = base64
        .decode(within(text, MAX_TEXT)?)
        .map_err(|_| Error::format("the token is not base64 text"))?;
    Ok(Container::from_bytes(bytes)?)
}

fn is_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=')
}

fn within(input: &[u8], limit: usize) -> Result<&[u8], Error> {
    match input.len() <= limit {
        true => Ok(input),
        false => Err(TokenError::TooLarge.into()),
    }
}
