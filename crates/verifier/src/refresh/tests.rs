#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod attacks;
mod disk;
mod issuer;
mod outages;
mod rounds;

use std::{sync::Arc, time::Duration};

use bailiwick_token::{report::Report, timestamp::Timestamp};
use tokio::time::advance;

use self::issuer::Issuer;
use super::{error::RefreshError, options::Options, refresher::Refresher, status::Status};
use crate::{clock::Clock, trust::Staleness, verifier::Verifier};

/// A refresher that started with the issuer's state, and its verifier.
struct Scene {
    issuer: Issuer,
    refresher: Refresher<Issuer>,
    verifier: Arc<Verifier>,
}

impl Scene {
    async fn new(issuer: Issuer) -> Scene {
        let options = options(&issuer);
        Scene::with(issuer, options).await
    }

    async fn with(issuer: Issuer, options: Options) -> Scene {
        let refresher = Refresher::start(options, issuer.clone(), issuer.clock())
            .await
            .unwrap();
        let verifier = Arc::new(Verifier::new("erp", refresher.trust()).unwrap());
        Scene {
            issuer,
            refresher,
            verifier,
        }
    }

    /// Advances the clock by some seconds, then polls if a poll is due.
    async fn pass(&mut self, seconds: u64) {
        self.issuer.pass(seconds);
        advance(Duration::from_secs(seconds)).await;
        self.refresher.poll_due(&self.verifier).await;
    }

    /// Number of changes that the verifier has applied.
    fn seq(&self) -> Option<u64> {
        self.verifier
            .trust()
            .position()
            .map(|position| position.seq)
    }

    /// The requests made since the last call of this method.
    fn asked(&self) -> Vec<String> {
        self.issuer.asked()
    }

    fn status(&self) -> Status {
        self.refresher.status().get()
    }

    fn is_ready(&self, staleness: &Staleness, now: Timestamp) -> bool {
        self.verifier.trust().is_ready(staleness, now)
    }
}

fn options(issuer: &Issuer) -> Options {
    let mut options = Options::new(issuer::URL, issuer.keyset_key());
    options.report = Some(Report::new("erp-1", "erp").unwrap());
    options
}
