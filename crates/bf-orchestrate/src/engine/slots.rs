//! How many jobs may run at a time: the plan's `concurrency`, shared by phases and windows.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// The places for jobs.
pub(crate) struct Slots<'a> {
    limit: usize,
    used: Mutex<usize>,
    on_free: &'a (dyn Fn() + Sync),
}

impl<'a> Slots<'a> {
    /// `on_free` hears of each place that is given back.
    pub(super) fn new(limit: usize, on_free: &'a (dyn Fn() + Sync)) -> Self {
        Self {
            limit,
            used: Mutex::new(0),
            on_free,
        }
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.limit.saturating_sub(*self.lock())
    }

    /// Takes a place; false if none is free.
    pub(super) fn take(&self) -> bool {
        let mut used = self.lock();
        let is_free = *used < self.limit;
        if is_free {
            *used += 1;
        }
        is_free
    }

    /// Gives a place back.
    pub(super) fn give_back(&self) {
        let mut used = self.lock();
        *used = used.saturating_sub(1);
        drop(used);
        (self.on_free)();
    }

    fn lock(&self) -> MutexGuard<'_, usize> {
        self.used.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
