//! Tests of the rules at their limits.

use bailiwick_api::{
    AuditStatus, ClientsStatus, HeadStatus, KeysetStatus, SettingsStatus, StoreKind, StoreStatus,
};
use bailiwick_issuer::{ClientKey, SecretInfo};

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_795_000_000 + seconds).unwrap()
}

/// A report at time 0 about an issuer that was created then.
fn status() -> IssuerStatus {
    IssuerStatus {
        issuer: "https://issuer.example".to_owned(),
        time: at(0),
        state: Health::Ok,
        sections: Vec::new(),
        keys: Vec::new(),
        due: Vec::new(),
        waiting: Vec::new(),
        keyset: KeysetStatus {
            version: 1,
            issued_at: at(0),
            expires: at(86_400),
        },
        head: None,
        revocation_url: None,
        private_keys: PrivateKeys::NotTried,
        audit: AuditStatus {
            rows: 0,
            checkpoint: 0,
            checkpoint_at: None,
        },
        clients: ClientsStatus {
            registered: 0,
            disabled: 0,
            ending_secrets: 0,
            ending: Vec::new(),
        },
        verifiers: VerifierCounts {
            reported: 0,
            silent: 0,
            behind: 0,
            behind_names: Vec::new(),
        },
        providers: Vec::new(),
        store: StoreStatus {
            kind: StoreKind::Sqlite,
            location: "issuer.db".to_owned(),
            database: None,
            bytes: None,
            schema: 2,
        },
        settings: SettingsStatus {
            keyset_key: format!("ed25519/58{}", "66".repeat(31)).parse().unwrap(),
            refresh_hint: 30,
            max_token_ttl: 3_600,
            keyset_life: 86_400,
            profiles: 0,
        },
    }
}

fn code_of(finding: Option<&Finding>) -> Option<&str> {
    finding.map(|found| found.finding.code.as_str())
}

#[test]
fn a_keyset_ends_soon_and_then_has_ended() {
    let status = status();
    for (now, code) in [
        (0, None),
        (64_800, None),
        (64_801, Some("keyset_ending")),
        (86_399, Some("keyset_ending")),
        (86_400, Some("keyset_expired")),
    ] {
        assert_eq!(code_of(keyset(&status, at(now)).as_ref()), code, "{now}");
    }
    let mut ahead = status;
    ahead.keyset.issued_at = at(SKEW + 1);
    let found = keyset(&ahead, at(0));
    assert_eq!(code_of(found.as_ref()), Some("keyset_in_future"));
}

#[test]
fn revocations_need_a_url_where_a_service_signs_them() {
    let url = |url: &str| Some(url.to_owned());
    let head = |age: u64| {
        Some(HeadStatus {
            seq: 1,
            issued_at: at(1_000 - age),
            expires: at(90_000),
        })
    };
    for (revocation_url, head, codes) in [
        (None, None, &[][..]),
        (None, head(0), &["no_revocation_url"][..]),
        (url("https://issuer.example/r"), head(60), &[][..]),
        (
            url("https://issuer.example/r"),
            head(61),
            &["head_stale"][..],
        ),
        (url("https://issuer.example/r"), None, &["no_head"][..]),
        (
            url("http://issuer.example/r"),
            head(0),
            &["revocation_url_unsafe"][..],
        ),
        (
            url("https://issuer.example/r?a"),
            head(0),
            &["revocation_url_unsafe"][..],
        ),
        (url("http://127.0.0.1:8420/r"), head(0), &[][..]),
    ] {
        let status = IssuerStatus {
            revocation_url,
            head,
            ..status()
        };
        let found = revocations(&status, at(1_000));
        let found: Vec<&str> = found.iter().map(|it| it.finding.code.as_str()).collect();
        assert_eq!(found, codes, "{:?}", status.revocation_url);
    }
}

#[test]
fn an_issuer_without_an_active_key_is_an_error() {
    let found = keys(&status(), Some("too many"), at(0));
    let codes: Vec<&str> = found.iter().map(|it| it.finding.code.as_str()).collect();
    assert_eq!(codes, ["no_active_key", "rotation_refused"]);
}

#[test]
fn only_the_last_secret_of_a_client_is_warned_of() {
    let week = 7 * 86_400;
    let client = |ends: &[Option<u64>], disabled| ClientInfo {
        name: "buyer-7".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: Vec::new(),
        claims: serde_json::Map::new(),
        created_at: at(0),
        disabled_at: disabled,
        secrets: ends
            .iter()
            .map(|end| SecretInfo {
                id: "0a1b".to_owned(),
                created_at: at(0),
                expires: end.map(at),
            })
            .collect(),
        keys: Vec::new(),
    };
    for (ends, disabled, warned) in [
        (&[None][..], None, false),
        (&[Some(60), None][..], None, false),
        (&[Some(60), Some(week)][..], None, true),
        (&[Some(60), Some(week + 1)][..], None, false),
        (&[Some(60)][..], Some(at(0)), false),
        (&[][..], None, false),
    ] {
        let found = clients(&[client(ends, disabled)], at(0));
        assert_eq!(!found.is_empty(), warned, "{ends:?}: {found:?}");
        let key = ClientKey {
            id: "0a1b2c3d0a1b2c3d".to_owned(),
            jwk: serde_json::Map::new(),
            created_at: at(0),
        };
        let signs = ClientInfo {
            keys: vec![key],
            ..client(ends, disabled)
        };
        assert_eq!(clients(&[signs], at(0)), []);
    }
}

#[test]
fn rows_without_a_checkpoint_are_warned_of_after_a_day() {
    assert_eq!(audit(None, at(0)), None);
    assert_eq!(audit(Some(at(0)), at(86_399)), None);
    let found = audit(Some(at(0)), at(86_400));
    assert_eq!(code_of(found.as_ref()), Some("checkpoint_overdue"));
}

#[test]
fn names_of_others_are_escaped() {
    let counts = VerifierCounts {
        reported: 2,
        silent: 0,
        behind: 2,
        behind_names: vec!["erp\n\u{1b}[2J".to_owned(), "other".to_owned()],
    };
    let found = verifiers(&counts).unwrap();
    let message = &found.finding.message;
    assert!(!message.contains(char::is_control), "{message:?}");
    assert!(message.contains("and 1 more"), "{message}");
    let provider = ProviderStatus {
        name: "corp".to_owned(),
        issuer: "https://idp.example".to_owned(),
        reachable: false,
        keys: 3,
        failure: Some("it said\u{1b}[2J".to_owned()),
    };
    let found = providers(&[provider]);
    let finding = &found.first().unwrap().finding;
    assert_eq!(finding.state, Health::Warning);
    assert!(!finding.message.contains('\u{1b}'), "{finding:?}");
}

#[test]
fn missing_rights_are_an_error() {
    assert!(rights(&[]).is_none());
    let missing = ["INSERT on audit", "UPDATE on issuer (audit_seq)"].map(str::to_owned);
    let found = rights(&missing).unwrap();
    assert_eq!(
        (found.section, found.finding.state),
        (Section::Store, Health::Error)
    );
    let message = &found.finding.message;
    assert!(
        message.contains("(INSERT on audit and 1 more)"),
        "{message}"
    );
    assert!(found.finding.next.contains("postgres.sql, step 2"));
}
