use std::{
    collections::BTreeSet,
    fs,
    io::{BufReader, Read},
    path::PathBuf,
};

use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    keyset::{KeyState, RootKey},
    revocation::{Party, Target, Watermark},
};

use super::*;
use crate::{
    AuditEvent, AuditFilter, BackupFileError, NewClient, RestoreError, RestoreEvidence,
    RestoreEvidenceError, RestoreOptions, RestoreReport, SignError, State, VaultError,
    store::TABLES,
};

/// A backup of an issuer, and the path where it is restored.
struct Restorer {
    dir: TempDir,
    homes: u32,
}

impl Restorer {
    fn new() -> Restorer {
        Restorer {
            dir: tempfile::tempdir().unwrap(),
            homes: 0,
        }
    }

    fn home(&self) -> PathBuf {
        self.dir.path().join(self.homes.to_string())
    }

    async fn restore(
        &mut self,
        backup: &[u8],
        evidence: RestoreEvidence,
        now: u64,
    ) -> Result<(Issuer, RestoreReport), RestoreError> {
        let options = RestoreOptions {
            store: store().await,
            evidence,
            actor: "operator".to_owned(),
            ..RestoreOptions::default()
        };
        self.restore_with(backup, options, now).await
    }

    async fn restore_with(
        &mut self,
        backup: &[u8],
        options: RestoreOptions,
        now: u64,
    ) -> Result<(Issuer, RestoreReport), RestoreError> {
        self.homes += 1;
        let mut input = BufReader::new(backup);
        let home = self.home();
        let passphrase = passphrase();
        let restored = Issuer::restore(&home, &mut input, options, &passphrase, |_| {}, at(now));
        restored.await
    }
}

async fn backup(issuer: &Issuer, now: u64) -> Vec<u8> {
    let mut file = Vec::new();
    let report = issuer.backup(&mut file, |_| {}, at(now)).await.unwrap();
    assert_eq!(report.bytes, file.len() as u64);
    file
}

/// The evidence that verifiers and operators still have about a lost issuer.
async fn known(issuer: &Issuer, now: u64) -> RestoreEvidence {
    RestoreEvidence {
        keyset: Some(issuer.published_keyset().await.unwrap().envelope.into()),
        revocations: vec![issuer.snapshot(at(now)).await.unwrap().file.into()],
        ..RestoreEvidence::default()
    }
}

async fn revoked(issuer: &Issuer, now: u64) -> BTreeSet<Target> {
    let revoked = issuer.revoked(at(now)).await.unwrap();
    revoked
        .into_iter()
        .map(|entry| entry.revocation.target)
        .collect()
}

fn token(n: u8) -> Target {
    Target::Token(TokenId::from_bytes([n; 16]))
}

#[tokio::test]
async fn every_column_is_in_a_backup() {
    let (_dir, issuer) = issuer().await;
    let mut tx = issuer.store.read().await.unwrap();
    let schema = tx.schema(on_postgres()).await.unwrap();
    let kept: BTreeSet<String> = TABLES
        .iter()
        .flat_map(|table| {
            table
                .names()
                .into_iter()
                .map(|name| format!("{}.{name}", table.name))
        })
        .collect();
    let there: BTreeSet<String> = schema
        .into_iter()
        .filter(|name| !name.starts_with("feed_head.") && !name.starts_with("_sqlx_migrations."))
        .collect();
    assert_eq!(kept, there);
}

