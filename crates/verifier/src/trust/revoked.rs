//! The set of revoked tokens, blocks and parties, stored as hashes.
//!
//! A name is stored as its keyed 64-bit hash (SipHash, under a secret of this process). Each id takes 12 bytes,
//! including its expiry, and nobody can choose a name that collides with another one. A collision by chance would deny
//! a token that is not revoked; with a million ids, this affects one token in 10¹³.

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

/// The secret key of the hashes in this process.
static SECRET: LazyLock<RandomState> = LazyLock::new(RandomState::new);

/// All names by which a revocation can refer to a token, hashed once for all lookups.
#[derive(Debug, Clone)]
pub(crate) struct RevocationNames {
    token: u64,
    /// One hash for each block, beginning with the authority block.
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

    /// Approximate heap memory in bytes.
    pub(crate) fn size(&self) -> usize {
        size_of_val(&*self.blocks)
    }
}

/// The properties of a token that its trust depends on.
pub(crate) struct TrustedFacts<'a> {
    pub(crate) root_key: KeyId,
    /// The key itself, because an id is too short to tell two issuers' keys apart with certainty.
    pub(crate) root: &'a [u8; 32],
    pub(crate) names: &'a RevocationNames,
    pub(crate) issued_at: Timestamp,
    pub(crate) expires: Timestamp,
}

/// The second at which an entry expires. The maximum value stands for "never", and for all later times.
type Expiry = u32;

const NEVER: Expiry = Expiry::MAX;

/// Tokens, blocks and parties that are revoked.
#[derive(Debug, Default)]
pub(super) struct Revoked {
    /// Hashes of tokens and blocks, sorted.
    ids: Box<[u64]>,
    /// The expiry of each id.
    ends: Box<[Expiry]>,
    /// Watermarks, sorted.
    watermarks: Box<[WatermarkHash]>,
}

/// A watermark, which revokes the tokens of a party that were issued before a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct WatermarkHash {
    party: u64,
    issued_before: Timestamp,
    end: Expiry,
}

/// An entry that other revocations contain and these do not.
enum UncoveredEntry {
    Id(u64, Expiry),
    Watermark(WatermarkHash),
}

/// The name of a token under which it is revoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RevokedBy {
    Token,
    Block(usize),
    IssuedBefore(Party, Timestamp),
}

impl Revoked {
    /// Reads revocations from `entries`, leaving out those that were dead at `at`, the time of signing.
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

    /// Adds `entries` to these revocations, leaving out those that were dead at `at`.
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

    /// Merges these revocations with gathered entries in one pass.
    fn merged(&self, gathered: Gathered, at: Timestamp) -> Result<Revoked, SnapshotError> {
        let Gathered { mut ids, mut marks } = gathered;
        ids.sort_unstable();
        let most = self.ids.len().saturating_add(ids.len());
        let (mut merged, mut ends) = (Vec::with_capacity(most), Vec::with_capacity(most));
        let old = self.ids.iter().copied().zip(self.ends.iter().copied());
        for (id, end) in merge(old, ids.into_iter()).filter(|(_, end)| !is_dead(*end, at)) {
            match (merged.last(), ends.last_mut()) {
                // One entry for each id, with its latest expiry: a second revocation must not end before the first.
                (Some(last), Some(longest)) if *last == id => *longest = end.max(*longest),
                _ => {
                    merged.push(id);
                    ends.push(end);
                }
            }
        }
        marks.extend_from_slice(&self.watermarks);
        let watermarks = outermost(marks, at);
        // An error, not a truncated list: dropping entries would make revoked tokens valid again.
        if merged.len().saturating_add(watermarks.len()) > MAX_ENTRIES {
            return Err(SnapshotError::TooMany);
        }
        Ok(Revoked {
            ids: merged.into(),
            ends: ends.into(),
            watermarks,
        })
    }

    /// Number of entries.
    pub(super) fn len(&self) -> usize {
        self.ids.len().saturating_add(self.watermarks.len())
    }

    /// Finds the name under which a token is revoked, if any. The token was issued at `issued_at`; the
    /// revocations were signed at `at`.
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
        // Saves three look-ups per call if there are none.
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

    /// Returns true if these revocations contain every entry of `other` that is still alive at `at`, with the
    /// same or a later expiry.
    pub(super) fn covers(&self, other: &Revoked, at: Timestamp) -> bool {
        // Without the tolerance of `is_dead`: a list need not repeat an entry that has ended.
        let alive = move |end: Expiry| end == NEVER || u64::from(end) > at.unix();
        self.missing(other, alive).next().is_none()
    }

    /// The entries of `others` that are alive at `at` but missing here, or expire sooner here.
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
            // Both lists are sorted, so one pass over them finds every match.
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

/// The watermarks that no other watermark of their party covers, sorted.
fn outermost(mut marks: Vec<WatermarkHash>, at: Timestamp) -> Box<[WatermarkHash]> {
    marks.retain(|mark| !is_dead(mark.end, at));
    marks.sort_unstable();
    let mut kept: Vec<WatermarkHash> = Vec::with_capacity(marks.len());
    for mark in marks {
        // Marks are sorted, so `mark` covers earlier ones of its party unless they end later.
        while kept.last().is_some_and(|last| mark.covers(last)) {
            kept.pop();
        }
        kept.push(mark);
    }
    kept.into()
}

/// New entries, not yet sorted.
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
            // The kind is a part of what is hashed, so tokens and blocks can share a list.
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

/// Returns true if an entry is dead, by the rule of [`Revocation::is_dead`].
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

/// Merges two sorted sequences.
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
