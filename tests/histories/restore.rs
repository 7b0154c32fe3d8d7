//! Tests of the law of a restore, over random histories: if an issuer is put back to an earlier state and gets evidence
//! of later events, no decision changes. A verifier that followed the lost issuer accepts the documents of the restored
//! one; every token that was denied stays denied, and every token that was allowed stays allowed. If the evidence is
//! incomplete, every token that was denied still stays denied.

use std::io::BufReader;

use bailiwick_issuer::{
    InitOptions, Issuer, MintRequest, RestoreError, RestoreEvidence, RestoreOptions, RestoreReport,
    State,
};
use bailiwick_testkit::{ISSUER, SERVICE, at, grant, issuer, toml};
use bailiwick_token::{
    revocation::{Party, Target, Watermark},
    timestamp::Timestamp,
};
use bailiwick_verifier::{Call, Trust, Verifier};
use proptest::{collection::vec, prelude::*};

const AGENTS: [&str; 2] = ["agent:buyer", "agent:seller"];
const TTL: u64 = 600;

/// An event at an issuer.
#[derive(Debug, Clone, Copy)]
enum Event {
    Mint(usize),
    RevokeToken(usize),
    RevokeAgent(usize),
    RevokeKey,
    Rotate,
    Wait(u64),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0..2_usize).prop_map(Event::Mint),
        2 => (0..8_usize).prop_map(Event::RevokeToken),
        1 => (0..2_usize).prop_map(Event::RevokeAgent),
        1 => Just(Event::RevokeKey),
        2 => Just(Event::Rotate),
        3 => (1..400_u64).prop_map(Event::Wait),
    ]
}

struct World {
    dir: tempfile::TempDir,
    issuer: Issuer,
    now: Timestamp,
    tokens: Vec<(String, Target)>,
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime")
}

impl World {
    async fn new() -> World {
        let dir = tempfile::tempdir().expect("a folder");
        let now: Timestamp = at("2026-11-25T12:00:00Z");
        let options = InitOptions {
            refresh_hint: 5,
            max_token_ttl: TTL,
            keyset_life: 300,
            ..InitOptions::new(ISSUER)
        };
        let issuer = issuer::init(&dir.path().join("home"), options, now).await;
        World {
            dir,
            issuer,
            now,
            tokens: Vec::new(),
        }
    }

    async fn step(&mut self, event: Event) {
        let (issuer, now) = (&self.issuer, self.now);
        match event {
            Event::Mint(agent) => {
                let minted = issuer
                    .mint(&order(AGENTS[agent]), now)
                    .await
                    .expect("a token");
                let target = Target::Token(minted.receipt.token_id);
                self.tokens
                    .push((minted.token.to_base64().to_string(), target));
            }
            Event::RevokeToken(index) => {
                if let Some((_, target)) = self.tokens.get(index) {
                    let target = target.clone();
                    issuer
                        .revoke(target, None, "x", now)
                        .await
                        .expect("revoked");
                }
            }
            Event::RevokeAgent(agent) => {
                let watermark = Watermark::new(Party::Agent, AGENTS[agent], now.plus(1));
                let target = Target::Watermark(watermark.expect("a name"));
                issuer
                    .revoke(target, None, "x", now)
                    .await
                    .expect("revoked");
            }
            Event::RevokeKey => {
                let keys = issuer.keys().await.expect("keys");
                let active = keys.iter().find(|key| key.state == State::Active);
                let id = active.expect("one is active").id;
                issuer.revoke_key(id, "stolen", now).await.expect("revoked");
            }
            Event::Rotate => drop(issuer.rotate(now).await.expect("a rotation")),
            Event::Wait(seconds) => self.now = now.plus(seconds),
        }
    }

    async fn backup(&self) -> Vec<u8> {
        let mut backup = Vec::new();
        let written = self.issuer.backup(&mut backup, |_| {}, self.now).await;
        written.expect("a backup");
        backup
    }

