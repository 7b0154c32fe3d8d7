//! A single Ed25519 signature, the least cost of anything signed with a public key.

use std::hint::black_box;

use ed25519_dalek::{Signer, SigningKey};

use crate::variant::Variant;

pub(crate) const NAME: &str = "ed25519-dalek 2";

pub(crate) fn variants<'a>() -> Vec<Variant<'a>> {
    let key = SigningKey::from_bytes(&[7; 32]);
    let message = [7; 500];
    let signature = key.sign(&message);
    let public = key.verifying_key();
    let path = "one `verify_strict` of 500 bytes";
    vec![Variant::repeated((NAME, path), 0, 0, move || {
        public
            .verify_strict(black_box(&message), &signature)
            .is_ok()
    })]
}