#[tokio::test]
async fn everything_is_restored() {
    let (_dir, issuer) = issuer().await;
    fs::write(issuer.home().join("profiles.toml"), "# profiles\n").unwrap();
    fs::create_dir(issuer.home().join("profiles.d")).unwrap();
    fs::write(issuer.home().join("profiles.d/one.toml"), "# one\n").unwrap();
    fs::write(issuer.home().join("notes.txt"), "mine\n").unwrap();
    let minted = issuer.mint(&request(), at(10)).await.unwrap();
    let minted = Target::Token(minted.receipt.token_id);
    let client = NewClient {
        name: "buyer".to_owned(),
        principal: "team:procurement".to_owned(),
        profiles: vec!["buyer".to_owned()],
        claims: serde_json::Map::default(),
    };
    let (_, secret) = issuer.client_add(client, at(11)).await.unwrap();
    let key = super::client_keys::key("AAAA", "a");
    let key = issuer.client_key_add("buyer", vec![key], at(11)).await;
    let key = key.unwrap().keys.remove(0);
    issuer
        .revoke(token(1), None, "leaked", at(12))
        .await
        .unwrap();
    issuer.checkpoint(at(13)).await.unwrap();
    let before = issuer.published_keyset().await.unwrap();
    let file = backup(&issuer, 20).await;

    let mut restorer = Restorer::new();
    let evidence = known(&issuer, 20).await;
    let (restored, report) = restorer.restore(&file, evidence, 30).await.unwrap();
    assert_eq!(
        (
            report.made_at,
            report.keyset_version,
            report.revocations,
            report.clients
        ),
        (Some(at(20)), before.version + 1, 0, 1)
    );
    assert_eq!(
        (report.keys, report.revocations_until),
        (vec![], Some(at(20)))
    );
    assert_eq!(restored.settings(), issuer.settings());
    assert_eq!(restored.keys().await.unwrap(), issuer.keys().await.unwrap());
    assert_eq!(
        restored.revoked(at(30)).await.unwrap(),
        issuer.revoked(at(30)).await.unwrap()
    );
    assert_eq!(
        restored.clients().await.unwrap(),
        issuer.clients().await.unwrap()
    );
    let authenticated = restored.authenticate_client("buyer", secret.expose(), at(31));
    assert!(authenticated.await.unwrap().is_some());
    let signing = restored.signing_client("buyer").await.unwrap().unwrap();
    assert_eq!(signing.keys(), [key]);
    for (name, text) in [
        ("profiles.toml", "# profiles\n"),
        ("profiles.d/one.toml", "# one\n"),
    ] {
        assert_eq!(
            fs::read_to_string(restored.home().join(name)).unwrap(),
            text
        );
    }
    assert!(!restored.home().join("notes.txt").exists());

    // The audit continues with the restore.
    let all = AuditFilter::default();
    let rows = issuer.audit_list(&all).await.unwrap();
    let again = restored.audit_list(&all).await.unwrap();
    let (old, new) = again.split_at(rows.len());
    assert_eq!(old, rows);
    let events: Vec<&str> = new.iter().map(|row| row.event.as_str()).collect();
    assert_eq!(events, [AuditEvent::Restore.as_str()]);
    assert_eq!(new.first().unwrap().actor, "operator");
    assert!(
        restored
            .audit_verify(&[], |_| ())
            .await
            .unwrap()
            .finding
            .is_none()
    );

    // The issuer works: it knows the tokens, and mints new ones.
    let report = restored.revoke(minted, None, "x", at(31)).await.unwrap();
    assert!(report.minted_here);
    restored.mint(&request(), at(32)).await.unwrap();
    restored.rotate(at(33)).await.unwrap();
    // The passphrase still opens it.
    another(&restored)
        .await
        .mint(&request(), at(34))
        .await
        .unwrap();
}