    async fn restore(
        &self,
        backup: &[u8],
        evidence: RestoreEvidence,
        name: &str,
    ) -> (Issuer, RestoreReport) {
        let restored = self.try_restore(backup, evidence, name).await;
        restored.expect("a restored issuer")
    }

    async fn try_restore(
        &self,
        backup: &[u8],
        evidence: RestoreEvidence,
        name: &str,
    ) -> Result<(Issuer, RestoreReport), RestoreError> {
        let options = RestoreOptions {
            evidence,
            keyset_key: Some(*self.issuer.keyset_key()),
            ..RestoreOptions::default()
        };
        let home = self.dir.path().join(name);
        let mut input = BufReader::new(backup);
        Issuer::restore(
            &home,
            &mut input,
            options,
            &issuer::passphrase(),
            |_| {},
            self.now,
        )
        .await
    }

    /// Returns true for each token that a verifier allows five seconds later.
    fn verdicts(&self, verifier: &Verifier) -> Vec<bool> {
        let request = Call::new("purchase_order:read");
        let then = self.now.plus(5);
        let allows = |token: &str| verifier.check(token, &request, then).is_allow();
        self.tokens.iter().map(|(token, _)| allows(token)).collect()
    }
}

fn order(agent: &str) -> MintRequest {
    let grants = toml(&grant(SERVICE, "purchase_order:read"));
    issuer::order(agent, grants, TTL)
}

/// The trust of a verifier that accepts an issuer's documents on top of `before`.
async fn published(issuer: &Issuer, before: Option<&Trust>, now: Timestamp) -> Trust {
    let keyset = issuer.keyset(now).await.expect("a keyset").envelope;
    let snapshot = issuer.snapshot(now).await.expect("a snapshot").file;
    let head = issuer.head(now).await.expect("a head").envelope;
    let trust = match before {
        None => Trust::open(keyset.as_bytes(), issuer.keyset_key(), None),
        Some(before) => before.with_keyset(keyset.as_bytes()),
    };
    trust
        .expect("a signed keyset")
        .with_snapshot(snapshot.as_bytes(), head.as_bytes(), b"", now)
        .expect("a signed snapshot")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn a_restore_changes_no_verdict(before in vec(event(), 0..12), after in vec(event(), 0..24)) {
        runtime().block_on(async {
            let mut world = World::new().await;
            for event in before {
                world.step(event).await;
            }
            let backup = world.backup().await;
            for event in after {
                world.step(event).await;
            }
            let now = world.now;
            let trust = published(&world.issuer, None, now).await;
            let verifier = Verifier::new(SERVICE, trust.clone()).expect("a verifier");
            let verdicts = world.verdicts(&verifier);

            let evidence = RestoreEvidence {
                keyset: Some(world.issuer.keyset(now).await.expect("a keyset").envelope.into()),
                revocations: vec![world.issuer.snapshot(now).await.expect("a snapshot").file.into()],
                ..RestoreEvidence::default()
            };
            let (restored, report) = world.restore(&backup, evidence.clone(), "restored").await;
            prop_assert!(report.keyset_version > trust.keyset().version);
            let newer = published(&restored, Some(&trust), now.plus(1)).await;
            verifier.replace_trust(newer.clone()).expect("newer trust");
            prop_assert_eq!(world.verdicts(&verifier), verdicts);
            // The restored issuer keeps working: its tokens are valid, and it can be restored again from the
            // same backup.
            let minted = restored.mint(&order("agent:new"), now).await.expect("a token");
            let text = minted.token.to_base64().to_string();
            let request = Call::new("purchase_order:read");
            prop_assert!(verifier.check(&text, &request, now.plus(5)).is_allow());
            world.tokens.push((text, Target::Token(minted.receipt.token_id)));
            let verdicts = world.verdicts(&verifier);
            let evidence = RestoreEvidence {
                keyset: Some(restored.keyset(now).await.expect("a keyset").envelope.into()),
                revocations: vec![restored.snapshot(now).await.expect("a snapshot").file.into()],
                ..evidence
            };
            let (again, _) = world.restore(&backup, evidence.clone(), "again").await;
            let newest = published(&again, Some(&newer), now.plus(2)).await;
            verifier.replace_trust(newest.clone()).expect("newer trust");
            prop_assert_eq!(world.verdicts(&verifier), verdicts);

            // Without evidence of later events, no earlier token is valid any more.
            let unknown = RestoreEvidence {
                keyset: None,
                revocations: Vec::new(),
                version: newest.keyset().version,
                revoke_keys: Some("lost".to_owned()),
            };
            let (fresh, _) = world.restore(&backup, unknown, "fresh").await;
            let last = published(&fresh, None, now.plus(3)).await;
            let verifier = Verifier::new(SERVICE, last).expect("a verifier");
            prop_assert!(world.verdicts(&verifier).iter().all(|allowed| !allowed));
            let minted = fresh.mint(&order("agent:new"), now).await.expect("a token");
            let text = minted.token.to_base64().to_string();
            prop_assert!(verifier.check(&text, &request, now.plus(5)).is_allow());
            Ok(())
        })?;
    }

    #[test]
    fn a_restore_with_partial_evidence_changes_no_verdict_where_the_rest_was_known(
        before in vec(event(), 0..12),
        told in vec(event(), 0..12),
        untold in vec(event(), 0..12),
    ) {
        told_of_a_part([&before, &told, &untold]);
    }
}

