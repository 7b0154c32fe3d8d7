//! Repeated rotation of root keys while agents keep calling.

use std::{
    collections::VecDeque,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use bailiwick_issuer::Step;
use bailiwick_token::token::Token;
use serde::Serialize;
use tokio::task::JoinHandle;

use super::{
    agents::GRANTS,
    client::{AgentCall, AgentClient},
    failure::broken,
    world::{DemoWorld, REFRESH, TOKEN_LIFE},
};
use crate::exit::Failure;

/// Number of keys to retire before the rotation ends.
const ROUNDS: u64 = 4;

/// Number of agents that call at the same time.
const CALLERS: usize = 2;

/// Counts of a rotation, and of the calls made meanwhile.
#[derive(Debug, Default, Serialize)]
pub(super) struct RotationCounts {
    pub(super) activated: u64,
    pub(super) retired: u64,
    pub(super) keyset_version: u64,
    /// Number of seconds by which the clock was advanced.
    pub(super) clock_seconds: u64,
    pub(super) tokens: u64,
    pub(super) calls: u64,
    /// Calls with a valid token that were denied.
    pub(super) false_denials: u64,
    /// A description of the first such denial.
    pub(super) first_denial: Option<String>,
}

impl RotationCounts {
    pub(super) fn is_clean(&self) -> bool {
        self.false_denials == 0 && self.retired >= ROUNDS && self.calls > 0
    }
}

/// The state that the callers share.
#[derive(Default)]
struct Traffic {
    /// Valid tokens of the active key and of the previous one, newest last.
    tokens: RwLock<VecDeque<Token>>,
    calls: [AtomicU64; CALLERS],
    denials: RwLock<Vec<String>>,
    stop: AtomicBool,
}

/// Rotates until enough keys are retired, and counts the calls denied meanwhile.
pub(super) async fn under_traffic(world: &DemoWorld) -> Result<RotationCounts, Failure> {
    let traffic = Arc::new(Traffic::default());
    let mut rotation = RotationCounts::default();
    let began = world.now();
    let mut callers = Vec::new();
    while rotation.retired < ROUNDS {
        // This is the operator's cron job, which makes only the transitions that are due.
        let report = world.issuer.rotate(world.now()).await?;
        let count = |step| {
            report
                .changes
                .iter()
                .filter(|change| change.step == step)
                .count() as u64
        };
        rotation.activated = rotation.activated.saturating_add(count(Step::Activate));
        rotation.retired = rotation.retired.saturating_add(count(Step::Retire));
        rotation.keyset_version = report.keyset_version;
        // A new token, signed by the active key, is used while the verifier still has the keyset from
        // before. It is allowed because each key is published long before it signs.
        let token = world.mint("agent:orchestrator", GRANTS).await?.token;
        rotation.tokens = rotation.tokens.saturating_add(1);
        traffic.renew(token);
        if callers.is_empty() {
            callers = start(world, &traffic);
        }
        traffic.flow().await?;
        world.reload().await?;
        traffic.flow().await?;
        world.pass(REFRESH);
    }
    traffic.stop.store(true, Ordering::SeqCst);
    for caller in callers {
        caller.await.map_err(broken)??;
    }
    let denials = traffic
        .denials
        .read()
        .unwrap_or_else(PoisonError::into_inner);
    rotation.calls = traffic
        .calls
        .iter()
        .map(|calls| calls.load(Ordering::SeqCst))
        .sum();
    rotation.false_denials = denials.len() as u64;
    rotation.first_denial = denials.first().cloned();
    rotation.clock_seconds = world.now().since(began);
    Ok(rotation)
}

fn start(world: &DemoWorld, traffic: &Arc<Traffic>) -> Vec<JoinHandle<Result<(), Failure>>> {
    let spawn = |number| {
        let (traffic, to) = (Arc::clone(traffic), world.address);
        tokio::spawn(async move {
            let mut client = AgentClient::connect(to).await?;
            while !traffic.stop.load(Ordering::SeqCst) {
                let Some(token) = traffic.token(number) else {
                    break;
                };
                let call = AgentCall::read("agent:orchestrator", "PO-1").allowed();
                let outcome = client.call(&token, call).await?;
                traffic.count(number, outcome.is_allowed(), || format!("{outcome:?}"));
            }
            Ok(())
        })
    };
    (0..CALLERS).map(spawn).collect()
}

impl Traffic {
    /// Adds a token, and drops those that would soon expire. A token is minted once per refresh, and the clock
    /// may advance twice during a call.
    fn renew(&self, token: Token) {
        let mut tokens = self.tokens.write().unwrap_or_else(PoisonError::into_inner);
        tokens.push_back(token);
        while tokens.len() as u64 > (TOKEN_LIFE / REFRESH).saturating_sub(3) {
            tokens.pop_front();
        }
    }

    /// Returns a token for a caller. Callers alternate between the oldest and the newest.
    fn token(&self, number: usize) -> Option<Token> {
        let tokens = self.tokens.read().unwrap_or_else(PoisonError::into_inner);
        match number.is_multiple_of(2) {
            true => tokens.front().cloned(),
            false => tokens.back().cloned(),
        }
    }

    fn count(&self, number: usize, allowed: bool, denial: impl FnOnce() -> String) {
        if let Some(calls) = self.calls.get(number) {
            calls.fetch_add(1, Ordering::SeqCst);
        }
        if !allowed {
            self.denials
                .write()
                .unwrap_or_else(PoisonError::into_inner)
                .push(denial());
        }
    }

    /// Waits until each caller has completed a call that began after this wait did.
    async fn flow(&self) -> Result<(), Failure> {
        let flowing = async {
            for calls in &self.calls {
                let enough = calls.load(Ordering::SeqCst).saturating_add(2);
                while calls.load(Ordering::SeqCst) < enough {
                    tokio::time::sleep(Duration::from_micros(200)).await;
                }
            }
        };
        let limit = Duration::from_secs(20);
        tokio::time::timeout(limit, flowing)
            .await
            .map_err(|_| broken("the callers make no progress"))
    }
}
