//! Measurement of decisions per second with two threads, compared with one.

use std::{
    hint::black_box,
    sync::Barrier,
    time::{Duration, Instant},
};

use ed25519_dalek::{Signer, SigningKey};

use crate::{
    rounds::{Effort, Spread},
    sample::{Sample, request, text},
    variant::Unexpected,
};

/// Decisions per second with one thread and with two.
#[derive(Debug, Clone)]
pub(crate) struct Threads {
    pub(crate) what: &'static str,
    pub(crate) one: f64,
    pub(crate) two: f64,
    /// The ratio of the rates with two threads and with one, over the rounds.
    pub(crate) ratio: Spread,
}

pub(crate) const OWN: &str = "seen tokens, one for each thread";
pub(crate) const SHARED: &str = "one seen token for all threads";
/// A comparison that shows how well this machine scales: threads that verify signatures share no data.
const SIGNATURES: &str = "`verify_strict`, for comparison";

const BLOCKS: usize = 3;

pub(crate) fn measure(sample: &Sample, effort: &Effort) -> Result<Vec<Threads>, Unexpected> {
    let (verifier, request, now) = (sample.verifier(), request(), sample.now);
    let tokens = [text(&sample.chain(BLOCKS)), text(&sample.chain(BLOCKS))];
    let check = |text: &str| verifier.check(black_box(text), &request, now).is_allow();
    let own = |thread: usize| check(&tokens[thread]);
    let shared = |_: usize| check(&tokens[0]);
    let key = SigningKey::from_bytes(&[7; 32]);
    let (message, public) = ([7; 500], key.verifying_key());
    let signature = key.sign(&message);
    let signatures = |_: usize| {
        public
            .verify_strict(black_box(&message), &signature)
            .is_ok()
    };
    let subjects: [(&'static str, &(dyn Fn(usize) -> bool + Sync)); 3] =
        [(OWN, &own), (SHARED, &shared), (SIGNATURES, &signatures)];
    subjects
        .into_iter()
        .map(|(what, decide)| compare(what, decide, effort))
        .collect()
}

/// Compares one thread with two. They take turns, for the same reason as in [`crate::rounds`].
fn compare(
    what: &'static str,
    decide: &(dyn Fn(usize) -> bool + Sync),
    effort: &Effort,
) -> Result<Threads, Unexpected> {
    let expected = |rate: Option<f64>| rate.ok_or_else(|| Unexpected(what.to_owned()));
    // Ten times as long as a turn elsewhere, so that the time to start and stop threads hardly matters.
    let guess = expected(rate(1, 100, decide))?;
    let count = ((guess * effort.turn.as_secs_f64() * 10.0) as usize).max(100);
    let (mut one, mut two, mut ratio) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..effort.rounds.div_ceil(3) {
        let alone = expected(rate(1, count, decide))?;
        let both = expected(rate(2, count, decide))?;
        one.push(alone);
        two.push(both);
        ratio.push(both / alone);
    }
    Ok(Threads {
        what,
        one: Spread::of(one).median,
        two: Spread::of(two).median,
        ratio: Spread::of(ratio),
    })
}

/// Decisions per second of all threads together; `None` if a decision was wrong.
fn rate(threads: usize, count: usize, decide: &(dyn Fn(usize) -> bool + Sync)) -> Option<f64> {
    let barrier = Barrier::new(threads);
    let work = &|thread: usize| {
        decide(thread);
        barrier.wait();
        let start = Instant::now();
        let right = (0..count).fold(true, |right, _| right & decide(thread));
        right.then(|| start.elapsed())
    };
    let slowest: Option<Duration> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|thread| scope.spawn(move || work(thread)))
            .collect();
        workers
            .into_iter()
            .map(|worker| worker.join().unwrap())
            .try_fold(Duration::ZERO, |slowest, taken| Some(slowest.max(taken?)))
    });
    Some((threads * count) as f64 / slowest?.as_secs_f64())
}
