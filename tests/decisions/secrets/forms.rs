//! The forms in which a secret could be printed.

use std::fmt::Debug;

use bailiwick_biscuit::container::Proof;
use bailiwick_token::token::Token;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD},
};

/// Secrets that must not appear anywhere, in every form in which they could appear.
pub(crate) struct Secrets(Vec<(&'static str, String)>);

impl Secrets {
    pub(crate) fn new() -> Secrets {
        Secrets(Vec::new())
    }

    /// Adds a run of a secret's bytes as hexadecimal, base64 and lists of numbers.
    pub(crate) fn add(&mut self, name: &'static str, secret: &[u8]) {
        let list = |bytes: &[u8]| {
            bytes
                .iter()
                .map(u8::to_string)
                .collect::<Vec<_>>()
                .join(", ")
        };
        // The base64 text depends on the offset of the bytes modulo three, so all three are searched for.
        for offset in 0..3 {
            let part = &secret[offset..offset + 24];
            self.0.push((name, URL_SAFE_NO_PAD.encode(part)));
            self.0.push((name, STANDARD_NO_PAD.encode(part)));
        }
        let part = &secret[4..20];
        self.0.push((name, hex::encode(part)));
        self.0.push((name, hex::encode_upper(part)));
        self.0.push((name, list(part)));
        self.0.push((name, list(part).replace(", ", ",")));
        let lines: Vec<String> = part.iter().map(u8::to_string).collect();
        self.0.push((name, lines.join(",\n")));
        self.0.push((
            name,
            format!("{part:x?}").trim_matches(['[', ']']).to_owned(),
        ));
        self.0.push((name, part.escape_ascii().to_string()));
    }

    pub(crate) fn token(&mut self, token: &Token) {
        let text = token.to_base64();
        self.0.push(("the token's text", text[..40].to_owned()));
        self.0.push((
            "the token's text",
            text[text.len() - 60..text.len() - 20].to_owned(),
        ));
        let bytes = token.as_bytes();
        self.add("the token's first bytes", bytes);
        self.add("the token's last bytes", &bytes[bytes.len() - 40..]);
        match token.proof() {
            Some(Proof::Open(secret)) => self.add("the secret to append", secret),
            Some(Proof::Sealed(signature)) => self.add("the seal", signature),
            None => panic!("a token without a proof"),
        }
    }

    /// Returns the name of a secret that the text contains. White space is ignored, because a pretty-printed list
    /// is indented.
    pub(crate) fn found(&self, printed: &str) -> Option<&'static str> {
        let dense: String = printed.split_whitespace().collect::<Vec<_>>().join("\n");
        let holds = |form: &String| printed.contains(form) || dense.contains(form);
        self.0
            .iter()
            .find(|(_, form)| holds(form))
            .map(|(name, _)| *name)
    }

    pub(crate) fn assert_absent(&self, printed: &str, place: &str) {
        if let Some(name) = self.found(printed) {
            panic!("{name} is in {place}: {printed}");
        }
    }

    pub(crate) fn assert_debug(&self, value: &impl Debug, place: &str) {
        self.assert_absent(&format!("{value:?}"), place);
        self.assert_absent(&format!("{value:#?}"), place);
    }
}