#[tokio::test]
async fn revocations_after_the_backup_stay() {
    let (_dir, issuer) = issuer().await;
    let watermark = |before| {
        Target::Watermark(Watermark::new(Party::Agent, "agent:buyer", at(before)).unwrap())
    };
    issuer
        .revoke(token(1), Some(at(500)), "early", at(1))
        .await
        .unwrap();
    issuer
        .revoke(watermark(5), None, "early", at(5))
        .await
        .unwrap();
    let file = backup(&issuer, 10).await;
    issuer
        .revoke(token(1), None, "for longer", at(11))
        .await
        .unwrap();
    issuer.revoke(token(2), None, "late", at(12)).await.unwrap();
    issuer
        .revoke(watermark(13), None, "wider", at(13))
        .await
        .unwrap();
    let snapshot = known(&issuer, 14).await;
    issuer
        .revoke(Target::Block([7; 64]), None, "last", at(15))
        .await
        .unwrap();

    // A verifier has the head, and the changes since a snapshot or since the beginning.
    let head = issuer.head(at(16)).await.unwrap();
    let epoch = issuer
        .store
        .read()
        .await
        .unwrap()
        .position()
        .await
        .unwrap()
        .epoch
        .to_string();
    let feed = async |from| {
        let lines = issuer.delta(&epoch, from, head.seq).await.unwrap().unwrap();
        format!("{}\n{lines}", head.envelope).into_bytes()
    };
    let (whole, rest) = (feed(0).await, feed(head.seq - 1).await);
    let with = |revocations: Vec<Vec<u8>>| RestoreEvidence {
        revocations,
        ..snapshot.clone()
    };
    let snapshot_file = snapshot.revocations.first().unwrap().clone();
    let mut restorer = Restorer::new();
    for (evidence, known_until) in [
        (with(vec![whole.clone()]), 16),
        (with(vec![rest.clone(), snapshot_file.clone()]), 16),
        (known(&issuer, 17).await, 17),
    ] {
        let (restored, report) = restorer.restore(&file, evidence, 20).await.unwrap();
        assert_eq!(report.revocations_until, Some(at(known_until)));
        assert_eq!(report.revocations, 4);
        assert_eq!(revoked(&restored, 20).await, revoked(&issuer, 20).await);
        // Nothing is revoked twice.
        let all = restored.revoked(at(20)).await.unwrap();
        assert_eq!(all.len(), revoked(&issuer, 20).await.len());
        let longest = all.iter().find(|entry| entry.revocation.target == token(1));
        assert_eq!(longest.unwrap().revocation.expires, None);
        // The history has a new name, so that verifiers fetch a snapshot.
        assert_ne!(report.epoch, epoch);
        let position = restored
            .store
            .read()
            .await
            .unwrap()
            .position()
            .await
            .unwrap();
        assert_eq!(position.epoch.to_string(), report.epoch);
        assert!(restored.head(at(21)).await.is_ok());
        assert!(restored.snapshot(at(21)).await.is_ok());
    }
    // The changes are given without the snapshot that they continue.
    for evidence in [
        with(vec![rest.clone()]),
        with(vec![rest, whole[..whole.len() - 9].to_vec()]),
    ] {
        let refused = restorer.restore(&file, evidence, 20).await.unwrap_err();
        assert!(
            matches!(
                refused,
                RestoreError::Evidence(RestoreEvidenceError::NoBase)
            ),
            "{refused}"
        );
        assert!(!restorer.home().exists());
    }
}

async fn key_in(issuer: &Issuer, state: State) -> KeyId {
    let keys = issuer.keys().await.unwrap();
    keys.iter().find(|key| key.state == state).unwrap().id
}

async fn published(issuer: &Issuer) -> Vec<RootKey> {
    keyset(issuer).await.keys
}

#[tokio::test]
async fn keys_are_where_the_last_keyset_has_them() {
    // Long enough for every guard.
    const DAY: u64 = 200_000;
    let (_dir, issuer) = issuer().await;
    let (first, second) = (
        key_in(&issuer, State::Active).await,
        key_in(&issuer, State::Staged).await,
    );
    let file = backup(&issuer, 10).await;
    let mut restorer = Restorer::new();

    // The spare has taken over, and a third key is staged.
    issuer.activate(second, false, at(DAY)).await.unwrap();
    let third = key_in(&issuer, State::Staged).await;
    let evidence = known(&issuer, DAY + 1).await;
    let (restored, _) = restorer.restore(&file, evidence, DAY + 2).await.unwrap();
    assert_eq!(key_in(&restored, State::Active).await, second);
    let states: Vec<_> = published(&restored)
        .await
        .into_iter()
        .map(|key| (key.id, key.state))
        .collect();
    assert!(states.contains(&(first, KeyState::Retiring)));
    // The private half of the third key is lost, but verifiers still know the key.
    assert!(states.contains(&(third, KeyState::Retiring)));
    assert_eq!(states.len(), 4);
    restored.mint(&request(), at(DAY + 3)).await.unwrap();
    // The third key is retired in time, like other keys.
    restored.retire(third, false, at(3 * DAY)).await.unwrap();

    // The second key was revoked, and the third signs. The private half of only the first key is left. The first key
    // does not sign again nevertheless, and is retired when it would have been.
    issuer
        .revoke_key(second, "stolen", at(DAY + 5))
        .await
        .unwrap();
    assert_eq!(key_in(&issuer, State::Active).await, third);
    let evidence = known(&issuer, DAY + 6).await;
    let (restored, _) = restorer.restore(&file, evidence, DAY + 7).await.unwrap();
    let of = |keys: Vec<RootKey>| keys.into_iter().find(|key| key.id == first);
    assert_eq!(of(published(&restored).await), of(published(&issuer).await));
    let active = key_in(&restored, State::Active).await;
    assert!(![first, second, third].contains(&active));

    // The first has left the keyset.
    issuer.retire(first, false, at(2 * DAY)).await.unwrap();
    let evidence = known(&issuer, 2 * DAY + 2).await;
    let (restored, report) = restorer
        .restore(&file, evidence, 2 * DAY + 3)
        .await
        .unwrap();
    let keys = restored.keys().await.unwrap();
    let state = |id| keys.iter().find(|key| key.id == id).unwrap().state;
    assert_eq!(
        (state(first), state(second), state(third)),
        (State::Retired, State::Revoked, State::Retiring)
    );
    let active = key_in(&restored, State::Active).await;
    assert!(![first, second, third].contains(&active), "{report:?}");
    let keyset = keyset(&restored).await;
    assert_eq!(
        keyset
            .tombstones
            .first()
            .map(|stone| (stone.id, stone.reason.as_str())),
        Some((second, "stolen"))
    );
    // The private halves of keys that can no longer sign are gone.
    let names = restored
        .store
        .read()
        .await
        .unwrap()
        .sealed_names()
        .await
        .unwrap();
    assert!(
        !names.contains(&first.to_string()) && !names.contains(&second.to_string()),
        "{names:?}"
    );
    restored.mint(&request(), at(2 * DAY + 4)).await.unwrap();
    assert!(
        restored
            .audit_verify(&[], |_| ())
            .await
            .unwrap()
            .finding
            .is_none()
    );
}

