//! Work beside the decisions: on other threads, and with its panics caught.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{task::spawn_blocking, time::Instant};

use super::error::RefreshError;

/// Work that would hold up others: files, and lists of a million.
pub(super) async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, RefreshError> {
    spawn_blocking(work)
        .await
        .map_err(|_| RefreshError::Interrupted)
}

/// Runs `work`, and takes a panic for its end.
pub(super) async fn caught(work: impl Future<Output = ()>) -> Result<(), ()> {
    let mut work = pin!(work);
    poll_fn(|cx| {
        let polled = catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx)));
        match polled {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(())) => Poll::Ready(Ok(())),
            Err(_) => Poll::Ready(Err(())),
        }
    })
    .await
}

/// The time after that wait.
pub(super) fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}
