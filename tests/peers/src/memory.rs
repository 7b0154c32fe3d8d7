//! Measurement of the memory kept for each seen token, and for each revoked id.

use bailiwick_token::{
    claims::TokenId,
    revocation::{Digest, Epoch, Position, Revocation, SnapshotBase, Target},
};

use crate::{
    allocations::counted,
    rounds::Effort,
    sample::{ISSUER, Sample, request, text},
    variant::Unexpected,
};

/// Memory use, in bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Memory {
    /// Number of tokens in the measurement. `ids` is the number of revoked ids.
    pub(crate) tokens: usize,
    pub(crate) ids: usize,
    /// A verifier that has seen no tokens.
    pub(crate) verifier: f64,
    /// A token decoded from its text.
    pub(crate) token: f64,
    /// Growth of a verifier for each token that it has seen.
    pub(crate) cached: f64,
    /// Growth of trust for each revoked token.
    pub(crate) revoked: f64,
}

const BLOCKS: usize = 3;

pub(crate) fn measure(sample: &Sample, effort: &Effort) -> Result<Memory, Unexpected> {
    let (tokens, ids) = (effort.cached, effort.revoked);
    let (verifier, token, cached) = cached(sample, tokens)?;
    Ok(Memory {
        tokens,
        ids,
        verifier,
        token,
        cached,
        revoked: revoked(sample, ids),
    })
}

/// Measures a verifier, a token and a cached token. Everything that grows is counted: compiled tokens, the
/// texts by which they are found, remembered signatures, and the tables for all of these.
fn cached(sample: &Sample, count: usize) -> Result<(f64, f64, f64), Unexpected> {
    let tokens: Vec<_> = (0..count).map(|_| sample.chain(BLOCKS)).collect();
    let texts: Vec<String> = tokens.iter().map(text).collect();
    let request = request();
    let (verifier, empty) = counted(|| sample.verifier());
    let check_all = || {
        texts
            .iter()
            .all(|text| verifier.check(text, &request, sample.now).is_allow())
    };
    let (allowed, unseen) = counted(check_all);
    // An evicted token would be verified again, and that would allocate.
    let (allowed_again, seen) = counted(check_all);
    if !allowed || !allowed_again {
        return Err(Unexpected("a token to be cached".to_owned()));
    }
    if seen.allocations * 2 > unseen.allocations || seen.growth > unseen.growth / 10 {
        return Err(Unexpected("a cached token, forgotten".to_owned()));
    }
    let decoded: usize = tokens.iter().map(|token| token.as_bytes().len()).sum();
    let each = |bytes: f64| bytes / count as f64;
    Ok((
        empty.growth as f64,
        each(decoded as f64),
        each(unseen.growth as f64),
    ))
}

fn revoked(sample: &Sample, count: usize) -> f64 {
    let entry = |n: usize| {
        let mut id = [2; 16];
        id[8..].copy_from_slice(&(n as u64).to_be_bytes());
        Revocation {
            target: Target::Token(TokenId::from_bytes(id)),
            expires: Some(sample.now.plus(3600)),
        }
    };
    let base = SnapshotBase {
        keyset_version: 1,
        issuer: ISSUER.to_owned(),
        position: Position {
            epoch: Epoch::from_bytes([1; 8]),
            seq: count as u64,
            digest: Digest::of(b"history"),
        },
        issued_at: sample.now,
        expires: sample.now.plus(86_400),
    };
    let snapshot = base
        .write((0..count).map(entry), &sample.keyset_key)
        .unwrap();
    let (_without, without) = counted(|| sample.trust(None));
    let (_with, with) = counted(|| sample.trust(Some(&snapshot)));
    (with.growth - without.growth) as f64 / count as f64
}
