//! The verifiers that are behind, by one rule for both the metrics and the report.

use bailiwick_issuer::{VerifierInfo, VerifierReport};
use bailiwick_token::timestamp::Timestamp;

use super::bounds::SILENT;

/// Returns the verifiers that use an older keyset and reported within the last hour. A verifier that has not
/// reported for longer may no longer exist.
pub(crate) fn behind(
    report: &VerifierReport,
    now: Timestamp,
) -> impl Iterator<Item = &VerifierInfo> {
    report.verifiers.iter().filter(move |verifier| {
        verifier.keyset_version < report.keyset_version && now.since(verifier.seen_at) < SILENT
    })
}
