//! The rules that assess the state of an issuer: one function for each section.

use bailiwick_api::{
    Health, IssuerStatus, PrivateKeys, ProviderStatus, RootKeyState, StatusSection as Section,
    TransitionKind, VerifierCounts,
};
use bailiwick_issuer::ClientInfo;
use bailiwick_token::{
    escape::{code, name, phrase},
    timestamp::{SKEW, Timestamp},
};
use bailiwick_verifier::outbound::SafeUrl;

use super::{
    bounds::{MAX_NAMES, is_ending},
    finding::{Finding, finding},
};

/// Time after which a due transition counts as overdue, in seconds. Rotations run once an hour, and a single
/// one may fail.
const OVERDUE: u64 = 2 * 3_600;

/// Age of the head at which verifiers begin to deny calls by default, in seconds.
const HEAD_STALE: u64 = 60;

/// Age of an audit row at which a checkpoint should cover it, in seconds.
const UNCOVERED: u64 = 86_400;

pub(super) fn keys(status: &IssuerStatus, refusal: Option<&str>, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    let is_active = |state| state == RootKeyState::Active;
    if !status.keys.iter().any(|key| is_active(key.state)) {
        findings.push(finding(
            Section::Keys,
            Health::Error,
            "no_active_key",
            "no root key is active, so no token can be minted",
            "run `bailiwick key rotate`, which activates the staged key as soon as verifiers know it",
        ));
    }
    if let Some(refusal) = refusal {
        findings.push(finding(
            Section::Keys,
            Health::Error,
            "rotation_refused",
            format!(
                "a rotation of the root keys would be refused ({})",
                phrase(refusal)
            ),
            "see `bailiwick key list`, and resolve this by hand",
        ));
    }
    let overdue = status
        .due
        .iter()
        .filter(|due| now.since(due.since) >= OVERDUE);
    findings.extend(overdue.map(|due| {
        let key = due
            .id
            .map_or("a new key".to_owned(), |id| format!("key `{id}`"));
        let step = match due.step {
            TransitionKind::Stage => "staged",
            TransitionKind::Activate => "activated",
            TransitionKind::Supersede => "superseded",
            TransitionKind::Retire => "retired",
            TransitionKind::Revoke => "revoked",
        };
        finding(
            Section::Keys,
            Health::Warning,
            "rotation_overdue",
            format!("{key} has been due to be {step} since {}", due.since),
            "run `bailiwick key rotate` now, and every hour with a timer",
        )
    }));
    findings
}

pub(super) fn keyset(status: &IssuerStatus, now: Timestamp) -> Option<Finding> {
    let keyset = &status.keyset;
    let life = status.settings.keyset_life;
    let sign = "run `bailiwick keyset export` and distribute the file, or run `bailiwick serve`, since both sign the keyset again";
    if keyset.expires <= now {
        return Some(finding(
            Section::Keyset,
            Health::Error,
            "keyset_expired",
            format!(
                "the keyset expired at {}, so verifiers deny every call",
                keyset.expires
            ),
            sign,
        ));
    }
    if keyset.issued_at > now.plus(SKEW) {
        return Some(finding(
            Section::Keyset,
            Health::Error,
            "keyset_in_future",
            format!(
                "the keyset is dated {}, which is in the future by this clock, so verifiers may refuse it",
                keyset.issued_at
            ),
            "correct the clocks of all issuers; the next keyset will have the right date",
        ));
    }
    // A keyset is signed again when less than half of its lifetime remains. At a quarter, that did not happen.
    let quarter = life.checked_div(4).unwrap_or(0);
    let ends_soon = keyset.expires.since(now) < quarter;
    ends_soon.then(|| {
        finding(
            Section::Keyset,
            Health::Warning,
            "keyset_ending",
            format!(
                "the keyset expires at {}, and from then on verifiers deny every call",
                keyset.expires
            ),
            sign,
        )
    })
}

pub(super) fn revocations(status: &IssuerStatus, now: Timestamp) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&status.revocation_url, &status.head) {
        // Only services sign heads, so this issuer has a service, and its verifiers should follow the head.
        (None, Some(_)) => findings.push(finding(
            Section::Revocations,
            Health::Warning,
            "no_revocation_url",
            "the keyset names no URL of the revocations, so verifiers do not fetch any",
            "set it with `bailiwick keyset set`",
        )),
        (None, None) => {}
        (Some(url), head) => {
            if let Err(unsafe_url) = SafeUrl::parse_base(url) {
                findings.push(finding(
                    Section::Revocations,
                    Health::Error,
                    "revocation_url_unsafe",
                    format!(
                        "the URL of the revocations, {}, {unsafe_url}",
                        code(url)
                    ),
                    "set one that begins with `https://` with `bailiwick keyset set`, since verifiers accept no other",
                ));
            }
            if head.is_none() {
                findings.push(finding(
                    Section::Revocations,
                    Health::Warning,
                    "no_head",
                    "no service has signed a head of the revocations, so verifiers that follow it deny every call",
                    "run `bailiwick serve`",
                ));
            }
        }
    }
    if let Some(head) = &status.head
        && now.since(head.issued_at) > HEAD_STALE
    {
        findings.push(finding(
            Section::Revocations,
            Health::Error,
            "head_stale",
            format!(
                "the last head of the revocations was signed at {}, so verifiers that follow it deny every call",
                head.issued_at
            ),
            "check whether `bailiwick serve` runs, and read its log",
        ));
    }
    findings
}