#[tokio::test]
async fn entries_that_a_fast_clock_takes_for_ended_are_restored() {
    const DAY: u64 = 86_400;
    let (_dir, issuer) = issuer().await;
    let file = backup(&issuer, 10).await;
    let minted = issuer.mint(&request(), at(20)).await.unwrap();
    let target = Target::Token(minted.receipt.token_id);
    issuer
        .revoke(target.clone(), None, "x", at(21))
        .await
        .unwrap();
    let evidence = known(&issuer, 22).await;
    let mut restorer = Restorer::new();
    let (restored, report) = restorer.restore(&file, evidence, DAY).await.unwrap();
    assert_eq!(report.revocations, 1);
    // The clock is correct again.
    assert_eq!(revoked(&restored, 30).await, [target].into());
}

#[tokio::test]
async fn a_keyset_older_than_the_revocations_state_is_refused() {
    let (_dir, issuer) = issuer().await;
    let file = backup(&issuer, 10).await;
    let before = known(&issuer, 11).await;
    let active = key_in(&issuer, State::Active).await;
    issuer.revoke_key(active, "stolen", at(12)).await.unwrap();
    let head = issuer.head(at(13)).await.unwrap().envelope + "\n";
    for revocations in [known(&issuer, 13).await.revocations, vec![head.into()]] {
        let evidence = RestoreEvidence {
            revocations,
            ..before.clone()
        };
        let refused = Restorer::new().restore(&file, evidence, 20).await;
        assert!(matches!(
            refused,
            Err(RestoreError::Evidence(RestoreEvidenceError::NotTheLast {
                given: 1,
                seen: 2
            }))
        ));
    }
}

