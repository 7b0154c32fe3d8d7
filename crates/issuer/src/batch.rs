//! Batching of the jobs of many concurrent callers.
//!
//! Jobs that arrive while a batch is processed queue up and form the next batch. So the higher the load, the
//! more callers share one call to the database, and a single caller never waits for others.

use std::sync::Arc;

use async_trait::async_trait;
use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// Maximum number of waiting jobs. Further jobs are refused, so that waiting ones are served in time.
const QUEUE: usize = 1024;

/// Maximum number of jobs in a batch. It is smaller than the queue, so that callers prepare the jobs of
/// the next batch while one is processed.
const BATCH: usize = 64;

/// Maximum number of attempts at a batch that conflicts with other transactions.
const ATTEMPTS: usize = 3;

/// Work that processes many jobs at a time.
#[async_trait]
pub(crate) trait Work: Send + Sync + 'static {
    type Job: Send + Sync + 'static;
    type Done: Send + 'static;
    type Error: From<StoreError> + Send + 'static;

    /// Processes the jobs and returns one answer for each, in the same order. An error means that no job was
    /// processed.
    async fn all(&self, jobs: &[Self::Job]) -> Result<Answers<Self>, StoreError>;
}

/// The answers to the jobs of a batch.
pub(crate) type Answers<W> = Vec<Result<<W as Work>::Done, <W as Work>::Error>>;

type Waiter<W> = oneshot::Sender<Result<<W as Work>::Done, <W as Work>::Error>>;

/// Passes jobs to a task that processes them. The task ends when this value is dropped.
pub(crate) struct Batcher<W: Work>(mpsc::Sender<(W::Job, Waiter<W>)>);

impl<W: Work> Batcher<W> {
    pub(crate) fn new(work: W) -> Batcher<W> {
        let (sender, queue) = mpsc::channel(QUEUE);
        tokio::spawn(run(Arc::new(work), queue));
        Batcher(sender)
    }

    /// Submits a job and waits for its answer. The job is processed even if the caller goes away.
    ///
    /// # Errors
    /// The error of the work, or [`StoreError::Overloaded`] if the queue is full. In that case, the job is not
    /// processed.
    pub(crate) async fn submit(&self, job: W::Job) -> Result<W::Done, W::Error> {
        let (caller, answer) = oneshot::channel();
        self.0
            .try_send((job, caller))
            .map_err(|_| StoreError::Overloaded)?;
        // A missing answer means that the work panicked, which is in the log, or that the runtime is shutting down.
        answer.await.map_err(|_| StoreError::Unreachable)?
    }
}

async fn run<W: Work>(work: Arc<W>, mut queue: mpsc::Receiver<(W::Job, Waiter<W>)>) {
    let mut waiting = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut waiting, BATCH).await > 0 {
        // Lets other callers that are about to submit a job do so, so that they join this batch.
        tokio::task::yield_now().await;
        while waiting.len() < BATCH
            && let Ok(job) = queue.try_recv()
        {
            waiting.push(job);
        }
        let (jobs, callers) = waiting.drain(..).unzip();
        // A separate task, so that a panic ends only this batch and not the later ones.
        let ended = tokio::spawn(batch(Arc::clone(&work), jobs, callers)).await;
        if let Ok(Err(error)) = ended {
            // Callers that queued during the failed attempt fail at once, rather than each wait for another
            // one. Later callers get a new attempt.
            for _ in 0..queue.len() {
                let Ok((_, caller)) = queue.try_recv() else {
                    break;
                };
                let _ = caller.send(Err(error.clone().into()));
            }
        }
    }
}

/// Processes a batch and answers its callers. If the batch fails because of one job, each job is processed on
/// its own.
///
/// # Errors
/// An error of the database as a whole. All callers of the batch have received it.
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
        // Fails only if the caller has gone away.
        let _ = caller.send(answer);
    }
    whole
}

/// Processes jobs. A conflict with another transaction undoes all of them; they are then tried again, up to
/// [`ATTEMPTS`] times in total.
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

    /// Work that doubles numbers, one batch for each permit of the gate, and that fails for some numbers.
    #[derive(Clone)]
    struct Doubler {
        gate: Arc<Semaphore>,
        sizes: Arc<Mutex<Vec<usize>>>,
    }

    const DAMAGED: usize = 7;
    const CUT_OFF: usize = 8;
    const PANIC: usize = 9;
    /// The job `CONFLICT + n` causes `n` conflicts before it succeeds.
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

    /// Jobs that are submitted while a batch is processed form the next batches. Each caller gets its own
    /// answer, and a caller that finds the queue full gets an error.
    #[tokio::test]
    async fn jobs_of_one_time_share_a_batch_and_the_queue_has_an_end() {
        let (doubler, submit) = doubler();
        let first = submit(0);
        while doubler.sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        // The runtime has one thread, so all of them submit before a batch is taken.
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
    async fn a_failing_job_fails_no_other() {
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
    async fn callers_waiting_for_a_lost_database_are_told_at_once() {
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
        // The database was tried once, and is tried again for later callers.
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
