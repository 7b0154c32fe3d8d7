//! Background work, on other threads and with panics caught.

use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    time::Duration,
};

use tokio::{task::spawn_blocking, time::Instant};

use super::error::RefreshError;

/// Runs work that would block the runtime, such as file access and lists of a million entries.
pub(super) async fn blocking<R: Send + 'static>(
    work: impl FnOnce() -> R + Send + 'static,
) -> Result<R, RefreshError> {
    spawn_blocking(work)
        .await
        .map_err(|_| RefreshError::Interrupted)
}

/// Runs `work`, and turns a panic into an error.
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

/// The time at which a wait ends.
pub(super) fn after(wait: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(wait).unwrap_or(now)
}