#[tokio::test]
async fn a_restore_without_evidence_revokes_every_key_or_nothing() {
    let (_dir, issuer) = issuer().await;
    let file = backup(&issuer, 10).await;
    let mut restorer = Restorer::new();
    let complete = known(&issuer, 10).await;
    for incomplete in [
        RestoreEvidence::default(),
        RestoreEvidence {
            keyset: None,
            version: 9,
            ..complete.clone()
        },
        RestoreEvidence {
            revocations: vec![],
            ..complete.clone()
        },
    ] {
        let refused = restorer.restore(&file, incomplete, 20).await.unwrap_err();
        assert!(
            matches!(
                refused,
                RestoreError::Evidence(RestoreEvidenceError::Incomplete { .. })
            ),
            "{refused}"
        );
    }
    let all = |version| RestoreEvidence {
        version,
        revoke_keys: Some("the host was taken over".to_owned()),
        ..RestoreEvidence::default()
    };
    // Anybody may have written the backup. Opening it with the passphrase does not show who did.
    let refused = restorer.restore(&file, all(1_000), 20).await;
    assert!(matches!(refused, Err(RestoreError::KeyNeeded)));
    let mut restore = async |version| {
        let options = RestoreOptions {
            store: store().await,
            evidence: all(version),
            keyset_key: Some(*issuer.keyset_key()),
            ..RestoreOptions::default()
        };
        restorer.restore_with(&file, options, 20).await
    };
    for (version, expected) in [
        (0, "is unknown"),
        (u64::MAX, "the version is above"),
        (1 << 60, "the version is above"),
    ] {
        let refused = restore(version).await.unwrap_err().to_string();
        assert!(refused.contains(expected), "{refused}");
    }
    let (restored, report) = restore(1_000).await.unwrap();
    assert_eq!(
        (report.keyset_version, report.revocations_until),
        (1_001, None)
    );
    let old: BTreeSet<KeyId> = published(&issuer).await.iter().map(|key| key.id).collect();
    let keyset = keyset(&restored).await;
    assert_eq!(
        old,
        keyset.tombstones.iter().map(|stone| stone.id).collect()
    );
    let states: Vec<_> = keyset.keys.iter().map(|key| key.state).collect();
    assert_eq!(states.len(), 2);
    assert!(states.contains(&KeyState::Active) && states.contains(&KeyState::Staged));
    restored.mint(&request(), at(21)).await.unwrap();
    // Versions rise from the given one.
    restored.stage(at(22)).await.unwrap();
    assert_eq!(restored.published_keyset().await.unwrap().version, 1_002);
}

#[tokio::test]
async fn files_that_are_older_or_of_another_issuer_are_refused() {
    let (_dir, issuer) = issuer().await;
    let (_other_dir, other) = super::issuer().await;
    let early = known(&issuer, 1).await;
    issuer.stage(at(2)).await.unwrap();
    issuer.revoke(token(1), None, "x", at(3)).await.unwrap();
    let file = backup(&issuer, 10).await;
    let last = known(&issuer, 11).await;
    let foreign = known(&other, 11).await;
    let mut restorer = Restorer::new();
    let mix = |keyset: &RestoreEvidence, revocations: &RestoreEvidence| RestoreEvidence {
        revocations: revocations.revocations.clone(),
        ..keyset.clone()
    };
    for (evidence, expected) in [
        (mix(&early, &last), "older than keyset"),
        (mix(&last, &early), "revocations are older"),
        (mix(&foreign, &last), "not signed"),
        (mix(&last, &foreign), "not signed"),
        (
            RestoreEvidence {
                keyset: Some(b"{}".to_vec()),
                ..last.clone()
            },
            "not a signed keyset",
        ),
        (
            RestoreEvidence {
                revocations: vec![b"nothing".to_vec()],
                ..last.clone()
            },
            "not a signed snapshot",
        ),
    ] {
        let refused = restorer
            .restore(&file, evidence, 20)
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains(expected), "{refused}");
        assert!(!restorer.home().exists());
    }
    // A clock that is behind is refused.
    let early = restorer.restore(&file, known(&issuer, 100).await, 39).await;
    assert!(matches!(
        early,
        Err(RestoreError::Evidence(RestoreEvidenceError::Clock { .. }))
    ));
    // The revocations end days before the keyset was signed.
    issuer.keyset(at(4_000)).await.unwrap();
    let newer = known(&issuer, 4_000).await;
    let refused = restorer.restore(&file, mix(&newer, &last), 4_100).await;
    assert!(matches!(
        refused,
        Err(RestoreError::Evidence(RestoreEvidenceError::Gap { .. }))
    ));
    // The keyset key that verifiers are configured with is given.
    let options = RestoreOptions {
        store: store().await,
        evidence: last,
        keyset_key: Some(*other.keyset_key()),
        ..RestoreOptions::default()
    };
    let refused = restorer.restore_with(&file, options, 20).await.unwrap_err();
    assert!(
        matches!(refused, RestoreError::OtherKey { .. }),
        "{refused}"
    );
}

