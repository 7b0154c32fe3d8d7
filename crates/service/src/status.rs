//! The state of an issuer: facts from its store, and findings that an operator should act on.
//!
//! A report is made in three steps: [`probe_providers`] asks the identity providers, [`issuer_status`] reads
//! the issuer and assesses it, and the service adds the facts that only a running process knows. The command
//! line uses the first two for a home, so homes and services are assessed by the same rules.

mod assess;
mod behind;
mod bounds;
mod finding;

use bailiwick_api::{
    AuditStatus, ClientsStatus, DueTransition, EndingSecret, HeadStatus, Health, IssuerStatus,
    KeysetStatus, PrivateKeys, ProviderStatus, SectionStatus, SettingsStatus, StatusFinding,
    StatusSection, StoreKind, StoreStatus, VerifierCounts,
};
use bailiwick_issuer::{
    ClientInfo, Issuer, KeySchedule, OpenError, RootKeyError, SecretInfo, SignError, State,
    StoreInfo, StorePlace, VerifierReport,
};
use bailiwick_token::timestamp::Timestamp;

pub(crate) use self::behind::behind;
use self::bounds::{MAX_NAMES, SILENT, is_ending};
pub use self::finding::{Finding, finding};
use crate::wire::IntoWire;

/// The parts of a report that the store of the issuer does not contain.
#[derive(Debug)]
pub struct StatusInputs {
    /// The result of trying the passphrase on the private keys.
    pub private_keys: PrivateKeys,
    /// The identity providers.
    pub providers: Vec<ProviderStatus>,
    /// Number of profiles.
    pub profiles: usize,
    /// Findings of the caller, such as those of a configuration that cannot be read.
    pub findings: Vec<Finding>,
    /// True for a running service, which reports on itself.
    pub is_service: bool,
}

/// Reads the state of an issuer and assesses it. This needs no private key.
///
/// # Errors
/// [`OpenError`] if the home or the store cannot be read.
pub async fn issuer_status(
    issuer: &Issuer,
    inputs: StatusInputs,
    now: Timestamp,
) -> Result<IssuerStatus, OpenError> {
    let (schedule, refusal) = match issuer.key_schedule(now).await {
        Ok(schedule) => (schedule, None),
        Err(RootKeyError::Sign(SignError::Store(error))) => return Err(error.into()),
        Err(refusal) => (
            KeySchedule {
                due: Vec::new(),
                waiting: Vec::new(),
            },
            Some(refusal.to_string()),
        ),
    };
    let mut keys = issuer.keys().await?;
    keys.retain(|key| !matches!(key.state, State::Retired | State::Revoked));
    let keyset = issuer.published_keyset().await?;
    let head = issuer.published_head().await?;
    let coverage = issuer.audit_coverage().await?;
    let clients = issuer.clients().await?;
    let verifiers = issuer.verifiers().await?;
    let settings = issuer.settings();
    let store = issuer.store_info().await?;
    let missing_rights = assess::rights(&store.missing_rights);
    let due = schedule.due.into_iter().map(|step| DueTransition {
        id: step.id,
        step: step.step.into_wire(),
        since: step.since,
    });
    let published_for = now.since(keyset.issued_at);
    let mut status = IssuerStatus {
        issuer: settings.issuer.clone(),
        time: now,
        state: Health::Ok,
        sections: Vec::new(),
        keys: keys.into_wire(),
        due: due.collect(),
        waiting: schedule.waiting.into_wire(),
        keyset: KeysetStatus {
            version: keyset.version,
            issued_at: keyset.issued_at,
            expires: keyset.expires,
        },
        head: head.map(|head| HeadStatus {
            seq: head.seq,
            issued_at: head.issued_at,
            expires: head.expires,
        }),
        revocation_url: issuer.revocation_url().await?,
        private_keys: inputs.private_keys,
        audit: AuditStatus {
            rows: coverage.rows,
            checkpoint: coverage.checkpoint,
            checkpoint_at: coverage.checkpoint_at,
        },
        clients: clients_status(&clients, now),
        verifiers: verifier_counts(&verifiers, settings.refresh_hint, published_for, now),
        providers: inputs.providers,
        store: store_status(store),
        settings: SettingsStatus {
            keyset_key: settings.keyset_key,
            refresh_hint: settings.refresh_hint,
            max_token_ttl: settings.max_token_ttl,
            keyset_life: settings.keyset_life,
            profiles: inputs.profiles as u64,
        },
    };
    let mut findings = inputs.findings;
    findings.extend(assess::keys(&status, refusal.as_deref(), now));
    findings.extend(assess::keyset(&status, now));
    findings.extend(assess::revocations(&status, now));
    findings.extend(assess::private_keys(status.private_keys));
    findings.extend(assess::audit(coverage.uncovered_since, now));
    findings.extend(assess::clients(&clients, now));
    findings.extend(assess::verifiers(&status.verifiers));
    findings.extend(assess::providers(&status.providers));
    findings.extend(missing_rights);
    status.sections = sections(findings, inputs.is_service);
    let states = status.sections.iter().map(|section| section.state);
    status.state = states.max().unwrap_or(Health::Ok);
    Ok(status)
}

