//! What many callers ask for at the same time, done in one go.
//!
//! While one batch is worked at, what comes in queues up and is the next one. So a call to the
//! database is shared the more, the more there is to do, and nobody waits for company.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// The most that waits. Beyond it callers are turned away, so that those who wait are served.
const QUEUE: usize = 1024;

/// The most in one batch. Not all that can wait: while one is worked at, what is to be in the next is
/// made ready.
const BATCH: usize = 64;

/// Attempts at a batch that conflicts with other transactions.
const ATTEMPTS: usize = 3;

/// What is done with many jobs at a time.
#[async_trait]
pub(crate) trait Work: Send + Sync + 'static {
    type Job: Send + Sync + 'static;
    type Done: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// One answer to each of the jobs, in their order. Where it fails as a whole, nothing was done.
    async fn all(&self, jobs: &[Self::Job]) -> Result<Answers<Self>, StoreError>;
}

/// The answers to the jobs of a batch.
pub(crate) type Answers<W> = Vec<Result<<W as Work>::Done, <W as Work>::Error>>;

type Waiter<W> = oneshot::Sender<Result<<W as Work>::Done, <W as Work>::Error>>;

/// Hands jobs to a task that works at them. The task ends with this value.
pub(crate) struct Batcher<W: Work>(mpsc::Sender<(W::Job, Waiter<W>)>);

impl<W: Work> Batcher<W> {
    pub(crate) fn new(work: W) -> Batcher<W> {
        let (sender, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(Arc::new(work), queue));
        Batcher(sender)
    }

    /// Hands in a job, and waits for its answer. A caller that goes away takes nothing back.
    ///
    /// # Errors
    /// That of the work; [`StoreError::Overloaded`], and nothing is done.
    pub(crate) async fn submit(&self, job: W::Job) -> Result<W::Done, W::Error> {
        let (caller, answer) = oneshot::channel();
        self.0
            .try_send((job, caller))
            .map_err(|_| StoreError::Overloaded)?;
        // Without an answer the work panicked, which the log tells, or the runtime ends.
        answer.await.map_err(|_| StoreError::Unreachable)?
    }
}

async fn run<W: Work>(work: Arc<W>, mut queue: mpsc::Receiver<(W::Job, Waiter<W>)>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        // Whoever is about to ask has its turn first.
        tokio::task::yield_now().await;
        while waiting.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            waiting.push(job);
        }
        let (jobs, callers) = waiting.drain(..).unzip();
        // A task of its own: a panic ends this batch, and not those after it.
        let ended = tokio::spawn(batch(Arc::clone(&work), jobs, callers)).await;
        if let Ok(Err(error)) = ended {
            // Who asked while the database was tried in vain does not wait for another try; whoever comes
            // from now on has one.
            for _ in 0..queue.len() {
                let Ok((_, caller)) = queue.try_recv() else {
                    break;
                };
                let _ = caller.send(Err(error.clone().into()));
            }
        }
    }
}

/// Answers all; where that fails because of one of them, each on its own.
///
/// # Errors
/// That of the database as a whole, which all were told.
async fn batch<W: Work>(
    work: Arc<W>,
    jobs: Vec<W::Job>,
    callers: Vec<Waiter<W>>,
) -> Result<(), StoreError> {
    let (answers, whole) = match attempted(&*work, &jobs).await {
        Ok(answers) => (answers, Ok(())),
        Err(error) if error.is_of_the_whole() => {
            let told = jobs.iter().map(|_| Err(error.clone().into()));
            (told.collect(), Err(error))
        }
        Err(error) if jobs.len() == 1 => (vec![Err(error.into())], Ok(())),
        Err(_) => {
            let mut answers = Vec::with_capacity(jobs.len());
            for job in &jobs {
                match attempted(&*work, std::slice::from_ref(job)).await {
                    Ok(one) => answers.extend(one),
                    Err(error) => answers.push(Err(error.into())),
                }
            }
            (answers, Ok(()))
        }
    };
    for (caller, answer) in callers.into_iter().zip(answers) {
        // It may have gone away.
        let _ = caller.send(answer);
    }
    whole
}

/// Works at the jobs, and again after a conflict with another transaction, which leaves nothing done.
async fn attempted<W: Work>(work: &W, jobs: &[W::Job]) -> Result<Answers<W>, StoreError> {
    let mut done = work.all(jobs).await;
    for _ in 1..ATTEMPTS {
        if !matches!(done, Err(StoreError::Conflict)) {
            break;
        }
        done = work.all(jobs).await;
    }
    done
}

#[cfg(test)]
#[allow(
    clippy::unwrap_used,
    clippy::arithmetic_side_effects,
    reason = "a test fails by panicking"
)]
mod tests {
    use std::sync::Mutex;

    use tokio::sync::Semaphore;

    use super::*;

    /// Doubles numbers, each batch when it is let, and some not.
    #[derive(Clone)]
    struct Doubler {
        gate: Arc<Semaphore>,
        sizes: Arc<Mutex<Vec<usize>>>,
    }