pub(super) fn private_keys(keys: PrivateKeys) -> Option<Finding> {
    (keys == PrivateKeys::Refused).then(|| {
        finding(
            Section::PrivateKeys,
            Health::Error,
            "passphrase_refused",
            "the configured passphrase does not open the private keys",
            "correct the passphrase in its file or in the environment",
        )
    })
}

pub(super) fn audit(uncovered_since: Option<Timestamp>, now: Timestamp) -> Option<Finding> {
    let since = uncovered_since.filter(|since| now.since(*since) >= UNCOVERED)?;
    Some(finding(
        Section::Audit,
        Health::Warning,
        "checkpoint_overdue",
        format!("no checkpoint covers the rows of the audit from {since} on"),
        "run `bailiwick audit checkpoint` every day and keep the file elsewhere, or run a service, which signs a checkpoint every hour",
    ))
}

pub(super) fn clients(clients: &[ClientInfo], now: Timestamp) -> Vec<Finding> {
    // A secret that ends while a newer one is good is part of a rotation. So only the secret that ends last matters,
    // and none if the client can also authenticate with a key.
    let last_end = |client: &ClientInfo| {
        let good = client
            .secrets
            .iter()
            .filter(|secret| secret.expires.is_none_or(|end| end > now));
        let ends: Option<Vec<Timestamp>> = good.map(|secret| secret.expires).collect();
        ends?.into_iter().max()
    };
    let in_need = |client: &&ClientInfo| client.disabled_at.is_none() && client.keys.is_empty();
    let ending = clients.iter().filter(in_need).filter_map(|client| {
        let end = last_end(client).filter(|end| is_ending(*end, now))?;
        Some(finding(
            Section::Clients,
            Health::Warning,
            "secrets_ending",
            format!(
                "the last secret of the client {} expires at {end}",
                name(&client.name)
            ),
            "give the client another secret with `bailiwick client rotate`",
        ))
    });
    ending.take(MAX_NAMES).collect()
}

pub(super) fn verifiers(counts: &VerifierCounts) -> Option<Finding> {
    let (first, rest) = counts.behind_names.split_first()?;
    let more = match rest.len() {
        0 => String::new(),
        _ => format!(" and {} more", counts.behind.saturating_sub(1)),
    };
    Some(finding(
        Section::Verifiers,
        Health::Warning,
        "verifiers_behind",
        format!(
            "{}{more} used an older keyset at the last report",
            name(first)
        ),
        "run `bailiwick verifier lag`, check that these verifiers reach the issuer, and remove those that no longer exist with `bailiwick verifier forget`",
    ))
}

pub(super) fn providers(providers: &[ProviderStatus]) -> Vec<Finding> {
    let findings = providers.iter().filter_map(|provider| {
        let called = code(&provider.name);
        match (&provider.failure, provider.keys) {
            (None, 1..) => None,
            (None, 0) => Some(finding(
                Section::Providers,
                Health::Error,
                "provider_without_keys",
                format!("the provider {called} publishes no usable key, so its tokens are refused"),
                "check that the provider publishes a key of a supported type; the guide lists the types",
            )),
            (Some(failure), keys) => {
                let failure = phrase(failure);
                let (state, effect) = match keys {
                    0 => (Health::Error, "its tokens are refused"),
                    _ => (
                        Health::Warning,
                        "the keys that it published last stay in use",
                    ),
                };
                Some(finding(
                    Section::Providers,
                    state,
                    "provider_unreachable",
                    format!("the keys of the provider {called} cannot be fetched ({failure}), so {effect}"),
                    "check `issuer` and `jwks_uri` of the provider in `service.toml`, the network, and the proxy",
                ))
            }
        }
    });
    findings.collect()
}

pub(super) fn rights(missing: &[String]) -> Option<Finding> {
    let (first, rest) = missing.split_first()?;
    let more = match rest.len() {
        0 => String::new(),
        more => format!(" and {more} more"),
    };
    Some(finding(
        Section::Store,
        Health::Error,
        "rights_missing",
        format!(
            "the role of this issuer lacks rights in the database ({first}{more}), so requests that need them fail"
        ),
        "grant the rights again (docs/deploy/postgres.sql, step 2), as the role that owns the tables",
    ))
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
mod tests;
