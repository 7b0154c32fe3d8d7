//! An issuer in memory, with a clock that the test advances.

use std::{
    collections::BTreeMap,
    mem::take,
    sync::{Arc, Mutex, MutexGuard},
};

use bailiwick_token::{
    claims::TokenId,
    key::{KeyId, PublicKey},
    keyset::{Algorithm, KeyState, Keyset, RootKey},
    revocation::{Digest, Epoch, Head, Position, Revocation, SnapshotBase, Target},
    timestamp::Timestamp,
};
use ed25519_dalek::SigningKey;

use crate::{
    clock::Clock,
    refresh::{FetchError, Fetched, Get, Transport},
};

pub(super) const URL: &str = "https://issuer.example";
const FEED: &str = "https://issuer.example/revocations";

#[derive(Clone)]
pub(super) struct Issuer(Arc<Mutex<State>>);

pub(super) struct State {
    pub(super) now: Timestamp,
    pub(super) keyset: Keyset,
    pub(super) epoch: Epoch,
    pub(super) changes: Vec<Revocation>,
    /// Number of changes that snapshots and heads include; `None` for all.
    pub(super) shown: Option<usize>,
    /// Number of the first change that the issuer still serves.
    pub(super) forgotten: usize,
    pub(super) mode: Mode,
    /// False answers, by the end of the address.
    pub(super) lies: BTreeMap<String, Vec<u8>>,
    asked: Vec<String>,
    pub(super) reports: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    Up,
    Down,
    Silent,
    Flooding,
    Panicking,
}

pub(super) fn token(number: u64) -> Revocation {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_be_bytes());
    Revocation {
        target: Target::Token(TokenId::from_bytes(id)),
        expires: None,
    }
}

impl Issuer {
    pub(super) fn new(changes: u64) -> Issuer {
        let now = "2026-11-23T12:00:00Z".parse().unwrap();
        let public = public(&SigningKey::from_bytes(&[1; 32]));
        let keyset = Keyset {
            issuer: URL.to_owned(),
            version: 1,
            issued_at: now,
            expires: now.plus(86_400),
            refresh_hint: 30,
            max_token_ttl: 3600,
            keys: vec![RootKey {
                id: KeyId::derive(URL, &public),
                alg: Algorithm::Ed25519,
                public,
                state: KeyState::Active,
                not_after: None,
            }],
            tombstones: Vec::new(),
            revocation_url: Some(FEED.to_owned()),
        };
        Issuer(Arc::new(Mutex::new(State {
            now,
            keyset,
            epoch: Epoch::from_bytes([1; 8]),
            changes: (0..changes).map(token).collect(),
            shown: None,
            forgotten: 0,
            mode: Mode::Up,
            lies: BTreeMap::new(),
            asked: Vec::new(),
            reports: Vec::new(),
        })))
    }

    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap()
    }

    pub(super) fn clock(&self) -> Clock {
        let issuer = self.clone();
        Arc::new(move || issuer.state().now)
    }

    pub(super) fn pass(&self, seconds: u64) {
        let mut state = self.state();
        state.now = state.now.plus(seconds);
    }

    pub(super) fn revoke(&self, number: u64) {
        self.state().changes.push(token(number));
    }

    pub(super) fn set(&self, mode: Mode) {
        self.state().mode = mode;
    }

    /// Serves this answer for addresses that end in `end`, until [`Issuer::be_honest`] is called.
    pub(super) fn forge_answer(&self, end: &str, answer: impl Into<Vec<u8>>) {
        self.state().lies.insert(end.to_owned(), answer.into());
    }

    pub(super) fn be_honest(&self) {
        self.state().lies.clear();
    }

    /// Changes the keyset, and publishes the result as a newer version.
    pub(super) fn publish(&self, change: impl FnOnce(&mut Keyset)) {
        let mut state = self.state();
        state.keyset.version += 1;
        state.keyset.issued_at = state.now;
        state.keyset.expires = state.now.plus(86_400);
        change(&mut state.keyset);
    }

    pub(super) fn keyset_key(&self) -> PublicKey {
        public(&key())
    }

    /// The ends of the addresses requested since the last call of this method.
    pub(super) fn asked(&self) -> Vec<String> {
        take(&mut self.state().asked)
    }
}