/// All sections in order, with their findings.
fn sections(findings: Vec<Finding>, is_service: bool) -> Vec<SectionStatus> {
    let all = [
        StatusSection::Service,
        StatusSection::Keys,
        StatusSection::Keyset,
        StatusSection::Revocations,
        StatusSection::PrivateKeys,
        StatusSection::Audit,
        StatusSection::Clients,
        StatusSection::Verifiers,
        StatusSection::Providers,
        StatusSection::Store,
        StatusSection::Settings,
    ];
    let sections = all
        .into_iter()
        .filter(|section| is_service || *section != StatusSection::Service);
    let section = |section| {
        let of_section = findings.iter().filter(|found| found.section == section);
        let findings: Vec<StatusFinding> = of_section.map(|found| found.finding.clone()).collect();
        let worst = findings.iter().map(|finding| finding.state).max();
        SectionStatus {
            section,
            state: worst.unwrap_or(Health::Ok),
            findings,
        }
    };
    sections.map(section).collect()
}

fn clients_status(clients: &[ClientInfo], now: Timestamp) -> ClientsStatus {
    let disabled = clients.iter().filter(|client| client.disabled_at.is_some());
    let secrets = clients.iter().flat_map(|client| {
        let ends = move |secret: &SecretInfo| {
            let expires = secret.expires.filter(|end| is_ending(*end, now))?;
            Some(EndingSecret {
                client: client.name.clone(),
                secret: secret.id.clone(),
                expires,
            })
        };
        client.secrets.iter().filter_map(ends)
    });
    let mut ending: Vec<EndingSecret> = secrets.collect();
    ending.sort_by_key(|secret| secret.expires);
    let ending_secrets = ending.len() as u64;
    ending.truncate(MAX_NAMES);
    ClientsStatus {
        registered: clients.len() as u64,
        disabled: disabled.count() as u64,
        ending_secrets,
        ending,
    }
}

fn verifier_counts(
    report: &VerifierReport,
    refresh_hint: u64,
    published_for: u64,
    now: Timestamp,
) -> VerifierCounts {
    let silent = |seen: Timestamp| now.since(seen) >= SILENT;
    // A verifier learns of a keyset within one refresh. The other three allow for refreshes that fail.
    let is_known = published_for >= refresh_hint.saturating_mul(4);
    let behind: Vec<&str> = behind(report, now)
        .filter(|_| is_known)
        .map(|verifier| verifier.name.as_str())
        .collect();
    let names = behind.iter().take(MAX_NAMES);
    VerifierCounts {
        reported: report.verifiers.len() as u64,
        silent: report
            .verifiers
            .iter()
            .filter(|verifier| silent(verifier.seen_at))
            .count() as u64,
        behind: behind.len() as u64,
        behind_names: names.map(|name| (*name).to_owned()).collect(),
    }
}

fn store_status(info: StoreInfo) -> StoreStatus {
    let (kind, location, database, bytes) = match info.place {
        StorePlace::Sqlite { path, bytes } => {
            let path = path.display().to_string();
            (StoreKind::Sqlite, path, None, Some(bytes))
        }
        StorePlace::Postgres { host, database } => (StoreKind::Postgres, host, database, None),
    };
    StoreStatus {
        kind,
        location,
        database,
        bytes,
        schema: info.schema,
    }
}
