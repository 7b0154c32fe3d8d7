//! Output of a new token.

use bailiwick_token::token::Token;
use serde::Serialize;

use crate::{
    exit::Failure,
    input::shown,
    out::{self, Out, Readers},
    output::{self, Format},
};

/// A token as JSON, with further members that describe it.
#[derive(Serialize)]
struct DeliveredToken<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
    #[serde(flatten)]
    about: &'a T,
}

/// Writes the token to stdout, alone on its line, or to a file that only its owner can read.
pub(super) fn deliver<T: Serialize>(
    token: &Token,
    out: &Out,
    format: Format,
    about: &T,
) -> Result<(), Failure> {
    let text = token.to_base64();
    let line = zeroize::Zeroizing::new(format!("{}\n", *text));
    let document = |token, out: Option<String>| DeliveredToken { token, out, about };
    match (out.path(), format) {
        (None, _) => format.print(&document(Some(&text), None), &*line),
        (Some(path), _) => {
            out::write(path, &line, Readers::Owner)?;
            if format == Format::Json {
                return format.print(&document(None, out.text()), "");
            }
            output::note(format_args!("written to {}", shown(path)));
            Ok(())
        }
    }
}