#[tokio::test]
async fn a_backup_that_was_changed_is_refused() {
    let (_dir, issuer) = issuer().await;
    issuer.mint(&request(), at(1)).await.unwrap();
    issuer.revoke(token(1), None, "x", at(2)).await.unwrap();
    let file = String::from_utf8(backup(&issuer, 10).await).unwrap();
    issuer.mint(&request(), at(11)).await.unwrap();
    let other = String::from_utf8(backup(&issuer, 12).await).unwrap();
    let evidence = known(&issuer, 12).await;
    let lines: Vec<&str> = file.lines().collect();
    let without = |index: usize| {
        let kept = lines.iter().enumerate().filter(|(i, _)| *i != index);
        kept.map(|(_, line)| format!("{line}\n"))
            .collect::<String>()
    };
    let last = lines.len() - 1;
    let row = lines
        .iter()
        .position(|line| line.contains("\"mint\""))
        .unwrap();
    let revoked = lines
        .iter()
        .rposition(|line| line.starts_with("[1,\"token\""))
        .unwrap();
    let mut swapped = lines.clone();
    swapped.swap(row, row - 1);
    let other_end = other.lines().last().unwrap();
    let forged = [
        ("a row less", without(row)),
        ("a revocation less", without(revoked)),
        ("rows exchanged", swapped.join("\n") + "\n"),
        (
            "another row",
            file.replacen("agent:buyer", "agent:thief", 1),
        ),
        ("no end", without(last)),
        ("cut off in a line", file[..file.len() - 2].to_owned()),
        ("cut off in the middle", file[..file.len() / 2].to_owned()),
        ("more after the end", format!("{file}[1]\n")),
        (
            "the end of another backup",
            without(last) + other_end + "\n",
        ),
        (
            "another time",
            file.replacen(&at(10).to_string(), &at(11).to_string(), 1),
        ),
        (
            "another format",
            file.replacen("\"backup\":1", "\"backup\":2", 1),
        ),
        (
            "an unknown column",
            file.replacen("\"audit_seq\"", "\"audit_sequence\"", 1),
        ),
        (
            "an unknown table",
            file.replacen("\"checkpoint\"", "\"user\"", 1),
        ),
        (
            "a column twice",
            file.replacen("\"tenant\"", "\"agent\"", 1)
                .replacen("\"principal\"", "\"agent\"", 1),
        ),
        (
            "a value of another kind",
            file.replacen("[1,\"https:", "[\"1\",\"https:", 1),
        ),
        ("not a backup", "{}\n".to_owned()),
        ("nothing", String::new()),
        (
            "a path",
            file.replacen("\"identity.age\"", "\"../../identity.age\"", 1),
        ),
    ];
    let mut restorer = Restorer::new();
    for (what, forged) in forged {
        assert_ne!(forged, file, "{what}");
        let refused = restorer
            .restore(forged.as_bytes(), evidence.clone(), 20)
            .await;
        assert!(refused.is_err(), "{what}");
        assert_eq!(
            fs::read_dir(restorer.dir.path()).unwrap().count(),
            0,
            "{what}"
        );
    }
    restorer
        .restore(file.as_bytes(), evidence, 20)
        .await
        .unwrap();
}

#[tokio::test]
async fn a_backup_made_with_the_identity_of_another_home_is_refused() {
    let (_dir, issuer) = issuer().await;
    let (_other_dir, other) = super::issuer().await;
    fs::copy(
        other.home().join("identity.age"),
        issuer.home().join("identity.age"),
    )
    .unwrap();
    let file = backup(&issuer, 10).await;
    let evidence = known(&issuer, 10).await;
    let refused = Restorer::new()
        .restore(&file, evidence, 20)
        .await
        .unwrap_err();
    assert!(
        matches!(
            refused,
            RestoreError::Sign(SignError::Vault(VaultError::Mixed))
        ),
        "{refused}"
    );
}

