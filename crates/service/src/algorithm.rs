//! The names of signature algorithms.

use jsonwebtoken::Algorithm;

/// The algorithm of this name (RFC 7518, section 3.1; RFC 9864, section 2.2). There is none for `none`.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        // The only curve that `EdDSA` is used with here.
        "Ed25519" => Some(Algorithm::EdDSA),
        name => name.parse().ok(),
    }
}

/// The names of an algorithm. RFC 9864 has a second one for `EdDSA`.
pub(crate) fn names(algorithm: Algorithm) -> Vec<String> {
    let name = format!("{algorithm:?}");
    match algorithm {
        Algorithm::EdDSA => vec!["Ed25519".to_owned(), name],
        _ => vec![name],
    }
}
