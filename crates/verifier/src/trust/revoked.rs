//! What is revoked, as numbers that are looked up.
//!
//! A name is its keyed hash of 64 bits (SipHash, under a secret of this process), so that an id takes
//! 12 bytes with its end, whatever it names, and nobody can choose a name that falls on another one.
//! Were two to fall together all the same, a token would be denied, once in 10¹³ with a million ids.

use std::{
    collections::hash_map::RandomState,
    hash::{BuildHasher, Hash},
    sync::LazyLock,
};

use bailiwick_token::{
    claims::TokenId,
    key::KeyId,
    revocation::{MAX_ENTRIES, Party, Revocation, SKEW, SnapshotError, Target},
    timestamp::Timestamp,
};

use crate::identity::Identity;

/// The secret of this process.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// Everything by which a revocation can name a token, hashed once for all lookups.
#[derive(Debug, Clone)]
pub(crate) struct RevocationNames {
    token: u64,
    /// The authority block's first.
    blocks: Box<[u64]>,
    agent: u64,
    principal: u64,
    tenant: Option<u64>,
}

impl RevocationNames {
    pub(crate) fn new(identity: &Identity, signatures: &[[u8; 64]]) -> RevocationNames {
        let tenant = identity.tenant.as_deref();
        RevocationNames {
            token: token(&identity.token_id),
            blocks: signatures.iter().map(block).collect(),
            agent: party(Party::Agent, &identity.agent),
            principal: party(Party::Principal, &identity.principal),
            tenant: tenant.map(|name| party(Party::Tenant, name)),
        }
    }

    /// About how many bytes of memory it takes beyond itself.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.blocks)
    }
}

/// The marks of a token that trust is looked up by.
pub(crate) struct TokenMarks<'a> {
    pub(crate) root_key: KeyId,
    /// The key itself: an id is too short to tell two issuers' keys apart for certain.
    pub(crate) root: &'a [u8; 32],
    pub(crate) names: &'a RevocationNames,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
}

/// The second at which an entry ends. The last one stands for never, and for all that lies beyond it.
type Expiry = u32;

const NEVER: Expiry = Expiry::MAX;

/// Tokens, blocks and parties that are revoked.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// Tokens and blocks, in order.
    ids: Box<[u64]>,
    /// When each of them ends.
    ends: Box<[Expiry]>,
    /// In order.
    watermarks: Box<[WatermarkHash]>,
}

/// A watermark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct WatermarkHash {
    party: u64,
    issued_before: Timestamp,
    end: Expiry,
}

/// An entry of other revocations that these lack.
enum UncoveredEntry {
    Id(u64, Expiry),
    Watermark(WatermarkHash),
}

/// What of a token is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RevokedBy {
    Token,
    Block(usize),
    IssuedBefore(Party, Timestamp),
}

impl Revoked {
    /// What these say, less what is dead at `at`, the time at which they were signed.
    pub(super) fn new(
        entries: impl Iterator<Item = Result<Revocation, SnapshotError>>,
        at: Timestamp,
    ) -> Result<Revoked, SnapshotError> {
        let mut gathered = Gathered::default();
        for entry in entries {
            gathered.add(&entry?);
        }
        Revoked::default().merged(gathered, at)
    }

    /// What this and `entries` say, less what is dead at `at`.
    pub(super) fn with(
        &self,
        entries: &[Revocation],
        at: Timestamp,
    ) -> Result<Revoked, SnapshotError> {
        let mut gathered = Gathered::default();
        for entry in entries {
            gathered.add(entry);
        }
        self.merged(gathered, at)
    }

    /// One pass over both.
    fn merged(&self, gathered: Gathered, at: Timestamp) -> Result<Revoked, SnapshotError> {
        let Gathered { mut ids, mut marks } = gathered;
        ids.sort_unstable();
        let most = self.ids.len().saturating_add(ids.len());
        let (mut merged, mut ends) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let old = self.ids.iter().copied().zip(self.ends.iter().copied());
        for (id, end) in merge(old, ids.into_iter()).filter(|(_, end)| !is_dead(*end, at)) {
            match (merged.last(), ends.last_mut()) {
                // One entry for each id, which ends with the last of them.
                (Some(last), Some(longest)) if *last == id => *longest = end.max(*longest),
                _ => {
                    merged.push(id);
                    ends.push(end);
                }
            }
        }
        marks.extend_from_slice(&self.watermarks);
        let watermarks = outermost(marks, at);
        if merged.len().saturating_add(watermarks.len()) > MAX_ENTRIES {
            return Err(SnapshotError::TooMany);
        }
        Ok(Revoked {
            ids: merged.into(),
            ends: ends.into(),
            watermarks,
        })
    }

    /// How many entries there are.
    pub(super) fn len(&self) -> usize {
        self.ids.len().saturating_add(self.watermarks.len())
    }

    /// What of a token that was issued at `issued_at` is revoked, by what was signed at `at`.
    pub(super) fn find(
        &self,
        names: &RevocationNames,
        issued_at: Timestamp,
        at: Timestamp,
    ) -> Option<RevokedBy> {
        if self.contains(names.token, at) {
            return Some(RevokedBy::Token);
        }
        let mut blocks = names.blocks.iter();
        if let Some(block) = blocks.position(|block| self.contains(*block, at)) {
            return Some(RevokedBy::Block(block));
        }
        if self.watermarks.is_empty() {
            return None;
        }
        let parties = [
            (Party::Agent, Some(names.agent)),
            (Party::Principal, Some(names.principal)),
            (Party::Tenant, names.tenant),
        ];
        parties.into_iter().find_map(|(party, name)| {
            let mark = self
                .marks(name?)
                .iter()
                .find(|mark| issued_at < mark.issued_before && !is_dead(mark.end, at))?;
            Some(RevokedBy::IssuedBefore(party, mark.issued_before))
        })
    }

