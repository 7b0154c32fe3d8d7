//! What many callers ask for at the same time, done in one go.
//!
//! While one batch is worked at, what comes in queues up and is the next one. So a call to the
//! database is shared the more, the more there is to do, and nobody waits for company.

use tokio::sync::{mpsc, oneshot};

use crate::store::StoreError;

/// The most that waits. Beyond it callers are turned away, so that those who wait are served.
const QUEUE: usize = 1024;

/// The most in one batch. Not all that can wait: while one is worked at, what is to be in the next is
/// made ready.
pub(crate) const BATCH: usize = 64;

/// A task that takes jobs, many at a time, and gives an answer to each. It ends with this value.
pub(crate) struct Batcher<T, R>(mpsc::Sender<(T, oneshot::Sender<R>)>);

impl<T: Send + 'static, R: Send + 'static> Batcher<T, R> {
    /// `work` is given 1 to [`BATCH`] jobs, and answers them in their order.
    pub(crate) fn new<F>(work: impl Fn(Vec<T>) -> F + Send + 'static) -> Batcher<T, R>
    where
        F: Future<Output = Vec<R>> + Send,
    {
        let (sender, mut queue) = mpsc::channel(QUEUE);
        tokio::spawn(async move {
            let mut waiting = Vec::with_capacity(BATCH);
            while queue.recv_many(&mut waiting, BATCH).await > 0 {
                // Whoever is about to ask has its turn first.
                tokio::task::yield_now().await;
                while waiting.len() < BATCH
                    && let Ok(job) = queue.try_recv()
                {
                    waiting.push(job);
                }
                let (jobs, callers): (Vec<T>, Vec<oneshot::Sender<R>>) = waiting.drain(..).unzip();
                for (caller, answer) in callers.into_iter().zip(work(jobs).await) {
                    // It may have gone away.
                    let _ = caller.send(answer);
                }
            }
        });
        Batcher(sender)
    }

    /// Hands in a job, and waits for its answer. A caller that goes away takes nothing back.
    ///
    /// # Errors
    /// [`StoreError::Overloaded`], and nothing is done.
    pub(crate) async fn submit(&self, job: T) -> Result<R, StoreError> {
        let (caller, answer) = oneshot::channel();
        self.0
            .try_send((job, caller))
            .map_err(|_| StoreError::Overloaded)?;
        // The task ends before its time with the runtime only.
        answer.await.map_err(|_| StoreError::Unreachable)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use std::sync::{Arc, Mutex};

    use tokio::sync::Semaphore;

    use super::*;

    /// What is handed in while a batch is worked at is the next batch, each caller has its own answer,
    /// and who finds no room is told.
    #[tokio::test]
    async fn jobs_of_one_time_share_a_batch_and_the_queue_has_an_end() {
        let gate = Arc::new(Semaphore::new(0));
        let sizes = Arc::new(Mutex::new(Vec::new()));
        let batcher = Arc::new({
            let (gate, sizes) = (gate.clone(), sizes.clone());
            Batcher::new(move |jobs: Vec<usize>| {
                sizes.lock().unwrap().push(jobs.len());
                let gate = gate.clone();
                async move {
                    gate.acquire().await.unwrap().forget();
                    jobs.into_iter().map(|job| job * 2).collect()
                }
            })
        });
        let submit = |job| {
            let batcher = Arc::clone(&batcher);
            tokio::spawn(async move { batcher.submit(job).await })
        };
        let first = submit(0);
        while sizes.lock().unwrap().is_empty() {
            tokio::task::yield_now().await;
        }
        // One thread: each hands in before the next looks.
        let others: Vec<_> = (1..=QUEUE).map(submit).collect();
        let refused = submit(QUEUE + 1).await.unwrap();
        assert!(matches!(refused, Err(StoreError::Overloaded)));
        gate.add_permits(QUEUE);
        assert_eq!(first.await.unwrap().unwrap(), 0);
        for (job, answer) in (1..=QUEUE).zip(others) {
            assert_eq!(answer.await.unwrap().unwrap(), job * 2);
        }
        let sizes = sizes.lock().unwrap();
        assert_eq!(sizes.len(), 1 + QUEUE / BATCH);
        assert!(sizes.iter().skip(1).all(|size| *size == BATCH));
    }
}