impl State {
    fn seq(&self) -> usize {
        self.shown.unwrap_or(self.changes.len())
    }

    fn position(&self) -> Position {
        let start = Position::start(self.epoch);
        let changes = self.changes[..self.seq()].iter();
        changes.fold(start, |at, change| {
            at.then(change.to_line().as_bytes()).unwrap()
        })
    }

    pub(super) fn head(&self) -> String {
        let Position { epoch, seq, digest } = self.position();
        let head = Head {
            issuer: URL.to_owned(),
            epoch,
            seq,
            keyset_version: self.keyset.version,
            issued_at: self.now,
            expires: self.now.plus(3600),
            digest,
        };
        head.sign(&key()).to_json()
    }

    pub(super) fn snapshot(&self) -> String {
        let base = SnapshotBase {
            keyset_version: 1,
            issuer: URL.to_owned(),
            position: self.position(),
            issued_at: self.now,
            expires: self.now.plus(3600),
        };
        let entries = self.changes[..self.seq()].iter().cloned();
        base.write(entries, &key()).unwrap()
    }

    pub(super) fn lines(&self, after: usize, to: usize) -> String {
        let lines = self.changes[after..to].iter();
        lines.map(|change| change.to_line() + "\n").collect()
    }

    fn answer(&self, path: &str) -> Option<Vec<u8>> {
        let lie = self.lies.iter().find(|(end, _)| path.ends_with(*end));
        if let Some((_, answer)) = lie {
            return Some(answer.clone());
        }
        match path {
            "/.well-known/bailiwick/keyset" => Some(self.keyset.sign(&key()).to_json().into()),
            "/revocations" => Some(self.head().into()),
            "/revocations/snapshot" => Some(self.snapshot().into()),
            page => {
                let page = page.strip_prefix("/revocations/")?;
                let (epoch, range) = page.split_once('/')?;
                let (after, to) = range.split_once('-')?;
                let (after, to): (usize, usize) = (after.parse().ok()?, to.parse().ok()?);
                let known = epoch == self.epoch.to_string()
                    && after >= self.forgotten
                    && to <= self.changes.len()
                    && (1..=10_000).contains(&(to - after));
                known.then(|| self.lines(after, to).into())
            }
        }
    }
}

impl Transport for Issuer {
    async fn get(&self, get: Get<'_>) -> Result<Fetched, FetchError> {
        let mode = {
            let mut state = self.state();
            let path = get.url.strip_prefix(URL).unwrap();
            state.asked.push(path.to_owned());
            state.reports.extend(get.report.map(str::to_owned));
            state.mode
        };
        match mode {
            Mode::Up => {}
            Mode::Down => return Err(FetchError::Unreachable("down".to_owned())),
            Mode::Silent => std::future::pending().await,
            Mode::Panicking => panic!("the transport has a fault"),
            Mode::Flooding => {
                return Ok(Fetched::Found {
                    body: vec![b'\n'; get.limit + 1],
                    etag: None,
                });
            }
        }
        let path = get.url.strip_prefix(URL).unwrap();
        let Some(body) = self.state().answer(path) else {
            return Ok(Fetched::Gone);
        };
        let etag = format!("\"{}\"", Digest::of(&body));
        Ok(match get.etag {
            Some(known) if known == etag => Fetched::NotModified,
            _ => Fetched::Found {
                body,
                etag: Some(etag),
            },
        })
    }
}

fn key() -> SigningKey {
    SigningKey::from_bytes(&[9; 32])
}

fn public(key: &SigningKey) -> PublicKey {
    key.verifying_key().try_into().unwrap()
}