#[test]
fn the_gaps_of_a_restored_issuer_are_reported() {
    use Event::{Mint, RevokeAgent, RevokeToken};
    let mints = [Mint(0), Mint(1), Mint(1)];
    let lacking = told_of_a_part([&mints, &[RevokeToken(1)], &[RevokeToken(2), RevokeAgent(0)]]);
    assert_eq!(lacking, Some(2));
    assert_eq!(told_of_a_part([&mints, &[RevokeToken(1)], &[]]), Some(0));
}

/// Restores with incomplete evidence, and checks that verifiers that knew all events keep their decisions,
/// whether they follow the feed or read files. Returns the number of revocations that the restored issuer
/// lacks; `None` if it refuses the evidence because the files are too far apart in time.
fn told_of_a_part([before, told, untold]: [&[Event]; 3]) -> Option<usize> {
    runtime().block_on(async {
        let mut world = World::new().await;
        for event in before {
            world.step(*event).await;
        }
        let backup = world.backup().await;
        for event in told {
            world.step(*event).await;
        }
        let part = world.issuer.snapshot(world.now).await.expect("a snapshot");
        for event in untold {
            world.step(*event).await;
        }
        let now = world.now;
        let trust = published(&world.issuer, None, now).await;
        let verifier = || Verifier::new(SERVICE, trust.clone()).expect("a verifier");
        let verdicts = world.verdicts(&verifier());
        let keyset = world.issuer.keyset(now).await.expect("a keyset");
        let evidence = RestoreEvidence {
            keyset: Some(keyset.envelope.into()),
            revocations: vec![part.file.into()],
            ..RestoreEvidence::default()
        };
        let restored = match world.try_restore(&backup, evidence, "restored").await {
            Ok((restored, _)) => restored,
            Err(RestoreError::Evidence(_)) => return None,
            Err(error) => panic!("{error}"),
        };
        let followed = published(&restored, Some(&trust), now.plus(1)).await;
        let handed = published(&restored, None, now.plus(1)).await;
        let lacking = [followed, handed].map(|newer| {
            let verifier = verifier();
            verifier.replace_trust(newer).expect("newer trust");
            assert_eq!(world.verdicts(&verifier), verdicts);
            verifier.trust().carried_revocations()
        });
        assert_eq!(lacking[0], lacking[1]);
        Some(lacking[0])
    })
}
