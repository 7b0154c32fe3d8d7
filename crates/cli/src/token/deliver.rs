//! A new token on its way out: the one secret that stdout is for.

use bailiwick_token::token::Token;
use serde::Serialize;

use crate::{
    exit::Failure,
    input::shown,
    out::{self, Out, Readers},
    output::{self, Format},
};

/// A token as JSON, with what is to be said about it.
#[derive(Serialize)]
struct DeliveredToken<'a, T> {
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    out: Option<String>,
    #[serde(flatten)]
    about: &'a T,
}

/// Hands the token out: on stdout, alone on its line, or into a file for its owner only.
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