    /// Whether everything of `other` that has not ended at `at` is here, and ends no sooner.
    pub(super) fn covers(&self, other: &Revoked, at: Timestamp) -> bool {
        let alive = move |end: Expiry| end == NEVER || u64::from(end) > at.unix();
        self.missing(other, alive).next().is_none()
    }

    /// What of `others` is not dead at `at`, and is not here, or ends sooner.
    pub(super) fn lacking(
        &self,
        others: &[&Revoked],
        at: Timestamp,
    ) -> Result<Revoked, SnapshotError> {
        let mut lacking = Gathered::default();
        let alive = move |end| !is_dead(end, at);
        for entry in others.iter().flat_map(|other| self.missing(other, alive)) {
            match entry {
                UncoveredEntry::Id(id, end) => lacking.ids.push((id, end)),
                UncoveredEntry::Watermark(mark) => lacking.marks.push(mark),
            }
        }
        Revoked::default().merged(lacking, at)
    }

    fn missing<'a>(
        &'a self,
        other: &'a Revoked,
        alive: impl Fn(Expiry) -> bool + Copy + 'a,
    ) -> impl Iterator<Item = UncoveredEntry> {
        let mut here = self.ids.iter().zip(&self.ends).peekable();
        let there = other.ids.iter().zip(&other.ends);
        let ids = there.filter_map(move |(id, end)| {
            while here.next_if(|(known, _)| *known < id).is_some() {}
            let known = here.peek();
            let known = known.is_some_and(|(known, longer)| *known == id && *longer >= end);
            (alive(*end) && !known).then_some(UncoveredEntry::Id(*id, *end))
        });
        let marks = other.watermarks.iter().filter_map(move |mark| {
            let known = self
                .marks(mark.party)
                .iter()
                .any(|known| known.covers(mark));
            (alive(mark.end) && !known).then_some(UncoveredEntry::Watermark(*mark))
        });
        ids.chain(marks)
    }

    fn contains(&self, id: u64, at: Timestamp) -> bool {
        let found = self.ids.binary_search(&id).ok();
        found.is_some_and(|index| self.ends.get(index).is_none_or(|end| !is_dead(*end, at)))
    }

    /// The watermarks of one party.
    fn marks(&self, party: u64) -> &[WatermarkHash] {
        let start = self.watermarks.partition_point(|mark| mark.party < party);
        let rest = self.watermarks.get(start..).unwrap_or_default();
        let end = rest.partition_point(|mark| mark.party == party);
        rest.get(..end).unwrap_or_default()
    }
}

impl WatermarkHash {
    fn covers(&self, other: &WatermarkHash) -> bool {
        self.party == other.party
            && self.issued_before >= other.issued_before
            && self.end >= other.end
    }
}

/// The watermarks that say more than all others of their party, in order.
fn outermost(mut marks: Vec<WatermarkHash>, at: Timestamp) -> Box<[WatermarkHash]> {
    marks.retain(|mark| !is_dead(mark.end, at));
    marks.sort_unstable();
    let mut kept: Vec<WatermarkHash> = Vec::with_capacity(marks.len());
    for mark in marks {
        // Of what came before, nothing reaches as far: only what ends later stays beside it.
        while kept.last().is_some_and(|last| mark.covers(last)) {
            kept.pop();
        }
        kept.push(mark);
    }
    kept.into()
}

/// Entries as they come.
#[derive(Default)]
struct Gathered {
    ids: Vec<(u64, Expiry)>,
    marks: Vec<WatermarkHash>,
}

impl Gathered {
    fn add(&mut self, entry: &Revocation) {
        let end = entry
            .expires
            .and_then(|end| Expiry::try_from(end.unix()).ok());
        let end = end.unwrap_or(NEVER);
        match &entry.target {
            Target::Token(id) => self.ids.push((token(id), end)),
            Target::Block(signature) => self.ids.push((block(signature), end)),
            Target::Watermark(watermark) => self.marks.push(WatermarkHash {
                party: party(watermark.party(), watermark.name()),
                issued_before: watermark.issued_before(),
                end,
            }),
        }
    }
}

/// The rule of [`Revocation::is_dead`].
fn is_dead(end: Expiry, at: Timestamp) -> bool {
    end != NEVER && u64::from(end).saturating_add(SKEW) < at.unix()
}

fn token(id: &TokenId) -> u64 {
    hashed(("token", id.as_bytes()))
}

fn block(signature: &[u8; 64]) -> u64 {
    hashed(("block", signature))
}

fn party(party: Party, name: &str) -> u64 {
    hashed((party.as_str(), name))
}

fn hashed(name: impl Hash) -> u64 {
    SECRET.hash_one(name)
}

/// Two sorted sequences as one.
fn merge<T: Ord>(
    left: impl Iterator<Item = T>,
    right: impl Iterator<Item = T>,
) -> impl Iterator<Item = T> {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(first), Some(second)) if first > second => right.next(),
        (None, _) => right.next(),
        _ => left.next(),
    })
}
