//! A counter of allocations, active only on request.

#![allow(
    unsafe_code,
    reason = "the only way to count allocations is to be the allocator, and `GlobalAlloc` is an unsafe trait"
)]

use std::{
    alloc::{GlobalAlloc, Layout, System},
    sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering::Relaxed},
};

/// The system's allocator, with counters that run only during [`counted`], so that timed code pays for only one
/// branch.
pub(crate) struct Counting;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

static COUNTS: AtomicBool = AtomicBool::new(false);
static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);
static BYTES: AtomicU64 = AtomicU64::new(0);
static GROWTH: AtomicI64 = AtomicI64::new(0);

/// The allocations of a piece of code.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Allocated {
    /// Number of allocations; growing a buffer counts as well.
    pub(crate) allocations: u64,
    /// Number of bytes allocated.
    pub(crate) bytes: u64,
    /// Number of bytes allocated minus number of bytes freed.
    pub(crate) growth: i64,
}

/// Runs `code`, and returns its result and its allocations. No other thread may run meanwhile.
pub(crate) fn counted<R>(code: impl FnOnce() -> R) -> (R, Allocated) {
    ALLOCATIONS.store(0, Relaxed);
    BYTES.store(0, Relaxed);
    GROWTH.store(0, Relaxed);
    COUNTS.store(true, Relaxed);
    let result = code();
    COUNTS.store(false, Relaxed);
    let allocated = Allocated {
        allocations: ALLOCATIONS.load(Relaxed),
        bytes: BYTES.load(Relaxed),
        growth: GROWTH.load(Relaxed),
    };
    (result, allocated)
}

fn count(asked_for: usize, given_back: usize) {
    if COUNTS.load(Relaxed) {
        if asked_for > 0 {
            ALLOCATIONS.fetch_add(1, Relaxed);
            BYTES.fetch_add(asked_for as u64, Relaxed);
        }
        GROWTH.fetch_add(asked_for as i64 - given_back as i64, Relaxed);
    }
}

// SAFETY: every call goes to the system's allocator unchanged; counting touches none of its memory.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: our caller vouches for the layout.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        count(layout.size(), 0);
        // SAFETY: our caller vouches for the layout.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        count(size, layout.size());
        // SAFETY: the pointer came from `System` with this layout, and our caller vouches for the size.
        unsafe { System.realloc(pointer, layout, size) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        count(0, layout.size());
        // SAFETY: the pointer came from `System` with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }
}
