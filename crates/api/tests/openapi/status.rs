//! Samples of reports on the state of an issuer.

use bailiwick_api::{
    AuditStatus, ClientsStatus, DueTransition, EndingSecret, GuardReason, HeadStatus, Health,
    IssuerStatus, KeyGuard, KeysetSetting, KeysetStatus, PrivateKeys, ProviderStatus, RootKeyState,
    RootKeyStatus, SectionStatus, SettingsStatus, StatusFinding, StatusSection, StoreKind,
    StoreStatus, TransitionKind, VerifierCounts,
};

use super::samples::{Answer, answer, key_id, now, public_key, text};

/// A report, and the objects in it.
pub(crate) fn answers() -> Vec<Answer> {
    let guard = KeyGuard {
        id: key_id(),
        wait: GuardReason::Publication,
        until: now(),
    };
    let some = || Some(text("a"));
    let finding = StatusFinding {
        state: Health::Warning,
        code: text("rotation_overdue"),
        message: text("a key is due"),
        next: text("run `key rotate`"),
    };
    let section = SectionStatus {
        section: StatusSection::Keys,
        state: Health::Warning,
        findings: vec![finding.clone()],
    };
    let due = |id| DueTransition {
        id,
        step: TransitionKind::Retire,
        since: now(),
    };
    let keyset = KeysetStatus {
        version: 1,
        issued_at: now(),
        expires: now(),
    };
    let head = HeadStatus {
        seq: 1,
        issued_at: now(),
        expires: now(),
    };
    let audit = |checkpoint_at| AuditStatus {
        rows: 1,
        checkpoint: 1,
        checkpoint_at,
    };
    let ending = EndingSecret {
        client: text("buyer-7"),
        secret: text("0a1b"),
        expires: now(),
    };
    let clients = ClientsStatus {
        registered: 1,
        disabled: 0,
        ending_secrets: 1,
        ending: vec![ending.clone()],
    };
    let verifiers = VerifierCounts {
        reported: 1,
        silent: 0,
        behind: 1,
        behind_names: vec![text("erp-1")],
    };
    let provider = |failure| ProviderStatus {
        name: text("corp"),
        issuer: text("https://idp.example"),
        reachable: true,
        keys: 1,
        failure,
    };
    let store = |database, bytes| StoreStatus {
        kind: StoreKind::Sqlite,
        location: text("/home/issuer.db"),
        database,
        bytes,
        schema: 2,
    };
    let settings = SettingsStatus {
        keyset_key: public_key(),
        refresh_hint: 30,
        max_token_ttl: 3_600,
        keyset_life: 86_400,
        profiles: 1,
    };
    let key = RootKeyStatus {
        id: key_id(),
        public: public_key(),
        state: RootKeyState::Active,
        published_version: 1,
        staged_at: now(),
        activated_at: None,
        retiring_at: None,
        retired_at: None,
        revoked_at: None,
        reason: None,
        next_at: None,
    };
    let status = |head, revocation_url| IssuerStatus {
        issuer: text("https://issuer.example"),
        time: now(),
        state: Health::Warning,
        sections: vec![section.clone()],
        keys: vec![key.clone()],
        due: vec![due(None)],
        waiting: vec![guard.clone()],
        keyset,
        head,
        revocation_url,
        private_keys: PrivateKeys::Unlocked,
        audit: audit(None),
        clients: clients.clone(),
        verifiers: verifiers.clone(),
        providers: vec![provider(None)],
        store: store(None, None),
        settings: settings.clone(),
    };
    let setting = |usual_url| KeysetSetting {
        revocation_url: text("https://issuer.example/revocations"),
        keyset_version: 2,
        changed: true,
        usual_url,
    };
    let of = |path: &str| format!("schemas/Status/properties/{path}");
    vec![
        answer(
            "schemas/Status",
            &status(Some(head), some()),
            &status(None, None),
        ),
        answer(&of("sections/items"), &section, &section),
        answer(
            &of("sections/items/properties/findings/items"),
            &finding,
            &finding,
        ),
        answer(&of("due/items"), &due(Some(key_id())), &due(None)),
        answer(&of("keyset"), &keyset, &keyset),
        answer(&of("head"), &head, &head),
        answer(&of("audit"), &audit(Some(now())), &audit(None)),
        answer(&of("clients"), &clients, &clients),
        answer(&of("clients/properties/ending/items"), &ending, &ending),
        answer(&of("verifiers"), &verifiers, &verifiers),
        answer(&of("providers/items"), &provider(some()), &provider(None)),
        answer(&of("store"), &store(some(), Some(1)), &store(None, None)),
        answer(&of("settings"), &settings, &settings),
        answer("schemas/KeysetSetting", &setting(some()), &setting(None)),
    ]
}
