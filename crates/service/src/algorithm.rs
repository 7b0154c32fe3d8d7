//! The names of signature algorithms.

use jsonwebtoken::Algorithm;

/// Returns the algorithm with this name (RFC 7518, section 3.1; RFC 9864, section 2.2). `none` is not an
/// algorithm.
pub(crate) fn algorithm(name: &str) -> Option<Algorithm> {
    match name {
        // Here, `EdDSA` is used only with this curve.
        "Ed25519" => Some(Algorithm::EdDSA),
        name => name.parse().ok(),
    }
}

/// The algorithms with which clients may sign their own assertions: all that their keys support.
pub(crate) const OF_CLIENTS: [Algorithm; 9] = [
    Algorithm::EdDSA,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
];

/// The names of an algorithm. RFC 9864 has a second one for `EdDSA`.
pub(crate) fn names(algorithm: Algorithm) -> Vec<String> {
    let name = format!("{algorithm:?}");
    match algorithm {
        Algorithm::EdDSA => vec!["Ed25519".to_owned(), name],
        _ => vec![name],
    }
}