#[tokio::test]
async fn a_locked_issuer_writes_no_backup_and_the_wrong_passphrase_restores_none() {
    let (_dir, issuer) = issuer().await;
    let locked = Issuer::open(issuer.home()).await.unwrap();
    let mut file = Vec::new();
    assert!(locked.backup(&mut file, |_| {}, at(1)).await.is_err());
    assert!(file.is_empty());
    let file = backup(&issuer, 1).await;
    let dir = tempfile::tempdir().unwrap();
    let wrong = Passphrase::new("wrong horse battery").unwrap();
    let mut input = BufReader::new(file.as_slice());
    let options = RestoreOptions {
        evidence: known(&issuer, 1).await,
        ..RestoreOptions::default()
    };
    let home = dir.path().join("home");
    let refused = Issuer::restore(&home, &mut input, options, &wrong, |_| {}, at(2));
    assert!(matches!(
        refused.await,
        Err(RestoreError::Sign(SignError::Vault(
            VaultError::WrongPassphrase
        )))
    ));
}

#[tokio::test]
async fn a_restored_database_catches_up() {
    let (_dir, issuer) = issuer().await;
    issuer.revoke(token(1), None, "x", at(1)).await.unwrap();
    issuer.revoke(token(2), None, "x", at(2)).await.unwrap();
    issuer.stage(at(3)).await.unwrap();
    let last = known(&issuer, 4).await;
    let keys = issuer.keys().await.unwrap();
    // The database is put back to one second after the first revocation.
    let (newest, name) = (keyset(&issuer).await.version, keys.last().unwrap().id);
    issuer
        .store
        .tamper(&format!(
            "DELETE FROM revocation WHERE seq = 2;
             DELETE FROM keyset WHERE version = {newest};
             DELETE FROM sealed_key WHERE name = '{name}';
             DELETE FROM root_key WHERE id = {}",
            name.as_u32()
        ))
        .await;
    let report = issuer.catch_up(&last, at(10)).await.unwrap();
    assert_eq!((report.made_at, report.revocations), (None, 1));
    assert_eq!(report.keyset_version, newest + 1);
    assert_eq!(revoked(&issuer, 10).await, [token(1), token(2)].into());
    assert_eq!(published(&issuer).await.len(), 3);
    issuer.mint(&request(), at(11)).await.unwrap();
}

#[tokio::test]
async fn an_assertion_from_before_a_restore_is_not_used_again() {
    let (_dir, issuer) = issuer().await;
    let file = backup(&issuer, 10).await;
    assert!(
        issuer
            .use_assertion(&[1; 32], at(12), at(400), at(12))
            .await
            .unwrap()
    );
    let evidence = known(&issuer, 15).await;
    let (restored, _) = Restorer::new().restore(&file, evidence, 100).await.unwrap();
    for (issued_at, first) in [
        (12, false),
        (100, false),
        (160, false),
        (161, true),
        (161, false),
    ] {
        let used = restored.use_assertion(&[1; 32], at(issued_at), at(600), at(170));
        assert_eq!(used.await.unwrap(), first, "{issued_at}");
    }
}

#[tokio::test]
async fn a_database_in_use_is_not_written_over() {
    let (_dir, issuer) = issuer().await;
    let file = backup(&issuer, 10).await;
    let evidence = known(&issuer, 10).await;
    if let Ok(url) = fs::read_to_string(issuer.home().join("store")) {
        let options = RestoreOptions {
            store: Some(url.parse().unwrap()),
            evidence,
            ..RestoreOptions::default()
        };
        let refused = Restorer::new().restore_with(&file, options, 20).await;
        assert!(matches!(refused, Err(RestoreError::Taken)));
        return;
    }
    let mut restorer = Restorer::new();
    fs::create_dir(restorer.dir.path().join("1")).unwrap();
    fs::write(restorer.dir.path().join("1/mine"), "").unwrap();
    let refused = restorer.restore(&file, evidence, 20).await;
    assert!(matches!(refused, Err(RestoreError::Home(_))));
}

#[tokio::test]
async fn an_endless_line_is_not_read_forever() {
    let dir = tempfile::tempdir().unwrap();
    let restore = async |begin: &'static str| {
        let home = dir.path().join("home");
        let mut endless = BufReader::new(begin.as_bytes().chain(std::io::repeat(b'[')));
        let options = RestoreOptions::default();
        let right = passphrase();
        Issuer::restore(&home, &mut endless, options, &right, |_| {}, at(0)).await
    };
    assert!(matches!(
        restore("").await,
        Err(RestoreError::File(BackupFileError::Other))
    ));
    assert!(matches!(
        restore("{\"backup\":").await,
        Err(RestoreError::File(BackupFileError::Malformed {
            line: 1,
            ..
        }))
    ));
}
