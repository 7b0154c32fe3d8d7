//! Records of refused requests in the audit log.

use bailiwick_token::timestamp::Timestamp;
use serde_json::json;

use super::error::MintError;
use crate::{
    audit::{AuditEvent, Entry},
    issuer::Issuer,
};

/// A refused request, as the audit log records it.
#[derive(Debug, Clone, Copy)]
pub struct RefusedRequest<'a> {
    /// The agent that sent the request.
    pub agent: &'a str,
    /// The principal of the request; empty if unknown.
    pub principal: &'a str,
    /// The profile of the request.
    pub profile: Option<&'a str>,
    /// The reason for the refusal, which contains nothing secret.
    pub reason: &'a str,
    /// Number of similar refusals that were not recorded since the last one that was.
    pub left_out: u64,
}

impl Issuer {
    /// Records that a request was refused, for example by a profile.
    ///
    /// # Errors
    /// [`MintError`]; in that case, nothing was recorded.
    pub async fn record_refusal(
        &self,
        refusal: RefusedRequest<'_>,
        now: Timestamp,
    ) -> Result<u64, MintError> {
        Ok(self.record(refusal.entry(), now).await?)
    }

    /// Records that the operator for whom this issuer acts requested an action that its token does not allow.
    /// `left_out` is the number of similar refusals that were not recorded since the last one that was.
    ///
    /// # Errors
    /// [`MintError`]; in that case, nothing was recorded.
    pub async fn record_denied_operator(
        &self,
        action: &str,
        reason: &str,
        left_out: u64,
        now: Timestamp,
    ) -> Result<u64, MintError> {
        let mut detail = json!({ "action": action, "error": clip(reason) });
        state_left_out(&mut detail, left_out);
        let entry = Entry::new(AuditEvent::OperatorRefused, detail);
        Ok(self.record(entry, now).await?)
    }
}

impl RefusedRequest<'_> {
    fn entry(&self) -> Entry {
        let named = |text: &str| (!text.is_empty()).then(|| clip(text));
        let mut detail = json!({ "profile": self.profile.map(clip), "error": clip(self.reason) });
        state_left_out(&mut detail, self.left_out);
        Entry {
            agent: named(self.agent),
            principal: named(self.principal),
            ..Entry::new(AuditEvent::MintRefused, detail)
        }
    }
}

fn state_left_out(detail: &mut serde_json::Value, left_out: u64) {
    if let Some(detail) = detail.as_object_mut().filter(|_| left_out > 0) {
        detail.insert("left_out".to_owned(), left_out.into());
    }
}

/// Returns the beginning of a refused text, which may have any length and any characters.
fn clip(text: &str) -> String {
    let shown = |c: char| if c.is_control() { '\u{fffd}' } else { c };
    text.chars().take(256).map(shown).collect()
}