    const DAMAGED: usize = 7;
    const CUT_OFF: usize = 8;
    const PANIC: usize = 9;
    /// Conflicts as often as it is above this.
    const CONFLICT: usize = 1_000_000;

    #[async_trait]
    impl Work for Doubler {
        type Job = usize;
        type Done = usize;
        type Error = StoreError;

        async fn all(&self, jobs: &[usize]) -> Result<Answers<Self>, StoreError> {
            self.sizes.lock().unwrap().push(jobs.len());
            self.gate.acquire().await.unwrap().forget();
            let tries = self.sizes.lock().unwrap().len();
            if jobs.iter().any(|job| *job >= CONFLICT + tries) {
                return Err(StoreError::Conflict);
            }
            assert!(!jobs.contains(&PANIC));
            if jobs.contains(&CUT_OFF) {
                return Err(StoreError::Unreachable);
            }
            if jobs.contains(&DAMAGED) {
                return Err(StoreError::Damaged("number"));
            }
            Ok(jobs.iter().map(|job| Ok(job * 2)).collect())
        }
    }

    fn doubler() -> (
        Doubler,
        impl Fn(usize) -> tokio::task::JoinHandle<Result<usize, StoreError>>,
    ) {
        let doubler = Doubler {
            gate: Arc::new(Semaphore::new(0)),
            sizes: Arc::default(),
        };
        let batcher = Arc::new(Batcher::new(doubler.clone()));
        let submit = move |job| {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.submit(job).await })
        };
        (doubler, submit)
    }

    /// What is handed in while a batch is worked at is the next batch, each caller has its own answer,
    /// and who finds no room is told.
    #[tokio::test]
    async fn jobs_of_one_time_share_a_batch_and_the_queue_has_an_end() {
        let (doubler, submit) = doubler();
        let first = submit(0);
        while doubler.sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        // One thread: each hands in before the next looks.
        let others: Vec<_> = (1..=QUEUE).map(|job| submit(job + 10)).collect();
        let refused = submit(0).await.unwrap();
        assert!(matches!(refused, Err(StoreError::Overloaded)));
        doubler.gate.add_permits(QUEUE);
        assert_eq!(first.await.unwrap().unwrap(), 0);
        for (job, answer) in (1..=QUEUE).zip(others) {
            assert_eq!(answer.await.unwrap().unwrap(), (job + 10) * 2);
        }
        let sizes = doubler.sizes.lock().unwrap();
        assert_eq!(sizes.len(), 1 + QUEUE / BATCH);
        assert!(sizes.iter().skip(1).all(|size| *size == BATCH));
    }

    #[tokio::test]
    async fn a_job_that_fails_takes_none_of_the_others_along() {
        let (doubler, submit) = doubler();
        doubler.gate.add_permits(100);
        let jobs = [1, 2, DAMAGED, 3];
        for (job, answer) in jobs.into_iter().zip(jobs.map(submit)) {
            let doubled = (job != DAMAGED).then_some(job * 2);
            assert_eq!(answer.await.unwrap().ok(), doubled);
        }
        assert_eq!(*doubler.sizes.lock().unwrap(), [4, 1, 1, 1, 1]);
    }

    #[tokio::test]
    async fn who_waits_behind_a_database_that_is_away_is_told_as_soon_as_that_is_known() {
        let (doubler, submit) = doubler();
        let first = submit(CUT_OFF);
        while doubler.sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        let others: Vec<_> = (0..100).map(|_| submit(1)).collect();
        tokio::task::yield_now().await;
        doubler.gate.add_permits(1);
        for answer in others.into_iter().chain([first]) {
            assert!(matches!(
                answer.await.unwrap(),
                Err(StoreError::Unreachable)
            ));
        }
        // It was tried once, and is tried again for who comes later.
        assert_eq!(*doubler.sizes.lock().unwrap(), [1]);
        doubler.gate.add_permits(1);
        assert_eq!(submit(1).await.unwrap().unwrap(), 2);
    }

    #[tokio::test]
    async fn conflicts_are_retried_within_bounds() {
        for (conflicts, tries, answer) in [
            (0, 1, Some(CONFLICT)),
            (2, 3, Some(CONFLICT + 2)),
            (3, ATTEMPTS, None),
        ] {
            let (doubler, submit) = doubler();
            doubler.gate.add_permits(100);
            let done = submit(CONFLICT + conflicts).await.unwrap();
            assert_eq!(done.as_ref().ok(), answer.map(|job| job * 2).as_ref());
            assert!(done.is_ok() || matches!(done, Err(StoreError::Conflict)));
            assert_eq!(doubler.sizes.lock().unwrap().len(), tries);
        }
    }

    #[tokio::test]
    async fn a_panic_ends_its_batch_and_no_other() {
        let (doubler, submit) = doubler();
        doubler.gate.add_permits(2);
        assert!(matches!(
            submit(PANIC).await.unwrap(),
            Err(StoreError::Unreachable)
        ));
        assert_eq!(submit(1).await.unwrap().unwrap(), 2);
    }
}
