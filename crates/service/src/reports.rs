//! Reports that verifiers send about themselves while they poll, gathered here and stored at intervals.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use axum::http::HeaderMap;
use bailiwick_issuer::VerifierInfo;
use bailiwick_token::{
    report::{self, Report},
    timestamp::Timestamp,
};

/// Maximum number of reports to gather, because anyone can send one.
const MOST: usize = 4_096;

/// The reports that arrived since the last call of [`Reports::take`].
#[derive(Default)]
pub(crate) struct Reports(Mutex<BTreeMap<String, VerifierInfo>>);

impl Reports {
    /// Notes the report in a request, if there is a well-formed one.
    pub(crate) fn note(&self, headers: &HeaderMap, now: Timestamp) {
        let Some(report) = headers
            .get(report::HEADER)
            .and_then(|value| value.to_str().ok())
            .and_then(|text| text.parse::<Report>().ok())
        else {
            return;
        };
        let info = VerifierInfo {
            name: report.name().to_owned(),
            service: report.service().to_owned(),
            keyset_version: report.keyset.unwrap_or(0),
            feed_epoch: report.feed.map(|(epoch, _)| epoch.to_string()),
            feed_seq: report.feed.map(|(_, seq)| seq),
            seen_at: now,
        };
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if reports.len() < MOST || reports.contains_key(&info.name) {
            reports.insert(info.name.clone(), info);
        }
    }

    /// Takes the gathered reports.
    pub(crate) fn take(&self) -> Vec<VerifierInfo> {
        let mut reports = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *reports).into_values().collect()
    }
}
