//! Trial of a restore: yesterday's store or yesterday's backup replaces the issuer, and verifiers continue to
//! follow it.
//!
//! Promised: if the store was merely put back, each verifier with newer state notices, and no revoked token is
//! admitted again. A backup that is restored with the last keyset and revocations is accepted within a few
//! polls: tokens that were revoked after the backup stay revoked, even at a new verifier, tokens that were
//! minted after it stay valid, and no verifier reports a rollback. Signs of failure: an admitted call with a
//! revoked token, a valid token that is denied permanently, or a status that does not report the rollback.

use std::{fs, path::Path, time::Duration};

use bailiwick_issuer::{InitOptions, Issuer, RestoreEvidence, RestoreOptions};
use bailiwick_testkit::{
    ISSUER, SERVICE, grant,
    http::eventually,
    issuer::passphrase,
    service::{HEAD, KEYSET, Service, Setup},
    watch::{ACTION, Watch},
};
use bailiwick_token::{claims::TokenId, revocation::SnapshotHeader};
use bailiwick_verifier::{Reason, Staleness};
use serde_json::json;

const DAY: u64 = 86_400;
const POLL: Duration = Duration::from_millis(100);

struct Scene {
    service: Service,
    watches: Vec<Watch>,
}

impl Scene {
    async fn token(&self) -> (String, TokenId) {
        let grants = grant(SERVICE, ACTION);
        let minted = self.service.mint_for("agent:buyer", &grants, 3 * DAY).await;
        (
            minted.token.to_base64().to_string(),
            minted.receipt.token_id,
        )
    }

    async fn watch(&self, name: &str, kept: bool) -> Watch {
        let follow = self.service.follow(name, POLL);
        let follow = match kept {
            true => follow.directory(self.service.folder(name)),
            false => follow,
        };
        Watch::with(
            name,
            follow,
            self.service.time.clone(),
            Staleness::default(),
        )
        .await
    }

    async fn revoke(&self, (token, id): &(String, TokenId)) {
        let body = json!({ "tokens": [id], "reason": "a trial" });
        let path = "/v1/revocations";
        self.service.operate("revocation:create", path, &body).await;
        for watch in &self.watches {
            eventually("it is revoked", async || {
                watch.check(token).reason() == Some(Reason::Revoked)
            })
            .await;
        }
    }

    async fn admitted(&self, (token, _): &(String, TokenId)) {
        for watch in &self.watches {
            eventually("it is admitted", async || watch.check(token).is_allow()).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_issuer_restored_from_yesterday() {
    let options = InitOptions {
        refresh_hint: 1,
        max_token_ttl: 4 * DAY,
        ..InitOptions::new(ISSUER)
    };
    let service = Setup::followed(options, 600).start().await;
    let mut scene = Scene {
        service,
        watches: Vec::new(),
    };
    for (name, kept) in [("erp-1", true), ("erp-2", false)] {
        let watch = scene.watch(name, kept).await;
        scene.watches.push(watch);
    }
    let (first, second, good) = (
        scene.token().await,
        scene.token().await,
        scene.token().await,
    );
    scene.admitted(&second).await;
    scene.revoke(&first).await;
    let mut backup = Vec::new();
    let now = scene.service.time.now();
    let written = scene.service.issuer.backup(&mut backup, |_| {}, now).await;
    written.unwrap();
    let (home, yesterday) = (
        scene.service.folder("home"),
        scene.service.folder("yesterday"),
    );
    scene.service.stop().await;
    copy(&home, &yesterday);
    scene.service.become_that_of(&home).await;

    scene.service.time.set(DAY as i64);
    scene.admitted(&second).await;
    scene.revoke(&second).await;
    let since = scene.token().await;
    scene.admitted(&since).await;
    let keyset = scene.service.fetch(KEYSET).await;
    // The served snapshot may be a few seconds old.
    let (path, key) = (
        format!("{HEAD}/snapshot"),
        *scene.service.issuer.keyset_key(),
    );
    let newest = scene.service.issuer.position().await.unwrap();
    let mut revocations = String::new();
    eventually("an up-to-date snapshot", async || {
        revocations = scene.service.fetch(&path).await;
        let (header, _) = SnapshotHeader::open(revocations.as_bytes(), &key).unwrap();
        header.position() == newest
    })
    .await;

    // The store is put back, as from a disk snapshot.
    for watch in &scene.watches {
        assert_eq!(watch.monitor.status().rollbacks, 0);
    }
    scene.service.become_that_of(&yesterday).await;
    for watch in &scene.watches {
        eventually("it is noticed", async || {
            for token in [&first, &second] {
                let decision = watch.check(&token.0);
                assert!(!decision.is_allow(), "{decision:?}");
            }
            watch.monitor.status().rollbacks > 0
        })
        .await;
    }

    // The backup is restored, as it should be.
    let restored = scene.service.folder("restored");
    let options = RestoreOptions {
        evidence: RestoreEvidence {
            keyset: Some(keyset.into_bytes()),
            revocations: vec![revocations.into_bytes()],
            ..RestoreEvidence::default()
        },
        ..RestoreOptions::default()
    };
    let (passphrase, now) = (passphrase(), scene.service.time.now());
    let made = Issuer::restore(&restored, &mut &*backup, options, &passphrase, |_| {}, now).await;
    made.unwrap().0.close().await;
    fs::copy(home.join("profiles.toml"), restored.join("profiles.toml")).unwrap();
    scene.service.become_that_of(&restored).await;
    let before: Vec<u64> = scene
        .watches
        .iter()
        .map(|watch| watch.monitor.status().rollbacks)
        .collect();
    for token in [&good, &since, &scene.token().await] {
        scene.admitted(token).await;
    }
    let cold = scene.watch("erp-3", true).await;
    scene.watches.push(cold);
    for watch in &scene.watches {
        for token in [&first, &second] {
            assert_eq!(watch.check(&token.0).reason(), Some(Reason::Revoked));
        }
        for token in [&good, &since] {
            assert!(watch.check(&token.0).is_allow());
        }
        assert_eq!(watch.monitor.status().carried_revocations, 0);
    }
    let after = scene
        .watches
        .iter()
        .map(|watch| watch.monitor.status().rollbacks);
    assert!(after.zip(before).all(|(after, before)| after == before));
    scene.service.stop().await;
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_file() {
            fs::copy(entry.path(), to.join(entry.file_name())).unwrap();
        }
    }
}
