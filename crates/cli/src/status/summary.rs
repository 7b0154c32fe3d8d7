//! The facts of each section, on one line.

use bailiwick_api::{
    DueTransition, GuardReason, IssuerStatus, KeyGuard, PrivateKeys, RootKeyState, StatusSection,
    StoreKind, TransitionKind,
};
use bailiwick_token::{duration, escape::name, key::KeyId, text::counted};

/// The facts of a section.
pub(super) fn summary(status: &IssuerStatus, section: StatusSection) -> String {
    match section {
        StatusSection::Service => "runs".to_owned(),
        StatusSection::Keys => keys(status),
        StatusSection::Keyset => {
            let keyset = &status.keyset;
            format!("version {}, until {}", keyset.version, keyset.expires)
        }
        StatusSection::Revocations => revocations(status),
        StatusSection::PrivateKeys => match status.private_keys {
            PrivateKeys::Unlocked => "opens the private keys".to_owned(),
            PrivateKeys::Refused => "does not open the private keys".to_owned(),
            PrivateKeys::NotTried => "not tried".to_owned(),
        },
        StatusSection::Audit => audit(status),
        StatusSection::Clients => clients(status),
        StatusSection::Verifiers => {
            let counts = &status.verifiers;
            match counts.reported {
                0 => "none has reported".to_owned(),
                reported => format!(
                    "{reported} reported, {} behind, {} silent for an hour",
                    counts.behind, counts.silent
                ),
            }
        }
        StatusSection::Providers => {
            let all = &status.providers;
            let reachable = all.iter().filter(|provider| provider.reachable).count();
            match all.len() {
                0 => "none is configured".to_owned(),
                many => format!("{reachable} of {many} reachable"),
            }
        }
        StatusSection::Store => store(status),
        StatusSection::Settings => {
            let settings = &status.settings;
            format!(
                "tokens live {} at most, keysets {}; refresh every {}; {}",
                duration::show(settings.max_token_ttl),
                duration::show(settings.keyset_life),
                duration::show(settings.refresh_hint),
                counted(settings.profiles, "profile")
            )
        }
    }
}

fn keys(status: &IssuerStatus) -> String {
    let active = status
        .keys
        .iter()
        .find(|key| key.state == RootKeyState::Active);
    let mut parts = match active {
        Some(key) => {
            let since = key.activated_at.map(|since| format!(" since {since}"));
            vec![format!("{} signs{}", key.id, since.unwrap_or_default())]
        }
        None => vec!["none signs".to_owned()],
    };
    parts.extend(status.due.iter().map(due));
    parts.extend(status.waiting.iter().map(|guard| waits(status, guard)));
    parts.join("; ")
}

fn due(due: &DueTransition) -> String {
    let key = |id: Option<KeyId>| id.map_or("a new key".to_owned(), |id| id.to_string());
    format!("{} is due to {}", key(due.id), verb(due.step))
}

/// Describes the transition that a guard delays: the activation of a staged key, or the retirement of a
/// retiring one.
fn waits(status: &IssuerStatus, guard: &KeyGuard) -> String {
    // This guard delays only the rotation. The key can be activated by hand before then.
    if guard.wait == GuardReason::Rotation {
        return format!(
            "{} is activated by a rotation from {} on",
            guard.id, guard.until
        );
    }
    let is_retiring = status
        .keys
        .iter()
        .any(|key| key.id == guard.id && key.state == RootKeyState::Retiring);
    let step = match is_retiring {
        true => TransitionKind::Retire,
        false => TransitionKind::Activate,
    };
    format!("{} can {} from {}", guard.id, verb(step), guard.until)
}

fn verb(step: TransitionKind) -> &'static str {
    match step {
        TransitionKind::Stage => "be staged",
        TransitionKind::Activate => "be activated",
        TransitionKind::Supersede => "be superseded",
        TransitionKind::Retire => "be retired",
        TransitionKind::Revoke => "be revoked",
    }
}

fn revocations(status: &IssuerStatus) -> String {
    let url = match &status.revocation_url {
        Some(url) => format!("at {}", name(url)),
        None => "no URL in the keyset".to_owned(),
    };
    match &status.head {
        Some(head) => format!("{url}, change {} signed at {}", head.seq, head.issued_at),
        None => format!("{url}, no head was signed yet"),
    }
}

fn audit(status: &IssuerStatus) -> String {
    let audit = &status.audit;
    let checkpoint = match audit.checkpoint_at {
        Some(at) => format!("checkpoint of row {} at {at}", audit.checkpoint),
        None => "no checkpoint yet".to_owned(),
    };
    format!("{}, {checkpoint}", counted(audit.rows, "row"))
}

fn clients(status: &IssuerStatus) -> String {
    let clients = &status.clients;
    let mut text = format!(
        "{} registered, {} disabled",
        clients.registered, clients.disabled
    );
    if let Some(first) = clients.ending.first() {
        let ending = match clients.ending_secrets {
            1 => "1 secret expires".to_owned(),
            many => format!("{many} secrets expire"),
        };
        let client = name(&first.client);
        text = format!(
            "{text}; {ending} within a week, the first of them is that of {client} at {}",
            first.expires
        );
    }
    text
}

fn store(status: &IssuerStatus) -> String {
    let store = &status.store;
    let kind = match store.kind {
        StoreKind::Sqlite => "SQLite",
        StoreKind::Postgres => "PostgreSQL",
    };
    let location = name(&store.location);
    let detail = match (&store.database, store.bytes) {
        (Some(database), _) => format!(", database {}", name(database)),
        (None, Some(bytes)) => format!(", {} KiB", bytes.div_ceil(1_024)),
        (None, None) => String::new(),
    };
    format!("{kind} at {location}{detail}, schema {}", store.schema)
}
